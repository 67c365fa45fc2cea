"""From a camera message to published depth: decode, estimate, publish."""

from __future__ import annotations

from dataclasses import dataclass, replace
import time
import traceback
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.depth.depth_image import valid_fraction
from depth_estimation_ros.depth.exposure import black_and_white
from depth_estimation_ros.errors import (
    BuildCancelledError,
    DepthEstimationError,
    ImageError,
    error_text,
)
from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.pipeline import DepthPipeline, DepthRequest
from depth_estimation_ros.ros.messages.camera_image import CameraImage
from depth_estimation_ros.ros.messages.conversions import seconds
from depth_estimation_ros.ros.messages.depth_frame import DepthFrame
from depth_estimation_ros.ros.messages.depth_messages import build_message
from depth_estimation_ros.ros.messages.outputs import Output
from depth_estimation_ros.ros.node.headers import (
    age_of,
    check_age,
    frame_trouble,
    same_but_for_figures,
    stamp_trouble,
)
from depth_estimation_ros.ros.node.health.stream_state import FrameCost, StreamState
from depth_estimation_ros.ros.parameters.camera_names import scan_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from std_msgs.msg import Header

    from depth_estimation_ros.depth.finished_depth import FinishedDepth
    from depth_estimation_ros.ros.messages.camera_model import CameraModel
    from depth_estimation_ros.ros.node.camera_stream import CameraStream
    from depth_estimation_ros.ros.node.loaded_model import LoadedModel
    from depth_estimation_ros.ros.parameters.node_parameters import NodeParameters
    from depth_estimation_ros.ros.runtime.announcer import Announcer

