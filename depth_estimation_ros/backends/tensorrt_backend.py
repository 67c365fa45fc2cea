"""TensorRT on NVIDIA GPUs."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import BackendError

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.base import Backend, BackendOptions
    from depth_estimation_ros.model_spec import ModelSpec

__all__ = ['load', 'unavailable_reason']


def unavailable_reason() -> str | None:
    """Why TensorRT cannot run here, or None."""
    if importlib.util.find_spec('tensorrt') is None:
        return "tensorrt is not installed (pip install 'depth-estimation-ros[tensorrt]')"
    return None


def load(model_path: Path, spec: ModelSpec, options: BackendOptions) -> Backend:
    """Load a model file; see backends.base.load_backend."""
    raise BackendError(f'{model_path}: not built for {spec.precision} ({options})')
