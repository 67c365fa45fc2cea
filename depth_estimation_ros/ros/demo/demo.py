"""The demo: a camera stand-in, the node and a recorder, three processes that meet over DDS.

`make demo` runs it. It writes preview.png, cloud.ply, demo.mcap and metrics.json and prints the
figures; the exit code is 1 when no depth came.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
import os
from pathlib import Path
import signal
import sys
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ConfigError, DepthEstimationError
from depth_estimation_ros.ros.demo.processes import demo_environment
from depth_estimation_ros.ros.player.image_sources import ROOM_SEED, SourceKind, SourceOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from depth_estimation_ros.ros.demo.recording import Recording

PACKAGE = 'depth_estimation_ros'
# For the report; asked for before ten seconds are recorded in vain.
NEEDED_PACKAGES = ('matplotlib', 'rosbags')
DDS_PROFILE = Path('config') / 'fastdds_profile.xml'
# Domain ids up to 101 leave their ports free on every system.


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='demo',
        description='Play camera images, record the depth made of them, measure it.',
        epilog='example: ros2 run depth_estimation_ros demo --input walk.mp4 --width 1280',
    )
    add = parser.add_argument
    add('--input', default='rooms', help='rooms, a photo, a folder, a video or webcam:0 (rooms)')
    add('--output', type=Path, default=Path('demo_output'), help='folder (demo_output)')
    add('--model', default='', help='model file (the one shipped)')
    add('--backend', default='auto', help='auto, tensorrt, openvino or onnxruntime (auto)')
    add('--duration-sec', type=float, default=10.0, help='measured span (10)')
    add('--timeout-sec', type=float, default=300.0, help='for the first depth (300)')
    add('--rate-hz', type=float, default=30.0, help='of the camera (30)')
    add('--width', type=int, default=640, help='of the camera image in pixels (640)')
    add('--height', type=int, default=0, help="in pixels; 0 keeps the input's aspect (0)")
    add('--seed', type=int, default=ROOM_SEED, help=f'of the room ({ROOM_SEED})')
    add('--num-frames-ahead', type=int, default=60, help='made before playing (60)')
    add('--domain-id', type=int, default=None, help='ROS domain (one of its own)')
    return parser.parse_args(argv)


def run_demo(arguments: argparse.Namespace) -> None:
    """Play, record, measure, write.

    Raises:
        DepthEstimationError: No depth came, or the input or the model cannot be used.
    """
    for package in NEEDED_PACKAGES:
        if find_spec(package) is None:
            raise ConfigError(f'the demo needs {package}: pip install {package}')
    recording = _record(arguments)
    _say('the estimator runs alone on the same frames, for comparison')
    # Imported late: rclpy and the message types read the environment that _record sets.
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.ros.demo.metrics import bare_estimator_rate, format_table, measure
    from depth_estimation_ros.ros.demo.report import REPORT_FILES, write_report

    model_path = checked_model_path(arguments.model, arguments.backend)
    with DepthEstimator.from_file(model_path, arguments.backend) as estimator:
        bare_fps = bare_estimator_rate(estimator, recording)
        notes = f'Model {model_path.name}, trained on {estimator.spec.training_data}'
    if not arguments.model:
        notes += ' (for trying the pipeline, not for driving a robot)'
    metrics = measure(recording, arguments.duration_sec, bare_estimator_fps=bare_fps)
    write_report(arguments.output, recording, metrics, model_notes=notes)
    sys.stdout.write(f'\n{format_table(metrics)}\n\n')
    _say(f'wrote {", ".join(REPORT_FILES)} to {arguments.output}/')


def _record(arguments: argparse.Namespace) -> Recording:
    source = absolute_source(arguments.input)
    model_path = checked_model_path(arguments.model, arguments.backend)
    environment = demo_environment(arguments.domain_id, find_dds_profile())
    os.environ.update(environment)

    from depth_estimation_ros.ros.demo.session import SessionOptions, record_session

    options = SessionOptions(
        player_parameters={
            'source': source,
            'rate_hz': arguments.rate_hz,
            'width': arguments.width,
            'height': arguments.height,
            'seed': arguments.seed,
            'num_frames_ahead': arguments.num_frames_ahead,
            'wait_for_subscribers_sec': arguments.timeout_sec,
        },
        node_parameters={'model_path': str(model_path), 'backend': arguments.backend},
        duration_sec=arguments.duration_sec,
        timeout_sec=arguments.timeout_sec,
    )
    domain_id = environment['ROS_DOMAIN_ID']
    _say(f"camera_player plays '{arguments.input}' to depth_estimation in ROS domain {domain_id}")
    return record_session(options, environment, _say)


def absolute_source(source: str) -> str:
    """Return the source as processes in another folder find it.

    Raises:
        ConfigError: It does not exist.
    """
    kind = SourceOptions(source=source).kind
    if kind in (SourceKind.ROOMS, SourceKind.WEBCAM):
        return source
    return str(Path(source).expanduser().resolve())


def checked_model_path(model: str, backend: str) -> Path:
    """Return the model file, once its facts could be read.

    Raises:
        ModelFileError: It is missing or foreign.
        BackendError: There is no such backend.
    """
    from depth_estimation_ros.model_file.default_model import find_model
    from depth_estimation_ros.model_file.model_spec import read_model_spec

    path = find_model(model, backend=backend).resolve()
    read_model_spec(path)
    return path


def find_dds_profile() -> Path | None:
    """Return the Fast DDS profile that comes with the package, wherever it is installed."""
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    try:
        path = Path(get_package_share_directory(PACKAGE)) / DDS_PROFILE
    except PackageNotFoundError:
        path = Path(__file__).parents[3] / DDS_PROFILE
    return path if path.is_file() else None


def _say(text: str) -> None:
    sys.stdout.write(f'[demo] {text}\n')
    sys.stdout.flush()


def _on_sigterm(_number: int, _frame: FrameType | None) -> None:
    # Unwinds as Ctrl-C does, so that the processes are stopped.
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when depth came and everything was written."""
    arguments = parse_arguments(argv)
    signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        run_demo(arguments)
    except DepthEstimationError as error:
        sys.stderr.write(f'demo: error: {error}\n')
        return 1
    except KeyboardInterrupt:
        sys.stderr.write('demo: interrupted, nothing was written\n')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
