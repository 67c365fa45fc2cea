"""One image and its depth, as messages are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from std_msgs.msg import Header

    from depth_estimation_ros.depth.finished_depth import FinishedDepth
    from depth_estimation_ros.ros.messages.camera_model import CameraModel


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthFrame:
    """What is published of an image.

    Attributes:
        header: of the image, verbatim.
        depth: of the image.
        camera: of the image, at its size; None if it is unknown.
        max_color_depth: depth painted as the farthest [m].
    """

    header: Header
    depth: FinishedDepth
    camera: CameraModel | None
    max_color_depth: float
