from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.encoder_kinds import ENCODER_KINDS
from depth_estimation_ros.training.model.encoders import (
    KERAS_DENSENET_EPSILON,
    KERAS_RESNET_EPSILON,
    KerasResNet50Encoder,
)
from depth_estimation_ros.training.model.network import (
    DenseDepthNet,
    build_densedepth,
    num_trainable_parameters,
)
from depth_estimation_ros.training.model.network_config import network_config


@pytest.mark.parametrize(
    ('encoder', 'variant', 'keras_v1', 'expected'),
    [
        ('densenet169', 'paper', False, 42_657_689),
        ('densenet169', 'blog', False, 21_365_405),
        ('densenet121', 'blog', False, 10_622_561),
        ('densenet121', 'paper', False, 18_991_425),
        ('resnet50', 'blog', False, 36_594_177),
        ('resnet50', 'blog', True, 36_620_737),
    ],
)
def test_the_networks_have_as_many_parameters_as_the_originals(
    encoder: str, variant: str, keras_v1: bool, expected: int
) -> None:
    with torch.device('meta'):
        network = build_densedepth(encoder, variant=variant, keras_v1=keras_v1)
    assert num_trainable_parameters(network) == expected


def test_the_small_network_fits_into_seven_megabytes() -> None:
    network = build_densedepth('small')
    assert num_trainable_parameters(network) * 4 < 7e6


@pytest.mark.parametrize('encoder', ['densenet121', 'resnet50', 'small'])
def test_the_output_is_half_as_large_as_the_image(encoder: str) -> None:
    network = build_densedepth(encoder, variant='blog', decoder_width=16).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, 64, 96)).shape == (2, 1, 32, 48)


def test_a_size_that_is_no_multiple_of_32_works_too() -> None:
    network = build_densedepth('small').eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 70, 100)).shape == (1, 1, 35, 50)


def test_an_encoder_gives_maps_from_a_half_to_a_32nd_with_the_channels_it_says() -> None:
    for encoder in ('densenet121', 'resnet50', 'small'):
        trunk = build_densedepth(encoder, decoder_width=16).eval().encoder
        with torch.no_grad():
            maps = trunk(torch.rand(1, 3, 64, 96))
        assert [tuple(m.shape[-2:]) for m in maps] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
        assert tuple(m.shape[1] for m in maps) == trunk.channels


@pytest.mark.parametrize('encoder', list(ENCODER_KINDS))
def test_the_table_of_encoders_has_their_channels(encoder: str) -> None:
    with torch.device('meta'):
        network = build_densedepth(encoder, decoder_width=16)
    assert network.encoder.channels == ENCODER_KINDS[encoder].channels


def test_densenet_skips_are_after_the_relu_and_resnet_skips_before() -> None:
    dense = build_densedepth('densenet121', decoder_width=16).eval().encoder
    residual = build_densedepth('resnet50', decoder_width=16).eval().encoder
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        dense_maps, residual_maps = dense(image), residual(image)
    assert (dense_maps[0] >= 0).all()
    assert (dense_maps[4] >= 0).all()
    assert (residual_maps[2] < 0).any()
    assert (residual_maps[3] < 0).any()


def test_keras_resnet_strides_in_the_first_convolution_and_has_biases() -> None:
    encoder = build_densedepth('resnet50', decoder_width=16, keras_v1=True).encoder
    assert isinstance(encoder, KerasResNet50Encoder)
    trunk = encoder.trunk
    assert trunk.layer2[0].conv1.stride == (2, 2)
    assert trunk.layer2[0].conv2.stride == (1, 1)
    assert all(m.bias is not None for m in trunk.modules() if isinstance(m, torch.nn.Conv2d))


def _epsilons(network: DenseDepthNet) -> set[float]:
    layers = network.encoder.modules()
    return {layer.eps for layer in layers if isinstance(layer, torch.nn.BatchNorm2d)}


def test_batch_norms_have_the_epsilon_of_keras() -> None:
    assert _epsilons(build_densedepth('densenet121', decoder_width=16)) == {KERAS_DENSENET_EPSILON}
    keras = build_densedepth('resnet50', decoder_width=16, keras_v1=True)
    assert _epsilons(keras) == {KERAS_RESNET_EPSILON}


def test_variants_differ_by_an_activation_only() -> None:
    paper = build_densedepth('densenet121', variant='paper', decoder_width=16).eval()
    blog = build_densedepth('densenet121', variant='blog', decoder_width=16).eval()
    blog.load_state_dict(paper.state_dict())
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert (paper(image) - blog(image)).abs().max() > 1e-4


def test_align_corners_and_normalisation_change_the_output() -> None:
    config = network_config('densenet121', decoder_width=16)
    weights = DenseDepthNet(config).state_dict()
    image = torch.rand(1, 3, 64, 96)

    def output(**facts: Any) -> torch.Tensor:
        network = DenseDepthNet(replace(config, **facts)).eval()
        own = {name: network.state_dict()[name] for name in ('mean', 'std')}
        network.load_state_dict({**weights, **own})
        with torch.no_grad():
            return network(image)  # type: ignore[no-any-return]

    first = output()
    second = output(align_corners=False)
    third = output(align_corners=False, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    assert torch.equal(output(align_corners=False), second)
    assert (first - second).abs().max() > 1e-5
    assert (second - third).abs().max() > 1e-4


def test_normalisation_is_saved_with_the_weights() -> None:
    config = replace(network_config('small'), mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))
    network = DenseDepthNet(config)
    other = build_densedepth('small')
    other.load_state_dict(network.state_dict())
    assert other.std.flatten().tolist() == pytest.approx([0.4, 0.5, 0.6])


def test_the_small_network_gives_positive_output_only() -> None:
    network = build_densedepth('small').eval()
    with torch.no_grad():
        assert (network(torch.rand(1, 3, 64, 96)) > 0).all()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'encoder': 'vgg'}, "unknown encoder 'vgg': use one of densenet169"),
        ({'encoder': 'small', 'variant': 'C'}, "unknown variant 'C'"),
        ({'encoder': 'small', 'decoder_width': 40}, 'decoder_width 40 must be'),
        ({'encoder': 'small', 'decoder_width': -16}, 'decoder_width -16 must be'),
        ({'encoder': 'small', 'decoder_width': 0}, 'decoder_width 0 must be'),
        ({'encoder': 'small', 'keras_v1': True}, 'keras_v1 is for resnet50, not for small'),
    ],
)
def test_what_cannot_be_built_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_densedepth(**arguments)  # type: ignore[arg-type]
