"""How a network's raw output codes depth: max_depth / depth, as the paper has it."""

from __future__ import annotations

import torch


def encode_depth(depth: torch.Tensor, max_depth: float) -> torch.Tensor:
    """Code depth as a network learns it.

    Args:
        depth: Any shape, float, depth along Z [m]; not positive or not finite = missing.
        max_depth: Depth that is coded as 1 [m].

    Returns:
        Same shape, max_depth / depth (no unit, 1 or more within range); 0 where missing.
    """
    known = torch.isfinite(depth) & (depth > 0)
    return torch.where(known, max_depth / torch.where(known, depth, 1.0), 0.0)


def decode_depth(raw: torch.Tensor, max_depth: float, min_depth: float = 0.0) -> torch.Tensor:
    """Turn a network's raw output into depth.

    Args:
        raw: Any shape, float, raw output (no unit). The last layer is linear: it can be negative.
        max_depth: Depth that is coded as 1 [m]; deeper values are cut to it.
        min_depth: Nearer values are cut to it [m].

    Returns:
        Same shape, depth along Z [m] in [min_depth, max_depth]; 0 where raw is not positive or
        not a number, which is no depth at all (the original code clips a negative value to the
        nearest depth there is).
    """
    valid = raw > 0
    depth = max_depth / torch.where(valid, raw, 1.0)
    return torch.where(valid, depth.clamp(min_depth, max_depth), 0.0)
