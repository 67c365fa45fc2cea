"""Fixtures of tensorrt_*_suite.py (a plugin of pytest): a fake GPU, a model, its options."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fake_faults import Faults
from fake_tensorrt import FakeTensorRt
import numpy as np
import pytest
import tensorrt
from tiny_model import make_tiny_model

from depth_estimation_ros.backends.base import (
    BackendName,
    BackendOptions,
    load_backend,
)
from depth_estimation_ros.backends.tensorrt.backend import TensorRtBackend
from depth_estimation_ros.model_file.model_spec import ModelSpec, read_model_spec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def trt() -> Iterator[FakeTensorRt]:
    """A machine without faults; afterwards it has no memory in use."""
    fake = tensorrt
    assert isinstance(fake, FakeTensorRt)
    fake.faults = Faults()
    fake.configs.clear()
    fake.timing_caches.clear()
    fake.num_builds = 0
    before = vars(fake.cuda).copy()
    fake.cuda.fail = {}
    fake.cuda.num_calls.clear()
    yield fake
    live = dict(fake.cuda.live)
    fake.cuda.live.clear()
    for name in ('driver', 'num_devices', 'name', 'fail'):
        setattr(fake.cuda, name, before[name])
    assert not live, 'not given back'


@pytest.fixture
def options(tmp_path: Path) -> BackendOptions:
    return BackendOptions(engine_cache_dir=tmp_path / 'engines')


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / 'room.onnx'
    make_tiny_model(path)
    return path


def load(path: Path, options: BackendOptions) -> tuple[TensorRtBackend, ModelSpec]:
    spec = read_model_spec(path)
    backend = load_backend(BackendName.TENSORRT, path, spec, options=options)
    assert isinstance(backend, TensorRtBackend)
    return backend, spec


def changed(options: BackendOptions, **values: Any) -> BackendOptions:
    return replace(options, **values)


def random_images(spec: ModelSpec, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, spec.input_shape, dtype=np.uint8)
