"""What commands and the node read from files: pictures, cameras, models, engines."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil
from typing import TYPE_CHECKING

import cv2
from fake_builder import KEY, FakeBuilder, obtain
from fuzzing import NASTY, damaged, fuzz
from hypothesis import strategies as st
import numpy as np
import pytest
from tiny_model import make_tiny_model

from depth_estimation_ros.backends.tensorrt.engine_facts import sidecar_path
from depth_estimation_ros.camera.camera_info_file import read_camera_info, read_distorted_camera
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.files.image_codec import decode_rgb, decode_unchanged
from depth_estimation_ros.model_file.model_spec import ModelSpec, read_model_spec

if TYPE_CHECKING:
    from numpy.typing import NDArray

CORPUS = Path(__file__).parent / 'corpus'
HEIGHT, WIDTH = 24, 32
CAMERA = """\
image_width: 640
image_height: 480
camera_name: left
camera_matrix: {rows: 3, cols: 3, data: [500.5, 0.0, 320.0, 0.0, 501.0, 240.0, 0.0, 0.0, 1.0]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0.001, 0.0, 0.0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [490, 0, 320, 0, 0, 490, 240, 0, 0, 0, 1, 0]}
"""


def _picture() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def _encoded(suffix: str, *options: int) -> bytes:
    written, data = cv2.imencode(suffix, _picture(), options)
    assert written
    return data.tobytes()


def _read_picture(data: bytes) -> None:
    rgb = decode_rgb(data, name='picture', upright=True)
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    assert rgb.shape[2] == 3


def _read_png(data: bytes) -> None:
    _read_picture(data)
    assert decode_unchanged(data, name='picture').size > 0


def test_a_damaged_jpeg_is_a_picture_or_refused() -> None:
    progressive = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    seeds = [_encoded('.jpg'), _encoded('.jpg', *progressive)]
    fuzz('jpg', damaged(seeds, max_changes=2), _read_picture, per_mille=80)


def test_a_damaged_png_is_a_picture_or_refused() -> None:
    counts = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    seeds = [_encoded('.png'), cv2.imencode('.png', counts)[1].tobytes()]
    others = [_encoded(suffix) for suffix in ('.bmp', '.webp', '.tiff', '.ppm')]
    fuzz('png', damaged(seeds), _read_png, per_mille=60)
    fuzz('png', damaged(others), _read_picture, per_mille=20)


def test_a_damaged_camera_info_file_is_a_camera_or_refused(tmp_path: Path) -> None:
    path = tmp_path / 'camera.yaml'

    def read(data: bytes) -> None:
        path.write_bytes(data)
        camera = read_distorted_camera(path)
        assert read_camera_info(path) == camera.raw
        assert np.isfinite([camera.raw.fx, camera.raw.fy, camera.raw.cx, camera.raw.cy]).all()

    places = [index for index, letter in enumerate(CAMERA) if letter == ':']
    nasty = st.builds(
        lambda place, text: f'{CAMERA[: place + 1]} {text}'.encode('utf-8', 'surrogatepass'),
        st.sampled_from(places),
        st.sampled_from(NASTY),
    )
    seeds = [CAMERA.encode()]
    fuzz('camera_info_yaml', damaged(seeds, max_changes=2) | nasty, read, per_mille=50)


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp('model') / 'a.onnx'
    make_tiny_model(path, input_size=(32, 64), output_size=(16, 32))
    return path.read_bytes()


def test_a_damaged_model_file_has_facts_or_is_refused(tmp_path: Path, model: bytes) -> None:
    path = tmp_path / 'a.onnx'

    def read(data: bytes) -> None:
        path.write_bytes(data)
        assert read_model_spec(path).probes

    fuzz('onnx', damaged([model], max_changes=3), read, per_mille=70)


def test_damaged_metadata_are_facts_or_refused(tmp_path: Path, model: bytes) -> None:
    path = tmp_path / 'a.onnx'
    path.write_bytes(model)
    spec = read_model_spec(path)
    whole = replace(spec, metrics={'abs_rel': 0.1}).to_metadata()

    def read(data: bytes) -> None:
        try:
            entries = json.loads(data)
        except ValueError:
            return
        assert ModelSpec.from_metadata(entries, source='a.onnx').batch_size > 0

    texts = st.sampled_from(NASTY) | st.text(max_size=20)
    changed = st.builds(
        lambda key, text: json.dumps({**whole, key: text}).encode(),
        st.sampled_from(sorted(whole)),
        texts,
    )
    damaged_value = st.builds(
        lambda key, value: json.dumps(
            {**whole, key: value.data().decode('utf-8', 'replace')[: len(whole[key]) + 20]}
        ).encode(),
        st.sampled_from(sorted(whole)),
        damaged([value.encode() for value in whole.values()], max_changes=3),
    )
    fuzz('metadata', changed | damaged_value, read, per_mille=50)


def test_no_damaged_model_file_gives_a_wrong_depth(tmp_path: Path, model: bytes) -> None:
    path = tmp_path / 'a.onnx'
    path.write_bytes(model)
    image = _picture()
    with DepthEstimator.from_file(path, backend='onnxruntime') as estimator:
        wanted = estimator.estimate(image).depth

    def read(data: bytes) -> None:
        path.write_bytes(data)
        with DepthEstimator.from_file(path, backend='onnxruntime') as estimator:
            depth = estimator.estimate(image).depth
            spec = read_model_spec(path)
        if (spec.min_depth, spec.max_depth, spec.output_size) == (0.2, 10.0, (16, 32)):
            np.testing.assert_allclose(depth, wanted, rtol=0.2, atol=0.2)

    fuzz('onnxruntime', damaged([model], max_changes=2), read, per_mille=5)


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_a_runtime_s_reason_that_is_no_text_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(CORPUS / 'onnxruntime' / 'reason_no_text', 'a.onnx')
    with pytest.raises(
        BackendError, match=f'{backend} cannot load .*a.onnx: .*\ufffdnvalid_below'
    ):
        DepthEstimator.from_file('a.onnx', backend=backend)


def test_a_damaged_engine_is_the_right_one_or_built_again(tmp_path: Path) -> None:
    builder = FakeBuilder(num_bytes=200)
    path = obtain(tmp_path, builder).path
    assert path is not None
    engine, sidecar = path.read_bytes(), sidecar_path(path).read_bytes()

    def read(damaged_file: Path) -> None:
        found = obtain(tmp_path, builder)
        assert found.engine == engine or found.build_sec is not None
        assert found.engine.startswith(KEY.digest.encode())
        assert damaged_file.exists()

    def read_engine(data: bytes) -> None:
        path.write_bytes(data)
        sidecar_path(path).write_bytes(sidecar)
        read(path)

    def read_sidecar(data: bytes) -> None:
        path.write_bytes(engine)
        sidecar_path(path).write_bytes(data)
        read(sidecar_path(path))

    nasty = st.sampled_from([text.encode('utf-8', 'surrogatepass') for text in NASTY])
    fuzz('engine', damaged([engine]), read_engine, per_mille=5)
    fuzz('sidecar', damaged([sidecar], max_changes=2) | nasty, read_sidecar, per_mille=15)
