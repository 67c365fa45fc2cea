"""The authors' Keras weights as a PyTorch network with the same numbers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.files.reading import reading
from depth_estimation_ros.training.keras.graph import KerasGraph
from depth_estimation_ros.training.keras.h5 import KerasFile
from depth_estimation_ros.training.keras.networks import KerasNetwork, walk_densedepth
from depth_estimation_ros.training.model.network import DenseDepthNet, build_densedepth

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

_logger = logging.getLogger(__name__)

# Of a batch norm; Keras has none.
_COUNTER: Final = 'num_batches_tracked'
# What Keras calls the arrays that become these tensors.
_KERAS_NAMES: Final = {
    'weight': 'gamma',
    'bias': 'beta',
    'running_mean': 'moving_mean',
    'running_var': 'moving_variance',
}


def load_keras(path: str | Path, *, align_corners: bool | None = None) -> DenseDepthNet:
    """Load a DenseDepth network that Keras 2 saved with `model.save()`.

    Reads the released nyu.h5 and kitti.h5 (variant 'paper'), what the authors' later code and
    the blog save (variant 'blog'), and training checkpoints of either. The encoder, the width of
    the decoder and its activations come from the file. TensorFlow is not needed.

    Args:
        path: The .h5 file.
        align_corners: How the upsampling places its samples; None = as the file says, or True
            where it does not say. DenseDepth's own upsampling layer does not: True is what the
            released and the blog's weights need, False what was trained with the authors' code
            of September 2020 or later.

    Returns:
        The network in evaluation mode: float RGB (N, 3, H, W) in [0, 1] -> raw output
        (N, 1, H/2, W/2), max_depth / depth.

    Raises:
        CheckpointError: The file is not a Keras model, not DenseDepth, or an array is missing,
            too many, mis-shaped or not finite; the message names it.
    """
    with KerasFile(path) as file, reading(path, 'DenseDepth .h5 file', CheckpointError):
        try:
            graph = KerasGraph(file.layers)
            found = walk_densedepth(graph)
        except CheckpointError as err:
            raise CheckpointError(f'{file.path}: {err}') from None
        if align_corners is None:
            align_corners = True if found.align_corners is None else found.align_corners
        network = _build(found, align_corners=align_corners)
        _fill(network, file, graph)
        version = file.keras_version
    _logger.info(
        '%s: Keras %s, %s, variant %s, decoder width %d, align_corners %s',
        path, version or '(unknown)', found.encoder, found.variant, found.decoder_width,
        align_corners,
    )  # fmt: skip
    return network.eval()


def _build(found: KerasNetwork, *, align_corners: bool) -> DenseDepthNet:
    """Build the network that a Keras graph describes, its weights still to be filled."""
    with torch.device('meta'):  # no random start for what the file overwrites
        network = build_densedepth(
            found.encoder,
            variant=found.variant,
            decoder_width=found.decoder_width,
            keras_v1=found.encoder == 'resnet50',
            align_corners=align_corners,
            leaky_slope=found.leaky_slope,
            final_relu=found.final_relu,
        )
    network.to_empty(device='cpu')
    network.mean.fill_(0.0)
    network.std.fill_(1.0)
    for name, value in network.state_dict().items():
        if name.endswith(_COUNTER):
            value.zero_()
    return network


def _fill(network: DenseDepthNet, file: KerasFile, graph: KerasGraph) -> None:
    """Copy every array of the file into the network."""
    state = network.state_dict()
    unfilled = {name for name in state if not name.endswith(_COUNTER)}
    unfilled -= {'mean', 'std'}
    for layer in file.layers:
        targets = graph.slots.get(layer.name, ())
        shapes = {
            _keras_name(target, state[target]): _keras_shape(state[target]) for target in targets
        }
        for target, array in zip(targets, file.arrays(layer.name, shapes), strict=True):
            state[target].copy_(_to_torch(array))
            unfilled.discard(target)
    file.check_all_read()
    if unfilled:
        raise CheckpointError(f'{file.path}: no array for {", ".join(sorted(unfilled))}')
    for target, epsilon in graph.epsilons.items():
        _fold_epsilon(network, target, epsilon)


def _keras_name(target: str, tensor: torch.Tensor) -> str:
    """Return what Keras calls an array: a convolution has a kernel, a batch norm a gamma."""
    name = target.rpartition('.')[2]
    if tensor.ndim == 4:
        return 'kernel'
    return name if '.conv' in target or target.startswith('conv') else _KERAS_NAMES[name]


def _keras_shape(tensor: torch.Tensor) -> tuple[int, ...]:
    """Return the shape an array has in Keras: kernels are (height, width, in, out)."""
    if tensor.ndim == 4:
        out_channels, in_channels, height, width = tensor.shape
        return (height, width, in_channels, out_channels)
    return tuple(tensor.shape)


def _to_torch(array: npt.NDArray[np.float32]) -> torch.Tensor:
    """Turn a Keras array into a tensor: kernels to (out, in, height, width)."""
    if array.ndim == 4:
        array = np.ascontiguousarray(array.transpose(3, 2, 0, 1))
    return torch.from_numpy(array)


def _fold_epsilon(network: DenseDepthNet, target: str, epsilon: float) -> None:
    """Make a batch norm with its own epsilon equal to one with the file's.

    A checkpoint rebuilds the network with its usual epsilon, so a difference goes into gamma:
    gamma / sqrt(variance + epsilon) stays the same number.
    """
    norm = network.get_submodule(target)
    assert isinstance(norm, torch.nn.BatchNorm2d)  # noqa: S101 - the walk found one there
    if np.isclose(norm.eps, epsilon, rtol=1e-6, atol=0):
        return
    with torch.no_grad():
        assert norm.running_var is not None  # noqa: S101
        variance = norm.running_var.double()
        scale = torch.sqrt((variance + norm.eps) / (variance + epsilon))
        norm.weight.mul_(scale.float())
