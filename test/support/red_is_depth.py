"""A predictor whose answer can be read off the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics


class RedIsDepth:
    """Predicts as many metres as a pixel's red value; what it saw is kept."""

    backend = 'none'
    precision = 'fp32'
    depth_range = (0.5, 10.5)

    def __init__(self) -> None:
        self.seen: list[NDArray[np.uint8]] = []

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        del intrinsics
        self.seen += images
        return [image[..., 0].astype(np.float32) for image in images]

    def close(self) -> None:
        pass
