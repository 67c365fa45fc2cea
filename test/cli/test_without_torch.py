"""Measuring and using model files where torch is not installed; each command is a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
from kinds_of_data import KINDS, write_data
import numpy as np
import pytest
from tiny_model import make_tiny_model

if TYPE_CHECKING:
    from pathlib import Path

# Python runs it first in every process, so the processes that a command starts lack them too.
SITE_CUSTOMIZE = """
import os, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in os.environ['MISSING'].split():
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Missing())
"""
TORCH = 'torch torchvision'
TIMEOUT_SEC = 300


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sitecustomize.py, a model file and an image."""
    folder = tmp_path_factory.mktemp('light')
    (folder / 'sitecustomize.py').write_text(SITE_CUSTOMIZE)
    make_tiny_model(folder / 'tiny.onnx')
    cv2.imwrite(str(folder / 'grey.png'), np.full((96, 128, 3), 128, np.uint8))
    return folder


def run(folder: Path, *arguments: object, missing: str = TORCH) -> tuple[int, str]:
    """Run `python ARGUMENTS` without some packages.

    Returns:
        Its exit code and what it printed.
    """
    paths = [str(folder), *filter(None, [os.environ.get('PYTHONPATH')])]
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'MISSING': missing},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SEC,
        check=False,
    )
    return done.returncode, done.stdout


def command(folder: Path, *arguments: object, missing: str = TORCH) -> tuple[int, str]:
    """Run `depth-estimation ARGUMENTS` without some packages."""
    return run(folder, '-m', 'depth_estimation_ros.cli', *arguments, missing=missing)


def test_torch_is_missing_in_these_processes(folder: Path) -> None:
    code, printed = run(folder, '-c', 'import torch')
    assert code == 1
    assert "No module named 'torch'" in printed


@pytest.mark.parametrize('kind', [*KINDS, 'nyu-eigen', 'rooms'])
def test_a_model_file_is_measured_on_every_kind_of_data(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    if kind == 'nyu-eigen':
        np.save(tmp_path / 'eigen_test_rgb.npy', np.full((1, 48, 64, 3), 128, np.uint8))
        np.save(tmp_path / 'eigen_test_depth.npy', np.full((1, 48, 64), 2.0))
        np.save(tmp_path / 'eigen_test_crop.npy', np.array([4, 43, 6, 57]))
    path = write_data(kind, tmp_path, num_frames=3) if kind in KINDS else tmp_path
    report = tmp_path / 'report.json'
    data = ['--data', kind, path, '--num-images', '1', '--output', report]
    code, printed = command(folder, 'evaluate', 'tiny.onnx', *data)
    assert code == 0, printed
    measured = json.loads(report.read_text())
    assert (measured['data'], measured['images']) == (kind, 1)
    assert measured['abs_rel'] > 0


def test_depth_is_predicted_and_timed(folder: Path) -> None:
    code, printed = command(folder, 'predict', 'grey.png', '--model', 'tiny.onnx')
    assert code == 0, printed
    assert (folder / 'depth_output' / 'grey_depth.png').is_file()
    timed = ['--backend', 'onnxruntime', '--num-runs', '10', '--num-warm-up', '0']
    code, printed = command(folder, 'benchmark', 'tiny.onnx', *timed)
    assert code == 0, printed
    assert 'onnxruntime' in printed


def test_a_checkpoint_says_that_it_needs_torch(folder: Path) -> None:
    code, printed = command(folder, 'evaluate', 'best.pt', '--data', 'rooms')
    assert code == 1
    assert (
        'error: best.pt: a checkpoint needs torch: pip install depth-estimation-ros[train]; a'
        in (printed)
    )


@pytest.mark.parametrize(
    ('kind', 'package', 'extra'),
    [
        ('nyu-labeled', 'h5py', 'nyu'),
        ('rosbag', 'rosbags', 'bags'),
        ('rooms', 'numba', 'rooms'),
    ],
)
def test_what_a_kind_of_data_needs_is_named(
    kind: str, package: str, extra: str, folder: Path
) -> None:
    data = ['--data', kind, 'somewhere']
    code, printed = command(folder, 'evaluate', 'tiny.onnx', *data, missing=f'{TORCH} {package}')
    assert code == 1
    assert f'error: this command needs {package}: pip install depth-estimation-ros[{extra}]' in (
        printed
    )
