"""The figures of a demo run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import json
import time
from typing import TYPE_CHECKING

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image

from depth_estimation_ros.depth.depth_image import valid_mask
from depth_estimation_ros.depth.metrics import depth_metrics, mean_metrics
from depth_estimation_ros.msg import DepthStats
from depth_estimation_ros.ros.demo.recording import Topic, latencies_ms
from depth_estimation_ros.ros.messages.conversions import rgb_from_message
from depth_estimation_ros.ros.messages.message_reading import (
    depth_from_message,
    intrinsics_from_message,
)

if TYPE_CHECKING:
    from depth_estimation_ros.depth.metrics import DepthMetrics
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.ros.demo.recording import Recording

BARE_DURATION_SEC = 3.0
NUM_BARE_WARM_UP = 3


@dataclass(frozen=True, kw_only=True)
class DemoMetrics:
    """What `metrics.json` holds, key by key."""

    frames_sent: int  # by the camera, in the measured span
    frames_received: int  # depth images of these frames that arrived
    frames_dropped: int  # the difference: a newer frame was there before their turn came
    fps: float  # [1/s] frames received over the span
    latency_ms_p50: float  # [ms] from image stamp to depth received
    latency_ms_p95: float  # [ms]
    abs_rel: float | None  # against truth, None where it is not known
    a1: float | None  # share within a factor of 1.25 of truth
    backend: str
    valid_fraction: float  # [0..1] pixels with a depth
    camera_rate_hz: float  # [1/s] frames sent over the span
    bare_estimator_fps: float  # [1/s] the estimator alone, same frames, nothing else running
    share_of_bare: float  # fps of what the bare estimator makes of these frames at their rate
    duration_sec: float  # [s] the measured span
    num_frames_scored: int  # frames behind abs_rel and a1
    image_size: str  # width x height [px]

    def to_json(self) -> str:
        """Return the text of `metrics.json`."""
        rounded = {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self).items()
        }
        return json.dumps(rounded, indent=2) + '\n'


def measure(
    recording: Recording, duration_sec: float, *, bare_estimator_fps: float
) -> DemoMetrics:
    """Work out the figures of the span of `duration_sec` that begins with the first depth."""
    window = recording.window(duration_sec)
    sent = [stamp for stamp in recording.arrivals[Topic.CAMERA_INFO] if stamp in window]
    received = [stamp for stamp in recording.arrivals[Topic.DEPTH] if stamp in window]
    latencies = latencies_ms(recording, window)
    stats = [
        deserialize_message(message.data, DepthStats)
        for stamp, message in recording.kept_of(Topic.STATS).items()
        if stamp in window
    ]
    scores = score_frames(recording)
    fps = len(received) / window.duration_sec
    camera_rate_hz = len(sent) / window.duration_sec
    image = next(iter(recording.kept_of(Topic.DEPTH).values()))
    shape = deserialize_message(image.data, Image)
    return DemoMetrics(
        frames_sent=len(sent),
        frames_received=len(received),
        frames_dropped=len(sent) - len(received),
        fps=fps,
        latency_ms_p50=float(np.percentile(latencies, 50)),
        latency_ms_p95=float(np.percentile(latencies, 95)),
        abs_rel=mean_metrics(scores).abs_rel if scores else None,
        a1=mean_metrics(scores).a1 if scores else None,
        backend=stats[-1].backend if stats else 'unknown',
        valid_fraction=float(np.mean([item.valid_fraction for item in stats])) if stats else 0.0,
        camera_rate_hz=camera_rate_hz,
        bare_estimator_fps=bare_estimator_fps,
        share_of_bare=fps / max(min(camera_rate_hz, bare_estimator_fps), 1e-9),
        duration_sec=window.duration_sec,
        num_frames_scored=len(scores),
        image_size=f'{shape.width}x{shape.height}',
    )


def score_frames(recording: Recording) -> list[DepthMetrics]:
    """Compare every kept frame with its truth; frames without truth or depth are left out."""
    truths = recording.kept_of(Topic.TRUTH)
    scores: list[DepthMetrics] = []
    for stamp, message in recording.kept_of(Topic.DEPTH).items():
        if stamp not in truths:
            continue
        depth = depth_from_message(deserialize_message(message.data, Image))
        truth = depth_from_message(deserialize_message(truths[stamp].data, Image))
        if (valid_mask(depth) & valid_mask(truth)).any():
            scores.append(depth_metrics(depth, truth))
    return scores


def bare_estimator_rate(estimator: DepthEstimator, recording: Recording) -> float:
    """Run the estimator alone on the recorded frames and return its rate [1/s]."""
    images = recording.kept_of(Topic.IMAGE)
    infos = recording.kept_of(Topic.CAMERA_INFO)
    frames = [
        (
            rgb_from_message(deserialize_message(message.data, Image)),
            intrinsics_from_message(deserialize_message(infos[stamp].data, CameraInfo)),
        )
        for stamp, message in images.items()
        if stamp in infos
    ]
    if not frames:
        return 0.0
    for index in range(NUM_BARE_WARM_UP):
        estimator.estimate(*frames[index % len(frames)])
    num_done = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < BARE_DURATION_SEC:
        estimator.estimate(*frames[num_done % len(frames)])
        num_done += 1
    return num_done / elapsed


def format_table(metrics: DemoMetrics) -> str:
    """Return the figures as a table for people."""
    unknown = 'not known for this input'
    rows = (
        ('frames sent by the camera', f'{metrics.frames_sent}'),
        ('depth images received', f'{metrics.frames_received}'),
        ('frames dropped for newer ones', f'{metrics.frames_dropped}'),
        ('camera', f'{metrics.camera_rate_hz:.1f} frames/s, {metrics.image_size}'),
        ('depth, end to end', f'{metrics.fps:.1f} frames/s'),
        ('bare estimator', f'{metrics.bare_estimator_fps:.1f} frames/s on the same frames'),
        ('depth / min(bare, camera)', f'{metrics.share_of_bare:.0%}'),
        ('latency p50', f'{metrics.latency_ms_p50:.1f} ms'),
        ('latency p95', f'{metrics.latency_ms_p95:.1f} ms'),
        ('AbsRel', unknown if metrics.abs_rel is None else f'{metrics.abs_rel:.3f}'),
        ('a1', unknown if metrics.a1 is None else f'{metrics.a1:.3f}'),
        ('pixels with a depth', f'{metrics.valid_fraction:.1%}'),
        ('backend', metrics.backend),
    )
    width = max(len(name) for name, _ in rows)
    return '\n'.join(f'  {name:<{width}}  {value}' for name, value in rows)
