"""The node over DDS when a part of it fails: it says what failed, tries again and goes on."""

from __future__ import annotations

from functools import partial
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image, pixels_of
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters, SetParametersAtomically

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.ros

WARN, ERROR = b'\x01', b'\x02'
WRONG_TYPE = Parameter(name='max_depth', value=ParameterValue(type=99))
SUPPORT = Path(__file__).parents[2] / 'support' / 'nodes'


@pytest.fixture
def faulty(
    tmp_path: Path, tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., DepthSession]:
    """Make a session whose node has a fault put in, see faulty_node."""

    def make(fault: str, *outputs: str, **parameters: object) -> DepthSession:
        monkeypatch.setenv('FAULT', fault)
        monkeypatch.setenv('PYTHONPATH', str(SUPPORT), prepend=os.pathsep)
        given = {'model_path': tiny_model_path, 'backend': 'onnxruntime', 'self_check': False}
        session = DepthSession(tmp_path, *outputs, **(given | parameters))
        session.module = 'faulty_node'
        return session

    return make


def values_of(status: object) -> dict[str, str]:
    return {item.key: item.value for item in status.values}  # type: ignore[attr-defined]


def _says_any_of(session: DepthSession, words: tuple[str, ...]) -> bool:
    return any(map(session.logged, words))


def send_until(session: DepthSession, is_true: Callable[[], object]) -> None:
    def sent() -> object:
        image, info = grey_image(51), camera_info()
        image.header = info.header = session.stamp()
        session.infos.publish(info)
        session.images.publish(image)
        return is_true()

    session.spin_until(sent)


def test_a_network_that_fails_is_named_counted_and_tried_again_until_it_works(
    faulty: Callable[..., DepthSession],
) -> None:
    # The 8th try comes 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 5 = 11.3 s after the first.
    with faulty('infer:MemoryError:7', 'depth/image_rect') as session:
        session.wait_ready()
        send_until(session, lambda: session.logged('MemoryError: fault 1 made on purpose'))

        def is_error(status: object) -> bool:
            image = grey_image(51)
            image.header = session.stamp()
            session.images.publish(image)
            return bool(status.level == ERROR)  # type: ignore[attr-defined]

        status = session.wait_status(': frames', is_error)
        assert 'frames in a row failed: MemoryError: fault' in status.message
        assert int(values_of(status)['failures in a row']) >= 5
        assert values_of(status)['images failed'] == values_of(status)['failures in a row']
        depth = session.exchange(grey_image(51), camera_info())['depth/image_rect']
        np.testing.assert_allclose(pixels_of(depth), 2.0, rtol=1e-5)
        session.diagnostics.clear()
        # The frames that were lost are told of for as long as they are in the window.
        cleared = session.wait_status(
            ': frames', lambda status: 'MemoryError' not in status.message
        )
    assert values_of(cleared)['failures in a row'] == '0'
    assert values_of(cleared)['images failed'] == '7'
    assert not session.logged('still busy')


def test_an_output_that_fails_leaves_the_others(faulty: Callable[..., DepthSession]) -> None:
    topics = ('depth/points', 'depth/scan', 'depth/stats')
    with faulty('POINTS_NAV:TypeError', 'depth/points_nav', *topics) as session:
        session.wait_ready()
        for _ in range(5):
            session.exchange(grey_image(51), camera_info(), topics=topics)
        words = 'depth/points_nav failed: TypeError: fault'

        def is_error(status: object) -> bool:
            return words in status.message and status.level == ERROR  # type: ignore[attr-defined]

        session.wait_status(': frames', is_error)
    assert session.heard['depth/points_nav'] == []


def test_a_far_wall_gives_an_empty_cloud_and_a_scan_of_inf(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    topics = ('depth/points_nav', 'depth/scan', 'depth/points', 'depth/stats')
    parameters = {'nav_max_range': 1.0, 'point_cloud_organized': False}
    with DepthSession(tmp_path, *topics, model_path=tiny_model_path, **parameters) as session:
        session.wait_ready()
        far = session.exchange(grey_image(51), camera_info())  # 2 m
        assert (far['depth/points_nav'].width, far['depth/points_nav'].row_step) == (0, 0)
        assert len(far['depth/points_nav'].data) == 0
        assert set(far['depth/scan'].ranges) == {float('inf')}
        nothing = session.exchange(grey_image(0), camera_info())  # no depth anywhere
        assert (nothing['depth/points'].height, nothing['depth/points'].width) == (1, 0)
        assert np.isnan(nothing['depth/scan'].ranges).all()
        near = session.exchange(grey_image(20), camera_info())  # 10 x 20 / 255 = 0.78 m
        assert near['depth/points_nav'].width > 0


@pytest.mark.parametrize('error', ['OverflowError', 'ImportError', 'MemoryError'])
def test_a_model_that_fails_to_load_is_an_error_with_its_type(
    faulty: Callable[..., DepthSession], error: str
) -> None:
    with faulty(f'load:{error}:1', autostart=False) as session:
        configure = ChangeState.Request(transition=Transition(id=1))
        service = 'depth_estimation/change_state'
        assert not session.call(ChangeState, service, configure).success
        status = session.wait_status(': model', lambda status: status.level == ERROR)
        assert status.message == f'{error}: fault 1 made on purpose'
        session.wait_logged(f'cannot configure: {error}: fault 1')
        assert session.call(ChangeState, service, configure).success
        session.diagnostics.clear()
        assert session.wait_status(': model', lambda _: True).level == b'\x00'


def test_an_activation_that_fails_answers_no_and_names_why(
    faulty: Callable[..., DepthSession],
) -> None:
    with faulty('activate:ValueError:1', autostart=False) as session:
        service = 'depth_estimation/change_state'
        answers = [
            session.call(ChangeState, service, ChangeState.Request(transition=Transition(id=id_)))
            for id_ in (1, 3)
        ]
        assert [answer.success for answer in answers] == [True, False]
        status = session.wait_status(': model', lambda status: status.level == ERROR)
        assert status.message == 'on_activate failed: ValueError: fault 1 made on purpose'
        state = session.call(GetState, 'depth_estimation/get_state', GetState.Request())
        assert state.current_state.label == 'unconfigured'


def test_requests_that_make_no_sense_are_answered_and_survived(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with DepthSession(tmp_path, 'depth/image_rect', model_path=tiny_model_path) as session:
        session.wait_ready()
        session.exchange(grey_image(51), camera_info())
        for transition in (1, 3, 99):  # configure and activate again; no such transition
            request = ChangeState.Request(transition=Transition(id=transition))
            answer = session.call(ChangeState, 'depth_estimation/change_state', request)
            assert not answer.success
            # Kilted's rclpy answers by itself and says it in its own words.
            words = (
                f'transition {transition} does not fit',
                f'start transition {transition} from',
            )
            session.spin_until(partial(_says_any_of, session, words))
        good = Parameter(name='max_depth', value=ParameterValue(type=3, double_value=9.0))
        many = SetParameters.Request(parameters=[WRONG_TYPE, good])
        results = session.call(SetParameters, 'depth_estimation/set_parameters', many).results
        assert [result.successful for result in results] == [False, True]
        assert '99' in results[0].reason
        one = SetParametersAtomically.Request(parameters=[WRONG_TYPE])
        service = 'depth_estimation/set_parameters_atomically'
        assert not session.call(SetParametersAtomically, service, one).result.successful
        session.exchange(grey_image(51), camera_info())
