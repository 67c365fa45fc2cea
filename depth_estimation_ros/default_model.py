"""Finds the model file that comes with the package."""

from __future__ import annotations

from pathlib import Path

from depth_estimation_ros.errors import ModelFileError

__all__ = ['default_model_path']


def default_model_path() -> Path:
    """Path of the model that comes with the package.

    Raises:
        ModelFileError: This installation has none.
    """
    path = Path(__file__).parent / 'models' / 'default.onnx'
    if not path.is_file():
        raise ModelFileError(
            f'{path}: this installation has no default model; name one, or make one with '
            '`depth-estimation export CHECKPOINT --output model.onnx`'
        )
    return path
