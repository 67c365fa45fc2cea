"""Fixtures that more than one test file uses."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
import re
import signal

import pytest

os.environ['ORT_DISABLE_TELEMETRY'] = '1'  # some tests import onnxruntime themselves

# Package -> what the test files that need it import at their top. A ROS install and a plain
# `pip install .` have neither: what can run there does.
_OPTIONAL = {
    'onnx': r'(onnx|tiny_model)\b',
    'torch': r'(torch|tiny_training|keras_\w+|depth_estimation_ros\.(training|export))\b',
}


def _files_that_cannot_run() -> list[str]:
    missing = [needs for name, needs in _OPTIONAL.items() if not importlib.util.find_spec(name)]
    if not missing:
        return []
    pattern = re.compile(rf'^(from|import) ({"|".join(missing)})', re.MULTILINE)
    folder = Path(__file__).parent
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob('test_*.py'))
        if pattern.search(file.read_text(encoding='utf-8'))
    ]


collect_ignore = _files_that_cannot_run()


def pytest_sessionstart() -> None:
    """Let SIGINT through: a shell has its background commands ignore it, and they their children.

    The tests of Ctrl+C send it to this process and to others.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Name the files that are left out."""
    return f'left out for lack of torch or onnx: {" ".join(collect_ignore) or "nothing"}'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run files that fork worker processes first, then the long ones, then those with processes.

    What OpenVINO leaves behind dies in a fork. What is short comes last, so that no process of
    pytest is alone at the end.
    """

    def forks(file: Path) -> bool:
        return re.search(r'DataLoader|num_workers', file.read_text('utf-8')) is not None

    def marked(name: str) -> set[Path]:
        return {item.path for item in items if item.get_closest_marker(name)}

    first = [{path for path in {item.path for item in items} if forks(path)}]
    first += [marked('slow'), marked('ros')]
    items.sort(key=lambda item: [item.path not in files for files in first])


@pytest.fixture(scope='session')
def tiny_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 96x128 -> 48x64 model file whose depth is the image's brightness (tiny_model.py)."""
    pytest.importorskip('onnx')
    from tiny_model import make_tiny_model

    path = tmp_path_factory.mktemp('tiny_model') / 'tiny.onnx'
    make_tiny_model(path)
    return path
