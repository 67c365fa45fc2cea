"""The commands export and evaluate, run in process on tiny things."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from depth_estimation_ros.cli.main import main
from depth_estimation_ros.model_file.model_spec import read_model_spec

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip('torch')

from small_checkpoint import make_small_checkpoint

HEIGHT, WIDTH = 64, 96
METRICS = ('a1', 'a2', 'a3', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10')


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('checkpoint') / 'small.pt'
    make_small_checkpoint(path, input_size=(HEIGHT, WIDTH))
    return path


@pytest.fixture(scope='module')
def eigen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images of 64x96 in the form of nyu_test.zip's contents."""
    folder = tmp_path_factory.mktemp('eigen')
    rng = np.random.default_rng(0)
    np.save(folder / 'eigen_test_rgb.npy', rng.integers(0, 256, (2, 64, 96, 3), dtype=np.uint8))
    np.save(folder / 'eigen_test_depth.npy', rng.uniform(1.0, 5.0, (2, 64, 96)))
    np.save(folder / 'eigen_test_crop.npy', np.array([4, 59, 6, 89]))
    return folder


def evaluate(folder: Path, model: Path, output: Path, *options: str) -> dict[str, object]:
    arguments = ['evaluate', str(model), '--data', 'nyu-eigen', str(folder)]
    assert main([*arguments, '--output', str(output), *options]) == 0
    report: dict[str, object] = json.loads(output.read_text())
    return report


def test_a_checkpoint_and_its_fp32_file_measure_the_same(
    checkpoint: Path, eigen_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / 'model.onnx'
    assert main(['export', str(checkpoint), '--output', str(model)]) == 0
    assert 'against PyTorch: relative RMS error' in capsys.readouterr().out
    of_checkpoint = evaluate(eigen_folder, checkpoint, tmp_path / 'checkpoint.json')
    printed = capsys.readouterr().out
    assert 'nyu-eigen, 2 images, per-image, flip averaged; torch-' in printed
    assert 'paper, DenseNet-169' in printed
    assert '0.1230' in printed
    of_file = evaluate(eigen_folder, model, tmp_path / 'model.json', '--backend', 'onnxruntime')
    for name in METRICS:
        assert of_file[name] == pytest.approx(of_checkpoint[name], rel=1e-4)
    assert of_checkpoint['crop'] == [4, 59, 6, 89]
    facts = ('images', 'convention', 'backend', 'precision', 'flip', 'median_scaling')
    assert [of_file[name] for name in facts] == [
        2,
        'per-image',
        'onnxruntime',
        'fp32',
        True,
        False,
    ]


def test_what_a_network_leaves_out_costs_the_same_in_its_file(
    eigen_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, model = tmp_path / 'far.pt', tmp_path / 'far.onnx'
    make_small_checkpoint(checkpoint, input_size=(HEIGHT, WIDTH), bias=-0.6)
    assert main(['export', str(checkpoint), '--output', str(model)]) == 0
    of_checkpoint = evaluate(eigen_folder, checkpoint, tmp_path / 'checkpoint.json', '--no-flip')
    of_file = evaluate(eigen_folder, model, tmp_path / 'model.json', '--no-flip')
    share = of_checkpoint['pixels_without_depth']
    assert isinstance(share, float)
    assert 0.05 < share < 0.95
    for name in (*METRICS, 'pixels_without_depth'):
        assert of_file[name] == pytest.approx(of_checkpoint[name], rel=1e-3)
    words = f'{100 * share:.2f} % of the pixels had no depth: they count as the far end'
    assert words in capsys.readouterr().out


def test_the_options_of_evaluate_reach_the_result(
    checkpoint: Path, eigen_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = evaluate(
        eigen_folder,
        checkpoint,
        tmp_path / 'report.json',
        *('--convention', 'densedepth-head', '--no-flip', '--median-scaling'),
        *('--num-images', '1', '--max-truth', '3'),
    )
    assert report['convention'] == 'densedepth-head'
    assert (report['flip'], report['median_scaling']) == (False, True)
    assert (report['images'], report['max_truth']) == (1, 3.0)
    assert 'paper, DenseNet-169, scaled' in capsys.readouterr().out


def test_metrics_licence_and_training_data_are_written_into_the_file(
    checkpoint: Path, tmp_path: Path
) -> None:
    metrics = tmp_path / 'metrics.json'
    metrics.write_text(json.dumps({'a1': 0.75, 'abs_rel': 0.25, 'data': 'rooms', 'images': 3}))
    model = tmp_path / 'model.onnx'
    arguments = ['export', str(checkpoint), '--output', str(model), '--metrics', str(metrics)]
    assert main([*arguments, '--licence', 'MIT', '--training-data', 'my flat']) == 0
    spec = read_model_spec(model)
    assert spec.metrics == {'a1': 0.75, 'abs_rel': 0.25}
    assert (spec.metrics_data, spec.licence, spec.training_data) == ('rooms', 'MIT', 'my flat')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--precision', 'int8'], '--precision int8 needs --target cpu or --target tensorrt'),
        (['--precision', 'int8', '--target', 'cpu'], 'int8 needs --calibration'),
        (['--target', 'cpu'], '--target and --calibration are for --precision int8'),
        (['--precision', 'int4'], "invalid choice: 'int4'"),
    ],
)
def test_wrong_usage_of_export_says_what_to_do(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['export', 'missing.pt', *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['export', 'missing.pt'], 'there is no checkpoint missing.pt'),
        (['export', 'missing.pt', '--height', '200'], 'height 200: must be a multiple of 32; '),
        (['evaluate', 'missing.onnx', '--data', 'rooms'], 'missing.onnx: no such model file'),
        (['evaluate', 'missing.pt', '--data', 'rooms'], 'there is no checkpoint missing.pt'),
        (
            ['evaluate', 'missing.pt', '--data', 'rooms', '--backend', 'openvino'],
            'a checkpoint runs in torch, not in openvino',
        ),
    ],
)
def test_a_users_mistake_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith('depth-estimation: error: ')
    assert error.count('\n') == 1


