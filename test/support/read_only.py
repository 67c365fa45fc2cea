"""Commands to which a folder is on a read-only disk, for root too: a mount of their own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_MOUNT = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


def on_read_only_disk(folder: Path) -> list[str]:
    """Return what to put before a command; skips the test where Linux lets nobody mount.

    Args:
        folder: Is read-only to the command, with all that is in it.
    """
    before = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', _MOUNT, 'sh']
    command = [*before, str(folder)]
    tried = subprocess.run([*command, 'true'], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f'no mount of its own for a process: {tried.stderr.strip()}')
    return command
