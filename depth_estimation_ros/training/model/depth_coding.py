"""How a network's raw output codes depth: max_depth / depth, as the paper has it."""

from __future__ import annotations

import math

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
        max_depth: Depth that is coded as 1 [m], the farthest that counts.
        min_depth: The nearest that counts [m].

    Returns:
        Same shape, depth along Z [m] in [min_depth, max_depth]; 0 = none, where raw is outside
        [1, max_depth / min_depth] or not a number, as in a model file (the original code cuts it
        to the range instead).
    """
    nearest_raw = max_depth / min_depth if min_depth > 0 else math.inf
    valid = (raw >= 1.0) & (raw <= nearest_raw)
    return torch.where(valid, max_depth / torch.where(valid, raw, 1.0), 0.0)
