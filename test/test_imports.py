"""The arrows between the parts: what importing one of them must not pull in."""

from __future__ import annotations

import importlib.util
from pathlib import Path
import subprocess
import sys

import pytest

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
CORE = [
    'depth_estimation_ros.estimator',
    'depth_estimation_ros.backends.onnxruntime_backend',
    'depth_estimation_ros.backends.openvino_backend',
    'depth_estimation_ros.backends.tensorrt_backend',
    'depth_estimation_ros.benchmark.worker',
    'depth_estimation_ros.camera_info_file',
    'depth_estimation_ros.image_file',
    'depth_estimation_ros.metrics',
    'depth_estimation_ros.ply_file',
    'depth_estimation_ros.point_cloud',
    'depth_estimation_ros.scale_fit',
    'depth_estimation_ros.cli.main',
]


def _loaded_by(code: str) -> set[str]:
    """Top-level names of the modules in a fresh interpreter after running the code."""
    report = '\nimport sys; print(*sorted({name.partition(".")[0] for name in sys.modules}))'
    done = subprocess.run(
        [sys.executable, '-c', code + report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_core_pulls_in_nothing_heavy() -> None:
    loaded = _loaded_by('import ' + ', '.join(CORE))
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
def test_no_module_of_the_runtime_imports_torch(part: str) -> None:
    spec = importlib.util.find_spec('depth_estimation_ros')
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / part
    sources = {path.name: path.read_text(encoding='utf-8') for path in folder.glob('*.py')}
    assert sources
    forbidden = ('import torch', 'from torch', 'depth_estimation_ros.training')
    assert [
        name for name, text in sources.items() if any(word in text for word in forbidden)
    ] == []


def test_importing_ros_pulls_in_no_torch() -> None:
    pytest.importorskip('rclpy')
    loaded = _loaded_by(
        'import pkgutil, importlib, depth_estimation_ros.ros as ros\n'
        'for item in pkgutil.iter_modules(ros.__path__):\n'
        '    try:\n'
        '        importlib.import_module(f"depth_estimation_ros.ros.{item.name}")\n'
        '    except ModuleNotFoundError as err:\n'
        '        assert err.name == "depth_estimation_ros.msg", err'
    )
    assert 'rclpy' in loaded
    assert not loaded.intersection({'torch', 'torchvision', 'matplotlib', 'h5py'})
