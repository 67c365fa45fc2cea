"""The level and the message of a status: what is worst and newest comes first."""

from __future__ import annotations

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus

from depth_estimation_ros.ros.node.health.diagnostics import model_status, stream_status
from depth_estimation_ros.ros.node.health.doctor import Diagnosis
from depth_estimation_ros.ros.node.health.stream_state import StreamState

WARN, ERROR, OK = DiagnosticStatus.WARN, DiagnosticStatus.ERROR, DiagnosticStatus.OK


def verdict(
    state: StreamState, diagnosis: Diagnosis | None = None, degraded: tuple[str, ...] = ()
) -> tuple[bytes, str]:
    status = stream_status(
        'node',
        camera='',
        state=state,
        rates_hz=(30.0, 29.5),
        diagnosis=diagnosis,
        degraded=degraded,
    )
    return status.level, status.message


def failing() -> StreamState:
    state = StreamState()
    for _ in range(5):
        state.fail('MemoryError: no memory')
    return state


def test_depth_that_comes_as_it_should_is_ok() -> None:
    assert verdict(StreamState()) == (OK, '29.5 depth images a second')


def test_degraded_depth_is_a_warning_after_what_it_lacks() -> None:
    assert verdict(StreamState(), None, ('stale: 2 s', 'dropping: 3')) == (
        WARN,
        'stale: 2 s; dropping: 3',
    )
    partial = Diagnosis(reason='no camera_info on /camera_info', is_partial=True)
    assert verdict(StreamState(), partial, ('stale: 2 s',)) == (
        WARN,
        'no camera_info on /camera_info; stale: 2 s',
    )


def test_a_pause_is_no_degradation() -> None:
    paused = Diagnosis(reason='paused by ~/enable', is_idle=True)
    assert verdict(StreamState(), paused, ('stale: 2 s',)) == (OK, 'paused by ~/enable')


def test_five_faults_in_a_row_are_an_error() -> None:
    assert verdict(failing()) == (ERROR, '5 frames in a row failed: MemoryError: no memory')


def test_an_unusable_image_after_faults_is_the_newest_reason_and_is_not_counted_as_one() -> None:
    state = failing()
    state.reject("compressed image of format 'png' (20 bytes) cannot be decoded")
    assert verdict(state) == (
        ERROR,
        "compressed image of format 'png' (20 bytes) cannot be decoded; before that, 5 frames in "
        'a row failed: MemoryError: no memory',
    )


def test_images_that_stop_after_faults_are_the_newest_reason() -> None:
    silent = Diagnosis(reason='nobody publishes /image', no_images=True)
    assert verdict(failing(), silent) == (
        ERROR,
        'nobody publishes /image; before that, 5 frames in a row failed: MemoryError: no memory',
    )


def test_a_model_on_the_cpu_is_a_warning_until_it_fails() -> None:
    def level_and_message(trouble: str, shortcoming: str) -> tuple[bytes, str]:
        status = model_status(
            'node', state_label='active', trouble=trouble, values={}, shortcoming=shortcoming
        )
        return status.level, status.message

    assert level_and_message('', '') == (OK, 'active')
    assert level_and_message('', 'on the CPU: x') == (WARN, 'on the CPU: x')
    assert level_and_message('damaged', 'on the CPU: x') == (ERROR, 'damaged')
