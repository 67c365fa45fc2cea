"""The arrows between the parts: what importing one of them must not pull in."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    'torch',
    'torchvision',
    'rclpy',
    'sensor_msgs',
    'tensorrt',
    'onnxruntime',
    'openvino',
    'onnx',
    'numba',
    'matplotlib',
    'scipy',
    'h5py',
    'tqdm',
    'yaml',
    'cv2',
)
# Every module of the part, at any depth, in one fresh interpreter.
_IMPORT_ALL = """
import importlib, pkgutil
def visit(name):
    package = importlib.import_module(name)
    for item in pkgutil.iter_modules(package.__path__, name + '.'):
        if item.name.startswith({others!r}) or item.name.endswith('__main__'):
            continue
        try:
            visit(item.name) if item.ispkg else importlib.import_module(item.name)
        except ModuleNotFoundError as err:
            assert err.name == 'depth_estimation_ros.msg', err
visit({package!r})
"""
# What is no core; the messages are generated and bring rclpy's type support.
OTHERS = tuple(
    f'depth_estimation_ros.{part}' for part in ('export', 'msg', 'rooms', 'ros', 'training')
)
# These decode pictures and are imported where one is read: they alone may import OpenCV.
DECODERS = tuple(
    f'depth_estimation_ros.{part}'
    for part in ('camera.compressed', 'camera.encodings', 'files.image', 'files.video')
)


def _loaded_by(code: str) -> set[str]:
    """Top-level names of the modules in a fresh interpreter after running the code."""
    report = '\nimport sys; print(*sorted({name.partition(".")[0] for name in sys.modules}))'
    done = subprocess.run(
        [sys.executable, '-c', code + report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_core_pulls_in_nothing_heavy() -> None:
    loaded = _loaded_by(
        _IMPORT_ALL.format(package='depth_estimation_ros', others=OTHERS + DECODERS)
    )
    assert 'depth_estimation_ros' in loaded
    assert not loaded.intersection(HEAVY)


def test_the_package_itself_imports_nothing_at_all() -> None:
    loaded = _loaded_by('import depth_estimation_ros')
    assert not loaded.intersection({*HEAVY, 'numpy'})


def test_help_of_every_sub_command_pulls_in_nothing_heavy() -> None:
    code = (
        'from depth_estimation_ros.cli.main import main\n'
        'try:\n    main(["--help"])\nexcept SystemExit:\n    pass'
    )
    assert not _loaded_by(code).intersection({*HEAVY, 'numpy'})


@pytest.mark.parametrize('part', ['ros', 'rooms'])
def test_importing_a_part_of_the_runtime_pulls_in_no_torch(part: str) -> None:
    known_by = {'ros': 'rclpy', 'rooms': 'numba'}[part]
    pytest.importorskip(known_by)
    loaded = _loaded_by(_IMPORT_ALL.format(package=f'depth_estimation_ros.{part}', others=()))
    assert known_by in loaded
    assert not loaded.intersection({'torch', 'torchvision', 'matplotlib', 'h5py'})


@pytest.mark.skipif(importlib.util.find_spec('importlinter') is None, reason='needs import-linter')
def test_an_import_against_the_arrows_is_found_in_a_folder_of_a_folder(tmp_path: Path) -> None:
    source = tmp_path / 'depth_estimation_ros'
    shutil.copytree(
        ROOT / 'depth_estimation_ros', source, ignore=shutil.ignore_patterns('*.onnx', '*.png')
    )
    shutil.copy(ROOT / 'pyproject.toml', tmp_path)
    assert _arrows(tmp_path).returncode == 0
    deep = source / 'ros' / 'deep'
    deep.mkdir()
    (deep / '__init__.py').touch()
    (deep / 'wrong.py').write_text(
        'def late() -> None:\n    from depth_estimation_ros.training import splits\n'
    )
    found = _arrows(tmp_path)
    assert found.returncode == 1
    assert 'depth_estimation_ros.ros.deep.wrong -> depth_estimation_ros.training' in found.stdout


def _arrows(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-c', 'from importlinter.cli import *; lint_imports_command()'],
        cwd=folder,
        env={**os.environ, 'PYTHONPATH': str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    'path',
    [
        'estimator.DepthEstimator',
        'estimator.default_model_path',
        'camera.CameraIntrinsics',
        'training.datasets.open_dataset',
        'training.keras_weights.load_keras',
        'training.model.build_densedepth',
    ],
)
def test_what_users_import_stays_where_the_documents_say(path: str) -> None:
    if path.startswith('training.'):
        pytest.importorskip('torch')
    module, _, name = f'depth_estimation_ros.{path}'.rpartition('.')
    assert callable(getattr(importlib.import_module(module), name))


def test_the_face_of_the_networks_loads_torch_when_it_is_asked_for_one() -> None:
    assert 'torch' not in _loaded_by('import depth_estimation_ros.training.model')
