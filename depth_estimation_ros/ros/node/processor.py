"""From a camera message to published depth: decode, estimate, publish."""

from __future__ import annotations

from dataclasses import dataclass
import time
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.depth.depth_image import valid_fraction
from depth_estimation_ros.errors import DepthEstimationError, ImageError
from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.messages.conversions import rgb_from_message, seconds
from depth_estimation_ros.ros.messages.depth_messages import build_message
from depth_estimation_ros.ros.messages.outputs import Output
from depth_estimation_ros.ros.node.frame_estimation import FrameEstimation
from depth_estimation_ros.ros.node.frames import FrameRequest
from depth_estimation_ros.ros.node.stream_state import FrameCost, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from std_msgs.msg import Header

    from depth_estimation_ros.ros.node.camera_stream import CameraStream
    from depth_estimation_ros.ros.node.frames import DepthFrame
    from depth_estimation_ros.ros.node.model_loading import LoadedModel
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
    from depth_estimation_ros.ros.runtime.announcer import Announcer

_SECONDS_PER_MS = 1e-3


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A frame that is read and waits for the network.

    Attributes:
        stream: its camera.
        request: what is asked of the network.
        decode: time that reading it took [s].
    """

    stream: CameraStream
    request: FrameRequest
    decode: float


class FrameProcessor:
    """What the worker does with the frames.

    Args:
        model: used by this object alone.
        parameters: asked for the current ones at each frame.
        now_sec: the node's clock [s].
        announcer: says what is wrong with a frame.
    """

    def __init__(
        self,
        model: LoadedModel,
        *,
        parameters: Callable[[], NodeParameters],
        now_sec: Callable[[], float],
        announcer: Announcer,
    ) -> None:
        self._estimator = model.estimator
        self._model_name = model.path.name
        self._parameters = parameters
        self._now_sec = now_sec
        self._announcer = announcer
        self._estimation = FrameEstimation(self._estimator)

    def process(self, frames: Sequence[tuple[CameraStream, Any]]) -> None:
        """Turn image messages into the outputs that somebody listens to.

        Args:
            frames: Cameras and a message of each, at most as many as the model takes.
        """
        parameters = self._parameters()
        started = time.perf_counter()
        decoded = [self._decode(stream, message, parameters) for stream, message in frames]
        tasks = [task for task in decoded if task is not None]
        if not tasks:
            return
        begun = time.perf_counter()
        try:
            estimated = self._estimation.estimate([task.request for task in tasks], parameters)
        except DepthEstimationError as err:
            for task in tasks:
                self._reject(task.stream, err)
            return
        spent = time.perf_counter() - begun
        for task, frame in zip(tasks, estimated, strict=True):
            publish = self._publish(task, frame, parameters)
            cost = FrameCost(
                decode=task.decode,
                preprocess=frame.timings.preprocess_ms * _SECONDS_PER_MS,
                inference=frame.timings.inference_ms * _SECONDS_PER_MS,
                postprocess=spent
                - (frame.timings.preprocess_ms + frame.timings.inference_ms) * _SECONDS_PER_MS,
                publish=publish,
                total=time.perf_counter() - started,
                age=self._now_sec() - seconds(frame.header.stamp),
                valid_fraction=valid_fraction(frame.depth),
            )
            self._account(task, cost)

    def _decode(
        self, stream: CameraStream, message: Any, parameters: NodeParameters
    ) -> _Task | None:
        """Read an image; None if nobody wants its depth or it is of no use."""
        wanted = stream.outputs.wanted()
        if not wanted:
            stream.state.skipped += 1
            self._prepare(stream, message)
            return None
        started = time.perf_counter()
        try:
            self._check_age(message.header, parameters.max_age_sec)
            rgb = rgb_from_message(message)
            decode = time.perf_counter() - started
            camera = stream.resolver.resolve(
                message.header,
                height=rgb.shape[0],
                width=rgb.shape[1],
                parameters=parameters,
            )
        except DepthEstimationError as err:
            self._reject(stream, err)
            return None
        request = FrameRequest(
            source=stream.name, header=message.header, rgb=rgb, camera=camera, wanted=wanted
        )
        return _Task(stream=stream, request=request, decode=decode)

    def _prepare(self, stream: CameraStream, message: Any) -> None:
        """Begin with the engine of the first image, if it takes one, before anybody listens."""
        height, width = getattr(message, 'height', 0), getattr(message, 'width', 0)
        if self._estimator.network_sizes or not (height and width):
            return
        try:
            self._estimator.prepare((height, width))
        except DepthEstimationError as err:
            self._reject(stream, err)

    def _reject(self, stream: CameraStream, err: DepthEstimationError) -> None:
        stream.state.rejected += 1
        stream.state.trouble = str(err)
        self._announcer.error(f'{stream.image_topic}: {err}')

    def _publish(self, task: _Task, frame: DepthFrame, parameters: NodeParameters) -> float:
        """Send what is wanted; returns how long it took [s]."""
        started = time.perf_counter()
        for output in Output:
            if output not in task.request.wanted:
                continue
            built = build_message(output, frame, parameters)
            if built is not None:
                task.stream.outputs.publish(output, built)
        return time.perf_counter() - started

    def _account(self, task: _Task, cost: FrameCost) -> None:
        """Count a frame and send what it cost."""
        task.stream.state.add_processed(cost)
        if Output.STATS in task.request.wanted:
            stats = self._stats(task.request.header, task.stream.state, cost)
            task.stream.outputs.publish(Output.STATS, stats)

    def _check_age(self, header: Header, max_age_sec: float) -> None:
        if max_age_sec and self._now_sec() - seconds(header.stamp) > max_age_sec:
            raise ImageError(
                f'images are older than max_age_sec = {max_age_sec:g} s when their turn comes'
            )

    def _stats(self, header: Header, state: StreamState, cost: FrameCost) -> DepthStats:
        return DepthStats(
            header=header,
            decode_time=cost.decode,
            preprocess_time=cost.preprocess,
            inference_time=cost.inference,
            postprocess_time=cost.postprocess,
            publish_time=cost.publish,
            total_time=cost.total,
            age=cost.age,
            frames_received=state.received,
            frames_processed=state.processed,
            frames_dropped=state.dropped,
            valid_fraction=cost.valid_fraction,
            backend=str(self._estimator.backend_name),
            model=self._model_name,
        )
