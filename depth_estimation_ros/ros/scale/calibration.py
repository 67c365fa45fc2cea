"""Listens to a running node and finds the depth_scale and depth_offset that make it metric."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import time
from typing import TYPE_CHECKING

from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from rclpy.parameter import Parameter, parameter_value_to_python
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros.depth.scale_fit import fit_scale
from depth_estimation_ros.errors import ConfigError, DataError
from depth_estimation_ros.ros.parameters.spec import checked_value
from depth_estimation_ros.ros.parameters.values import parameter_specs
from depth_estimation_ros.ros.scale.references import REFERENCE_TYPES, SensorReference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from depth_estimation_ros.depth.scale_fit import DepthPairs, ScaleFit
    from depth_estimation_ros.ros.scale.references import Reference
    from depth_estimation_ros.ros.scale.topic_client import TopicClient

_IMAGE_TYPE = 'sensor_msgs/msg/Image'
_NUM_WAITING = 60  # depth images that wait for their reference
_NAMES = ('depth_scale', 'depth_offset')


@dataclass(frozen=True, kw_only=True)
class CalibrationSettings:
    """What is listened to.

    Attributes:
        depth_topic: Depth images of the node.
        camera_info_topic: Their calibration.
        num_frames: Frames to compare.
        with_offset: Fit depth_offset too.
        min_pairs: Least number of depths compared.
    """

    depth_topic: str
    camera_info_topic: str
    num_frames: int = 20
    with_offset: bool = False
    min_pairs: int = 100


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What a node does to its depth."""

    depth_scale: float
    depth_offset: float

    def check(self) -> None:
        """Raises ConfigError when the node would refuse these values."""
        for name in _NAMES:
            default, spec = parameter_specs()[name]
            checked_value(name, getattr(self, name), default, spec)


class ScaleCalibration:
    """Listens through a client; see the methods in their order."""

    def __init__(self, client: TopicClient, settings: CalibrationSettings) -> None:
        self._client = client
        self._settings = settings
        self._depth_node = ''
        self._num_images = 0
        self._waiting: deque[Image] = deque(maxlen=_NUM_WAITING)

    def find_node(self) -> Correction:
        """Find the node that publishes the depth and ask for its correction of now.

        Raises:
            DataError: Nobody publishes the depth, or its publisher does not answer.
            ConfigError: Its publisher is no depth_estimation node.
        """
        info = self._client.publisher(self._settings.depth_topic, (_IMAGE_TYPE,))
        self._depth_node = f'{info.node_namespace.rstrip("/")}/{info.node_name}'
        response = self._client.call(
            GetParameters, f'{self._depth_node}/get_parameters', names=list(_NAMES)
        )
        values = [parameter_value_to_python(value) for value in response.values]
        if len(values) != len(_NAMES) or not all(
            isinstance(value, (int, float)) for value in values
        ):
            raise ConfigError(
                f'{self._depth_node}, which publishes {self._settings.depth_topic}, has no '
                f'parameters {" and ".join(_NAMES)}: it is no depth_estimation node'
            )
        return Correction(depth_scale=float(values[0]), depth_offset=float(values[1]))

    def listen_to_sensor(
        self, reference: SensorReference, topic: str, camera_info_topic: str | None
    ) -> None:
        """Feed a reference with its topics.

        Raises:
            DataError: Nobody publishes the topic.
            ConfigError: It has a type that is no depth.
        """
        info = self._client.publisher(topic, tuple(REFERENCE_TYPES))
        self._client.listen(REFERENCE_TYPES[info.topic_type], topic, reference.take)
        self._client.listen(CameraInfo, self._settings.camera_info_topic, reference.take_camera)
        if camera_info_topic is not None:
            self._client.listen(CameraInfo, camera_info_topic, reference.take_sensor_camera)

    def collect(
        self, reference: Reference, on_frame: Callable[[], object]
    ) -> Sequence[DepthPairs]:
        """Compare frames until there are enough, or nothing new comes.

        Args:
            reference: The truth.
            on_frame: Called for each frame compared.

        Returns:
            A comparison for each frame: num_frames, or fewer when they stopped coming.

        Raises:
            DataError: No frame could be compared in time, or most of them could not; the text
                says why.
            ConfigError: Something cannot be used at all.
            ImageError: So is a message.
        """
        self._client.listen(Image, self._settings.depth_topic, self._take)
        frames: list[DepthPairs] = []
        troubles: list[DataError] = []
        last = time.monotonic()
        while len(frames) < self._settings.num_frames:
            self._client.spin_once()
            num_before = len(frames) + len(troubles)
            for _ in range(len(self._waiting)):
                self._compare(self._waiting.popleft(), reference, frames, troubles)
            num_new = len(frames) + len(troubles) - num_before
            for _ in range(num_new):
                on_frame()
            if len(troubles) >= self._settings.num_frames:
                raise troubles[-1]
            if num_new:
                last = time.monotonic()
            elif time.monotonic() - last > self._client.timeout_sec:
                break
        if len(frames) <= len(troubles):
            raise troubles[-1] if troubles else self._silence(reference)
        return frames[: self._settings.num_frames]

    def fit(self, frames: Sequence[DepthPairs], now: Correction) -> tuple[ScaleFit, Correction]:
        """Find the correction that takes the place of the one of now.

        Raises:
            DataError: The frames do not tell it; see fit_scale.
            ConfigError: The node would not accept it.
        """
        fit = fit_scale(
            frames,
            scale_now=now.depth_scale,
            offset_now=now.depth_offset,
            with_offset=self._settings.with_offset,
            min_pairs=self._settings.min_pairs,
        )
        found = Correction(depth_scale=round(fit.scale, 5), depth_offset=round(fit.offset, 4))
        found.check()
        return fit, found

    def apply(self, correction: Correction) -> None:
        """Set the parameters of the running node.

        Raises:
            ConfigError: The node refuses them.
            DataError: It does not answer.
        """
        parameters = [Parameter(name, value=getattr(correction, name)) for name in _NAMES]
        response = self._client.call(
            SetParametersAtomically,
            f'{self._depth_node}/set_parameters_atomically',
            parameters=[item.to_parameter_msg() for item in parameters],
        )
        if not response.result.successful:
            raise ConfigError(f'{self._depth_node} refuses {correction}: {response.result.reason}')

    def _take(self, message: Image) -> None:
        self._num_images += 1
        self._waiting.append(message)

    def _compare(
        self,
        message: Image,
        reference: Reference,
        frames: list[DepthPairs],
        troubles: list[DataError],
    ) -> None:
        """Compare one depth image; one whose reference has not come goes on waiting."""
        try:
            pairs = reference.pairs(message)
        except DataError as err:
            troubles.append(err)
            return
        if pairs is None:
            self._waiting.append(message)
        else:
            frames.append(pairs)

    def _silence(self, reference: Reference) -> DataError:
        settings = self._settings
        why = reference.why_not()
        if not self._num_images:
            why = (
                f'{settings.depth_topic} has a publisher, {self._depth_node}, but no image comes; '
                'its log and /diagnostics say why'
            )
        return DataError(f'nothing to compare within {self._client.timeout_sec:g} s: {why}')
