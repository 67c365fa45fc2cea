"""Reads the metadata of an ONNX file without any ONNX library and without loading the weights.

An ONNX file is one protobuf message (ModelProto). Its top-level fields are walked; the graph is
skipped by a seek. Only a file in which the word occurs that a tensor names another file with is
walked to its tensors: a model file is one file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from depth_estimation_ros.backends.tensorrt.engine_facts import ENGINE_SUFFIXES
from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.files.reading import check_regular

__all__ = ['read_onnx_metadata']

_GRAPH_FIELD = 7  # ModelProto.graph
_METADATA_FIELD = 14  # ModelProto.metadata_props, entries of key = 1 and value = 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_ENTRY_BYTES = 1 << 24
_LOCATION = b'location'  # key of TensorProto.external_data
_CHUNK_BYTES = 1 << 20
_MAX_DEPTH = 32  # of graphs in nodes of graphs
# Message -> its fields that lead to tensors -> what message they are.
_WAYS_TO_TENSORS = {
    'model': {7: 'graph', 25: 'function'},
    'graph': {1: 'node', 5: 'tensor', 15: 'sparse'},
    'function': {7: 'node', 11: 'attribute'},
    'node': {5: 'attribute'},
    'attribute': {
        5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse'
    },
    'sparse': {1: 'tensor', 2: 'tensor'},
    'tensor': {13: 'location'},
}  # fmt: skip
_ENGINE_HINT = 'but a TensorRT engine: name the .onnx file, and its engine is found by itself'


class _DamagedError(Exception):
    """The bytes are no protobuf message."""


def read_onnx_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read ModelProto.metadata_props.

    Args:
        path: An ONNX file.

    Raises:
        ModelFileError: The file is missing, unreadable, truncated or no ONNX file; or keeps
            weights in another file.
    """
    path = Path(path)
    check_regular(path, ModelFileError)
    try:
        with path.open('rb') as file:
            size = os.fstat(file.fileno()).st_size
            metadata = _walk_model(file, size)
            elsewhere = _find_location(file, size) if _mentions(file, _LOCATION) else None
    except FileNotFoundError:
        raise ModelFileError(f'{path}: no such model file') from None
    except OSError as err:
        raise ModelFileError(f'{path}: cannot be read: {err.strerror}') from err
    except (_DamagedError, UnicodeDecodeError) as err:
        hint = _ENGINE_HINT if path.suffix in ENGINE_SUFFIXES else f'({err})'
        raise ModelFileError(f'{path}: truncated or not an ONNX file {hint}') from err
    if elsewhere is not None:
        raise ModelFileError(
            f'{path}: keeps weights in another file ({elsewhere!r:.80}), a model file is one '
            'file: make it with `depth-estimation export`, or onnx.save without '
            'save_as_external_data'
        )
    return metadata


def _walk_model(file: IO[bytes], size: int) -> dict[str, str]:
    metadata: dict[str, str] = {}
    has_graph = False
    while file.tell() < size:
        field, payload_size = _read_tag(file)
        end = file.tell() + payload_size
        if end > size:
            raise _DamagedError(f'field {field} ends at byte {end} of {size}')
        if field == _METADATA_FIELD:
            key, value = _read_entry(file, end)
            metadata[key] = value
        has_graph = has_graph or field == _GRAPH_FIELD
        file.seek(end)
    if not has_graph:
        raise _DamagedError('it has no graph')
    return metadata


def _mentions(file: IO[bytes], word: bytes) -> bool:
    """Return whether a word occurs in a file; leaves the file at its beginning."""
    file.seek(0)
    before = b''
    while chunk := file.read(_CHUNK_BYTES):
        if word in before + chunk:
            file.seek(0)
            return True
        before = chunk[-len(word) :]
    file.seek(0)
    return False


def _find_location(
    file: IO[bytes], end: int, message: str = 'model', depth: int = 0
) -> str | None:
    """Return where the first tensor is that is in another file; None if there is no such."""
    if depth > _MAX_DEPTH:
        raise _DamagedError('graphs nest too deep')
    ways = _WAYS_TO_TENSORS[message]
    while file.tell() < end:
        field, size = _read_tag(file)
        part_end = file.tell() + size
        if part_end > end:
            raise _DamagedError(f'field {field} ends at byte {part_end} of {end}')
        way = ways.get(field)
        if way == 'location':
            key, value = _read_entry(file, part_end)
            if key == _LOCATION.decode():
                return value
        elif way is not None and size:
            found = _find_location(file, part_end, way, depth + 1)
            if found is not None:
                return found
        file.seek(part_end)
    return None


def _read_entry(file: IO[bytes], end: int) -> tuple[str, str]:
    """StringStringEntryProto."""
    texts = {1: '', 2: ''}
    while file.tell() < end:
        field, size = _read_tag(file)
        if field not in texts or size > min(_MAX_ENTRY_BYTES, end - file.tell()):
            raise _DamagedError('bad metadata entry')
        texts[field] = file.read(size).decode('utf-8')
    return texts[1], texts[2]


def _read_tag(file: IO[bytes]) -> tuple[int, int]:
    """Return the field's number and the size of what is left of it (0 for a varint, read here)."""
    tag = _read_varint(file)
    field, wire_type = tag >> 3, tag & 7
    if field == 0:
        raise _DamagedError('field number 0')
    if wire_type == _VARINT:
        _read_varint(file)
        return field, 0
    sizes = {_FIXED64: 8, _FIXED32: 4}
    if wire_type in sizes:
        return field, sizes[wire_type]
    if wire_type != _BYTES:
        raise _DamagedError(f'wire type {wire_type}')
    return field, _read_varint(file)


def _read_varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise _DamagedError('it ends inside a number')
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _DamagedError('a number has more than 10 bytes')
