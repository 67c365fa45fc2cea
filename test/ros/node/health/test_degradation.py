"""Depth that comes, but worse than it could be: of what kind, from which numbers, and the cure."""

from __future__ import annotations

from dataclasses import replace
import math

import pytest

pytest.importorskip('rclpy')

from depth_estimation_ros.backends.base import BackendName
from depth_estimation_ros.ros.node.health.degradation import (
    StreamWindow,
    degradations,
    kind_of,
    on_cpu_trouble,
)
from depth_estimation_ros.ros.node.health.stream_history import StreamHistory
from depth_estimation_ros.ros.node.health.stream_state import FrameCost, StreamState

# Ten seconds of a camera of 30 Hz whose every image becomes depth, as in the demo.
WELL = StreamWindow(
    seconds=10.0,
    received=300,
    processed=300,
    rejected=0,
    skipped=0,
    rejection='',
    inference_sec=0.010,
    best_inference_sec=0.008,
    total_sec=0.020,
    age_sec=0.030,
    valid_fraction=0.95,
    measured_fraction=0.99,
    white_fraction=0.02,
    black_fraction=0.05,
)
COST = FrameCost(
    decode=0.001,
    preprocess=0.001,
    inference=0.010,
    postprocess=0.001,
    publish=0.001,
    total=0.020,
    age=0.030,
    valid_fraction=0.9,
    measured_fraction=0.95,
    white_fraction=0.02,
    black_fraction=0.05,
)


def test_depth_at_the_rate_of_the_camera_is_not_degraded() -> None:
    assert degradations(WELL) == ()


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        (
            {'processed': 239},  # 0.8 x 300 = 240
            'slower than the camera: 23.9 depth images a second of 30.0 that are wanted, each '
            'takes 20 ms; take a faster backend',
        ),
        (
            {'processed': 280, 'rejected': 15, 'rejection': 'cut'},  # 0.05 x 300 = 15
            'dropping: 15 of 300 images in 10 s could not be used, the last one since: cut',
        ),
        (
            {'age_sec': 1.24, 'total_sec': 0.9},
            'stale: depth is 1.2 s old when it is published, 0.9 s of it from the node; take',
        ),
        ({'white_fraction': 0.73}, 'saturated: 73 % of the image is white; shorten the exposure'),
        ({'black_fraction': 0.51}, 'saturated: 51 % of the image is black; lengthen'),
        ({'valid_fraction': 0.38}, 'mostly invalid: 38 % of the pixels have a depth; widen'),
        (
            {'valid_fraction': 0.38, 'measured_fraction': 0.4},
            "out of the model's range: the network finds no depth within it for 60 % of",
        ),
        (
            {'inference_sec': 0.020},  # 2.5 x 8 ms
            'throttled: the network takes 20 ms, 2.5 times as long as at its best (8 ms); cool',
        ),
    ],
)
def test_each_kind_is_named_with_its_value_and_its_cure(
    changes: dict[str, object], words: str
) -> None:
    (text,) = degradations(replace(WELL, **changes))  # type: ignore[arg-type]
    assert text.startswith(words)
    assert kind_of(text) == words.partition(':')[0]


@pytest.mark.parametrize(
    'changes',
    [
        {'processed': 240},
        {'received': 10, 'processed': 8},  # of 1 Hz: 2 missing are a matter of when one looks
        {'processed': 100, 'skipped': 200},  # nobody wanted them
        {'rejected': 14, 'processed': 286},
        {'received': 10, 'rejected': 1, 'processed': 9},
        {'age_sec': 1.0},
        {'age_sec': math.nan},
        {'white_fraction': 0.5, 'black_fraction': 0.5},
        {'valid_fraction': 0.5, 'measured_fraction': 0.5},
        {'inference_sec': 0.0199},
        {'inference_sec': 0.0062, 'best_inference_sec': 0.0013},  # 4.9 ms more
    ],
)
def test_what_is_just_good_enough_is_not_named(changes: dict[str, object]) -> None:
    assert degradations(replace(WELL, **changes)) == ()  # type: ignore[arg-type]


