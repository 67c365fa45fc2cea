"""The backend tensorrt against NVIDIA's own classes of each version, without a GPU."""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path
import subprocess
import sys

from fake_gpu import bindings_folder, environment, listed_versions
import pytest

from depth_estimation_ros.backends.tensorrt.api import tensorrt_unavailable_reason
from depth_estimation_ros.backends.tensorrt.cuda_runtime import cuda_unavailable_reason

ROOT = Path(__file__).parents[3]
HAS_CUDA_PYTHON = (
    subprocess.run([sys.executable, '-c', 'import cuda.bindings.runtime'], check=False).returncode
    == 0
)
VERSIONS = listed_versions()
FOUND = [version for version in VERSIONS if bindings_folder(version)]  # 10.3 ends at Python 3.12


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    wanted: str = request.param
    if bindings_folder(wanted) is None or not HAS_CUDA_PYTHON:
        pytest.skip(f'no bindings of TensorRT {wanted}: make test brings them')
    return wanted


@pytest.mark.slow
def test_the_backend_works_with_the_classes_of_each_version(version: str, tmp_path: Path) -> None:
    suites = [path.name for path in Path(__file__).parent.glob('tensorrt_*_suite.py')]
    plugins = ['-p', 'no:cacheprovider', '-p', 'tensorrt_machine']
    command = [sys.executable, '-m', 'pytest', '-q', *plugins, *suites]
    ended = subprocess.run(
        [*command, f'--basetemp={tmp_path / "suite"}'],
        cwd=Path(__file__).parent,
        env=environment(tmp_path / 'gpu', version),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = ended.stdout.strip().splitlines()[-1]
    assert ' passed' in summary
    assert 'skipped' not in summary


def offered_by(version: str, folder: Path) -> dict[str, list[str]]:
    """What the classes of a version have, by class."""
    done = subprocess.run(
        [sys.executable, str(ROOT / 'test/support/gpu/tensorrt_names.py')],
        env=environment(folder / version, version),
        capture_output=True,
        text=True,
        check=True,
    )
    offered: dict[str, list[str]] = json.loads(done.stdout)
    return offered


def names_in(path: Path) -> set[str]:
    """Every attribute that a source file reads, sets or calls, but those of our ModelSpec."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and not (isinstance(node.value, ast.Name) and node.value.id == 'spec')
    }


@pytest.mark.skipif(not HAS_CUDA_PYTHON or len(FOUND) < 2, reason='make test brings the bindings')
def test_nothing_is_used_that_version_11_has_removed(tmp_path: Path) -> None:
    offered = [offered_by(version, tmp_path) for version in FOUND]
    everything = [
        {*version, *(name for names in version.values() for name in names)} for version in offered
    ]
    removed = set().union(*everything[:-1]) - everything[-1]
    for known in ('FP16', 'EXPLICIT_BATCH', 'IInt8Calibrator', 'device_memory_size'):
        assert known in removed, 'else this test proves nothing'
    folder = ROOT / 'depth_estimation_ros/backends/tensorrt'
    modules = ('api', 'backend', 'builder', 'errors', 'session')  # the rest calls no TensorRT
    files = [folder / f'{name}.py' for name in modules]
    assert len(files) > 3
    used = {name for path in files for name in names_in(path)}
    assert 'build_serialized_network' in used
    assert used & removed == set()
    assert used & everything[-1] <= everything[0], 'what the oldest lacks'


def test_without_tensorrt_the_reason_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec('tensorrt') is None:
        reason = tensorrt_unavailable_reason()
        assert reason is not None
        assert reason.startswith('tensorrt is not installed (pip install ')
    (tmp_path / 'tensorrt').mkdir()
    monkeypatch.delitem(sys.modules, 'tensorrt', raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'tensorrt' / '__init__.py').write_text('raise ImportError("libnvinfer.so.10")')
    reason = tensorrt_unavailable_reason()
    assert reason is not None
    assert reason.startswith('tensorrt cannot be imported (libnvinfer.so.10): install it again')


def test_without_cuda_python_the_reason_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, 'cuda.bindings.runtime', None)
    reason = cuda_unavailable_reason()
    assert reason is not None
    assert reason.startswith('cuda-python cannot be imported (')
    assert "pip install 'depth-estimation-ros[tensorrt]'" in reason


@pytest.mark.skipif(not HAS_CUDA_PYTHON, reason='needs cuda-python')
def test_a_machine_without_a_driver_says_so() -> None:
    """No fake: cuda-python itself, on the machine at hand."""
    if Path('/proc/driver/nvidia').exists():
        pytest.skip('this machine has a driver')
    reason = cuda_unavailable_reason()
    assert reason is not None
    assert reason.startswith('no NVIDIA driver: install it (nvidia-smi must list a GPU)')
