"""The node while it builds a TensorRT engine: it answers, tells, and can be stopped."""

from __future__ import annotations

import importlib.util
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image, pixels_of
from fake_gpu import bindings_folder, environment, listed_versions
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from std_srvs.srv import SetBool, Trigger
from tiny_model import make_tiny_model

if TYPE_CHECKING:
    from pathlib import Path

    from sensor_msgs.msg import Image

VERSION = listed_versions()[1]
HAS_FAKE_GPU = bindings_folder(VERSION) is not None and importlib.util.find_spec('cuda')
LONG_STEP_SEC = 20.0  # nobody waits for the end of it

pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(not HAS_FAKE_GPU, reason='make test brings the bindings'),
]


class GpuSession(DepthSession):
    """The node finds a fake GPU, whose engine takes twelve steps to build."""

    def __init__(
        self, folder: Path, model: Path, *outputs: str, step_sec: float = LONG_STEP_SEC
    ) -> None:
        super().__init__(folder, *outputs, model_path=model)
        self._hurry = folder / 'hurry'
        faults = {'step_sec': step_sec, 'hurry': str(self._hurry)}
        self._gpu = environment(folder / 'gpu', VERSION, **faults)

    def __enter__(self) -> GpuSession:
        super().__enter__()
        return self

    @property
    def environment(self) -> dict[str, str]:
        return {**self._gpu, 'ROS_DOMAIN_ID': str(self.domain_id)}

    def state(self) -> str:
        response = self.call(GetState, 'depth_estimation/get_state', GetState.Request())
        return str(response.current_state.label)

    def end_building(self) -> None:
        """Let the build that goes on be over at once."""
        self._hurry.touch()

    def wait_building(self, image: Image | None = None) -> str:
        """Wait for the build of an engine; meanwhile the camera sends an image, if any."""

        def is_building(status: Any) -> bool:
            if image is not None:
                self.images.publish(image)
            return 'building the' in status.message

        return str(self.wait_status(': model', is_building).message)


def engines(folder: Path) -> list[Path]:
    return list((folder / 'gpu').rglob('*.engine'))


def test_the_node_answers_and_tells_while_it_builds_and_works_afterwards(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with GpuSession(tmp_path, tiny_model_path, 'depth/image_rect') as session:
        message = session.wait_building()
        assert message.startswith('building the TensorRT engine of tiny.onnx: ')
        assert message.endswith(' s so far')
        assert session.state() == 'configuring'
        assert session.images.get_subscription_count() == 1  # the newest image waits
        assert session.set_parameter('max_depth', 5.0) == (True, '')
        assert not session.set_parameter('backend', 'onnxruntime')[0]
        response = session.call(SetBool, 'depth_estimation/enable', SetBool.Request(data=True))
        assert response.message == 'resumed'
        line = session.wait_logged('no depth yet: building')
        assert 'Tactics, ' in line
        session.end_building()
        session.wait_ready()
        assert f'on tensorrt {VERSION} on Orin' in session.wait_logged('tiny.onnx (small')
        depth = session.exchange(grey_image(51), camera_info())['depth/image_rect']
        np.testing.assert_allclose(pixels_of(depth), 2.0, rtol=1e-5)
        response = session.call(Trigger, 'depth_estimation/cancel_loading', Trigger.Request())
        assert (response.success, response.message) == (False, 'no model is being loaded')
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
        assert session.call(ChangeState, 'depth_estimation/change_state', request).success
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_ACTIVATE))
        assert session.call(ChangeState, 'depth_estimation/change_state', request).success
        session.exchange(grey_image(51), camera_info())
    assert len(engines(tmp_path)) == 1


def test_building_can_be_cancelled_and_the_node_stays_up(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with GpuSession(tmp_path, tiny_model_path, step_sec=1.0) as session:
        session.wait_building()
        response = session.call(Trigger, 'depth_estimation/cancel_loading', Trigger.Request())
        assert (response.success, response.message) == (True, 'stopping')
        line = session.wait_logged('cannot configure: ')
        assert line.endswith('building the TensorRT engine of tiny.onnx: cancelled')
        session.spin_until(lambda: session.state() == 'unconfigured')
        assert engines(tmp_path) == []
        assert session.set_parameter('backend', 'onnxruntime') == (True, '')
        request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
        assert session.call(ChangeState, 'depth_estimation/change_state', request).success


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_building_node_cleanly(
    tmp_path: Path, tiny_model_path: Path, number: signal.Signals
) -> None:
    with GpuSession(tmp_path, tiny_model_path) as session:
        session.wait_building()
        session.process.send_signal(number)
        output = session.spin_until_ended(session.process)
    assert session.process.returncode == 0, output
    assert 'Traceback' not in output
    assert engines(tmp_path) == []


def test_the_first_image_tells_the_size_of_an_engine_which_the_node_builds_meanwhile(
    tmp_path: Path,
) -> None:
    model = tmp_path / 'free.onnx'
    make_tiny_model(model, input_size=(192, 256), output_size=(96, 128), free_size=True)
    with GpuSession(tmp_path, model) as session:
        session.wait_ready()
        session.wait_logged('free.onnx: the engine waits for the size of the first image')
        assert engines(tmp_path) == []
        wide = grey_image(51, height=72, width=128)  # nobody listens to depth
        message = session.wait_building(wide)
        assert message.startswith('building the TensorRT engine of free.onnx: ')
        assert session.state() == 'active'
        assert 'Tactics, ' in session.wait_logged('no depth yet: building')
        session.end_building()
        session.hear('depth/image_rect')
        depth = session.exchange(wide, camera_info(height=72, width=128))['depth/image_rect']
        np.testing.assert_allclose(pixels_of(depth), 2.0, rtol=1e-5)
        assert len(engines(tmp_path)) == 1


def test_a_signal_ends_a_node_that_builds_for_the_first_image(tmp_path: Path) -> None:
    model = tmp_path / 'free.onnx'
    make_tiny_model(model, input_size=(192, 256), output_size=(96, 128), free_size=True)
    with GpuSession(tmp_path, model, 'depth/image_rect') as session:
        session.wait_ready()
        session.wait_building(grey_image(51, height=72, width=128))
        session.process.send_signal(signal.SIGINT)
        output = session.spin_until_ended(session.process)
    assert session.process.returncode == 0, output
    assert 'Traceback' not in output
    assert engines(tmp_path) == []
