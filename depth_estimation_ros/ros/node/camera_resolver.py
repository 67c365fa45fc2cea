"""Which camera an image was taken with: from camera_info, a field of view, or unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.messages.camera_model import (
    CameraModel,
    camera_from_hfov,
    camera_from_info,
    is_distorted,
    rectified_camera,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import Header

    from depth_estimation_ros.camera.rectification import Rectifier
    from depth_estimation_ros.ros.messages.camera_info_cache import CameraInfoCache
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
    from depth_estimation_ros.ros.runtime.announcer import Announcer

# Once, at the first image: its camera_info may come a moment later than the image itself.
FIRST_INFO_TIMEOUT_SEC = 1.0
# Only while the calibration changes from message to message, as with a zoom lens.
SAME_STAMP_TIMEOUT_SEC = 0.05


class CameraResolver:
    """Finds the camera model of each image of one stream.

    Args:
        infos: what came on the camera_info topic.
        image_topic: full name; one with 'rect' in its last part carries rectified images.
        info_topic: full name, for messages.
        count_publishers: tells how many publishers a topic has.
        announcer: says what is wrong with a camera_info.
    """

    def __init__(
        self,
        infos: CameraInfoCache,
        *,
        image_topic: str,
        info_topic: str,
        count_publishers: Callable[[str], int],
        announcer: Announcer,
    ) -> None:
        self._infos = infos
        self._info_topic = info_topic
        self._count_publishers = count_publishers
        self._announcer = announcer
        self._is_rect_topic = _carries_rectified(image_topic)
        self._waited = False
        self._rectifier: Rectifier | None = None
        self.trouble = ''  # why the last image has no camera model

    def resolve(
        self, header: Header, *, height: int, width: int, parameters: NodeParameters
    ) -> CameraModel | None:
        """Find the camera of an image.

        Args:
            header: the image's.
            height: of the image [px].
            width: of the image [px].
            parameters: rectify and fallback_hfov_deg concern it.
        """
        info = self._info(header)
        self.trouble = '' if info else f'no camera_info on {self._info_topic}, so no points'
        if info is not None:
            self._check_frame(info, header)
            try:
                return self._from_info(info, parameters.rectify, height=height, width=width)
            except DepthEstimationError as err:
                self.trouble = f'{self._info_topic}: {err}'
                self._announcer.warning(self.trouble)
        hfov_deg = parameters.fallback_hfov_deg
        if not hfov_deg:
            return None
        self._announcer.info(f'{self.trouble}: taking fallback_hfov_deg = {hfov_deg:g} instead')
        return camera_from_hfov(height=height, width=width, hfov_deg=hfov_deg)

    def _info(self, header: Header) -> CameraInfo | None:
        if not self._waited and self._count_publishers(self._info_topic):
            self._infos.wait_first(FIRST_INFO_TIMEOUT_SEC)
        self._waited = True
        return self._infos.match(header.stamp, timeout_sec=SAME_STAMP_TIMEOUT_SEC)

    def _from_info(
        self, info: CameraInfo, rectify: str, *, height: int, width: int
    ) -> CameraModel:
        is_rectified = not is_distorted(info) or (self._is_rect_topic and rectify != 'on')
        if is_rectified or rectify == 'off':
            if not is_rectified:
                self._announcer.warning(
                    f'{self._info_topic}: the lens is distorted ({info.distortion_model}) and '
                    'rectify is off: depth and points are off towards the borders'
                )
            return camera_from_info(info, height=height, width=width, is_rectified=is_rectified)
        model = rectified_camera(info, height=height, width=width)
        if self._rectifier != model.rectifier:
            self._announcer.info(
                f'{self._info_topic}: taking the {info.distortion_model} distortion out'
            )
            self._rectifier = model.rectifier
        # The one from before has its maps made already.
        return replace(model, rectifier=self._rectifier)

    def _check_frame(self, info: CameraInfo, header: Header) -> None:
        if info.header.frame_id != header.frame_id:
            self._announcer.warning(
                f'{self._info_topic} has frame_id {info.header.frame_id!r}, but its images have '
                f"{header.frame_id!r}: the outputs carry the images'"
            )


def _carries_rectified(image_topic: str) -> bool:
    parts = image_topic.removesuffix('/compressed').split('/')
    return 'rect' in parts[-1]
