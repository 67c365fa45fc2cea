"""From a checkpoint to a model file that has been checked, or to none at all."""

from __future__ import annotations

from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING, Final

import onnx
from onnx import helper
import torch

from depth_estimation_ros.errors import ConfigError, ModelFileError
from depth_estimation_ros.export.check import check_file, run_network
from depth_estimation_ros.export.free_size import free_height_and_width
from depth_estimation_ros.export.graph import DepthGraph, trace_graph
from depth_estimation_ros.export.half_precision import to_half_precision
from depth_estimation_ros.export.quantize import quantize_model
from depth_estimation_ros.export.tensorrt_operators import audit_for_tensorrt
from depth_estimation_ros.files.atomic import atomic_path
from depth_estimation_ros.model_file.model_spec import SIZE_MULTIPLE, ModelSpec, Precision, Target
from depth_estimation_ros.model_file.network_size import common_sizes
from depth_estimation_ros.model_file.probe import Probe, probe_image
from depth_estimation_ros.training.model.checkpoint import load_network
from depth_estimation_ros.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.training.model.checkpoint import NetworkInfo

_logger = logging.getLogger(__name__)

PROBE_SEED: Final = 20181231
NUM_CHECKED_IMAGES: Final = 4


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What model file to make.

    Attributes:
        height: Rows of the input [px], a multiple of 32; None = as in training. Height times
            width is the file's pixel budget, and the size that it has unless told otherwise.
        width: Columns of the input [px], a multiple of 32; None = as in training.
        batch_size: Images a call takes.
        precision: Number format.
        target: Backends an int8 file is for; the others run anywhere.
        licence: Of the weights; None = what the checkpoint says.
        training_data: In words; None = what the checkpoint says.
        metrics: Name -> value; empty = what the checkpoint says.
        metrics_data: What they were measured on, in words.
    """

    height: int | None = None
    width: int | None = None
    batch_size: int = 1
    precision: Precision = Precision.FP32
    target: Target = Target.ANY
    licence: str | None = None
    training_data: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    metrics_data: str = ''

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A size is no multiple of 32, or precision and target do not go together.
        """
        for name, size in (('height', self.height), ('width', self.width)):
            if size is not None:
                _check_size(name, size)
        if self.batch_size < 1:
            raise ConfigError(f'batch {self.batch_size}: must be 1 or more')
        quantized = self.precision is Precision.INT8
        if quantized and self.target is Target.ANY:
            raise ConfigError('precision int8 needs a target: cpu or tensorrt')
        if not quantized and self.target is not Target.ANY:
            raise ConfigError(
                f'target {self.target} is for precision int8; an {self.precision} file runs on '
                'every backend'
            )


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """What was made.

    Attributes:
        spec: Facts of the model file.
        error: Relative RMS error against the fp32 network, see export_check.TOLERANCE.
        num_bytes: Size of the file.
        warnings: What TensorRT would refuse, for a file that it may be given.
    """

    spec: ModelSpec
    error: float
    num_bytes: int
    warnings: tuple[str, ...] = ()


def export_model(
    checkpoint: str | Path,
    output: str | Path,
    options: ExportOptions,
    *,
    calibration: Sequence[NDArray[np.uint8]] = (),
) -> ExportReport:
    """Write a model file, check it, and keep it only if it is right.

    Args:
        checkpoint: From `depth-estimation train` or `import-keras`.
        output: Model file to write; one that is there is replaced when all checks have passed.
        options: What to make.
        calibration: (H, W, 3) uint8 RGB images at the size of the input, for int8.

    Raises:
        CheckpointError: The checkpoint cannot be used.
        ConfigError: int8 without calibration images.
        ModelFileError: The file that was made is not right; nothing is left behind.
    """
    network, info = load_network(checkpoint)
    height, width = options.height or info.input_size[0], options.width or info.input_size[1]
    graph = DepthGraph(network, min_depth=info.min_depth, max_depth=info.max_depth).eval()
    model = trace_graph(graph, batch_size=options.batch_size, height=height, width=width)
    if options.precision is Precision.FP16:
        model = to_half_precision(model)
    elif options.precision is Precision.INT8:
        model = quantize_model(model, calibration, target=options.target)
    model = free_height_and_width(model)
    spec = _make_spec(info, options, graph, (height, width))
    helper.set_model_props(model, spec.to_metadata())
    model.producer_name = 'depth_estimation_ros'
    problems = () if spec.target is Target.CPU else tuple(audit_for_tensorrt(model))
    if problems and spec.target is Target.TENSORRT:
        raise ModelFileError(f'TensorRT would refuse the model: {problems[0]}')
    with atomic_path(output) as temporary:
        onnx.save(model, str(temporary))
        error = check_file(temporary, graph, calibration[:NUM_CHECKED_IMAGES])
        num_bytes = temporary.stat().st_size
    return ExportReport(spec=spec, error=error, num_bytes=num_bytes, warnings=problems)


def _check_size(name: str, size: int) -> None:
    """Refuse a size that the network cannot halve five times."""
    if size < SIZE_MULTIPLE or size % SIZE_MULTIPLE:
        nearest = max(SIZE_MULTIPLE, round(size / SIZE_MULTIPLE) * SIZE_MULTIPLE)
        raise ConfigError(
            f'{name} {size}: must be a multiple of {SIZE_MULTIPLE}; the nearest is {nearest}'
        )


def _make_spec(
    info: NetworkInfo, options: ExportOptions, graph: DepthGraph, input_size: tuple[int, int]
) -> ModelSpec:
    """Gather what the model file says of itself; the probes' references come from PyTorch."""
    sizes = dict.fromkeys([input_size, *common_sizes(input_size)])
    references = {size: _run_probe(graph, options.batch_size, size) for size in sizes}
    reference = references[input_size]
    return ModelSpec(
        encoder=info.encoder,
        variant=info.variant,
        decoder_width=info.decoder_width,
        input_size=input_size,
        output_size=(reference.shape[1], reference.shape[2]),
        batch_size=options.batch_size,
        min_depth=info.min_depth,
        max_depth=info.max_depth,
        training_fx=info.training_fx,
        precision=options.precision,
        target=options.target,
        training_data=options.training_data or info.training_data,
        metrics=options.metrics or info.metrics,
        metrics_data=options.metrics_data or info.metrics_data,
        licence=options.licence or info.licence,
        created_by=f'depth_estimation_ros {VERSION}, PyTorch {torch.__version__}',
        free_size=True,
        probes={
            size: Probe.from_output(output, seed=PROBE_SEED) for size, output in references.items()
        },
    )


def _run_probe(graph: DepthGraph, batch_size: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the network's answer to the probe image of a size, (N, h, w) float32 [m]."""
    height, width = size
    image = probe_image(PROBE_SEED, batch_size=batch_size, height=height, width=width)
    return run_network(graph, image)
