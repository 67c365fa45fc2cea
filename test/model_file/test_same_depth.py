"""The same image gives the same depth: bit for bit on one machine, nearly so on another."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip('onnxruntime')
pytest.importorskip('openvino')

from depth_estimation_ros.backends.base import BackendName
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.default_model import default_model_path
from depth_estimation_ros.model_file.model_spec import read_model_spec

# Depths of a seeded image in a process of its own, as a digest for each backend.
DIGESTS = """
import hashlib
import numpy as np
from depth_estimation_ros.backends.base import BackendName
from depth_estimation_ros.estimator import DepthEstimator, default_model_path
rgb = np.random.default_rng(5).integers(0, 256, (480, 640, 3), np.uint8)
for backend in (BackendName.ONNXRUNTIME, BackendName.OPENVINO):
    with DepthEstimator.from_file(default_model_path(), backend=backend) as estimator:
        for _ in range(2):
            depth = estimator.estimate(rgb).depth
            assert np.isfinite(depth).any()
            print(backend, hashlib.sha256(depth.tobytes()).hexdigest())
"""


def digests() -> list[str]:
    done = subprocess.run(
        [sys.executable, '-c', DIGESTS], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_a_restart_gives_the_same_depth_bit_for_bit() -> None:
    first, second = digests(), digests()
    assert len(first) == 4
    assert first[0] == first[1]
    assert first[2] == first[3]
    assert first == second


@pytest.mark.parametrize('backend', [BackendName.ONNXRUNTIME, BackendName.OPENVINO])
@pytest.mark.parametrize('model', ['default', 'default-int8'])
def test_the_golden_depths_in_the_shipped_models_are_met_on_any_processor(
    model: str, backend: BackendName
) -> None:
    path = default_model_path().with_name(f'{model}.onnx')
    spec = read_model_spec(path)
    assert np.count_nonzero(spec.probes[spec.input_size].reference) >= 20  # depths in metres
    DepthEstimator.from_file(path, backend=backend, self_check=True).close()
