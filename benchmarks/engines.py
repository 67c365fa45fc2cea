"""What runs a network fastest on this processor: torch, onnxruntime, openvino.

The shipped models, and DenseDepth with random weights, whose times are those of trained ones.
torch runs it eagerly and compiled (torch.compile, which needs a C++ compiler and minutes).

    python benchmarks/engines.py [--runs 30] [--no-torch]
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.benchmark.hardware import describe_hardware, has_bf16
from depth_estimation_ros.benchmark.measure import BenchmarkCase
from depth_estimation_ros.benchmark.worker import run_case
from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.model_file.default_model import default_model_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

IMAGE_SIZE, DENSEDEPTH_SIZE = (480, 640), (256, 320)
MAX_SEC = 6.0  # a case
NUM_WARM_UP = 3
NUM_CALIBRATION_IMAGES = 4
# Encoder and variant: A is the paper's network, B the blog's.
DENSEDEPTH = {
    'DenseDepth 169 A': ('densenet169', 'paper'),
    'DenseDepth 169 B': ('densenet169', 'blog'),
    'DenseDepth 121 B': ('densenet121', 'blog'),
}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A network in something that runs it."""

    network: str
    engine: str
    p50_ms: float
    p95_ms: float
    cpu_ms: float  # processor time of all threads


def measure(folder: Path, *, num_runs: int, with_torch: bool) -> list[Engine]:
    """Measure everything; files are written to the folder."""
    found: list[Engine] = []
    for path in (default_model_path(), default_model_path().with_name('default-int8.onnx')):
        found += of_file(path.stem, path, IMAGE_SIZE, num_runs)
    if with_torch:
        for name, (encoder, variant) in DENSEDEPTH.items():
            found += torch_engines(name, encoder, variant, num_runs)
            for file_name, is_int8 in ((name, False), (f'{name} int8', True)):
                path = folder / f'{file_name}.onnx'
                try:
                    exported(path, encoder, variant, is_int8=is_int8)
                except DepthEstimationError as err:  # the rest is worth its time
                    print(f'{file_name}: {err}', file=sys.stderr)
                    continue
                found += of_file(file_name, path, DENSEDEPTH_SIZE, num_runs)
    return found


def of_file(name: str, path: Path, size: tuple[int, int], num_runs: int) -> list[Engine]:
    """Time a model file in each backend, in processes of their own."""
    found = []
    kinds = [('onnxruntime', 'f32'), ('openvino', 'f32')]
    kinds += [('openvino', 'bf16')] * has_bf16(describe_hardware())
    for backend, precision in kinds:
        case = BenchmarkCase(
            model=str(path),
            backend=backend,
            openvino_precision=precision,
            image_sizes=(size,),
            num_runs=num_runs,
            num_warm_up=NUM_WARM_UP,
            max_sec=MAX_SEC,
        )
        try:
            result = run_case(case).sizes[0]
        except DepthEstimationError as err:
            print(f'{name}, {backend} {precision}: {err}', file=sys.stderr)
            continue
        found.append(
            Engine(
                network=name,
                engine=f'{backend} {precision}',
                p50_ms=result.p50_ms,
                p95_ms=result.p95_ms,
                cpu_ms=result.cpu_ms_per_image,
            )
        )
    return found


def torch_engines(name: str, encoder: str, variant: str, num_runs: int) -> list[Engine]:
    """Time a network in torch: as its authors' code runs it, and what torch itself offers."""
    import torch

    from depth_estimation_ros.training.model.network import build_densedepth

    network = build_densedepth(encoder, variant=variant).eval()
    found = [_in_torch(name, 'torch eager f32', network, num_runs)]
    if has_bf16(describe_hardware()):
        with torch.autocast('cpu', torch.bfloat16):
            found.append(_in_torch(name, 'torch eager bf16', network, num_runs))
    try:
        found.append(_in_torch(name, 'torch compile f32', torch.compile(network), num_runs))
    except Exception as err:  # noqa: BLE001 - no compiler, or a network that it cannot take
        print(f'{name}, torch compile: {err}', file=sys.stderr)
    return found


def _in_torch(name: str, engine: str, network: Callable[..., Any], num_runs: int) -> Engine:
    import torch

    batch = torch.rand(1, 3, *DENSEDEPTH_SIZE)
    times_ms: list[float] = []
    with torch.no_grad():
        for _ in range(NUM_WARM_UP):
            network(batch)
        started, cpu = time.perf_counter(), time.process_time()
        while len(times_ms) < num_runs and time.perf_counter() - started < MAX_SEC:
            begun = time.perf_counter()
            network(batch)
            times_ms.append(1e3 * (time.perf_counter() - begun))
    return Engine(
        network=name,
        engine=engine,
        p50_ms=float(np.percentile(times_ms, 50)),
        p95_ms=float(np.percentile(times_ms, 95)),
        cpu_ms=1e3 * (time.process_time() - cpu) / len(times_ms),
    )


def exported(
    path: Path,
    encoder: str,
    variant: str,
    size: tuple[int, int] = DENSEDEPTH_SIZE,
    *,
    is_int8: bool = False,
    batch_size: int = 1,
) -> Path:
    """Write a model file of a network with random weights."""
    import torch

    from depth_estimation_ros.export.export_model import ExportOptions, export_model
    from depth_estimation_ros.model_file.model_spec import Precision, Target
    from depth_estimation_ros.training.model.checkpoint import (
        Checkpoint,
        NetworkInfo,
        save_checkpoint,
    )
    from depth_estimation_ros.training.model.network import build_densedepth

    torch.manual_seed(0)
    network = build_densedepth(encoder, variant=variant).eval()
    # So that random weights give depths in the range.
    torch.nn.init.constant_(dict(network.named_parameters())['conv3.bias'], 3.0)
    info = NetworkInfo(
        **asdict(network.config),
        input_size=size,
        min_depth=0.1,
        max_depth=10.0,
        training_fx=None,
        training_data='nothing: random weights',
        licence='Apache-2.0',
    )
    checkpoint = path.with_suffix('.pt')
    save_checkpoint(checkpoint, Checkpoint(info=info, weights=network.state_dict()))
    options = ExportOptions(
        precision=Precision.INT8 if is_int8 else Precision.FP32,
        target=Target.CPU if is_int8 else Target.ANY,
        batch_size=batch_size,
    )
    export_model(checkpoint, path, options, calibration=noise(size) if is_int8 else ())
    return path


def noise(size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Make images to calibrate by, which is enough for times."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for _ in range(NUM_CALIBRATION_IMAGES)]


def table(found: list[dict[str, Any]]) -> str:
    """Write the engines as Markdown."""
    rows = ['| network | engine | p50 / p95 [ms] | processor [ms] |', '|---|---|---|---|']
    for item in found:
        rows.append(
            f'| {item["network"]} | {item["engine"]} | {item["p50_ms"]:.1f} / '
            f'{item["p95_ms"]:.1f} | {item["cpu_ms"]:.1f} |'
        )
    return '\n'.join(rows)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--runs', type=int, default=30)
    parser.add_argument('--no-torch', action='store_true', help='the shipped models only')
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = measure(Path(folder), num_runs=args.runs, with_torch=not args.no_torch)
    print(table([asdict(item) for item in found]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
