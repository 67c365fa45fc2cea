"""The node over DDS when depth comes, but not as it should: a warning with the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros


def test_black_images_are_named_until_the_camera_sees_again(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    with DepthSession(tmp_path, 'depth/image_rect', model_path=tiny_model_path) as session:
        session.wait_ready()

        def status_with(grey: int, words: str) -> Any:
            session.diagnostics.clear()

            def says(status: Any) -> bool:
                session.exchange(grey_image(grey), camera_info())
                return words in status.message

            session.exchange(grey_image(grey), camera_info())
            return session.wait_status(': frames', says)

        status = status_with(0, 'saturated: ')
        assert status.level == b'\x01'
        assert 'saturated: 100 % of the image is black; lengthen the exposure' in status.message
        assert "out of the model's range: " in status.message
        assert 'for 100 % of the pixels' in status.message
        assert 'mostly invalid' not in status.message
        values = {item.key: item.value for item in status.values}
        assert values['black fraction'] == '1.000'
        assert values["fraction within the model's range"] == '0.000'
        assert len(session.logged('/image: saturated: ')) == 1
        status = status_with(51, 'depth images a second')
    assert 'saturated' not in status.message
