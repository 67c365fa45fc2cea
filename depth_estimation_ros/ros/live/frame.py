"""The newest of everything that came of one camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics


@dataclass(kw_only=True)
class Frame:
    """What is shown.

    Attributes:
        rgb: (H, W, 3) uint8 camera image.
        depth: (H, W) float32 [m], anything not finite = none.
        intrinsics: of the depth image.
        points: (N, 3) float32 [m] in the optical frame, all finite.
        colors: (N, 3) uint8 RGB.
    """

    rgb: NDArray[np.uint8] | None = None
    depth: NDArray[np.float32] | None = None
    intrinsics: CameraIntrinsics | None = None
    points: NDArray[np.float32] | None = None
    colors: NDArray[np.uint8] | None = None
