"""ROS parameter files: a few values written or changed, everything else left as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.atomic import atomic_write_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ['parameters_text', 'set_parameters']


def parameters_text(values: Mapping[str, float], comment: str) -> str:
    """Write a parameter file for any node.

    Args:
        values: Parameter -> value.
        comment: Lines to begin with.
    """
    lines = [f'# {line}' for line in comment.splitlines()]
    lines += ['/**:', '  ros__parameters:']
    lines += [f'    {name}: {_number(value)}' for name, value in values.items()]
    return '\n'.join(lines) + '\n'


def set_parameters(path: Path, values: Mapping[str, float], comment: str) -> str:
    """Write a parameter file, or change the values in the one that is there.

    Args:
        path: File to write; it appears complete or stays as it was.
        values: Parameter -> value.
        comment: Lines to begin a new file with.

    Returns:
        'written' or 'changed'.

    Raises:
        ConfigError: The file that is there does not have each of the parameters once.
        OSError: It cannot be read or written.
    """
    if not path.exists():
        atomic_write_text(path, parameters_text(values, comment))
        return 'written'
    try:
        text = path.read_text(encoding='utf-8')
    except UnicodeDecodeError as err:
        raise ConfigError(f'{path}: no text file; choose another --output') from err
    for name, value in values.items():
        line = re.compile(rf'^([ \t]+{name}:[ \t]*)[^\s#]+', re.MULTILINE)
        text, num_found = line.subn(rf'\g<1>{_number(value)}', text)
        if num_found != 1:
            raise ConfigError(
                f'{path} is there and has {num_found} lines with {name}, one is needed; choose '
                'another --output, or add the line'
            )
    atomic_write_text(path, text)
    return 'changed'


def _number(value: float) -> str:
    """Write a number that ROS reads as a decimal one."""
    text = f'{value:.6f}'.rstrip('0')
    return text + '0' if text.endswith('.') else text
