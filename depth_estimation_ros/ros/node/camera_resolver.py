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
from depth_estimation_ros.ros.node.rectified_topic import word_for_rectified

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import Header

    from depth_estimation_ros.camera.rectification import Rectifier
    from depth_estimation_ros.ros.messages.camera_info_cache import CameraInfoCache
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
    from depth_estimation_ros.ros.runtime.announcer import Announcer

_WITHOUT_CAMERA = 'depth is not corrected for the focal length, and there are no points'
# Once, at the first image: its camera_info may come a moment later than the image itself.
FIRST_INFO_TIMEOUT_SEC = 1.0
# Only while the calibration changes from message to message, as with a zoom lens.
SAME_STAMP_TIMEOUT_SEC = 0.05


class CameraResolver:
    """Finds the camera model of each image of one stream.

    Args:
        infos: what came on the camera_info topic.
        image_topic: full name, whose words tell whether the images are rectified.
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
        self._image_topic = image_topic
        self._rect_word = word_for_rectified(image_topic)
        self._waited = False
        self._rectifier: Rectifier | None = None
        self._is_rectifying = False
        self.trouble = ''  # why the last image has no camera model
        self.lens_trouble = ''  # why the lens of the last image is taken as it is

    @property
    def is_rectifying(self) -> bool:
        """Whether the last image had to be rectified."""
        return self._is_rectifying

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
        self.lens_trouble = ''
        model = self._resolve(header, height=height, width=width, parameters=parameters)
        self._is_rectifying = model is not None and model.rectifier is not None
        return model

    def _resolve(
        self, header: Header, *, height: int, width: int, parameters: NodeParameters
    ) -> CameraModel | None:
        info = self._info(header)
        if info is None:
            self.trouble = f'no camera_info on {self._info_topic}: {_WITHOUT_CAMERA}'
        else:
            self._check_frame(info, header)
            try:
                model = self._from_info(info, parameters.rectify, height=height, width=width)
            except DepthEstimationError as err:
                self.trouble = f'{self._info_topic}: {err}: {_WITHOUT_CAMERA}'
                self._announcer.warning(self.trouble)
            else:
                self.trouble = ''
                return model
        hfov_deg = parameters.fallback_hfov_deg
        if not hfov_deg:
            return None
        try:
            model = camera_from_hfov(height=height, width=width, hfov_deg=hfov_deg)
        except DepthEstimationError as err:
            self._announcer.warning(f'fallback_hfov_deg: {err}')
            return None
        self._announcer.info(f'{self.trouble}: taking fallback_hfov_deg = {hfov_deg:g} instead')
        self.trouble = ''
        return model

    def _info(self, header: Header) -> CameraInfo | None:
        if not self._waited and self._count_publishers(self._info_topic):
            self._infos.wait_first(FIRST_INFO_TIMEOUT_SEC)
        self._waited = True
        return self._infos.match(header.stamp, timeout_sec=SAME_STAMP_TIMEOUT_SEC)

    def _from_info(
        self, info: CameraInfo, rectify: str, *, height: int, width: int
    ) -> CameraModel:
        """Take the camera as it should be, or as K alone has it if the lens makes no sense."""
        size = {'height': height, 'width': width}
        is_taken = bool(self._rect_word) and rectify != 'on'
        try:
            if not is_distorted(info) or is_taken:
                model = camera_from_info(info, **size, is_rectified=True)
            elif rectify == 'off':
                model = camera_from_info(info, **size, is_rectified=False)
            else:
                model = self._with_maps(rectified_camera(info, **size))
        except DepthEstimationError as err:
            model = camera_from_info(info, **size, is_rectified=False)
            self.lens_trouble = (
                f'{self._info_topic}: {err}: the lens is taken as K alone has it, so depth and '
                'points are off towards the borders'
            )
            self._announcer.warning(self.lens_trouble)
            return model
        self._say_what_is_done(info, rectify, is_taken=is_taken)
        return model

    def _with_maps(self, model: CameraModel) -> CameraModel:
        """Keep the rectifier from before if it is the same: it has its maps made already."""
        if self._rectifier != model.rectifier:
            self._rectifier = model.rectifier
        return replace(model, rectifier=self._rectifier)

    def _say_what_is_done(self, info: CameraInfo, rectify: str, *, is_taken: bool) -> None:
        """Log once what becomes of the distortion, and why."""
        if not is_distorted(info):
            text = f'{self._info_topic}: D is zero, so there is no distortion to take out'
        elif is_taken:
            text = (
                f"{self._image_topic} is taken as rectified for the word '{self._rect_word}' in "
                'its name: set rectify to on if it is not'
            )
        elif rectify == 'off':
            self._announcer.warning(
                f'{self._info_topic}: the lens is distorted ({info.distortion_model}) and '
                'rectify is off: depth and points are off towards the borders'
            )
            return
        else:
            reason = 'is on' if rectify == 'on' else f'is auto and {self._image_topic} is raw'
            text = (
                f'{self._info_topic}: taking the {info.distortion_model} distortion out, since '
                f'rectify {reason}'
            )
        self._announcer.info(text)

    def _check_frame(self, info: CameraInfo, header: Header) -> None:
        if info.header.frame_id != header.frame_id:
            self._announcer.warning(
                f'{self._info_topic} has frame_id {info.header.frame_id!r}, but its images have '
                f"{header.frame_id!r}: the outputs carry the images'"
            )