def test_a_node_that_is_told_to_be_slow_is_not_too_slow() -> None:
    slow = replace(WELL, processed=50)
    assert degradations(slow, max_rate_hz=5.0) == ()  # 5 Hz x 10 s = 50
    (text,) = degradations(replace(slow, processed=39), max_rate_hz=5.0)  # below 0.8 x 50
    assert text.startswith('slower than the camera: 3.9 depth images a second of 5.0')


def test_a_window_without_depth_has_no_figures_and_names_none() -> None:
    nothing = replace(
        WELL,
        received=0,
        processed=0,
        inference_sec=math.nan,
        best_inference_sec=math.inf,
        total_sec=math.nan,
        age_sec=math.nan,
        valid_fraction=math.nan,
        measured_fraction=math.nan,
        white_fraction=math.nan,
        black_fraction=math.nan,
    )
    assert degradations(nothing) == ()


def test_the_cpu_is_named_where_a_gpu_was_asked_for() -> None:
    openvino = {'used': BackendName.OPENVINO, 'description': 'openvino 2026.4 on CPU, f32'}
    text = on_cpu_trouble(dla_core=-1, passed_over=[BackendName.TENSORRT], **openvino)  # type: ignore[arg-type]
    assert text.startswith(
        'on the CPU: openvino 2026.4 on CPU, f32 runs, though backend is auto and tensorrt is '
        'installed; the log says why'
    )
    assert 'set backend to openvino' in text
    text = on_cpu_trouble(dla_core=1, passed_over=[], **openvino)  # type: ignore[arg-type]
    assert 'though dla_core is 1;' in text
    assert on_cpu_trouble(dla_core=-1, passed_over=[], **openvino) == ''  # type: ignore[arg-type]
    gpu = {'used': BackendName.TENSORRT, 'description': 'tensorrt 10.3'}
    assert on_cpu_trouble(dla_core=1, passed_over=[BackendName.TENSORRT], **gpu) == ''  # type: ignore[arg-type]


def test_a_window_is_the_difference_of_the_counters_over_the_last_ten_seconds() -> None:
    state, history = StreamState(), StreamHistory()
    windows = []
    for second in range(13):
        state.received, state.processed = 30 * second, 20 * second
        state.rejected, state.skipped = 2 * second, 3 * second
        state.rejection = f'reason {second}'
        inference = 0.050 if second > 9 else 0.010 + 0.001 * second
        state.cost = replace(COST, inference=inference)
        windows.append(history.look(100.0 + second, state))
    assert windows[:5] == [None] * 5
    fifth, last = windows[5], windows[12]
    assert fifth is not None
    assert last is not None
    assert (fifth.seconds, fifth.received, fifth.processed) == (5.0, 150, 100)
    assert (last.seconds, last.received, last.processed) == (10.0, 300, 200)
    assert (last.rejected, last.skipped, last.rejection) == (20, 30, 'reason 12')
    # Seconds 1 to 5 at the fifth: 11 to 15 ms. Seconds 2 to 12 at the last: 12 to 19, 3 x 50.
    assert fifth.inference_sec == pytest.approx(0.013)
    assert last.inference_sec == pytest.approx(0.017)
    assert last.best_inference_sec == pytest.approx(0.013)


def test_frames_without_an_age_are_left_out_of_its_median() -> None:
    state, history = StreamState(), StreamHistory()
    window = None
    for second, age in enumerate([0.0, 0.2, math.nan, 0.4, math.nan, 0.3]):
        state.processed, state.cost = second, replace(COST, age=age)
        window = history.look(float(second), state)
    assert window is not None
    assert window.age_sec == pytest.approx(0.3)


def test_a_new_activation_begins_a_new_window() -> None:
    history = StreamHistory()
    for second in range(6):
        window = history.look(float(second), StreamState(received=second, cost=COST))
        assert window is None
