from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import torch
import torchvision

from depth_estimation_ros.errors import CheckpointError, ConfigError
from depth_estimation_ros.training.model.network import build_densedepth
from depth_estimation_ros.training.model.pretrained import load_encoder_weights

if TYPE_CHECKING:
    from pathlib import Path


def _old_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Name the weights as in torchvision's files: norm.1 where the layer now is norm1."""
    return {
        re.sub(r'(denselayer\d+\.(?:norm|conv))([12])\.', r'\1.\2.', name): value
        for name, value in state.items()
    }


@pytest.mark.parametrize('old', [False, True], ids=['new names', 'old names'])
def test_densenet_weights_of_torchvision_fill_the_encoder(tmp_path: Path, old: bool) -> None:
    source = torchvision.models.densenet121(weights=None).state_dict()
    source = {k: v + 0.01 for k, v in source.items() if not k.endswith('num_batches_tracked')}
    torch.save(_old_names(source) if old else source, tmp_path / 'w.pth')
    network = build_densedepth('densenet121', decoder_width=16)
    load_encoder_weights(network, str(tmp_path / 'w.pth'))
    state = network.encoder.state_dict()
    for name, value in source.items():
        if not name.startswith('classifier'):
            assert torch.equal(state[name], value), name


def test_resnet_weights_of_torchvision_fill_the_encoder(tmp_path: Path) -> None:
    source = torchvision.models.resnet50(weights=None).state_dict()
    torch.save(source, tmp_path / 'w.pth')
    network = build_densedepth('resnet50', decoder_width=16)
    load_encoder_weights(network, str(tmp_path / 'w.pth'))
    state = network.encoder.state_dict()
    assert torch.equal(state['trunk.layer4.2.conv3.weight'], source['layer4.2.conv3.weight'])


def test_without_weights_nothing_changes() -> None:
    network = build_densedepth('small')
    before = {name: value.clone() for name, value in network.state_dict().items()}
    load_encoder_weights(network, 'none')
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_an_encoder_of_our_own_has_no_such_weights() -> None:
    with pytest.raises(ConfigError, match='small has no ImageNet weights: use --encoder-weights'):
        load_encoder_weights(build_densedepth('small'), 'imagenet')


def test_the_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / 'w.pth')
    network = build_densedepth('densenet121', decoder_width=16)
    with pytest.raises(CheckpointError, match='does not hold the weights of densenet121'):
        load_encoder_weights(network, str(tmp_path / 'w.pth'))


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    torch.save(torchvision.models.densenet169(weights=None).state_dict(), tmp_path / 'w.pth')
    network = build_densedepth('densenet121', decoder_width=16)
    with pytest.raises(CheckpointError, match=r'w\.pth: .*size mismatch'):
        load_encoder_weights(network, str(tmp_path / 'w.pth'))


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    network = build_densedepth('densenet121', decoder_width=16)
    (tmp_path / 'text.pth').write_text('hello')
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(CheckpointError, match=r'there is no file .*none\.pth'):
        load_encoder_weights(network, str(tmp_path / 'none.pth'))
    with pytest.raises(CheckpointError, match=r'text\.pth is not a file of weights'):
        load_encoder_weights(network, str(tmp_path / 'text.pth'))
    with pytest.raises(CheckpointError, match=r'list\.pth is not a state dict'):
        load_encoder_weights(network, str(tmp_path / 'list.pth'))


def test_without_a_network_the_error_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'):
        monkeypatch.setenv(name, 'http://127.0.0.1:9')  # nothing listens there
    for name in ('no_proxy', 'NO_PROXY'):
        monkeypatch.delenv(name, raising=False)
    network = build_densedepth('densenet121', decoder_width=16)
    with pytest.raises(CheckpointError, match=r'cannot download https://.*Download it elsewhere'):
        load_encoder_weights(network, 'imagenet')
