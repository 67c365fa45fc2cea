"""Compares a written model file with the network it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
import torch

from depth_estimation_ros.backends.base import BackendName, BackendOptions, load_backend
from depth_estimation_ros.backends.telemetry import import_onnxruntime
from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.export.graph import INPUT_NAME, OUTPUT_NAME
from depth_estimation_ros.model_file.model_spec import Precision, check_probe, read_model_spec
from depth_estimation_ros.model_file.probe import Probe, probe_error, probe_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from depth_estimation_ros.export.graph import DepthGraph
    from depth_estimation_ros.model_file.model_spec import ModelSpec

# Relative RMS error of a model file in onnxruntime against the fp32 network in PyTorch, on the
# probe image and on calibration images, above which the file is not kept. Measured: fp32 1e-6 to
# 1e-5, fp16 1e-4 to 1e-3; int8 see docs/quantization.md.
TOLERANCE: Final[Mapping[Precision, float]] = {
    Precision.FP32: 1e-4,
    Precision.FP16: 1e-2,
    Precision.INT8: 1e-1,
}


def check_file(path: Path, graph: DepthGraph, images: Sequence[NDArray[np.uint8]]) -> float:
    """Load a written file as its users will, at every size it has a probe for; compare.

    With PyTorch pixel by pixel at the size of the export, by its probe at the others.

    Returns:
        The largest relative RMS error (probe.probe_error on every pixel).

    Raises:
        ModelFileError: The error is above the tolerance, or the file's own self-check would fail.
        BackendError: onnxruntime cannot run the file.
    """
    onnx.checker.check_model(str(path), full_check=True)
    spec = read_model_spec(path)
    options = BackendOptions(check_target=False)
    backend = load_backend(BackendName.ONNXRUNTIME, path, spec, options=options)
    errors = []
    try:
        for index, batch in enumerate(_check_batches(spec, images)):
            found = backend.infer(batch)
            if index == 0:
                _require_below(*check_probe(found, spec), spec.precision)
            expected = Probe.from_output(run_network(graph, batch), seed=0, grid_step=1)
            limits = {'min_depth': spec.min_depth, 'max_depth': spec.max_depth}
            errors.append(probe_error(found, expected, **limits))
    finally:
        backend.close()
    _check_other_sizes(path, spec)
    _require_below(max(errors), TOLERANCE[spec.precision], spec.precision)
    return max(errors)


def _check_other_sizes(path: Path, spec: ModelSpec) -> None:
    """Run the probes of the sizes besides that of the export, in one session of any size."""
    session = import_onnxruntime().InferenceSession(str(path), providers=['CPUExecutionProvider'])
    for height, width in list(spec.probes)[1:]:
        seed = spec.probes[height, width].seed
        image = probe_image(seed, batch_size=spec.batch_size, height=height, width=width)
        output = session.run([OUTPUT_NAME], {INPUT_NAME: image})[0]
        _require_below(*check_probe(output, spec.resized((height, width))), spec.precision)


def _require_below(error: float, tolerance: float, precision: Precision) -> None:
    if not error <= tolerance:
        advice = {
            Precision.INT8: '; calibrate with more images like those it will see, or use fp16',
            Precision.FP16: '; use fp32',
        }
        raise ModelFileError(
            f'the {precision} model is not what the network is: relative RMS error {error:.2g}, '
            f'{tolerance:.2g} is allowed{advice.get(precision, "")}; nothing was written'
        )


def _check_batches(
    spec: ModelSpec, images: Sequence[NDArray[np.uint8]]
) -> list[NDArray[np.uint8]]:
    """Return the probe input, and each image repeated to a batch."""
    height, width = spec.input_size
    seed = spec.probes[spec.input_size].seed
    probe = probe_image(seed, batch_size=spec.batch_size, height=height, width=width)
    return [probe, *(np.repeat(image[np.newaxis], spec.batch_size, axis=0) for image in images)]


def run_network(graph: DepthGraph, images_nhwc: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (N, h, w) float32 depth [m], 0 = invalid, from PyTorch."""
    with torch.inference_mode():
        depth: NDArray[np.float32] = graph(torch.from_numpy(images_nhwc)).numpy()
    return depth
