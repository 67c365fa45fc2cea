"""What goes into the estimation of a frame and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from std_msgs.msg import Header

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.camera.rectification import Rectifier
    from depth_estimation_ros.depth.prediction import StageTimings
    from depth_estimation_ros.ros.messages.camera_model import CameraModel
    from depth_estimation_ros.ros.messages.outputs import Output


@dataclass(frozen=True, kw_only=True)
class FrameRequest:
    """One image whose depth is asked for.

    Attributes:
        source: name of the camera.
        header: of the image.
        rgb: (H, W, 3) uint8.
        camera: None if it is unknown.
        wanted: outputs that somebody listens to.
    """

    source: str
    header: Header
    rgb: NDArray[np.uint8]
    camera: CameraModel | None
    wanted: frozenset[Output]

    @property
    def intrinsics(self) -> CameraIntrinsics | None:
        """Those of the camera, rectified if it is."""
        return self.camera.intrinsics if self.camera else None

    @property
    def rectifier(self) -> Rectifier | None:
        """What takes the distortion out, if there is one."""
        return self.camera.rectifier if self.camera else None


@dataclass(frozen=True, kw_only=True)
class DepthFrame:
    """One image and its depth; all arrays have the image's size.

    Attributes:
        header: of the image, verbatim.
        rgb: (H, W, 3) uint8, rectified if its camera is.
        depth: (H, W) float32 [m], NaN = invalid, beyond the limits what range_policy says.
        cloud_depth: the same without flying pixels.
        confidence: (H, W) float32, 0 = none to 1; None unless it was asked for.
        camera: None if it is unknown.
        max_color_depth: depth painted as the farthest [m].
        timings: of the network's run, or of both.
    """

    header: Header
    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    cloud_depth: NDArray[np.float32]
    confidence: NDArray[np.float32] | None
    camera: CameraModel | None
    max_color_depth: float
    timings: StageTimings
