"""DenseDepth as Keras has it: which layer follows which, and the torch parameter each becomes.

Walks a `KerasGraph` along the known networks: the DenseNets and ResNet-50 (v1) of
keras_applications and DenseDepth's decoder. What differs between the published variants (blocks,
width, activations, upsampling) is read from the graph, all else must be as expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.training.keras.graph import corner_alignment, leaky_slope

if TYPE_CHECKING:
    from depth_estimation_ros.training.keras.graph import KerasGraph
    from depth_estimation_ros.training.keras.h5 import KerasLayer

_T = TypeVar('_T')

DENSENET_BLOCKS: Final[dict[tuple[int, ...], str]] = {
    (6, 12, 24, 16): 'densenet121',
    (6, 12, 32, 32): 'densenet169',
    (6, 12, 48, 32): 'densenet201',
}
RESNET50_BLOCKS: Final = (3, 4, 6, 3)
NUM_UP_BLOCKS: Final = 4


@dataclass(frozen=True, kw_only=True)
class KerasEncoder:
    """What the walk along an encoder found.

    Attributes:
        name: A key of `ENCODER_KINDS`.
        skips: The layers whose outputs the decoder joins, from 1/16 to 1/2 of the image.
        output: The last layer.
        final_relu: Whether a ReLU ends it (keras_applications before 1.0.6 lacks DenseNet's).
    """

    name: str
    skips: tuple[KerasLayer, ...]
    output: KerasLayer
    final_relu: bool = True


@dataclass(frozen=True, kw_only=True)
class KerasNetwork:
    """What the walk along a whole DenseDepth found.

    Attributes:
        encoder: A key of `ENCODER_KINDS`.
        variant: 'paper' (no activation after the first convolution of a block) or 'blog'.
        decoder_width: Channels of the decoder's first layer.
        leaky_slope: Of the decoder's activations.
        align_corners: The upsampling's, None for DenseDepth's own layer, which does not say.
        final_relu: Whether a ReLU ends the encoder.
    """

    encoder: str
    variant: str
    decoder_width: int
    leaky_slope: float
    align_corners: bool | None
    final_relu: bool


def walk_densedepth(graph: KerasGraph) -> KerasNetwork:
    """Walk a whole network, filling the graph's slots.

    Raises:
        CheckpointError: A layer is not what DenseDepth has there; the message names it.
    """
    padded = graph.padding(graph.input(), 3)
    stem = graph.take(padded, 'Conv2D').config['use_bias']
    encoder = _walk_resnet50(graph, padded) if stem else _walk_densenet(graph, padded)
    network = _walk_decoder(graph, encoder)
    graph.check_all_visited()
    return network


def _walk_stem(
    graph: KerasGraph, padded: KerasLayer, conv: str, norm: str
) -> tuple[KerasLayer, KerasLayer]:
    """Walk to the map at 1/2 (after the ReLU) and the one at 1/4 (pooled) of the image."""
    x = graph.convolution(padded, conv, size=7, stride=2, filters=64, padding='valid')
    half = graph.relu(graph.batch_norm(x, norm))
    x = graph.padding(half, 1)
    quarter = graph.take(x, 'MaxPooling2D', pool_size=(3, 3), strides=(2, 2), padding='valid')
    return half, quarter


def _walk_densenet(graph: KerasGraph, padded: KerasLayer) -> KerasEncoder:
    features = 'encoder.features'
    half, quarter = _walk_stem(graph, padded, f'{features}.conv0', f'{features}.norm0')
    x, blocks, skips = quarter, [], [quarter, half]
    for stage in range(1, 5):
        x, num_layers = _walk_dense_block(graph, x, f'{features}.denseblock{stage}')
        blocks.append(num_layers)
        if stage == 4:
            break
        x = graph.relu(graph.batch_norm(x, f'{features}.transition{stage}.norm'))
        x = graph.convolution(x, f'{features}.transition{stage}.conv', size=1, use_bias=False)
        x = graph.take(x, 'AveragePooling2D', pool_size=(2, 2), strides=(2, 2), padding='valid')
        if stage < 3:
            skips.insert(0, x)
    x = graph.batch_norm(x, f'{features}.norm5')
    final_relu = bool(graph.users(x, 'Activation', 'ReLU'))
    name = DENSENET_BLOCKS.get(tuple(blocks))
    if name is None:
        raise CheckpointError(
            f'a DenseNet with blocks {tuple(blocks)} is not known: '
            f'expected one of {", ".join(map(str, DENSENET_BLOCKS))}'
        )
    return KerasEncoder(
        name=name,
        skips=tuple(skips),
        output=graph.relu(x) if final_relu else x,
        final_relu=final_relu,
    )


def _walk_dense_block(graph: KerasGraph, x: KerasLayer, target: str) -> tuple[KerasLayer, int]:
    """Walk a dense block: every layer's output is joined behind its input."""
    num_layers = 0
    while _joined(graph, x):
        num_layers += 1
        prefix = f'{target}.denselayer{num_layers}'
        new = graph.relu(graph.batch_norm(x, f'{prefix}.norm1'))
        new = graph.convolution(new, f'{prefix}.conv1', size=1, use_bias=False)
        new = graph.relu(graph.batch_norm(new, f'{prefix}.norm2'))
        new = graph.convolution(new, f'{prefix}.conv2', size=3, padding='same', use_bias=False)
        x = graph.concatenation(x, new)
    return x, num_layers


def _joined(graph: KerasGraph, x: KerasLayer) -> bool:
    """Return whether a dense layer follows: a concatenation that starts with its input."""
    return any(user.inputs[0] == x.name for user in graph.users(x, 'Concatenate'))


def _walk_resnet50(graph: KerasGraph, padded: KerasLayer) -> KerasEncoder:
    trunk = 'encoder.trunk'
    half, quarter = _walk_stem(graph, padded, f'{trunk}.conv1', f'{trunk}.bn1')
    x, skips = quarter, [quarter, half]
    for stage, num_blocks in enumerate(RESNET50_BLOCKS, start=1):
        for block in range(num_blocks):
            strided, x = _walk_bottleneck(
                graph,
                x,
                f'{trunk}.layer{stage}.{block}',
                width=32 * 2**stage,
                stride=2 if block == 0 and stage > 1 else 1,
                shortcut=block == 0,
            )
            if block == 0 and stage in (2, 3):
                skips.insert(0, strided)
    return KerasEncoder(name='resnet50', skips=tuple(skips), output=x)


def _walk_bottleneck(
    graph: KerasGraph, x: KerasLayer, target: str, *, width: int, stride: int, shortcut: bool
) -> tuple[KerasLayer, KerasLayer]:
    """Walk one bottleneck; return its first convolution, unactivated, and its output."""
    first = graph.convolution(
        x, f'{target}.conv1', size=1, stride=stride, filters=width, use_bias=True
    )
    new = graph.relu(graph.batch_norm(first, f'{target}.bn1'))
    new = graph.convolution(new, f'{target}.conv2', size=3, padding='same', use_bias=True)
    new = graph.relu(graph.batch_norm(new, f'{target}.bn2'))
    new = graph.convolution(new, f'{target}.conv3', size=1, filters=4 * width, use_bias=True)
    new = graph.batch_norm(new, f'{target}.bn3')
    if shortcut:
        x = graph.convolution(
            x, f'{target}.downsample.0', size=1, stride=stride, filters=4 * width, use_bias=True
        )
        x = graph.batch_norm(x, f'{target}.downsample.1')
    total = graph.take(new, 'Add')
    if sorted(total.inputs) != sorted((x.name, new.name)):
        raise CheckpointError(
            f'layer {total.name!r} adds {total.inputs}, expected {(x.name, new.name)}'
        )
    return first, graph.relu(total)


def _walk_decoder(graph: KerasGraph, encoder: KerasEncoder) -> KerasNetwork:
    x = graph.convolution(encoder.output, 'conv2', size=1, use_bias=True)
    width = int(x.config['filters'])
    slopes: set[float] = set()
    after_first: set[bool] = set()
    corners: set[bool | None] = set()
    for index, skip in enumerate(encoder.skips):
        up = graph.take(x, 'BilinearUpSampling2D', 'UpSampling2D', size=(2, 2))
        corners.add(corner_alignment(up))
        x = graph.concatenation(up, skip)
        for conv in 'ab':
            x = graph.convolution(
                x,
                f'up_blocks.{index}.conv_{conv}',
                size=3,
                padding='same',
                use_bias=True,
                filters=width // 2 ** (index + 1),
            )
            active = bool(graph.users(x, 'LeakyReLU'))
            if conv == 'a':
                after_first.add(active)
            if active or conv == 'b':
                x = graph.take(x, 'LeakyReLU')
                slopes.add(leaky_slope(x))
    graph.convolution(x, 'conv3', size=3, padding='same', use_bias=True, filters=1)
    return KerasNetwork(
        encoder=encoder.name,
        variant='blog' if _only('an activation after convA', after_first) else 'paper',
        decoder_width=width,
        leaky_slope=_only('slope of LeakyReLU', slopes),
        align_corners=_only('kind of upsampling', corners),
        final_relu=encoder.final_relu,
    )


def _only(what: str, values: set[_T]) -> _T:
    """Return the value that all four blocks have."""
    if len(values) != 1:
        raise CheckpointError(f'the blocks of the decoder differ in {what}: {values}')
    return values.pop()
