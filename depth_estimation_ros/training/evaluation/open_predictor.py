"""Opens what is to be evaluated: a model file in any backend, or a checkpoint in PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.model_file.model_spec import read_model_spec
from depth_estimation_ros.training.evaluation.predictors import (
    NetworkPredictor,
    enlarge,
    focal_factor,
)
from depth_estimation_ros.training.model.checkpoint import load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.training.evaluation.predictors import DepthPredictor

TORCH: Final = 'torch'


class ModelFilePredictor:
    """A model file in a backend.

    Pixels without depth count as max_depth: a network's far pixels end there.
    """

    def __init__(self, path: str | Path, *, backend: str, options: BackendOptions) -> None:
        """Load a file.

        Args:
            path: A model file.
            backend: 'auto' or a BackendName.
            options: Settings of the backends.

        Raises:
            ModelFileError: The file is missing, damaged or foreign.
            BackendError: The backend cannot run here or gives wrong numbers.
        """
        self.spec = read_model_spec(path)
        self._backend = open_backend(backend, Path(path), self.spec, options=options)
        self._input = np.zeros(self.spec.input_shape, dtype=np.uint8)
        self.backend = str(self._backend.name)
        self.precision = str(self.spec.precision)
        self._num_pixels = 0
        self._num_without_depth = 0

    @property
    def fraction_without_depth(self) -> float:
        """See DepthPredictor."""
        return self._num_without_depth / max(1, self._num_pixels)

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """See DepthPredictor."""
        spec = self.spec
        height, width = images[0].shape[:2]
        transform = ImageTransform.letterbox(
            image_size=(height, width),
            network_size=spec.input_size,
            output_size=spec.output_size,
        )
        factor = np.float32(focal_factor(transform, intrinsics, spec.training_fx))
        depths = []
        for image in images:
            transform.apply_image(image, out=self._input[0])
            depth = self._backend.infer(self._input)[0]
            valid = (depth >= spec.min_depth) & (depth <= spec.max_depth)
            self._num_pixels += valid.size
            self._num_without_depth += valid.size - int(valid.sum())
            filled = np.where(valid, depth, np.float32(spec.max_depth))
            depths.append(enlarge(filled, transform) * factor)
        return depths

    def close(self) -> None:
        """Free the model."""
        self._backend.close()


def open_predictor(
    path: Path,
    *,
    backend: str,
    options: BackendOptions,
    input_size: tuple[int, int] | None = None,
) -> tuple[DepthPredictor, tuple[int, int]]:
    """Open a model file (.onnx) or a checkpoint (anything else).

    Args:
        path: The file.
        backend: 'auto' or a BackendName for a model file; 'auto' or 'torch' for a checkpoint.
        options: Settings of the backends.
        input_size: (height, width) for a checkpoint, None = as in training.

    Returns:
        The predictor and the (height, width) of its input [px].

    Raises:
        ModelFileError: The model file is missing, damaged or foreign.
        CheckpointError: The checkpoint cannot be used.
        BackendError: The backend cannot run here or gives wrong numbers.
        ConfigError: Settings that do not go with this kind of file.
    """
    if path.suffix == '.onnx':
        if backend == TORCH:
            raise ConfigError(f'{path}: a model file does not run in {TORCH}, a checkpoint does')
        if input_size is not None:
            raise ConfigError(f'{path}: a model file has its own input size')
        model = ModelFilePredictor(path, backend=backend, options=options)
        return model, model.spec.input_size
    if backend not in ('auto', TORCH):
        raise ConfigError(f'{path}: a checkpoint runs in {TORCH}, not in {backend}: export it')
    network, info = load_network(path)
    size = input_size or info.input_size
    network_predictor = NetworkPredictor(
        network,
        min_depth=info.min_depth,
        max_depth=info.max_depth,
        training_fx=info.training_fx,
        input_size=size,
        device='cuda' if torch.cuda.is_available() and options.device != 'cpu' else 'cpu',
    )
    return network_predictor, size
