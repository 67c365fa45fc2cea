"""Begins with ROS: what its environment or command line has wrong is one line that names it."""

from __future__ import annotations

from functools import wraps
import re
import sys
from typing import TYPE_CHECKING, Any

import rclpy

from depth_estimation_ros.errors import ConfigError, DepthEstimationError, error_text

if TYPE_CHECKING:
    from collections.abc import Callable

# rcl names the line of its source: nothing that a user can look up.
_SOURCE_LINE = re.compile(r',? at /[^ ]+:\d+')
_CURES = {
    'ROS_DOMAIN_ID': 'set it to a number from 0 to 232, or unset it',
    'logging directory': 'set HOME, or ROS_LOG_DIR to a folder that can be written',
    'params file': 'give --params-file a file that can be read and is YAML',
    'trailing': 'give each option its value',
    'parameter override rule': 'write -p NAME:=VALUE',
    'remap rule': 'write -r FROM:=TO, in letters, digits and _',
}


def init_ros(args: list[str] | None, **options: Any) -> None:
    """Call rclpy.init.

    Args:
        args: The command line, None: that of the process.
        options: Of rclpy.init.

    Raises:
        ConfigError: The environment or the command line is not accepted; names which and a cure.
    """
    try:
        rclpy.init(args=args, **options)
    except Exception as err:
        # RCLError, UnknownROSArgsError, ValueError ...: rclpy has no common base for them.
        text = _SOURCE_LINE.sub('', error_text(err).partition(': ')[2])
        cure = next((cure for words, cure in _CURES.items() if words in text), '')
        raise ConfigError(f'ROS cannot start: {text}' + (f': {cure}' if cure else '')) from err


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
