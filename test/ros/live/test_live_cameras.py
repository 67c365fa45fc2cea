"""Two cameras with compressed images: one page shows the one that is chosen."""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')
pytest.importorskip('onnx')
if os.environ.get('DEPTH_TEST_REQUIRES_BROWSER') != '1':
    pytest.importorskip('viser')
    pytest.importorskip('selenium')

from live_session import (
    LEFT,
    REAR,
    REAR_M,
    RIGHT,
    WALL_M,
    CamerasSession,
    button_of,
    near,
    need_browser,
    open_browser,
    pixel_of_picture,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope='module')
def live(
    tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path
) -> Iterator[CamerasSession]:
    need_browser()
    with CamerasSession(tmp_path_factory.mktemp('live'), tiny_model_path) as session:
        session.start_live_view()
        yield session


@pytest.fixture(scope='module')
def browser(live: CamerasSession) -> Iterator[Chrome]:
    browser = open_browser()
    try:
        browser.get(live.address)
        yield browser
    finally:
        browser.quit()


def is_away(browser: Chrome, distance: float) -> bool:
    """Compare the median of the metres of the page; a JPEG's greys are off by one at most."""
    metres = [float(cell) for cell in text_of(browser, 'live-cells').split(' m') if cell]
    return bool(metres) and abs(median(metres) - distance) <= 10.0 / 255.0


def test_the_first_camera_is_shown_from_its_compressed_images(
    live: CamerasSession, browser: Chrome
) -> None:
    live.until(lambda: is_away(browser, WALL_M))
    assert near(pixel_of_picture(browser, 'live-camera', 0.25, 0.5), LEFT)
    assert near(pixel_of_picture(browser, 'live-camera', 0.75, 0.5), RIGHT)
    assert text_of(browser, 'live-title') == 'camera front'
    live.until(lambda: live.viewers_of('front/image/compressed') == 1)
    assert live.viewers_of('front/image') == 0


def test_a_button_shows_another_camera_and_the_first_is_not_listened_to_any_more(
    live: CamerasSession, browser: Chrome
) -> None:
    live.until(lambda: button_of(browser, 'rear')).click()
    live.until(lambda: text_of(browser, 'live-title') == 'camera rear')
    live.until(lambda: is_away(browser, REAR_M))
    assert near(pixel_of_picture(browser, 'live-camera', 0.25, 0.5), REAR)
    live.until(lambda: not live.viewers_of('front/depth/image_rect'))
    assert live.viewers_of('rear/depth/image_rect') == 1
    live.until(lambda: text_of(browser, 'live-rate').endswith(' Hz'))
    live.until(lambda: not text_of(browser, 'live-why'))


def test_the_first_camera_can_be_chosen_again(live: CamerasSession, browser: Chrome) -> None:
    live.until(lambda: button_of(browser, 'front')).click()
    live.until(lambda: is_away(browser, WALL_M))
    assert text_of(browser, 'live-title') == 'camera front'
