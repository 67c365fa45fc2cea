"""config/depth.yaml and the parameter table of the README, from their single source.

`python -m depth_estimation_ros.ros.parameters.docs yaml|markdown` writes them to stdout.
"""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING

from depth_estimation_ros.ros.parameters.spec import Change
from depth_estimation_ros.ros.parameters.values import parameter_specs

if TYPE_CHECKING:
    from depth_estimation_ros.ros.parameters.spec import ParameterSpec

_HEADER = """\
# Every parameter of the node depth_estimation with its default.
# live: a change applies from the next frame. configure: it applies when the node is configured
# again (ros2 lifecycle set ... deactivate, cleanup, configure, activate). start: at its start.
# Topics can be given other qualities of service, for example:
#   qos_overrides./depth/points.publisher.reliability: best_effort
/**:
  ros__parameters:
"""
_WIDTH = 93
_WHEN = {Change.LIVE: 'live', Change.CONFIGURE: 'configure', Change.START: 'start'}


def yaml_text() -> str:
    """Write config/depth.yaml."""
    blocks = []
    for name, (default, spec) in parameter_specs().items():
        comment = textwrap.wrap(f'{spec.description} {facts_text(spec)}', _WIDTH)
        lines = [f'    # {line}' for line in comment]
        blocks.append('\n'.join([*lines, f'    {name}: {value_text(default)}']))
    return _HEADER + '\n\n'.join(blocks) + '\n'


def markdown_table() -> str:
    """Write the README's table, a row for each parameter."""
    rows = ['| parameter | default | changes | meaning |', '|---|---|---|---|']
    for name, (default, spec) in parameter_specs().items():
        unit = f' {spec.unit}' if spec.unit else ''
        value = f'`{value_text(default)}`{unit}'
        rows.append(f'| `{name}` | {value} | {_WHEN[spec.change]} | {spec.description} |')
    return '\n'.join(rows) + '\n'


def facts_text(spec: ParameterSpec) -> str:
    """Write unit, accepted values and time of change in brackets."""
    facts = [spec.unit] if spec.unit else []
    if spec.limits is not None:
        facts.append(f'{spec.limits[0]:g} to {spec.limits[1]:g}')
    if spec.choices:
        facts.append(' | '.join(spec.choices))
    return f'({", ".join([*facts, _WHEN[spec.change]])})'


def value_text(default: object) -> str:
    """Write a default as YAML has it."""
    return json.dumps(list(default) if isinstance(default, tuple) else default)


if __name__ == '__main__':
    sys.stdout.write(markdown_table() if sys.argv[1:] == ['markdown'] else yaml_text())
