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
    return depth_of_raw(raw, max_depth, nearest_raw=nearest_raw)


def depth_of_raw(
    raw: torch.Tensor,
    max_depth: float | torch.Tensor,
    *,
    nearest_raw: float,
    none: float | torch.Tensor = 0.0,
) -> torch.Tensor:
    """Turn raw output into depth, in operations that every runtime does alike.

    Raw output outside [1, nearest_raw] is no depth: it becomes 0, not the nearest limit, for a
    wall at exactly max_depth would be a lie. The clip before the division only keeps the unused
    side of the choice finite: nothing here depends on how a runtime treats inf or NaN.

    Args:
        raw: Any shape, float (no unit).
        max_depth: Depth that is coded as 1 [m]; a tensor in a graph that is exported.
        nearest_raw: What the nearest depth is coded as, max_depth / min_depth.
        none: 0; a tensor in a graph that is exported.

    Returns:
        Same shape, depth along Z [m], 0 = none.
    """
    valid = (raw >= 1.0) & (raw <= nearest_raw)
    return torch.where(valid, max_depth / raw.clamp(1.0, nearest_raw), none)
