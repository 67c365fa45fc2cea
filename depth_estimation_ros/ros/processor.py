"""From a camera message to published depth: decode, estimate, publish."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.depth_image import valid_fraction
from depth_estimation_ros.errors import DepthEstimationError, ImageError
from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.conversions import rgb_from_message, seconds
from depth_estimation_ros.ros.depth_messages import build_message
from depth_estimation_ros.ros.frame_estimation import FrameEstimation
from depth_estimation_ros.ros.outputs import Output
from depth_estimation_ros.ros.stream_state import FrameCost, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from std_msgs.msg import Header

    from depth_estimation_ros.ros.announcer import Announcer
    from depth_estimation_ros.ros.camera_stream import CameraStream
    from depth_estimation_ros.ros.model_loading import LoadedModel
    from depth_estimation_ros.ros.parameters import NodeParameters

_SECONDS_PER_MS = 1e-3


class FrameProcessor:
    """What the worker does with each frame.

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
        self._estimations: dict[str, FrameEstimation] = {}

    def process(self, stream: CameraStream, message: Any) -> None:
        """Turn one image message into the outputs that somebody listens to."""
        wanted = stream.outputs.wanted()
        if not wanted:
            stream.state.skipped += 1
            return
        try:
            cost = self._publish_depth(stream, message, wanted)
        except DepthEstimationError as err:
            stream.state.rejected += 1
            stream.state.trouble = str(err)
            self._announcer.error(f'{stream.image_topic}: {err}')
            return
        stream.state.add_processed(cost)
        if Output.STATS in wanted:
            stats = self._stats(message.header, stream.state, cost)
            stream.outputs.publish(Output.STATS, stats)

    def _publish_depth(
        self, stream: CameraStream, message: Any, wanted: frozenset[Output]
    ) -> FrameCost:
        parameters = self._parameters()
        started = time.perf_counter()
        self._check_age(message.header, parameters.max_age_sec)
        rgb = rgb_from_message(message)
        decoded = time.perf_counter()
        camera = stream.resolver.resolve(
            message.header,
            height=rgb.shape[0],
            width=rgb.shape[1],
            parameters=parameters,
        )
        resolved = time.perf_counter()
        frame = self._estimation(stream.name, parameters).estimate(
            rgb, message.header, camera=camera, parameters=parameters, wanted=wanted
        )
        estimated = time.perf_counter()
        for output in Output:
            built = build_message(output, frame, parameters) if output in wanted else None
            if built is not None:
                stream.outputs.publish(output, built)
        published = time.perf_counter()
        preprocess = frame.timings.preprocess_ms * _SECONDS_PER_MS
        inference = frame.timings.inference_ms * _SECONDS_PER_MS
        return FrameCost(
            decode=decoded - started,
            preprocess=preprocess,
            inference=inference,
            postprocess=estimated - resolved - preprocess - inference,
            publish=published - estimated,
            total=published - started,
            age=self._now_sec() - seconds(message.header.stamp),
            valid_fraction=valid_fraction(frame.depth),
        )

    def _estimation(self, name: str, parameters: NodeParameters) -> FrameEstimation:
        """Find what is kept between the frames of a camera."""
        if name not in self._estimations:
            self._estimations[name] = FrameEstimation(self._estimator, parameters.resize_mode)
        return self._estimations[name]

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
