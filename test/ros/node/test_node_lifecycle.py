"""The node over DDS: its lifecycle, its pause, its parameters, its exit."""

from __future__ import annotations

import os
from pathlib import Path
import signal
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image, pixels_of
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from std_srvs.srv import SetBool

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.ros

EXIT_SEC = 2.0
CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
CLEANUP = Transition.TRANSITION_CLEANUP


def change_state(session: DepthSession, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return bool(session.call(ChangeState, 'depth_estimation/change_state', request).success)


def state(session: DepthSession) -> str:
    response = session.call(GetState, 'depth_estimation/get_state', GetState.Request())
    return str(response.current_state.label)


@pytest.fixture(scope='module')
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DepthSession]:
    folder = tmp_path_factory.mktemp('node')
    with DepthSession(
        folder, 'depth/image_rect', model_path='nowhere.onnx', autostart=False
    ) as made:
        yield made


def test_without_autostart_the_node_waits_to_be_configured(session: DepthSession) -> None:
    session.wait_status(': model', lambda status: status.message == 'unconfigured')
    assert state(session) == 'unconfigured'
    assert session.images.get_subscription_count() == 0


def test_a_missing_model_is_one_line_and_the_node_stays_up(session: DepthSession) -> None:
    assert not change_state(session, CONFIGURE)
    line = session.wait_logged('cannot configure')
    assert 'nowhere.onnx' in line
    assert len(line.splitlines()) == 1
    assert state(session) == 'unconfigured'
    status = session.wait_status(': model', lambda status: status.level == b'\x02')
    assert 'nowhere.onnx' in status.message


def test_a_foreign_model_is_one_line_and_the_node_stays_up(
    session: DepthSession, tmp_path: Path
) -> None:
    foreign = tmp_path / 'foreign.onnx'
    foreign.write_bytes(b'this is no model')
    assert session.set_parameter('model_path', str(foreign)) == (True, '')
    assert not change_state(session, CONFIGURE)
    assert len(session.wait_logged('foreign.onnx').splitlines()) == 1
    assert state(session) == 'unconfigured'


def test_the_way_up_with_the_path_put_right(session: DepthSession, tiny_model_path: Path) -> None:
    assert session.set_parameter('model_path', str(tiny_model_path)) == (True, '')
    assert change_state(session, CONFIGURE)
    assert state(session) == 'inactive'
    assert session.images.get_subscription_count() == 0
    assert change_state(session, ACTIVATE)
    depth = session.exchange(grey_image(51), camera_info())['depth/image_rect']
    np.testing.assert_allclose(pixels_of(depth), 2.0, rtol=1e-5)


def test_what_cannot_change_now_is_rejected_with_the_reason(session: DepthSession) -> None:
    is_set, reason = session.set_parameter('model_path', 'other.onnx')
    assert not is_set
    assert 'deactivate and clean up first' in reason


def test_a_paused_node_gives_no_depth_until_it_is_resumed(session: DepthSession) -> None:
    response = session.call(SetBool, 'depth_estimation/enable', SetBool.Request(data=False))
    assert (response.success, response.message) == (True, 'paused')
    num_depths = len(session.heard['depth/image_rect'])
    image = grey_image(51)
    received = session.wait_status(': frames', lambda _: True).values[0].value
    while session.wait_status(': frames', lambda _: True).values[0].value == received:
        image.header = session.stamp()
        session.images.publish(image)
        session.executor.spin_once(timeout_sec=0.1)
    assert len(session.heard['depth/image_rect']) == num_depths
    status = session.wait_status(': frames', lambda status: 'paused' in status.message)
    assert status.level == b'\x00'
    session.call(SetBool, 'depth_estimation/enable', SetBool.Request(data=True))
    session.exchange(grey_image(51), camera_info())


def test_the_way_down_and_up_again(session: DepthSession) -> None:
    assert change_state(session, DEACTIVATE)
    session.spin_until(lambda: session.images.get_subscription_count() == 0)
    assert change_state(session, ACTIVATE)
    session.exchange(grey_image(51), camera_info())
    assert change_state(session, DEACTIVATE)
    assert change_state(session, CLEANUP)
    session.spin_until(lambda: session.node.count_publishers('depth/image_rect') == 0)
    assert change_state(session, CONFIGURE)
    assert change_state(session, ACTIVATE)
    session.exchange(grey_image(51), camera_info())


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, 0 if it is gone."""
    try:
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_busy_node_cleanly_and_soon(
    tmp_path: Path, tiny_model_path: Path, number: signal.Signals
) -> None:
    with DepthSession(tmp_path, 'depth/image_rect', model_path=tiny_model_path) as session:
        session.wait_ready()
        session.exchange(grey_image(51), camera_info())
        session.images.publish(grey_image(51))
        cpu_before = cpu_seconds(session.process.pid)
        for _ in range(3):  # Ctrl+C reaches a launched node twice, an impatient user's more often
            session.process.send_signal(number)
            session.images.publish(grey_image(51))
        cpu = cpu_before
        while session.process.poll() is None:
            cpu = cpu_seconds(session.process.pid) or cpu
        output = session.spin_until_ended(session.process)
    assert session.process.returncode == 0, output
    assert 'Traceback' not in output
    assert 'rror' not in output
    assert cpu - cpu_before < EXIT_SEC
