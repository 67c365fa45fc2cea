"""The backend tensorrt against NVIDIA's own classes of each version, without a GPU."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from fake_gpu import bindings_folder, environment, listed_versions
import pytest

ROOT = Path(__file__).parents[1]
HAS_CUDA_PYTHON = (
    subprocess.run([sys.executable, '-c', 'import cuda.bindings.runtime'], check=False).returncode
    == 0
)
VERSIONS = listed_versions()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    wanted: str = request.param
    if bindings_folder(wanted) is None or not HAS_CUDA_PYTHON:
        pytest.skip(f'no bindings of TensorRT {wanted}: make test brings them')
    return wanted


def test_the_backend_works_with_the_classes_of_each_version(version: str, tmp_path: Path) -> None:
    suite = Path(__file__).with_name('tensorrt_suite.py')
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', str(suite)]
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
