"""A node whose log, caches and working folder are on a read-only disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image, pixels_of
from read_only import on_read_only_disk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros


def test_a_node_on_a_read_only_disk_gives_depth_and_says_it_has_no_log_file(
    tmp_path: Path, tiny_model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('ROS_LOG_DIR', 'XDG_CACHE_HOME', 'TMPDIR'):
        monkeypatch.setenv(name, str(tmp_path / 'log'))
    (tmp_path / 'log').mkdir()
    session = DepthSession(tmp_path, 'depth/image_rect', model_path=tiny_model_path)
    session.before = on_read_only_disk(tmp_path)
    with session:
        session.wait_ready()
        depth = session.exchange(grey_image(51), camera_info())['depth/image_rect']
        np.testing.assert_allclose(pixels_of(depth), 2.0, rtol=1e-5)
        session.process.terminate()
        said = session.spin_until_ended(session.process)
    assert session.process.returncode == 0
    assert f'no log file: {tmp_path}/log: Read-only file system: set ROS_LOG_DIR' in said
