"""Begins with ROS: what its environment or command line has wrong is one line that names it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
import os
from pathlib import Path
import re
import sys
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import rclpy

from depth_estimation_ros.errors import ConfigError, DepthEstimationError, error_text
from depth_estimation_ros.ros.runtime.shared_memory import remove_stale_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# rcl names the line of its source: nothing that a user can look up.
_SOURCE_LINE = re.compile(r',? at /[^ ]+:\d+')
_STDERR = 2  # the file descriptor
_LOG_FOLDERS = ('ROS_LOG_DIR', 'ROS_HOME', 'HOME')
_LOG_CURE = 'ROS_LOG_DIR to a folder that can be written'
_CURES = {
    'ROS_DOMAIN_ID': 'set it to a number from 0 to 232, or unset it',
    'logging directory': f'set HOME, or {_LOG_CURE}',
    'params file': 'give --params-file a file that can be read and is YAML',
    'trailing': 'give each option its value',
    'parameter override rule': 'write -p NAME:=VALUE',
    'remap rule': 'write -r FROM:=TO, in letters, digits and _',
}


def init_ros(args: list[str] | None, **options: Any) -> None:
    """Call rclpy.init, once the shared memory of dead processes is freed.

    A folder for logs that cannot be written is told on stderr, and there is no log file then.

    Args:
        args: The command line, None: that of the process.
        options: Of rclpy.init.

    Raises:
        ConfigError: The environment or the command line is not accepted; names which and a cure.
    """
    if os.name == 'posix' and not any(os.environ.get(name) for name in _LOG_FOLDERS):
        raise ConfigError(
            'ROS cannot start: HOME is not set, so there is no folder for its log: set HOME, or '
            + _LOG_CURE
        )
    remove_stale_segments()
    given = sys.argv if args is None else args
    if trouble := _log_trouble():
        sys.stderr.write(f'no log file: {trouble}: set {_LOG_CURE}\n')
        given = [*given, '--ros-args', '--disable-external-lib-logs']
    try:
        with _silent_on_failure():
            rclpy.init(args=given, **options)
    except Exception as err:
        # RCLError, UnknownROSArgsError, ValueError ...: rclpy has no common base for them.
        text = _SOURCE_LINE.sub('', error_text(err).partition(': ')[2])
        cure = next((cure for words, cure in _CURES.items() if words in text), '')
        raise ConfigError(f'ROS cannot start: {text}' + (f': {cure}' if cure else '')) from err


def _log_trouble() -> str:
    """Say why the folder that rcl logs to, by its rule, cannot be written; '' if it can."""
    home = Path(os.environ.get('ROS_HOME') or '~/.ros')
    folder = Path(os.environ.get('ROS_LOG_DIR') or home / 'log').expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):  # permissions alone do not tell, least of all root
            return ''
    except OSError as err:
        return f'{folder}: {err.strerror}'


@contextmanager
def _silent_on_failure() -> Iterator[None]:
    """Drop what C libraries write to stderr in the block if it raises: rcl says it twice."""
    sys.stderr.flush()
    # In memory: a disk may be full or read-only.
    with (
        os.fdopen(os.memfd_create('stderr'), 'w+b') as written,
        os.fdopen(os.dup(_STDERR), 'wb') as stderr,
    ):
        os.dup2(written.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(stderr.fileno(), _STDERR)
        written.seek(0)
        stderr.write(written.read())


def says_errors(name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Have a main function say errors of ours as one line on stderr and return 1.

    Args:
        name: Of the executable.
    """

    def decorate(main: Callable[..., int]) -> Callable[..., int]:
        @wraps(main)
        def saying(args: list[str] | None = None) -> int:
            try:
                return main(args)
            except DepthEstimationError as err:
                sys.stderr.write(f'{name}: error: {error_text(err)}\n')
                return 1

        return saying

    return decorate
