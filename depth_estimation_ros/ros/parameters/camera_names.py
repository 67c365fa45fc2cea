"""Names of cameras: what can go before a topic, and the frame that each one's scan is in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')
_PLACE = '{camera}'
_ONLY_CAMERA = 'camera'


def check_names(cameras: Sequence[str]) -> None:
    """Check that each name makes topics of its own.

    Raises:
        ConfigError: One is no name for a topic, or comes twice, or there is none.
    """
    if not cameras:
        raise ConfigError("cameras is empty, but the node needs one: '' is the plain topics")
    for name in cameras:
        if name and not _NAME.fullmatch(name):
            raise ConfigError(
                f'cameras has {name!r}, but topics begin with it: it must be letters, digits and '
                f'_, and no digit first, as in {_suggestion(name)!r}'
            )
        if list(cameras).count(name) > 1:
            raise ConfigError(f'cameras has {name!r} more than once: each needs its own name')


def scan_frame(template: str, camera: str) -> str:
    """Make the frame of a camera's scan, see the parameter scan_frame."""
    return template.replace(_PLACE, camera or _ONLY_CAMERA)


def check_scan_frames(template: str, cameras: Sequence[str]) -> None:
    """Check that each camera's scan has a frame of its own that tf2 takes.

    Raises:
        ConfigError: Two would share one, or it is empty or begins with a slash.
    """
    frames: dict[str, str] = {}
    for camera in cameras:
        frame = scan_frame(template, camera)
        if not frame or frame.startswith('/'):
            raise ConfigError(f'scan_frame is {template!r}: tf2 takes no frame {frame!r}')
        if frame in frames:
            raise ConfigError(
                f'scan_frame is {template!r}: the scans of {frames[frame] or "the plain topics"} '
                f'and {camera or "the plain topics"} would both be in {frame}, as if both looked '
                f'the same way; write {_PLACE} into it, as in {_PLACE}_link'
            )
        frames[frame] = camera


def _suggestion(name: str) -> str:
    plain = re.sub(r'[^A-Za-z0-9_]', '_', name)
    return plain if re.match(r'[A-Za-z_]', plain) else f'camera_{plain}'
