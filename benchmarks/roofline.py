"""What the shipped network could reach on machines that are not here: computed, not measured.

Counts the multiplications and additions of the convolutions and the bytes that must pass through
memory (weights once, each layer's input and output once, fp16) in the ONNX file, and divides by
published peaks. A real runtime reaches a part of that, and small networks are bound by the time a
kernel takes to start, which is in neither. `depth-estimation benchmark` measures on your machine.

    python benchmarks/roofline.py [MODEL] [--size 160 288]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import math
from pathlib import Path
import sys

import numpy as np
import onnx

from depth_estimation_ros.model_file.default_model import default_model_path

FP16_BYTES = 2


@dataclass(frozen=True, kw_only=True)
class Peak:
    """What a machine's maker publishes.

    Attributes:
        tops: Headline figure [TOPS or TFLOPS].
        per_dense_fp16: How many times that of dense fp16 with sums in fp32 it is: twice for
            sparse, twice for each halving of the numbers' width, and twice on a GeForce, which
            sums in fp32 at half its speed.
        gb_per_sec: Of memory.
        source: Where it was read.
    """

    tops: float
    per_dense_fp16: float
    gb_per_sec: float
    source: str

    @property
    def tflops(self) -> float:
        """Dense fp16 [TFLOPS]."""
        return self.tops / self.per_dense_fp16


# Of the Orins the GPU alone. The sources quote NVIDIA's data sheets, which could not be reached
# themselves; the bandwidth of AGX Orin, Orin NX and Thor was found in none of them.
PEAKS = {
    'Orin Nano 8 GB (Super)': Peak(
        tops=67.0,
        per_dense_fp16=4.0,
        gb_per_sec=102.0,
        source='https://www.brojogopalsapui.com/ai-foundations/sub_contents/AI_hardware/'
        'jetson_orin_nano_light.html',
    ),
    'Orin NX 16 GB': Peak(
        tops=60.0,
        per_dense_fp16=4.0,
        gb_per_sec=102.4,
        # 8 of AGX Orin's 16 SMs at 918 of its 1300 MHz.
        source='https://gist.github.com/atinfinity/8cede915acda05d0ff427c09604735dd',
    ),
    'AGX Orin 64 GB': Peak(
        tops=170.0,
        per_dense_fp16=4.0,
        gb_per_sec=204.8,
        source='http://mzph.cn/web/30785.shtml',
    ),
    'Thor T5000': Peak(
        tops=2070.0,
        per_dense_fp16=8.0,
        gb_per_sec=273.0,
        source='https://learnaivisually.com/ai-explained/jetson-thor-edge-blackwell',
    ),
    'RTX 4070': Peak(
        tops=466.0,
        per_dense_fp16=8.0,
        gb_per_sec=504.0,
        source='https://www.thefpsreview.com/gpu-family/'
        'nvidia-geforce-rtx-4070-gpu-family-specifications',
    ),
    'RTX 5090': Peak(
        tops=3352.0,
        per_dense_fp16=16.0,
        gb_per_sec=1792.0,
        source='https://www.tweaktown.com/news/102469/'
        'nvidia-geforce-rtx-50-series-specs-pricing-and-performance-plan-that-upgrade-today/'
        'index.html',
    ),
    'H100 SXM': Peak(
        tops=1978.9,
        per_dense_fp16=2.0,
        gb_per_sec=3350.0,
        source='https://glennklockwood.com/garden/processors/h100',
    ),
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one image costs."""

    flop: float
    num_bytes: float  # fp16


def work_of(path: Path, size: tuple[int, int]) -> Work:
    """Count convolutions and matrix products of a model file at (height, width) [px]."""
    model = onnx.load(path)
    counted = [node for node in model.graph.node if node.op_type in {'Conv', 'MatMul', 'Gemm'}]
    shapes = {item.name: tuple(item.dims) for item in model.graph.initializer}
    shapes |= shapes_in_a_run(
        model, size, {name for node in counted for name in (node.input[0], node.output[0])}
    )
    flop = num_bytes = 0.0
    for node in counted:
        given, weights = shapes[node.input[0]], shapes[node.input[1]]
        made = shapes[node.output[0]]
        inner = math.prod(weights[1:]) if node.op_type == 'Conv' else weights[0]
        flop += 2.0 * math.prod(made) * inner
        num_bytes += FP16_BYTES * sum(map(math.prod, (given, weights, made)))
    return Work(flop=flop, num_bytes=num_bytes)


def shapes_in_a_run(
    model: onnx.ModelProto, size: tuple[int, int], names: set[str]
) -> dict[str, tuple[int, ...]]:
    """Run a model once and return the shapes of tensors of it."""
    import onnxruntime

    del model.graph.output[:]
    model.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, sorted(names)))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=['CPUExecutionProvider']
    )
    arrays = session.run(sorted(names), {'image': np.zeros((1, *size, 3), np.uint8)})
    return {name: array.shape for name, array in zip(sorted(names), arrays, strict=True)}


def table(work: Work) -> str:
    """Write the limits as Markdown."""
    rows = [
        '| computed | peak [TFLOPS, GB/s] | arithmetic [ms] | memory [ms] | at most |',
        '|---|---|---|---|---|',
    ]
    for name, peak in PEAKS.items():
        arithmetic = 1e3 * work.flop / (peak.tflops * 1e12)
        memory = 1e3 * work.num_bytes / (peak.gb_per_sec * 1e9)
        rate = 1e3 / max(arithmetic, memory)
        rows.append(
            f'| [{name}]({peak.source}) | {peak.tflops:.1f}, {peak.gb_per_sec:.0f} '
            f'| {arithmetic:.3f} | {memory:.3f} | {rate:,.0f} images/s |'
        )
    return '\n'.join(rows)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('model', type=Path, nargs='?', default=default_model_path())
    parser.add_argument('--size', type=int, nargs=2, default=(160, 288), metavar=('H', 'W'))
    args = parser.parse_args()
    work = work_of(args.model, (args.size[0], args.size[1]))
    print(f'{args.model.name} at {args.size[0]}x{args.size[1]} (height x width): ', end='')
    print(f'{work.flop / 1e9:.2f} GFLOP, {work.num_bytes / 1e6:.1f} MB in fp16\n\n{table(work)}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
