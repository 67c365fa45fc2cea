"""What methods of compiled classes take, by their docstrings."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def checked(real: Any, name: str, mine: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method take only what one of the real one's overloads takes, by its docstring."""
    overloads = [_signature(line) for line in _signature_lines(real.__doc__ or '', name)]
    assert overloads, f'{name} has no signature'

    def method(*arguments: Any, **named: Any) -> Any:
        for overload in overloads:
            try:
                overload.bind(None, *arguments, **named)
            except TypeError:
                continue
            return mine(*arguments, **named)
        raise TypeError(f'{name}{arguments}: must be one of {overloads}')

    return method


def _signature_lines(text: str, name: str) -> list[str]:
    found = re.findall(rf'^(?:\d+\. )?{name}\((self: .*)\) -> ', text, re.MULTILINE)
    return [str(line) for line in found]


def _signature(parameters: str) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    made = []
    for part in re.split(r', (?=\w+: )', parameters):
        name, _, rest = part.partition(': ')
        default = None if ' = ' in rest else inspect.Parameter.empty
        made.append(inspect.Parameter(name, kind, default=default))
    return inspect.Signature(made)
