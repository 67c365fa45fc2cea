"""What the processor says that it can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

__all__ = ['INT8_FLAGS', 'cpu_flags', 'cpu_info']

# One instruction multiplies 8-bit numbers and adds them up. Without it int8 may be no faster.
INT8_FLAGS: Final = frozenset({'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimddp'})
_CPU_INFO: Final = Path('/proc/cpuinfo')


@cache
def cpu_info() -> dict[str, str]:
    """Name -> value of the first processor in /proc/cpuinfo; empty where there is none."""
    try:
        text = _CPU_INFO.read_text(encoding='utf-8', errors='replace')
    except OSError:
        return {}
    pairs = (line.partition(':') for line in text.partition('\n\n')[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def cpu_flags() -> frozenset[str]:
    """Linux's names of the instruction sets: x86's 'flags', ARM's 'Features'."""
    info = cpu_info()
    return frozenset((info.get('flags') or info.get('Features') or '').split())
