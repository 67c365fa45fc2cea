"""Finds the model files that come with the package, and chooses among them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from depth_estimation_ros.backends.options import BackendOptions

__all__ = ['default_model_path', 'fastest_default', 'find_model']


def default_model_path() -> Path:
    """Path of the model that comes with the package, in fp32, which runs everywhere.

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


def fastest_default(
    backend: str = 'auto',
    *,
    options: BackendOptions | None = None,
    flags: AbstractSet[str] | None = None,
) -> Path:
    """Path of the precision of the shipped model that is fastest where it will run.

    That is int8 on a processor that multiplies 8-bit numbers faster than others, else fp32: so
    on other processors, and on a GPU, for which the int8 file is not made.

    Args:
        backend: 'auto' or a BackendName, as the model will be opened with.
        options: Settings of the backends, same.
        flags: What the processor can do; None = as it says.

    Raises:
        ModelFileError: This installation has no default model.
        BackendError: There is no such backend.
    """
    from depth_estimation_ros.backends.options import BackendOptions
    from depth_estimation_ros.backends.processor import INT8_FLAGS, cpu_flags
    from depth_estimation_ros.backends.selection import expected_backend

    default, small = default_model_path(), _folder() / 'default-int8.onnx'
    if not small.is_file() or not INT8_FLAGS & (cpu_flags() if flags is None else flags):
        return default
    chosen = expected_backend(backend, options or BackendOptions())
    return small if chosen is not None and chosen.device == 'cpu' else default


def find_model(
    model: str | Path | None, *, backend: str = 'auto', options: BackendOptions | None = None
) -> Path:
    """Turn what a user names as the model into a path.

    Args:
        model: A path, whose file need not exist; the bare name of a model that comes with the
            package, such as 'default-int8'; None or '' for the `fastest_default`.
        backend: See `fastest_default`.
        options: Same.

    Raises:
        ModelFileError: This installation has no default model.
        BackendError: There is no such backend.
    """
    if model is None or model == '':
        return fastest_default(backend, options=options)
    path = Path(model).expanduser()
    shipped = _folder() / f'{path.name}.onnx'
    return shipped if path.name == str(model) and not path.exists() and shipped.is_file() else path


def _folder() -> Path:
    return Path(__file__).parents[1] / 'models'
