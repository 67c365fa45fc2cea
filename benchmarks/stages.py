"""Each stage of a Full HD frame but the network, beside the time its bytes take in memory.

The bytes are those that must be read and written once; the bandwidth is that of copying 64 MB
here. Told is the least processor time of many runs, which other programs disturb least.

    python benchmarks/stages.py [--width 1920 --height 1080] [--runs 30]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import sys
import time
from typing import TYPE_CHECKING

from estimator_overhead import INPUT_SIZE, OUTPUT_SIZE, instant_estimator
import numpy as np
import simplejpeg

from depth_estimation_ros.camera.encodings import decode_image
from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.depth.point_cloud import PointCloudBuilder
from depth_estimation_ros.files.image_codec import decode_rgb
from depth_estimation_ros.pipeline import DepthPipeline, DepthRequest, DepthSettings
from depth_estimation_ros.startup import keep_freed_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from depth_estimation_ros.depth.finished_depth import FinishedDepth

COPIED_BYTES = 2**26
NUM_WARM_UP = 3
DECIMATION = 2


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is timed; `work` gets a frame that nothing was computed of."""

    name: str
    num_bytes: float  # read and written at least
    work: Callable[[FinishedDepth], object]


def least_ms(work: Callable[[], object], num_runs: int) -> float:
    """Least processor time of a call [ms]."""
    times = []
    for _ in range(NUM_WARM_UP + num_runs):
        started = time.process_time()
        work()
        times.append(1e3 * (time.process_time() - started))
    return min(times[NUM_WARM_UP:])


def bandwidth(num_runs: int) -> float:
    """Bytes read and written in a second of processor time."""
    source = np.ones(COPIED_BYTES, np.uint8)
    target = np.ones_like(source)
    return 2e3 * COPIED_BYTES / least_ms(lambda: np.copyto(target, source), num_runs)


def stages(height: int, width: int, camera: CameraIntrinsics) -> list[Stage]:
    """List the stages of an image of this size [px]."""
    pixels, points = height * width, height * width / DECIMATION**2
    builder = PointCloudBuilder(decimation_x=DECIMATION, decimation_y=DECIMATION)

    def cloud(frame: FinishedDepth) -> object:
        chosen = (builder.rows, builder.columns)
        return builder.build_chosen(frame.sampled(*chosen), camera, frame.colors(*chosen))

    grid_bytes = 4 * OUTPUT_SIZE[0] * OUTPUT_SIZE[1]
    depth_bytes, cloud_bytes = 4 * pixels, 16 * points
    return [
        Stage(name='depth at full size', num_bytes=grid_bytes + depth_bytes, work=_image),
        Stage(name='cloud', num_bytes=grid_bytes + 3 * points + cloud_bytes, work=cloud),
        Stage(name='colours', num_bytes=grid_bytes + 3 * pixels, work=_painted),
    ]


def _image(frame: FinishedDepth) -> object:
    return frame.image


def _painted(frame: FinishedDepth) -> object:
    return frame.painted(min_depth=0.1, max_depth=10.0)


def measure(height: int, width: int, num_runs: int) -> dict[str, dict[str, float]]:
    """Time everything: ms, the limit by memory [ms], and how many times the limit it is."""
    keep_freed_memory()
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    camera = CameraIntrinsics.from_hfov(height=height, width=width, hfov_deg=60.0)
    estimator = instant_estimator(0.0)
    bytes_per_ms = bandwidth(num_runs) / 1e3
    request = DepthRequest(rgb_hwc=rgb, intrinsics=camera)
    found: dict[str, dict[str, float]] = {}

    def add(name: str, num_bytes: float, milliseconds: float) -> None:
        limit = num_bytes / bytes_per_ms
        found[name] = {'ms': milliseconds, 'limit_ms': limit, 'times': milliseconds / limit}

    input_bytes = 3 * INPUT_SIZE[0] * INPUT_SIZE[1]
    transform = estimator.transform_for((height, width))
    taken = least_ms(lambda: transform.apply_image(rgb), num_runs)
    add('image to network size', rgb.nbytes + input_bytes, taken)
    for name, reduced in (('in full', 1), ('reduced', estimator.reduction_for((height, width)))):
        jpeg = simplejpeg.encode_jpeg(rgb[::8, ::8].repeat(8, 0).repeat(8, 1), 90)
        taken = least_ms(
            lambda n=reduced, j=jpeg: transform.apply_image(decode_rgb(j, name='', reduced=n)),
            num_runs,
        )
        add(f'JPEG to network size, {name}', len(jpeg) + input_bytes, taken)
        nv12 = rgb.ravel()[: height * width * 3 // 2]
        taken = least_ms(
            lambda n=reduced, d=nv12: transform.apply_image(_nv12(d, height, width, n)), num_runs
        )
        add(f'NV12 to network size, {name}', nv12.nbytes + input_bytes, taken)
    for stage in stages(height, width, camera):
        times = []
        for _ in range(NUM_WARM_UP + num_runs):
            (frame,) = DepthPipeline(estimator).run([request], DepthSettings())
            started = time.process_time()
            stage.work(frame)
            times.append(1e3 * (time.process_time() - started))
        add(stage.name, stage.num_bytes, min(times[NUM_WARM_UP:]))
    return found


def _nv12(data: np.ndarray, height: int, width: int, reduced: int) -> np.ndarray:
    return decode_image(
        data, encoding='nv12', height=height, width=width, step=width, reduced=reduced
    )


def table(found: dict[str, dict[str, float]]) -> str:
    """Write the stages as Markdown."""
    rows = [
        '| stage | processor [ms] | limit by memory [ms] | times the limit |',
        '|---|---|---|---|',
    ]
    for name, item in found.items():
        rows.append(
            f'| {name} | {item["ms"]:.2f} | {item["limit_ms"]:.2f} | {item["times"]:.1f} |'
        )
    return '\n'.join(rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--width', type=int, default=1920)
    parser.add_argument('--height', type=int, default=1080)
    parser.add_argument('--runs', type=int, default=30)
    args = parser.parse_args()
    print(table(measure(args.height, args.width, args.runs)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
