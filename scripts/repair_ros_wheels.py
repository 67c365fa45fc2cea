"""Make the ROS wheels of this virtual environment usable by CMake.

Their CMake exports name the Python of the machine that built them, which CMake refuses because
the directories do not exist here. This rewrites those paths to the interpreter that runs it,
inside its own virtual environment and nowhere else.

    .venv/bin/python scripts/repair_ros_wheels.py
"""

from __future__ import annotations

from pathlib import Path
import re
import sys
import sysconfig

BUILD_PYTHON = r'/opt/python/cp\d+-cp\d+'


def repaired(text: str, *, include: str, purelib: str) -> str:
    """Return a CMake export with the build machine's Python paths replaced.

    Args:
        text: content of a `*.cmake` file.
        include: directory of `Python.h`.
        purelib: site-packages directory.
    """
    text = re.sub(rf'{BUILD_PYTHON}/include/python3\.\d+', lambda _: include, text)
    return re.sub(rf'{BUILD_PYTHON}/lib/python3\.\d+/site-packages', lambda _: purelib, text)


def main() -> int:
    """Rewrite every export below the environment's `share` folder; return the exit code."""
    if sys.prefix == sys.base_prefix:
        print(
            'repair_ros_wheels: error: run me with the Python of a virtual environment, '
            f'{sys.executable} is none',
            file=sys.stderr,
        )
        return 1
    paths = sysconfig.get_paths()
    count = 0
    for path in Path(sys.prefix, 'share').rglob('*.cmake'):
        text = path.read_text(encoding='utf-8')
        new = repaired(text, include=paths['include'], purelib=paths['purelib'])
        if new != text:
            path.write_text(new, encoding='utf-8')
            count += 1
    print(f'repair_ros_wheels: {count} files rewritten')
    return 0


if __name__ == '__main__':
    sys.exit(main())
