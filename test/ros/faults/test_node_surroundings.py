"""A node among others of its name, without descriptors or memory, whose model file changes."""

from __future__ import annotations

from pathlib import Path
import resource
import shutil
from typing import TYPE_CHECKING

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import NODE, DepthSession, camera_info, grey_image, pixels_of

if TYPE_CHECKING:
    from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros

DOWN = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE


def change_state(session: DepthSession, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return bool(session.call(ChangeState, 'depth_estimation/change_state', request).success)


def wall(*, height: int, width: int) -> Image:
    return grey_image(51, height=height, width=width)


def address_space(pid: int) -> int:
    pages = Path(f'/proc/{pid}/statm').read_text().split()[0]
    return int(pages) * resource.getpagesize()


def sees_two_metres(session: DepthSession, *, height: int = 48, width: int = 64) -> bool:
    image, info = (make(height=height, width=width) for make in (wall, camera_info))
    depth = session.exchange(image, info)['depth/image_rect']
    return bool(np.allclose(pixels_of(depth), 2.0, rtol=1e-5))


def test_a_model_replaced_under_the_node_counts_from_the_next_configure(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    path = tmp_path / 'mine.onnx'
    shutil.copyfile(tiny_model_path, path)
    with DepthSession(tmp_path, 'depth/image_rect', model_path=path) as session:
        session.wait_ready()
        assert sees_two_metres(session)
        path.write_bytes(path.read_bytes()[:1000])  # in place, as an upload that broke off
        assert sees_two_metres(session)
        assert [change_state(session, step) for step in (*DOWN, CONFIGURE)] == [True, True, False]
        assert 'mine.onnx' in session.wait_logged('cannot configure')
        shutil.copyfile(tiny_model_path, path)
        assert [change_state(session, step) for step in (CONFIGURE, ACTIVATE)] == [True, True]
        assert sees_two_metres(session)


def test_two_nodes_of_one_name_both_work_and_each_says_so(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with DepthSession(tmp_path, 'depth/image_rect', model_path=tiny_model_path) as session:
        session.wait_ready()
        other = session.start_node(NODE, model_path=tiny_model_path)
        session.spin_until(lambda: session.images.get_subscription_count() == 2)
        status = session.wait_status(': model', lambda status: 'of the name' in status.message)
        assert status.level == b'\x01'
        assert '2 nodes of the name /depth_estimation' in status.message

        def is_double(session: DepthSession = session) -> bool:
            session.exchange(grey_image(51), camera_info())
            stamps = [message.header.stamp for message in session.heard['depth/image_rect']]
            return any(stamps.count(stamp) == 2 for stamp in stamps)

        session.spin_until(is_double)
        other.terminate()
        other.wait()
        session.diagnostics.clear()
        session.wait_status(': model', lambda status: status.level == b'\x00')
        assert sees_two_metres(session)


def test_without_a_descriptor_left_depth_goes_on_and_a_configure_says_so(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with DepthSession(tmp_path, 'depth/image_rect', model_path=tiny_model_path) as session:
        session.wait_ready()
        assert sees_two_metres(session)
        usual = resource.prlimit(session.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(session.process.pid, resource.RLIMIT_NOFILE, (1, usual[1]))
        assert sees_two_metres(session)
        assert [change_state(session, step) for step in (*DOWN, CONFIGURE)] == [True, True, False]
        assert 'Too many open files' in session.wait_logged('cannot configure')
        resource.prlimit(session.process.pid, resource.RLIMIT_NOFILE, usual)
        assert [change_state(session, step) for step in (CONFIGURE, ACTIVATE)] == [True, True]
        assert sees_two_metres(session)


def test_without_memory_for_an_image_smaller_ones_go_on_and_then_it_too(
    tmp_path: Path, tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each block of a large image is asked of the system anew, none is left from the one before.
    monkeypatch.setenv('MALLOC_MMAP_THRESHOLD_', '1000000')
    large = {'height': 768, 'width': 1024}  # 2.4 MB, and 3.1 MB of depth
    parameters = {
        'model_path': tiny_model_path,
        'backend': 'onnxruntime',
        'image_reliability': 'reliable',
    }
    with DepthSession(tmp_path, 'depth/image_rect', **parameters) as session:
        session.wait_ready()
        assert sees_two_metres(session, **large)  # every thread there is to start has started
        assert sees_two_metres(session)
        pid = session.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (address_space(pid) + 1_000_000, usual[1]))

        def is_named() -> object:
            image, info = (make(**large) for make in (wall, camera_info))
            image.header = info.header = session.stamp()
            session.infos.publish(info)
            session.images.publish(image)
            return session.logged('failed')

        session.spin_until(is_named)
        assert sees_two_metres(session)
        resource.prlimit(pid, resource.RLIMIT_AS, usual)
        assert sees_two_metres(session, **large)
