"""The node over DDS takes the size of its network from the camera's images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')
pytest.importorskip('onnx')

from depth_session import DepthSession, grey_image, pixels_of
from tiny_model import make_tiny_model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.ros


def sizes_loaded(session: DepthSession, wanted: str) -> str:
    """Wait until the diagnostics name a size."""

    def values(status: Any) -> dict[str, str]:
        return {item.key: item.value for item in status.values}

    status = session.wait_status(
        ': model', lambda status: wanted in values(status).get('network sizes loaded', '')
    )
    return values(status)['network sizes loaded']


def test_cameras_of_any_shape_are_seen_whole_and_the_sizes_are_told(tmp_path: Path) -> None:
    path = tmp_path / 'free.onnx'
    make_tiny_model(path, input_size=(192, 256), output_size=(96, 128), free_size=True)
    with DepthSession(tmp_path, 'depth/image_rect', model_path=path) as session:
        session.wait_ready()
        assert sizes_loaded(session, '192x256') == '192x256'
        wide = session.exchange(grey_image(51, height=72, width=128))['depth/image_rect']
        np.testing.assert_allclose(pixels_of(wide), 2.0, rtol=1e-5)
        assert sizes_loaded(session, '160x288') == '160x288'
        upright = session.exchange(grey_image(102, height=128, width=72))['depth/image_rect']
        np.testing.assert_allclose(pixels_of(upright), 4.0, rtol=1e-5)
        assert sizes_loaded(session, '288x160') == '160x288, 288x160'


def test_a_size_that_the_model_cannot_have_is_named_in_the_diagnostics(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    parameters = {'model_path': tiny_model_path, 'network_size': '160x288'}
    with DepthSession(tmp_path, **parameters) as session:
        status = session.wait_status(': model', lambda status: 'takes 96x128' in status.message)
        assert 'network_size 160x288' in status.message
        assert session.set_parameter('network_size', 'big') == (
            False,
            "network_size 'big': must be auto or HEIGHTxWIDTH, such as 192x256",
        )
