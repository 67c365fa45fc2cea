"""Depth for the camera at hand from depth for the training camera."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.depth.image_transform import ImageTransform

__all__ = ['focal_factor']


def focal_factor(
    transform: ImageTransform, intrinsics: CameraIntrinsics | None, training_fx: float | None
) -> float:
    """Return true depth / depth for the camera of training; 1 where one of them is unknown.

    Something X wide at a depth Z covers n = f * X / Z pixels of the network's input, where f is
    the camera's focal length in those pixels. From n pixels the network answers
    training_fx * X / n = Z * training_fx / f. So the factor is f / training_fx, and training_fx is
    the same number of pixels at whatever size the network runs. Where an image is stretched, both
    directions count alike: f is fx times the geometric mean of the two scales.

    Args:
        transform: How the image gets into the network.
        intrinsics: The camera's, for the image; None or uncalibrated = unknown.
        training_fx: See ModelSpec [px].

    Raises:
        ImageError: The intrinsics belong to another image size.
    """
    if intrinsics is None or not intrinsics.is_calibrated:
        return 1.0
    transform.apply_intrinsics(intrinsics)  # refuses those of another size
    if training_fx is None:
        return 1.0
    return intrinsics.fx * math.sqrt(math.prod(transform.scale)) / training_fx
