"""Fixtures that more than one test file uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tiny_model import make_tiny_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope='session')
def tiny_model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 96x128 -> 48x64 model file whose depth is the image's brightness (tiny_model.py)."""
    path = tmp_path_factory.mktemp('tiny_model') / 'tiny.onnx'
    make_tiny_model(path)
    return path
