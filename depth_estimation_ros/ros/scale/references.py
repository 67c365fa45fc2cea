"""What estimated depth is compared with: a flat target, or another sensor's messages."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2

from depth_estimation_ros.camera.rigid_transform import (
    RigidTransform,
    depth_of_points,
    points_of_scan,
)
from depth_estimation_ros.depth.point_cloud import PointCloudBuilder
from depth_estimation_ros.depth.scale_fit import DepthPairs, flat_target_pairs, image_pairs
from depth_estimation_ros.errors import ConfigError, DataError, ImageError
from depth_estimation_ros.ros.messages.conversions import seconds
from depth_estimation_ros.ros.messages.message_reading import (
    depth_from_message,
    intrinsics_from_message,
    points_from_message,
    sensor_depth_from_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

REFERENCE_TYPES: dict[str, type] = {
    'sensor_msgs/msg/Image': Image,
    'sensor_msgs/msg/LaserScan': LaserScan,
    'sensor_msgs/msg/PointCloud2': PointCloud2,
}
NUM_KEPT = 60  # messages of each topic that wait for their partner
IDENTITY = RigidTransform.from_numbers((0.0,) * 6)


class Reference(Protocol):
    """Knows the true depth of a depth image, or of some of its pixels."""

    def pairs(self, message: Image) -> DepthPairs | None:
        """Compare a depth image with the truth.

        Args:
            message: The depth image.

        Returns:
            None when what belongs to this image has not come (yet).

        Raises:
            DepthEstimationError: The image, or what belongs to it, cannot be used.
        """

    def why_not(self) -> str:
        """Say what is missing."""

    @property
    def num_impossible(self) -> int:
        """Pixels of a depth image of the sensor that were a mark for none, or too far for any."""


@dataclass(frozen=True, kw_only=True)
class FlatTarget:
    """A wall or a board in the middle of the image, facing the camera; see flat_target_pairs."""

    distance: float
    region: float
    max_spread: float

    def pairs(self, message: Image) -> DepthPairs:
        """See Reference.pairs."""
        return flat_target_pairs(
            _read(depth_from_message, message, 'depth'),
            distance=self.distance,
            region=self.region,
            max_spread=self.max_spread,
        )

    def why_not(self) -> str:
        """See Reference.why_not."""
        return 'no depth image came'

    @property
    def num_impossible(self) -> int:
        """See Reference.num_impossible."""
        return 0


class SensorReference:
    """Messages of another sensor, matched with the depth images by their stamps.

    Args:
        topic: Of the sensor, for error texts.
        transform: Where the sensor sits on the camera; None: its messages are in the camera's
            own optical frame.
        max_time_difference_sec: Largest difference of two stamps that belong together.
        needs_sensor_camera: A depth image comes with a calibration of its own, which is waited
            for; otherwise its pixels are those of the camera.
        depth_invalid: A value in its depth images, in their own unit, that means none.
    """

    def __init__(
        self,
        topic: str,
        *,
        transform: RigidTransform | None,
        max_time_difference_sec: float,
        needs_sensor_camera: bool,
        depth_invalid: float | None = None,
    ) -> None:
        self._topic = topic
        self._transform = transform
        self._max_time_difference_sec = max_time_difference_sec
        self._needs_sensor_camera = needs_sensor_camera
        self._depth_invalid = depth_invalid
        self._num_impossible = 0
        self._messages: OrderedDict[float, Any] = OrderedDict()
        self._camera: CameraIntrinsics | None = None
        self._sensor_camera: CameraIntrinsics | None = None
        self._least_difference_sec = np.inf

    def take(self, message: Any) -> None:
        """Keep a message of the sensor."""
        self._messages[seconds(message.header.stamp)] = message
        if len(self._messages) > NUM_KEPT:
            self._messages.popitem(last=False)

    def take_camera(self, info: CameraInfo) -> None:
        """Keep the calibration of the estimated depth images."""
        self._camera = intrinsics_from_message(info)

    def take_sensor_camera(self, info: CameraInfo) -> None:
        """Keep the calibration of the sensor's depth images."""
        self._sensor_camera = intrinsics_from_message(info)

    def pairs(self, message: Image) -> DepthPairs | None:
        """See Reference.pairs."""
        partner = self._partner(seconds(message.header.stamp))
        if partner is None:
            return None
        depth = _read(depth_from_message, message, 'depth')
        if isinstance(partner, Image) and not self._needs_sensor_camera:
            found = image_pairs(depth, self._sensor_depth(partner))
        else:
            if self._camera is None or (self._needs_sensor_camera and not self._sensor_camera):
                return None
            self._check_frames(message.header.frame_id, partner.header.frame_id)
            points = (self._transform or IDENTITY).apply(self._points(partner))
            camera = self._camera.scaled(height=depth.shape[0], width=depth.shape[1])
            found = DepthPairs.from_samples(depth, depth_of_points(points, camera))
        if found.estimated.size == 0:
            raise DataError(
                f'no overlap: {self._topic} measured nothing where the image has depth; check '
                'the transform, and that both see the same'
            )
        return found

    def why_not(self) -> str:
        """See Reference.why_not."""
        if not self._messages:
            return f'no message on {self._topic}'
        if np.isfinite(self._least_difference_sec):
            return (
                f'no message on {self._topic} has the time of a depth image: the stamps differ by '
                f'{self._least_difference_sec:.3f} s at least, '
                f'{self._max_time_difference_sec:g} s are allowed'
            )
        if self._camera is None:
            return 'no camera_info of the depth images'
        return f'no camera_info of {self._topic}'

    @property
    def num_impossible(self) -> int:
        """See Reference.num_impossible."""
        return self._num_impossible

    def _partner(self, stamp_sec: float) -> Any | None:
        if not self._messages:
            return None
        nearest = min(self._messages, key=lambda other: abs(other - stamp_sec))
        difference = abs(nearest - stamp_sec)
        if difference > self._max_time_difference_sec:
            self._least_difference_sec = min(self._least_difference_sec, difference)
            return None
        self._least_difference_sec = np.inf
        return self._messages[nearest]

    def _check_frames(self, camera_frame: str, sensor_frame: str) -> None:
        if self._transform is None and sensor_frame != camera_frame:
            raise ConfigError(
                f'{self._topic} is in frame {sensor_frame!r}, the depth in {camera_frame!r}: give '
                f'--transform, as `ros2 run tf2_ros tf2_echo {camera_frame} {sensor_frame}` '
                'prints it'
            )

    def _points(self, message: Any) -> NDArray[np.floating]:
        """Read (N, 3) points [m] in the sensor's frame."""
        if isinstance(message, LaserScan):
            return points_of_scan(
                np.asarray(message.ranges),
                angle_min=message.angle_min,
                angle_increment=message.angle_increment,
                range_min=message.range_min,
                range_max=message.range_max,
            )
        if isinstance(message, PointCloud2):
            points: NDArray[np.floating] = _read(points_from_message, message, self._topic)[0]
            return points
        depth = self._sensor_depth(message)
        camera = self._sensor_camera
        if camera is None or not camera.is_calibrated:
            raise ConfigError(f'camera_info of {self._topic} is no calibration: {camera}')
        camera = camera.scaled(height=depth.shape[0], width=depth.shape[1])
        return PointCloudBuilder().build(depth, camera).reshape(-1, 3)

    def _sensor_depth(self, message: Image) -> NDArray[np.float32]:
        reader = partial(sensor_depth_from_message, depth_invalid=self._depth_invalid)
        depth: NDArray[np.float32]
        depth, num_impossible = _read(reader, message, self._topic)
        self._num_impossible += num_impossible
        return depth


def _read(reader: Callable[[Any], Any], message: Any, topic: str) -> Any:
    try:
        return reader(message)
    except ImageError as err:
        raise ImageError(f'{topic}: {err}') from err
    except (TypeError, ValueError) as err:  # numpy's words for bytes that are not there
        raise ImageError(f'{topic}: message of the wrong size: {err}') from err
