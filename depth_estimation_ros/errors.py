"""What can go wrong, as one small family of exceptions.

The command line turns each of them into one line on stderr, the node into one log line.
"""

from __future__ import annotations

__all__ = [
    'DepthEstimationError',
    'BackendError',
    'BuildCancelledError',
    'CheckpointError',
    'ConfigError',
    'DataError',
    'ImageError',
    'ModelFileError',
    'error_text',
    'library_text',
]


class DepthEstimationError(Exception):
    """Base of every error that this package raises on purpose."""


class ModelFileError(DepthEstimationError):
    """A model file is missing, damaged, foreign or not what its metadata says."""


class BackendError(DepthEstimationError):
    """An inference backend is unknown, cannot run here or gives wrong numbers."""


class BuildCancelledError(DepthEstimationError):
    """An engine was not built because somebody asked to stop; no backend takes its place."""


class ImageError(DepthEstimationError):
    """An image has a shape, type or size that cannot be used."""


class DataError(DepthEstimationError):
    """A data set or a file of it is missing, damaged or in another format."""


class ConfigError(DepthEstimationError):
    """A setting has a value that is not accepted."""


class CheckpointError(DepthEstimationError):
    """A training checkpoint or weight file cannot be used."""


def error_text(err: BaseException) -> str:
    """Say what went wrong on one line: an error of ours as it stands, another with its type."""
    text = ' '.join(str(err).split())
    if isinstance(err, DepthEstimationError):
        return text
    kind = type(err)
    name = kind.__name__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__name__}'
    return f'{name}: {text}' if text else name


def library_text(err: Exception) -> str:
    """Return what a library in C++ says; a reason that quotes a damaged file may be no text."""
    if isinstance(err, UnicodeDecodeError):
        return err.object.decode('utf-8', 'replace')
    return str(err)
