"""A tiny valid model file whose depth can be worked out by hand.

Depth = 10 m x the mean of red, green and blue / 255 over the block of input pixels under an
output pixel; below 0.2 m it is 0, invalid. A grey of 51 is 2 m away, white is 10 m, black is
invalid. The file has everything a real one has: metadata, probe, uint8 in, metres out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from depth_estimation_ros.model_file.model_spec import FREE_AXES, ModelSpec, Probe, probe_image
from depth_estimation_ros.model_file.network_size import common_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

METRES_AT_WHITE = 10.0
INVALID_BELOW = 0.2
PROBE_SEED = 7


def make_tiny_model(
    path: Path,
    *,
    input_size: tuple[int, int] = (96, 128),
    output_size: tuple[int, int] = (48, 64),
    batch_size: int = 1,
    free_size: bool = False,
    metadata: bool = True,
    graph_input_size: tuple[int, int] | None = None,
    **spec_changes: Any,
) -> ModelSpec:
    """Write a tiny model file.

    Args:
        path: File to write.
        input_size: (height, width) of the image.
        output_size: (height, width) of the depth; input_size is a multiple of it.
        batch_size: Images a call takes.
        free_size: Leaves height and width free in the graph.
        metadata: False leaves the metadata out (a foreign file).
        graph_input_size: Makes the graph for another size than the metadata says.
        spec_changes: Fields of ModelSpec to change, e.g. training_fx=100.0 or probes=...

    Returns:
        The facts written into the file.
    """
    block = input_size[0] // output_size[0]
    probed = common_sizes(input_size) if free_size else ()
    spec = _spec(input_size, output_size, batch_size, probed)
    spec = replace(spec, free_size=free_size, **spec_changes)
    graph = _graph(graph_input_size or input_size, block, batch_size, free_size=free_size)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    if metadata:
        helper.set_model_props(model, spec.to_metadata())
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    return spec


def tiny_depth(images_nhwc: NDArray[np.uint8], block: int = 2) -> NDArray[np.float32]:
    """What the tiny model answers: (N, H, W, 3) uint8 -> (N, H/block, W/block) float32 [m]."""
    count, height, width, _ = images_nhwc.shape
    blocks = images_nhwc.reshape(count, height // block, block, width // block, block * 3)
    depth = blocks.mean(axis=(2, 4), dtype=np.float64) * METRES_AT_WHITE / 255.0
    return np.where(depth >= INVALID_BELOW, depth, 0.0).astype(np.float32)


def tiny_probe(size: tuple[int, int], block: int = 2, batch_size: int = 1) -> Probe:
    """Make the probe of a tiny model for an input of (height, width)."""
    image = probe_image(PROBE_SEED, batch_size=batch_size, height=size[0], width=size[1])
    return Probe.from_output(tiny_depth(image, block), seed=PROBE_SEED, grid_step=8)


def _spec(
    input_size: tuple[int, int],
    output_size: tuple[int, int],
    batch_size: int,
    probed: Iterable[tuple[int, int]],
) -> ModelSpec:
    block = input_size[0] // output_size[0]
    sizes = dict.fromkeys([input_size, *probed])
    return ModelSpec(
        encoder='small',
        variant='paper',
        decoder_width=1,
        input_size=input_size,
        output_size=output_size,
        batch_size=batch_size,
        min_depth=0.2,
        max_depth=METRES_AT_WHITE,
        training_data='none: depth is brightness',
        metrics={'abs_rel': 0.5, 'a1': 0.25},
        metrics_data='nothing',
        licence='Apache-2.0',
        created_by='test/support/tiny_model.py',
        probes={size: tiny_probe(size, block, batch_size) for size in sizes},
    )


def _graph(
    size: tuple[int, int], block: int, batch_size: int, *, free_size: bool
) -> onnx.GraphProto:
    rows, columns = (size[0] // block, size[1] // block)
    weight = METRES_AT_WHITE / (255.0 * 3 * block * block)
    constants: dict[str, NDArray[Any]] = {
        'weights': np.full((1, 3, block, block), weight, dtype=np.float32),
        'channel_axis': np.array([1], dtype=np.int64),
        'invalid_below': np.array(INVALID_BELOW, dtype=np.float32),
        'invalid': np.array(0.0, dtype=np.float32),
    }
    nodes = [
        helper.make_node('Cast', ['image'], ['image_float'], to=TensorProto.FLOAT),
        helper.make_node('Transpose', ['image_float'], ['image_nchw'], perm=[0, 3, 1, 2]),
        helper.make_node('Conv', ['image_nchw', 'weights'], ['mean'], strides=[block, block]),
        helper.make_node('Squeeze', ['mean', 'channel_axis'], ['raw']),
        helper.make_node('Less', ['raw', 'invalid_below'], ['too_close']),
        helper.make_node('Where', ['too_close', 'invalid', 'raw'], ['depth']),
    ]
    image = helper.make_tensor_value_info(
        'image', TensorProto.UINT8, [batch_size, *(FREE_AXES if free_size else size), 3]
    )
    depth = helper.make_tensor_value_info(
        'depth',
        TensorProto.FLOAT,
        [batch_size, *(('rows', 'columns') if free_size else (rows, columns))],
    )
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    return helper.make_graph(nodes, 'tiny_depth', [image], [depth], initializers)