_SECONDS_PER_MS = 1e-3
# What an image or a user is to blame for, and not the node.
_NO_FAULT = (ImageError, BuildCancelledError)
FIRST_RETRY_SEC, LONGEST_RETRY_SEC = 0.1, 5.0


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A frame that is read and waits for the network.

    Attributes:
        stream: where it came from.
        header: of the image.
        camera: it was taken with; None if that is unknown.
        request: what is asked of the network.
        wanted: outputs that somebody listens to.
        decode: time that reading it took [s].
    """

    stream: CameraStream
    header: Header
    camera: CameraModel | None
    request: DepthRequest
    wanted: frozenset[Output]
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
        self._pipeline = DepthPipeline(self._estimator)
        self._num_faults = 0  # of the network, in a row

    @property
    def retry_delay_sec(self) -> float:
        """Least time to the next try [s]: twice as long after each fault of the network."""
        if not self._num_faults:
            return 0.0
        return float(min(FIRST_RETRY_SEC * 2.0 ** (self._num_faults - 1), LONGEST_RETRY_SEC))

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
        finished = self._finish(tasks, parameters)
        spent = time.perf_counter() - begun
        for task, depth in finished:
            sending = time.perf_counter()
            faults = self._publish(task, depth, parameters)
            publish = time.perf_counter() - sending
            preprocess = depth.timings.preprocess_ms * _SECONDS_PER_MS
            inference = depth.timings.inference_ms * _SECONDS_PER_MS
            black, white = black_and_white(depth.rgb_hwc)
            cost = FrameCost(
                decode=task.decode,
                preprocess=preprocess,
                inference=inference,
                postprocess=spent - preprocess - inference,
                publish=publish,
                total=time.perf_counter() - started,
                age=age_of(task.header, self._now_sec()),
                valid_fraction=depth.valid_fraction,
                measured_fraction=valid_fraction(depth.grid.samples),
                white_fraction=white,
                black_fraction=black,
            )
            self._account(task, cost, faults)

    def _finish(
        self, tasks: Sequence[_Task], parameters: NodeParameters
    ) -> list[tuple[_Task, FinishedDepth]]:
        """Run the pipeline; those of several frames that fail together are tried alone."""
        try:
            finished = self._pipeline.run(
                [task.request for task in tasks], parameters.depth_settings
            )
        except Exception as err:  # noqa: BLE001 - whatever it is, the next frame has its chance
            if len(tasks) > 1:
                return [pair for task in tasks for pair in self._finish([task], parameters)]
            self._lose(tasks[0].stream, err)
            if not isinstance(err, _NO_FAULT):
                self._num_faults += 1
            return []
        self._num_faults = 0
        return list(zip(tasks, finished, strict=True))

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
            self._check_header(stream, message.header, parameters.max_age_sec)
            image = self._read(stream, message, wanted, parameters)
            decode = time.perf_counter() - started
            height, width = image.size
            camera = stream.resolver.resolve(
                message.header, height=height, width=width, parameters=parameters
            )
            if camera and camera.rectifier and image.is_reduced:
                image = CameraImage.read(message, max_pixels=parameters.max_image_pixels)
            request = DepthRequest(
                rgb_hwc=image.rgb_hwc,
                full_size=image.size,
                camera=stream.name,
                stamp_sec=seconds(message.header.stamp),
                intrinsics=camera.intrinsics if camera else None,
                rectifier=camera.rectifier if camera else None,
                wants_confidence=Output.CONFIDENCE in wanted,
            )
            self._pipeline.check(request, parameters.depth_settings)
        except Exception as err:  # noqa: BLE001 - one image must not end the rest
            self._lose(stream, err)
            return None
        return _Task(
            stream=stream,
            header=message.header,
            camera=camera,
            request=request,
            wanted=wanted,
            decode=decode,
        )

    def _read(
        self,
        stream: CameraStream,
        message: Any,
        wanted: frozenset[Output],
        parameters: NodeParameters,
    ) -> CameraImage:
        """Read an image, no larger than the network needs it if nobody needs all its pixels."""
        needs_all = Output.POINTS in wanted and parameters.point_cloud_color
        return CameraImage.read(
            message,
            max_pixels=parameters.max_image_pixels,
            reduction_for=(
                None
                if needs_all or stream.resolver.is_rectifying
                else self._estimator.reduction_for
            ),
        )

    def _prepare(self, stream: CameraStream, message: Any) -> None:
        """Begin with the engine of the first image, if it takes one, before anybody listens."""
        height, width = getattr(message, 'height', 0), getattr(message, 'width', 0)
        if self._estimator.network_sizes or not (height and width):
            return
        try:
            self._estimator.prepare((height, width))
        except Exception as err:  # noqa: BLE001 - as for an image
            self._lose(stream, err)

    def _lose(self, stream: CameraStream, err: Exception) -> None:
        """Count a frame that gave no depth and say why."""
        if isinstance(err, _NO_FAULT):
            stream.state.reject(error_text(err))
        else:
            stream.state.fail(error_text(err))
        self._say(stream, error_text(err), err)

    def _say(self, stream: CameraStream, text: str, err: Exception) -> None:
        details = '' if isinstance(err, DepthEstimationError) else f'\n{_traceback_of(err)}'
        self._announcer.error(f'{stream.image_topic}: {text}{details}')

    def _publish(self, task: _Task, depth: FinishedDepth, parameters: NodeParameters) -> str:
        """Send what is wanted; returns what could not be made and why, empty if all could."""
        faults = []
        # The one parameter that is not the same for every camera.
        if Output.SCAN in task.wanted:
            frame_id = scan_frame(parameters.scan_frame, task.stream.name)
            parameters = replace(parameters, scan_frame=frame_id)
        frame = DepthFrame(
            header=task.header,
            depth=depth,
            camera=task.camera,
            max_color_depth=parameters.max_depth or self._estimator.spec.max_depth,
        )
        for output in Output:
            if output not in task.wanted:
                continue
            try:
                built = build_message(output, frame, parameters)
                if built is not None:
                    task.stream.outputs.publish(output, built)
            except Exception as err:  # noqa: BLE001 - one output must not end the others
                faults.append(f'{output.topic} failed: {error_text(err)}')
                self._say(task.stream, faults[-1], err)
        return '; '.join(faults)

    def _account(self, task: _Task, cost: FrameCost, faults: str) -> None:
        """Count a frame and send what it cost."""
        task.stream.state.add_processed(cost, faults)
        if Output.STATS in task.wanted:
            stats = self._stats(task.header, task.stream.state, cost)
            task.stream.outputs.publish(Output.STATS, stats)

    def _check_header(self, stream: CameraStream, header: Header, max_age_sec: float) -> None:
        """Say once what is wrong with a header; refuse an image that is too old."""
        now_sec, state = self._now_sec(), stream.state
        if not same_but_for_figures(found := stamp_trouble(header, now_sec), state.stamp_trouble):
            state.stamp_trouble = found
        state.frame_trouble = frame_trouble(header)
        for trouble in filter(None, (state.stamp_trouble, state.frame_trouble)):
            self._announcer.warning(f'{stream.image_topic}: {trouble}')
        check_age(age_of(header, now_sec), state.stamp_trouble, max_age_sec)

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


def _traceback_of(err: Exception) -> str:
    return ''.join(traceback.format_exception(err)).rstrip()
