"""Arguments for the settings of the backends, made of their declarations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.backends.options import option_default, option_facts

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ['TENSORRT_OPTIONS', 'add_option', 'add_tensorrt_options', 'option_values']

TENSORRT_OPTIONS = (
    'engine_cache_dir',
    'max_workspace_mb',
    'dla_core',
    'hardware_compatibility',
    'tf32',
    'cuda_graph',
)


def add_option(parser: argparse._ActionsContainer, name: str, **changes: Any) -> None:
    """Add the argument of one setting, a field of BackendOptions.

    Args:
        parser: or a group of it.
        name: of the setting; `num_threads` becomes --num-threads, `tf32` --tf32 and --no-tf32.
        changes: where the command differs, as for `add_argument`.
    """
    facts, default = option_facts(name), option_default(name)
    description = facts.description.replace('%', '%%')
    settings: dict[str, Any] = {'default': default, 'help': description}
    if isinstance(default, bool):
        settings['action'] = argparse.BooleanOptionalAction
    else:
        settings['help'] += '' if default is None else ' (%(default)s)'
        if facts.choices:
            settings['choices'] = facts.choices
        elif default is None:
            settings |= {'type': _folder, 'metavar': 'FOLDER'}
        else:
            settings |= {'type': _whole_number(name), 'metavar': facts.unit or 'N'}
    parser.add_argument('--' + name.replace('_', '-'), **settings | changes)


def add_tensorrt_options(parser: argparse.ArgumentParser) -> None:
    """Add what decides how an engine is built, and where it is kept."""
    group = parser.add_argument_group('backend tensorrt')
    for name in TENSORRT_OPTIONS:
        add_option(group, name)


def option_values(args: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return what the arguments say of these settings, for BackendOptions."""
    return {name: getattr(args, name) for name in names}


def _folder(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _whole_number(name: str) -> Callable[[str], int]:
    facts = option_facts(name)

    def number(text: str) -> int:
        value = int(text)
        if facts.limits is not None:
            least, most = facts.limits
            if value < least:
                raise argparse.ArgumentTypeError(f'{value} is below {least} ({facts.least_means})')
            if value > most:
                raise argparse.ArgumentTypeError(f'{value} is above {most}')
        return value

    number.__name__ = 'int'  # argparse's word for what is no number
    return number
