"""Which camera an image was taken with: from camera_info, a field of view, or unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.ros.camera_model import (
    CameraInfoError,
    CameraModel,
    camera_from_hfov,
    camera_from_info,
    is_distorted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import Header

    from depth_estimation_ros.ros.announcer import Announcer
    from depth_estimation_ros.ros.camera_info_cache import CameraInfoCache

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
        self.trouble = ''  # why the last image has no camera model

    def resolve(
        self, header: Header, *, height: int, width: int, fallback_hfov_deg: float
    ) -> CameraModel | None:
        """Find the camera of an image.

        Args:
            header: the image's.
            height: of the image [px].
            width: of the image [px].
            fallback_hfov_deg: horizontal field of view where camera_info is of no use, 0: unknown.
        """
        info = self._info(header)
        try:
            if info is not None:
                return self._from_info(info, header, height=height, width=width)
            self.trouble = f'no camera_info on {self._info_topic}'
        except CameraInfoError as err:
            self.trouble = f'{self._info_topic}: {err}'
            self._announcer.warning(self.trouble)
        if not fallback_hfov_deg:
            return None
        self._announcer.info(
            f'{self.trouble}: taking fallback_hfov_deg = {fallback_hfov_deg:g} instead'
        )
        return camera_from_hfov(height=height, width=width, hfov_deg=fallback_hfov_deg)

    def _info(self, header: Header) -> CameraInfo | None:
        if not self._waited and self._count_publishers(self._info_topic):
            self._infos.wait_first(FIRST_INFO_TIMEOUT_SEC)
        self._waited = True
        return self._infos.match(header.stamp, timeout_sec=SAME_STAMP_TIMEOUT_SEC)

    def _from_info(
        self, info: CameraInfo, header: Header, *, height: int, width: int
    ) -> CameraModel:
        is_rectified = self._is_rect_topic or not is_distorted(info)
        model = camera_from_info(info, height=height, width=width, is_rectified=is_rectified)
        self.trouble = ''
        if not is_rectified:
            self._announcer.warning(
                f'{self._info_topic}: the lens is distorted ({info.distortion_model}) and the '
                'images are not rectified: depth and points are off towards the borders; '
                'subscribe to rectified images'
            )
        if info.header.frame_id != header.frame_id:
            self._announcer.warning(
                f'{self._info_topic} has frame_id {info.header.frame_id!r}, but its images have '
                f"{header.frame_id!r}: the outputs carry the images'"
            )
        return model


def _carries_rectified(image_topic: str) -> bool:
    parts = image_topic.removesuffix('/compressed').split('/')
    return 'rect' in parts[-1]
