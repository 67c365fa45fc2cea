"""How each fact of a model file is written as text in its metadata, and read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
import json
import re
from typing import Any, Final

from depth_estimation_ros.model_file.precision import Precision, Target
from depth_estimation_ros.model_file.probe import Probe

__all__ = [
    'FORMAT_VERSION',
    'METADATA_PREFIX',
    'PARSERS',
    'probes_to_text',
    'to_text',
    'upgraded',
]

FORMAT_VERSION: Final = 2  # 1 had one probe and no free sizes; it is still read
METADATA_PREFIX: Final = 'depth_estimation_ros.'


def upgraded(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata of format 1 in the words of format 2."""
    values = dict(metadata)
    probe, size = (values.get(METADATA_PREFIX + name) for name in ('probe', 'input_size'))
    if probe is not None and size is not None:
        height_x_width = 'x'.join(re.findall(r'\d+', size))
        values[METADATA_PREFIX + 'probes'] = f'{{"{height_x_width}": {probe}}}'
    values[METADATA_PREFIX + 'free_size'] = 'false'
    values[METADATA_PREFIX + 'format_version'] = str(FORMAT_VERSION)
    return values


def probes_to_text(probes: Mapping[tuple[int, int], Probe]) -> str:
    """Write the probes as JSON: HEIGHTxWIDTH -> their fields."""
    return json.dumps(
        {f'{height}x{width}': probe.to_fields() for (height, width), probe in probes.items()}
    )


def _probes(text: str) -> dict[tuple[int, int], Probe]:
    probes = {}
    for size, values in dict(json.loads(text)).items():
        height, width = (int(number) for number in size.split('x'))
        probes[height, width] = Probe.from_fields(values)
    return probes


def _bool(text: str) -> bool:
    if text not in ('true', 'false'):
        raise ValueError('must be true or false')
    return text == 'true'


def to_text(value: object) -> str:
    """Write any other fact: strings as they are, the rest as JSON."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = {key: float(value[key]) for key in value}
    return json.dumps(value)


def _size(text: str) -> tuple[int, int]:
    height, width = (int(value) for value in json.loads(text))
    return height, width


def _metrics(text: str) -> dict[str, float]:
    return {str(key): float(value) for key, value in dict(json.loads(text)).items()}


# What is not listed is a string and stays one.
PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    'decoder_width': int,
    'input_size': _size,
    'output_size': _size,
    'batch_size': int,
    'min_depth': float,
    'max_depth': float,
    'training_fx': lambda text: None if text == 'null' else float(text),
    'precision': Precision,
    'target': Target,
    'metrics': _metrics,
    'free_size': _bool,
    'probes': _probes,
    'format_version': int,
}
