"""From a data set's items to what a network and its loss take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from depth_estimation_ros.training.model.depth_coding import encode_depth
from depth_estimation_ros.training.step.augmentation import ImageBatch

if TYPE_CHECKING:
    from depth_estimation_ros.training.config import TrainConfig


def to_device(items: dict[str, Any], device: torch.device) -> ImageBatch:
    """Move a collated batch to a device, as floats.

    Args:
        items: `image` (N, 3, H, W) uint8 RGB, `depth` (N, H, W) float32 [m], 0 or NaN = missing,
            `intrinsics` (N, 4) float32 fx fy cx cy [px], 0 = unknown, and perhaps `depth_step`
            (N,) float, the steps that depth was recorded in [m].
        device: Where to.
    """
    image = items['image'].to(device, non_blocking=True).float().div_(255)
    depth = items['depth'].to(device, non_blocking=True).unsqueeze(1)
    fx = items['intrinsics'].to(device, non_blocking=True)[:, 0]
    step = items['depth_step'].to(device, torch.float32) if 'depth_step' in items else None
    return ImageBatch(image=image, depth=depth, fx=fx, zoom=torch.ones_like(fx), depth_step=step)


def resized(batch: ImageBatch, size: tuple[int, int]) -> ImageBatch:
    """Bring images to another size: RGB is averaged or interpolated, depth is picked."""
    if tuple(batch.image.shape[-2:]) == size:
        return batch
    height, width = batch.image.shape[-2:]
    if (height, width) == (2 * size[0], 2 * size[1]):
        rows = batch.image[..., ::2, :] + batch.image[..., 1::2, :]
        image = (rows[..., ::2] + rows[..., 1::2]) / 4  # on a CPU twice as fast as avg_pool2d
    else:
        image = F.interpolate(
            batch.image, size, mode='bilinear', align_corners=False, antialias=True
        )
    return replace(
        batch,
        image=image,
        depth=F.interpolate(batch.depth, size, mode='nearest'),
        fx=batch.fx * size[1] / width,
    )


def focal_scale(batch: ImageBatch, training_fx: float | None) -> torch.Tensor:
    """Return what depth is multiplied by to get what the network learns, (N, 1, 1, 1).

    The network learns depth as a camera of focal length `training_fx` would have seen it: what
    looks twice as large is half as far. Without that, or for an image whose focal length is not
    known, it learns depth as the data's own camera would have seen it, before any crop.

    Args:
        batch: The images.
        training_fx: Focal length [px of these images]; None = the data's own.
    """
    scale = 1 / batch.zoom
    if training_fx is not None:
        scale = torch.where(batch.fx > 0, training_fx / batch.fx.clamp_min(1e-6), scale)
    return scale.view(-1, 1, 1, 1)


def coded_target(
    batch: ImageBatch, config: TrainConfig, training_fx: float | None
) -> torch.Tensor:
    """Return (N, 1, H, W) coded depth as the network learns it; 0 = missing."""
    depth = batch.depth.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    scaled = depth * focal_scale(batch, training_fx)
    scaled = scaled.clamp(config.min_depth, config.max_depth)
    return encode_depth(torch.where(depth > 0, scaled, 0.0), config.max_depth)


def relative_step(
    batch: ImageBatch, target: torch.Tensor, config: TrainConfig, training_fx: float | None
) -> torch.Tensor | None:
    """Return the steps that depth was recorded in as a share of it, like the target; None = 0.

    Args:
        batch: The images.
        target: (N, 1, h, w) coded depth.
        config: The settings that it was coded with.
        training_fx: The focal length that it was coded with.
    """
    if batch.depth_step is None or not bool(batch.depth_step.any()):
        return None
    scaled_step = batch.depth_step.view(-1, 1, 1, 1) * focal_scale(batch, training_fx)
    return scaled_step * target / config.max_depth
