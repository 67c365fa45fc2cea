"""--help of the nodes: what they do, their parameters from the single source, one example."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import wraps
import sys
import textwrap
from typing import TYPE_CHECKING

from depth_estimation_ros.ros.parameters.docs import facts_text, value_text

if TYPE_CHECKING:
    from collections.abc import Callable

_WIDTH = 98
_INDENT = ' ' * 6
_FLAGS = frozenset({'-h', '--help'})


@dataclass(frozen=True, kw_only=True)
class Help:
    """What an executable says of itself.

    Attributes:
        name: Of the executable.
        summary: One sentence.
        parameters: Dataclass of `parameter(...)` fields.
        example: Parameters to set on an example's command line, `NAME:=VALUE` each, and remaps.
    """

    name: str
    summary: str
    parameters: type
    example: str


def help_text(facts: Help) -> str:
    """Write the whole answer to --help."""
    run = f'ros2 run depth_estimation_ros {facts.name}'
    lines = [f'usage: {run} [--ros-args -p NAME:=VALUE ... -r FROM:=TO ...]', '']
    lines += [*textwrap.wrap(facts.summary, _WIDTH), '', 'parameters:']
    for item in fields(facts.parameters):
        spec = item.metadata['spec']
        lines.append(f'  {item.name}:={value_text(item.default)}')
        text = f'{spec.description} {facts_text(spec)}'
        lines += textwrap.wrap(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    return '\n'.join([*lines, '', 'example:', f'  {run} --ros-args {facts.example}', ''])


def answers_help(facts: Help) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Have a main function answer -h and --help and return 0 instead of starting.

    Args:
        facts: What is answered.
    """

    def decorate(main: Callable[..., int]) -> Callable[..., int]:
        @wraps(main)
        def answering(args: list[str] | None = None) -> int:
            given = sys.argv[1:] if args is None else args
            if _FLAGS.isdisjoint(given):
                return main(args)
            sys.stdout.write(help_text(facts))
            return 0

        return answering

    return decorate
