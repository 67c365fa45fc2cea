"""The files of a demo run: preview.png, cloud.ply, demo.mcap and metrics.json."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image, PointCloud2

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.files.ply import write_ply
from depth_estimation_ros.ros.demo.mcap_writer import write_mcap
from depth_estimation_ros.ros.demo.pictures import Scene, draw_preview
from depth_estimation_ros.ros.demo.recorder import MESSAGE_TYPES
from depth_estimation_ros.ros.demo.recording import Topic
from depth_estimation_ros.ros.messages.conversions import rgb_from_message
from depth_estimation_ros.ros.messages.message_reading import (
    depth_from_message,
    points_from_message,
)

if TYPE_CHECKING:
    from depth_estimation_ros.ros.demo.metrics import DemoMetrics
    from depth_estimation_ros.ros.demo.recording import Recording

REPORT_FILES = ('preview.png', 'cloud.ply', 'demo.mcap', 'metrics.json')


def write_report(
    folder: Path, recording: Recording, metrics: DemoMetrics, *, model_notes: str
) -> None:
    """Write all files, or none: files of an earlier run stay until the new ones are complete.

    Args:
        folder: Where to; made if it is not there.
        recording: The run.
        metrics: Its figures.
        model_notes: What the model is, for the picture.

    Raises:
        DepthEstimationError: The recording holds no complete frame.
    """
    scene = scene_of(recording)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix='.report_') as unfinished:
        staging = Path(unfinished)
        draw_preview(
            staging / 'preview.png',
            scene,
            title='Depth from one camera image',
            notes=f'{model_notes}\n{_figures(metrics)}',
        )
        write_ply(staging / 'cloud.ply', scene.points, scene.colors)
        types = {topic.value: _type_name(kind) for topic, kind in MESSAGE_TYPES.items()}
        write_mcap(staging / 'demo.mcap', recording.kept, types)
        (staging / 'metrics.json').write_text(metrics.to_json(), encoding='utf-8')
        for name in REPORT_FILES:
            (staging / name).replace(folder / name)


def scene_of(recording: Recording) -> Scene:
    """Return the frame in the middle of the run of which everything was kept.

    Raises:
        DepthEstimationError: There is none.
    """
    images, depths = recording.kept_of(Topic.IMAGE), recording.kept_of(Topic.DEPTH)
    clouds, truths = recording.kept_of(Topic.POINTS), recording.kept_of(Topic.TRUTH)
    stamps = [stamp for stamp in depths if stamp in images and stamp in clouds]
    if not stamps:
        raise DepthEstimationError(
            f'no frame is complete: of {len(depths)} depth images kept, {len(images)} have their '
            f'camera image and {len(clouds)} their cloud'
        )
    stamp = stamps[len(stamps) // 2]
    points, colors = points_from_message(deserialize_message(clouds[stamp].data, PointCloud2))
    truth = truths.get(stamp)
    return Scene(
        rgb=rgb_from_message(deserialize_message(images[stamp].data, Image)),
        depth=depth_from_message(deserialize_message(depths[stamp].data, Image)),
        points=points,
        colors=colors,
        truth=None
        if truth is None
        else depth_from_message(deserialize_message(truth.data, Image)),
    )


def _figures(metrics: DemoMetrics) -> str:
    scores = (
        'truth not known'
        if metrics.abs_rel is None or metrics.a1 is None
        else f'AbsRel {metrics.abs_rel:.3f}, a1 {metrics.a1:.3f} over the run'
    )
    return (
        f'{metrics.backend}: {metrics.fps:.1f} frames/s end to end, latency p50 '
        f'{metrics.latency_ms_p50:.0f} ms, p95 {metrics.latency_ms_p95:.0f} ms; {scores}'
    )


def _type_name(message_type: type) -> str:
    """Return sensor_msgs/msg/Image for its class."""
    package = message_type.__module__.split('.', maxsplit=1)[0]
    return f'{package}/msg/{message_type.__name__}'
