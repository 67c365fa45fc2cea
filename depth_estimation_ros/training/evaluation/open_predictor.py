"""Opens what is to be evaluated: a model file in any backend, or a checkpoint in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from depth_estimation_ros.errors import CheckpointError, ConfigError
from depth_estimation_ros.training.evaluation.predictors import ModelFilePredictor

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.training.evaluation.predictors import DepthPredictor

TORCH: Final = 'torch'


def open_predictor(
    path: Path,
    *,
    backend: str,
    options: BackendOptions,
    network_size: tuple[int, int] | None = None,
) -> tuple[DepthPredictor, tuple[int, int]]:
    """Open a model file (.onnx) or a checkpoint (anything else).

    Args:
        path: The file.
        backend: 'auto' or a BackendName for a model file; 'auto' or 'torch' for a checkpoint.
        options: Settings of the backends.
        network_size: (height, width) of the network's input [px]; None = the size of the pixel
            budget, which is that of the export or of the training, that fits an image's shape.

    Returns:
        The predictor and the (height, width) that was given, or of the pixel budget [px].

    Raises:
        ModelFileError: The model file is missing, damaged or foreign.
        CheckpointError: The checkpoint cannot be used, or torch is not installed.
        BackendError: The backend cannot run here or gives wrong numbers.
        ConfigError: Settings that do not go with this kind of file.
    """
    if path.suffix == '.onnx':
        if backend == TORCH:
            raise ConfigError(f'{path}: a model file does not run in {TORCH}, a checkpoint does')
        model = ModelFilePredictor(
            path, backend=backend, options=options, network_size=network_size
        )
        return model, network_size or model.spec.input_size
    if backend not in ('auto', TORCH):
        raise ConfigError(f'{path}: a checkpoint runs in {TORCH}, not in {backend}: export it')
    try:
        from depth_estimation_ros.training.evaluation.network_predictor import open_network
    except ModuleNotFoundError as err:
        raise CheckpointError(
            f'{path}: a checkpoint needs {err.name}: pip install depth-estimation-ros[train]; a '
            'model file (.onnx, by `depth-estimation export`) does without'
        ) from err
    return open_network(path, device=options.device, network_size=network_size)
