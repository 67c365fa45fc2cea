"""What a model file says of itself: round trip, damage, foreign files, the probe."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from tiny_model import PROBE_SEED, make_tiny_model, tiny_depth

from depth_estimation_ros.errors import ModelFileError
from depth_estimation_ros.model_file.model_spec import (
    METADATA_PREFIX,
    ModelSpec,
    Precision,
    Probe,
    Target,
    check_probe,
    probe_image,
    read_model_spec,
)
from depth_estimation_ros.model_file.probe import PROBE_TOLERANCE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def spec(tiny_model_path: Path) -> ModelSpec:
    return read_model_spec(tiny_model_path)


def test_a_model_file_gives_back_what_was_written(tmp_path: Path) -> None:
    written = make_tiny_model(
        tmp_path / 'model.onnx',
        batch_size=2,
        training_fx=123.25,
        target=Target.CPU,
        precision=Precision.INT8,
        metrics={'abs_rel': 0.125, 'a1': 0.9},
        training_data='rooms, "quoted", ümlaut\nand a second line',
    )
    read = read_model_spec(tmp_path / 'model.onnx')
    assert read == written
    assert read.input_shape == (2, 96, 128, 3)
    assert read.output_shape == (2, 48, 64)
    assert hash(read) == hash(written)


def test_every_key_has_the_prefix_and_foreign_keys_are_ignored(spec: ModelSpec) -> None:
    metadata = spec.to_metadata()
    assert all(key.startswith(METADATA_PREFIX) for key in metadata)
    metadata['author'] = 'someone'
    assert ModelSpec.from_metadata(metadata, source='x.onnx') == spec


def test_no_training_focal_length_stays_none(spec: ModelSpec) -> None:
    assert spec.training_fx is None
    assert ModelSpec.from_metadata(spec.to_metadata(), source='x.onnx').training_fx is None


def test_a_foreign_onnx_file_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / 'foreign.onnx'
    make_tiny_model(path, metadata=False)
    with pytest.raises(ModelFileError, match=r'foreign\.onnx: .*depth-estimation export'):
        read_model_spec(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r'nowhere\.onnx: no such model file'):
        read_model_spec(tmp_path / 'nowhere.onnx')


def test_a_folder_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=f'{tmp_path}: cannot be read'):
        read_model_spec(tmp_path)


def test_a_pipe_is_no_model_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'model.onnx')
    with pytest.raises(ModelFileError, match=r'model\.onnx: cannot be read: it is a pipe, not'):
        read_model_spec(tmp_path / 'model.onnx')


@pytest.mark.parametrize('where', ['initializer', 'constant'])
def test_a_model_with_weights_in_another_file_is_refused(
    tiny_model_path: Path, tmp_path: Path, where: str
) -> None:
    model = onnx.load(tiny_model_path)
    tensor = onnx.numpy_helper.from_array(np.zeros((2, 2), np.float32), 'spare')
    onnx.external_data_helper.set_external_data(tensor, 'w.bin')
    tensor.ClearField('raw_data')
    if where == 'initializer':
        model.graph.initializer.append(tensor)
    else:
        model.graph.node.append(onnx.helper.make_node('Constant', [], ['spare'], value=tensor))
    path = tmp_path / 'split.onnx'
    path.write_bytes(model.SerializeToString())
    with pytest.raises(
        ModelFileError, match=r"split\.onnx: keeps weights in another file \('w\.bin'\), a model"
    ):
        read_model_spec(path)


def test_the_word_location_is_no_reason_to_refuse_a_model(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    model = onnx.load(tiny_model_path)
    model.doc_string = 'location of the camera: location w.bin'
    model.graph.node[0].name = 'location'
    path = tmp_path / 'words.onnx'
    path.write_bytes(model.SerializeToString())
    assert read_model_spec(path) == read_model_spec(tiny_model_path)


@pytest.mark.parametrize(
    'content', [b'', b'\x00' * 100, b'\xff' * 100, b'hello world, this is text', b'\x89PNG\r\n']
)
def test_garbage_is_no_model_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'garbage.onnx'
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r'garbage\.onnx: truncated or not an ONNX file'):
        read_model_spec(path)


def test_a_file_cut_anywhere_is_refused(tiny_model_path: Path, tmp_path: Path) -> None:
    content = tiny_model_path.read_bytes()
    path = tmp_path / 'cut.onnx'
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(ModelFileError, match=r'cut\.onnx'):
            read_model_spec(path)


def test_random_damage_is_a_clear_error_or_no_harm(tiny_model_path: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / 'damaged.onnx'
    for _ in range(300):
        content = bytearray(tiny_model_path.read_bytes())
        content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(content)
        try:
            read_model_spec(path)
        except ModelFileError as err:
            assert 'damaged.onnx' in str(err)  # noqa: PT017


def test_a_newer_format_asks_for_an_update(spec: ModelSpec) -> None:
    metadata = spec.to_metadata() | {METADATA_PREFIX + 'format_version': '3'}
    with pytest.raises(ModelFileError, match='format 3, this version reads 1 to 2'):
        ModelSpec.from_metadata(metadata, source='x.onnx')


def test_a_file_of_format_1_has_the_one_size_that_it_was_exported_at(spec: ModelSpec) -> None:
    metadata = spec.to_metadata() | {METADATA_PREFIX + 'format_version': '1'}
    for name in ('probes', 'free_size'):
        del metadata[METADATA_PREFIX + name]
    metadata[METADATA_PREFIX + 'probe'] = json.dumps(spec.probes[96, 128].to_fields())
    assert ModelSpec.from_metadata(metadata, source='x.onnx') == spec
    metadata[METADATA_PREFIX + 'probe'] = 'nonsense'
    with pytest.raises(ModelFileError, match='probes='):
        ModelSpec.from_metadata(metadata, source='x.onnx')
    del metadata[METADATA_PREFIX + 'probe']
    with pytest.raises(ModelFileError, match='lacks depth_estimation_ros.probes'):
        ModelSpec.from_metadata(metadata, source='x.onnx')


def test_a_free_size_is_a_fact_that_other_sizes_share(tmp_path: Path) -> None:
    spec = make_tiny_model(tmp_path / 'm.onnx', free_size=True, training_fx=100.0)
    assert read_model_spec(tmp_path / 'm.onnx') == spec
    wide = spec.resized((64, 160))
    assert (wide.input_shape, wide.output_shape) == ((1, 64, 160, 3), (1, 32, 80))
    assert wide.training_fx == 100.0
    assert wide.resized((96, 128)) == spec


def test_a_probe_for_the_size_of_the_export_must_be_there(spec: ModelSpec) -> None:
    elsewhere = replace(spec, probes={(64, 160): spec.probes[96, 128]})
    with pytest.raises(ModelFileError, match=r'no probe for input size \(96, 128\)'):
        ModelSpec.from_metadata(elsewhere.to_metadata(), source='x.onnx')
    with pytest.raises(ValueError, match='no probe'):
        replace(spec, probes={})


def test_a_missing_key_is_named(spec: ModelSpec) -> None:
    metadata = spec.to_metadata()
    del metadata[METADATA_PREFIX + 'max_depth']
    with pytest.raises(ModelFileError, match=r'lacks depth_estimation_ros\.max_depth'):
        ModelSpec.from_metadata(metadata, source='x.onnx')


@pytest.mark.parametrize(
    ('key', 'text'),
    [
        ('min_depth', 'near'),
        ('input_size', '[96]'),
        ('input_size', '96x128'),
        ('precision', 'fp64'),
        ('target', 'gpu'),
        ('batch_size', '1.5'),
        ('metrics', '[1, 2]'),
        ('free_size', 'maybe'),
        ('probes', '[1]'),
        ('probes', '{"96x128": {}}'),
        ('probes', '{"96": {}}'),
        (
            'probes',
            '{"96x128": {"seed": 0, "grid_step": 8, "shape": [1, 2], "reference": "AA=="}}',
        ),
        ('probes', 'nonsense'),
    ],
)
def test_a_damaged_value_is_named(spec: ModelSpec, key: str, text: str) -> None:
    metadata = spec.to_metadata() | {METADATA_PREFIX + key: text}
    with pytest.raises(ModelFileError, match=f'x.onnx: metadata {METADATA_PREFIX}{key}='):
        ModelSpec.from_metadata(metadata, source='x.onnx')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'min_depth': 0.0}, r'0\.0\.\.10\.0'),
        ({'max_depth': 0.1}, r'0\.2\.\.0\.1'),
        ({'max_depth': float('inf')}, 'inf'),
        ({'training_fx': -5.0}, r'training_fx -5\.0'),
        ({'batch_size': 0}, 'batch_size 0'),
        ({'output_size': (40, 64)}, r'\(40, 64\)'),
        ({'output_size': (48, 128)}, r'\(48, 128\)'),
        ({'output_size': (0, 0)}, r'\(0, 0\)'),
        ({'output_size': (192, 256)}, r'\(192, 256\)'),
        ({'precision': 'fp64'}, 'fp64'),
    ],
)
def test_impossible_facts_are_refused(
    spec: ModelSpec, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(spec, **change)


def test_enums_may_be_given_as_strings(spec: ModelSpec) -> None:
    changed: dict[str, Any] = {'precision': 'int8', 'target': 'cpu'}
    assert replace(spec, **changed).precision is Precision.INT8
    assert replace(spec, **changed).target is Target.CPU


def test_metadata_behind_a_large_graph_is_found(spec: ModelSpec, tmp_path: Path) -> None:
    weights = np.zeros((1 << 20,), dtype=np.float32)
    graph = onnx.helper.make_graph([], 'g', [], [], [onnx.numpy_helper.from_array(weights, 'w')])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, spec.to_metadata())
    onnx.save(model, str(tmp_path / 'large.onnx'))
    assert read_model_spec(tmp_path / 'large.onnx') == spec


def test_the_probe_image_is_the_same_everywhere() -> None:
    """The digest is a fact of the file format: changing it breaks every exported model."""
    image = probe_image(3, batch_size=2, height=64, width=96)
    assert image.shape == (2, 64, 96, 3)
    assert image.dtype == np.uint8
    digest = hashlib.sha256(image.tobytes()).hexdigest()
    assert digest == '19d063e9e5b6f8ca17e0cedef276ee4661012caf9f7441e5f8cfa211a3bc1135'


def test_probe_images_of_a_batch_differ_and_continue_the_seed() -> None:
    batch = probe_image(5, batch_size=2, height=32, width=64)
    np.testing.assert_array_equal(batch[1:], probe_image(6, batch_size=1, height=32, width=64))
    assert (batch[0] != batch[1]).mean() > 0.5


def test_the_probe_image_has_dark_bright_and_colourful_parts() -> None:
    image = probe_image(PROBE_SEED, batch_size=1, height=96, width=128).astype(int)
    assert np.percentile(image, 5) < 60
    assert np.percentile(image, 95) > 180
    assert np.abs(image[..., 0] - image[..., 2]).max() > 100


def test_the_probe_accepts_the_reference_and_small_rounding(spec: ModelSpec) -> None:
    output = tiny_depth(probe_image(PROBE_SEED, batch_size=1, height=96, width=128))
    error, tolerance = check_probe(output, spec)
    assert error < 1e-6
    assert tolerance == PROBE_TOLERANCE['fp32']
    error, _ = check_probe(output * np.float32(1.01), spec)
    assert error == pytest.approx(1 - 1 / 1.01, rel=1e-3)


@pytest.mark.parametrize('damage', ['nan', 'inf', 'shape', 'swapped', 'zero', 'shifted'])
def test_the_probe_notices_wrong_numbers(spec: ModelSpec, damage: str) -> None:
    output = tiny_depth(probe_image(PROBE_SEED, batch_size=1, height=96, width=128))
    broken = {
        'nan': np.where(output > 5.0, np.float32(np.nan), output),
        'inf': np.where(output > 5.0, np.float32(np.inf), output),
        'shape': output[:, :, :-8],
        'swapped': output[:, ::-1],
        'zero': np.zeros_like(output),
        'shifted': np.roll(output, 1, axis=2),
    }[damage]
    error, tolerance = check_probe(broken, spec)
    assert error > 10 * tolerance


def test_an_infinitely_far_pixel_may_be_invalid_or_beyond_the_range(spec: ModelSpec) -> None:
    """0 (y <= 0) and a huge depth (y just above 0) are neighbours in inverse depth."""
    output = np.full((1, 48, 64), spec.max_depth * 5, dtype=np.float32)
    probe = Probe.from_output(np.zeros_like(output), seed=0, grid_step=8)
    error, _ = check_probe(output, replace(spec, probes={spec.input_size: probe}))
    assert error == 0.0


def test_the_looser_of_two_precisions_holds(spec: ModelSpec) -> None:
    output = tiny_depth(probe_image(PROBE_SEED, batch_size=1, height=96, width=128))
    assert check_probe(output, spec, compute_precision='bf16')[1] == PROBE_TOLERANCE['bf16']
    int8 = replace(spec, precision=Precision.INT8)
    assert check_probe(output, int8, compute_precision='bf16')[1] == PROBE_TOLERANCE['int8']


def test_probes_compare_by_value(spec: ModelSpec) -> None:
    probe = spec.probes[spec.input_size]
    assert Probe.from_fields(json.loads(json.dumps(probe.to_fields()))) == probe
    assert replace(probe, seed=1) != probe
    assert probe != 'a probe'