def test_unknown_data_is_refused_by_name(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(['evaluate', str(checkpoint), '--data', 'kitti']) == 1
    assert "unknown data set 'kitti'" in capsys.readouterr().err
    assert main(['evaluate', str(checkpoint), '--data', 'nyu-eigen']) == 1
    assert 'nyu-eigen: give its path too' in capsys.readouterr().err


def test_a_validation_split_is_measured_in_the_crop_of_the_papers(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'recording'
    for index in range(4):
        for kind, data in (
            ('rgb', np.full((480, 640, 3), 100, np.uint8)),
            ('depth', np.full((480, 640), 2000, np.uint16)),
        ):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / kind / f'{index}.png'), data)
    command = ['evaluate', str(checkpoint), '--data', 'rgbd-folder', str(folder)]
    command += ['--split', 'validation', '--data-option', 'validation_fraction=0.5']
    output = tmp_path / 'report.json'
    assert main([*command, '--eigen-crop', '--output', str(output)]) == 0
    report = json.loads(output.read_text())
    assert (report['data'], report['images']) == ('rgbd-folder validation', 2)
    assert report['crop'] == [20, 459, 24, 615]
    assert [(item['from'], item['to']) for item in report['by_distance']] == [(2.0, 3.0)]
    printed = capsys.readouterr().out
    assert 'rgbd-folder validation, 2 images, per-image; torch-' in printed
    assert f'AbsRel by distance: 2 to 3 m {report["abs_rel"]:.3f}' in printed
    assert 'published' not in printed
    by_image = report['abs_rel_by_image']
    assert len(by_image) == 2
    assert sum(by_image.values()) / 2 == pytest.approx(report['abs_rel'])
    assert all(f'{name} {abs_rel:.3f}' in printed for name, abs_rel in by_image.items())
