"""Finds the model files that come with the package."""

from __future__ import annotations

from pathlib import Path

from depth_estimation_ros.errors import ModelFileError

__all__ = ['default_model_path', 'find_model']


def default_model_path() -> Path:
    """Path of the model that comes with the package.

    Raises:
        ModelFileError: This installation has none.
    """
    path = _folder() / 'default.onnx'
    if not path.is_file():
        raise ModelFileError(
            f'{path}: this installation has no default model; name one, or make one with '
            '`depth-estimation export CHECKPOINT --output model.onnx`'
        )
    return path


def find_model(model: str | Path | None) -> Path:
    """Turn what a user names as the model into a path.

    Args:
        model: A path, whose file need not exist; the bare name of a model that comes with the
            package, such as 'default-int8'; None or '' for the default one.

    Raises:
        ModelFileError: This installation has no default model.
    """
    if model is None or model == '':
        return default_model_path()
    path = Path(model).expanduser()
    shipped = _folder() / f'{path.name}.onnx'
    return shipped if path.name == str(model) and not path.exists() and shipped.is_file() else path


def _folder() -> Path:
    return Path(__file__).parents[1] / 'models'
