"""From a network to the graph of a model file: uint8 pixels in, metres out, nothing left to do.

Shapes: N images, H and W of the network's input, h and w of its output (half of them).
"""

from __future__ import annotations

from pathlib import Path
import tempfile
from typing import TYPE_CHECKING, Final
import warnings

import numpy as np
import onnx
import torch
from torch import nn

from depth_estimation_ros.backends.telemetry import import_onnxruntime
from depth_estimation_ros.export.onnx_graph import (
    constant_arrays,
    join_padding,
    keep_standard_operators,
    replace_nodes,
)
from depth_estimation_ros.training.model.depth_coding import depth_of_raw

if TYPE_CHECKING:
    from depth_estimation_ros.training.model.network import DenseDepthNet

OPSET: Final = 17
INPUT_NAME: Final = 'image'
OUTPUT_NAME: Final = 'depth'


class DepthDecoder(nn.Module):
    """Raw network output to metres, as in training; see `depth_of_raw`."""

    max_depth: torch.Tensor
    zero: torch.Tensor

    def __init__(self, *, min_depth: float, max_depth: float) -> None:
        super().__init__()
        self.nearest_raw = max_depth / min_depth
        self.register_buffer('max_depth', torch.tensor(max_depth))
        self.register_buffer('zero', torch.tensor(0.0))

    def forward(self, raw: torch.Tensor) -> torch.Tensor:
        """Return (N, h, w) float32 depth [m], 0 = invalid, for (N, 1, h, w) raw output."""
        depth = depth_of_raw(raw, self.max_depth, nearest_raw=self.nearest_raw, none=self.zero)
        return depth.squeeze(1)


class DepthGraph(nn.Module):
    """Everything between a camera's pixels and metres, as one module.

    Attributes:
        network: Takes (N, 3, H, W) float RGB in [0, 1], returns (N, 1, h, w) raw output.
        depth_decoder: Raw output to metres.
    """

    def __init__(self, network: DenseDepthNet, *, min_depth: float, max_depth: float) -> None:
        super().__init__()
        self.network = network
        self.depth_decoder = DepthDecoder(min_depth=min_depth, max_depth=max_depth)

    def forward(self, image_nhwc: torch.Tensor) -> torch.Tensor:
        """Return (N, h, w) float32 depth [m], 0 = invalid, for (N, H, W, 3) uint8 RGB.

        The cast comes first: TensorRT takes uint8 only as an input that goes straight into one.
        """
        batch_nchw = image_nhwc.to(torch.float32).permute(0, 3, 1, 2) / 255.0
        depth: torch.Tensor = self.depth_decoder(self.network(batch_nchw))
        return depth


def trace_graph(graph: DepthGraph, *, batch_size: int, height: int, width: int) -> onnx.ModelProto:
    """Write a graph down as fp32 ONNX with static shapes.

    PyTorch's older exporter does it: from the same network its result has the same operators as
    the newer one's, in 1 s instead of 17 s, at opset 17 instead of 18, without onnxscript.

    Args:
        graph: The module; it is put into evaluation mode.
        batch_size: N.
        height: H, a multiple of 32 [px].
        width: W, a multiple of 32 [px].

    Returns:
        The checked model, without metadata.
    """
    graph.eval()
    example = torch.zeros((batch_size, height, width, 3), dtype=torch.uint8)
    with (
        tempfile.TemporaryDirectory() as folder,
        torch.no_grad(),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter('ignore')
        traced = Path(folder) / 'traced.onnx'
        torch.onnx.export(
            graph,
            (example,),
            str(traced),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            do_constant_folding=True,
        )
        model = _fold_constants(traced)
    _drop_neutral(model.graph)
    join_padding(model.graph)
    model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    onnx.checker.check_model(model, full_check=True)
    return model


def _fold_constants(path: Path) -> onnx.ModelProto:
    """Compute what is constant, and join batch norms to the convolutions before them.

    onnxruntime's basic level does it and uses standard operators only.
    """
    simplified = path.with_name('simplified.onnx')
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(simplified)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    model = onnx.load(simplified)
    keep_standard_operators(model)
    return model


def _drop_neutral(graph: onnx.GraphProto) -> None:
    """Remove subtractions of 0 and divisions by 1: a network without normalisation has both."""
    neutral = {'Sub': 0.0, 'Div': 1.0}
    constants = constant_arrays(graph)
    renamed: dict[str, str] = {}
    nodes = []
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = renamed.get(name, name)
        operand = constants.get(node.input[1]) if node.op_type in neutral else None
        if operand is not None and np.all(operand == neutral[node.op_type]):
            renamed[node.output[0]] = node.input[0]
        else:
            nodes.append(node)
    replace_nodes(graph, nodes)
