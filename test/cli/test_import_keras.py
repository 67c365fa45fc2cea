"""depth-estimation import-keras, as it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_file import densedepth, save
import pytest
import torch

from depth_estimation_ros.cli import main as command
from depth_estimation_ros.training.keras.weights import load_keras
from depth_estimation_ros.training.model.checkpoint import load_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope='module')
def keras_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DenseNet-121 with all that a file can say: a slope of its own, no last ReLU."""
    path = tmp_path_factory.mktemp('keras') / 'nyu.h5'
    save(densedepth(width=64, slope=0.1, final_relu=False), path)
    return path


def test_an_imported_checkpoint_gives_what_the_keras_file_gives(
    keras_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / 'new' / 'densedepth_nyu.pt'
    assert command.main(['import-keras', str(keras_path), '--output', str(output)]) == 0
    network, info = load_network(output)
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        assert torch.equal(network(image), load_keras(keras_path)(image))
    assert (info.encoder, info.variant, info.decoder_width) == ('densenet121', 'blog', 64)
    assert (info.input_size, info.min_depth, info.max_depth) == ((480, 640), 0.1, 10.0)
    assert info.training_fx == 518.86
    assert info.align_corners
    assert 'GPL-3.0' in info.licence
    written = capsys.readouterr()
    assert '64 wide' in written.out
    assert 'aligned corners' in written.out
    assert 'GPL-3.0' in written.err


def test_what_the_file_does_not_say_can_be_told(keras_path: Path, tmp_path: Path) -> None:
    output = tmp_path / 'kitti.pt'
    words = ['--half-pixel', '--no-training-fx', '--max-depth', '80', '--height', '384']
    assert command.main(['import-keras', str(keras_path), '--output', str(output), *words]) == 0
    network, info = load_network(output)
    assert not network.config.align_corners
    assert info.training_fx is None
    assert (info.max_depth, info.input_size) == (80.0, (384, 640))


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--height', '470'], '--height 470 must be a multiple of 32'),
        (['--max-depth', '0.05'], '--min-depth 0.1 must be below --max-depth 0.05'),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_and_nothing_is_written(
    keras_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    output = tmp_path / 'out.pt'
    assert command.main(['import-keras', str(keras_path), '--output', str(output), *words]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_file_that_is_read_is_never_overwritten(
    keras_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = keras_path.stat().st_size
    assert command.main(['import-keras', str(keras_path), '--output', str(keras_path)]) == 1
    assert 'is the file that is read' in capsys.readouterr().err
    assert keras_path.stat().st_size == size


def test_a_file_that_is_not_keras_is_one_line_of_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / 'nyu.h5').write_text('<html>too many downloads</html>')
    words = ['import-keras', str(tmp_path / 'nyu.h5'), '--output', str(tmp_path / 'out.pt')]
    assert command.main(words) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert 'not a Keras .h5 file' in error
    assert not (tmp_path / 'out.pt').exists()
