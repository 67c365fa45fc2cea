"""A model in 8-bit integers, in the flavour of the backends that will run it.

Why onnxruntime's quantizer, why these layers, and what it costs: docs/quantization.md.
"""

from __future__ import annotations

from contextlib import contextmanager
import logging
from pathlib import Path
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from depth_estimation_ros.backends.telemetry import import_onnxruntime
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.export.activation_ranges import activation_ranges, clipped_ranges
from depth_estimation_ros.export.onnx_graph import keep_standard_operators
from depth_estimation_ros.model_file.model_spec import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


def quantize_model(
    model: onnx.ModelProto, images: Sequence[NDArray[np.uint8]], *, target: Target
) -> onnx.ModelProto:
    """Put explicit Q/DQ pairs around the convolutions of a float32 model.

    All but the first, the last and those by channel (depthwise), which have few multiplications
    and lose most: the rest of the graph stays float32.

    Args:
        model: From `export_graph.trace_graph`; left as it is.
        images: (H, W, 3) uint8 RGB at the size of the input; ranges are read off them.
        target: CPU: activations uint8, weights int8 of 7 bits (two products of 8 x 8 bits
            overflow the 16-bit sums of CPUs without VNNI), biases int32. TENSORRT: all int8 and
            symmetric, biases float, results of convolutions not rounded a second time.

    Returns:
        A new model; weights are rounded per output channel.

    Raises:
        ConfigError: There are no images.
    """
    if not images:
        raise ConfigError('precision int8 needs calibration images: --calibration FOLDER or rooms')
    import_onnxruntime()  # first, so that the next line does not import it with its telemetry on
    from onnxruntime.quantization import (
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    convolutions = [node for node in model.graph.node if node.op_type == 'Conv']
    chosen = [node for node in convolutions[1:-1] if _num_groups(node) == 1]
    is_cpu = target is Target.CPU
    tensors = [name for node in chosen for name in (node.input[0], node.output[0])]
    ranges = clipped_ranges(model, activation_ranges(model, images, tensors))
    options: dict[str, Any] = {
        'WeightSymmetric': True,
        'ActivationSymmetric': not is_cpu,
        'QuantizeBias': is_cpu,
        'OpTypesToExcludeOutputQuantization': [] if is_cpu else ['Conv'],
        'TensorQuantOverrides': {
            name: [{'rmin': np.float32(low), 'rmax': np.float32(high)}]
            for name, (low, high) in ranges.items()
        },
    }
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / 'quantized.onnx'
        quantize_static(
            copy,
            path,
            _OneImage(images[0], batch_size=_batch_size(model)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=['Conv'],
            nodes_to_quantize=[node.name for node in chosen],
            per_channel=True,
            reduce_range=is_cpu,
            activation_type=QuantType.QUInt8 if is_cpu else QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options=options,
        )
        quantized = onnx.load(path)
    keep_standard_operators(quantized)
    del quantized.metadata_props[:]
    quantized = onnx.shape_inference.infer_shapes(quantized, strict_mode=True)
    onnx.checker.check_model(quantized, full_check=True)
    return quantized


class _OneImage:
    """What the quantizer wants to see although all ranges are given."""

    def __init__(self, image: NDArray[np.uint8], *, batch_size: int) -> None:
        self._inputs = [{'image': image[None].repeat(batch_size, axis=0)}]

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """Return the input, then None."""
        return self._inputs.pop() if self._inputs else None


def _num_groups(convolution: onnx.NodeProto) -> int:
    return next((item.i for item in convolution.attribute if item.name == 'group'), 1)


def _batch_size(model: onnx.ModelProto) -> int:
    return int(model.graph.input[0].type.tensor_type.shape.dim[0].dim_value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the quantizer's advice, which is about options that are set on purpose."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
