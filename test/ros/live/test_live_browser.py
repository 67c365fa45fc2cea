"""The page in a real browser, of a real node: pictures, sliders, cloud, and its end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')
pytest.importorskip('onnx')
if os.environ.get('DEPTH_TEST_REQUIRES_BROWSER') != '1':
    pytest.importorskip('viser')
    pytest.importorskip('selenium')

from live_session import (
    LEFT,
    RIGHT,
    WALL_M,
    LiveSession,
    button_of,
    click,
    near,
    need_browser,
    number_of,
    open_browser,
    open_folder,
    pixel_of_picture,
    point_at,
    scene,
    shown_metres,
    slider_of,
    switch_of,
    text_of,
    type_number,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from depth_estimation_ros.ros.live.pictures import depth_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.ros, pytest.mark.slow]

TOPICS = ('image', 'depth/image_rect', 'depth/camera_info', 'depth/points', 'depth/stats')


@pytest.fixture(scope='module')
def live(tmp_path_factory: pytest.TempPathFactory, tiny_model_path: Path) -> Iterator[LiveSession]:
    need_browser()
    with LiveSession(tmp_path_factory.mktemp('live'), tiny_model_path) as session:
        session.wait_ready()
        session.start_live_view()
        yield session


@pytest.fixture(scope='module')
def browser(live: LiveSession) -> Iterator[Chrome]:
    assert [live.viewers_of(topic) for topic in TOPICS] == [0, 0, 0, 0, 0]
    browser = open_browser()
    try:
        browser.get(live.address)
        live.until(lambda: text_of(browser, 'live-model'))
        yield browser
    finally:
        browser.quit()


def test_the_camera_image_and_the_depth_in_its_colours_arrive(
    live: LiveSession, browser: Chrome
) -> None:
    live.until(lambda: near(pixel_of_picture(browser, 'live-camera', 0.25, 0.5), LEFT))
    live.until(lambda: near(pixel_of_picture(browser, 'live-camera', 0.75, 0.5), RIGHT))
    expected = depth_picture(np.array([[WALL_M]], np.float32), 3.0)[0, 0]  # the scale ends at 3 m
    live.until(lambda: near(pixel_of_picture(browser, 'live-depth', 0.5, 0.5), expected))
    # 2.86 of 3 m along the scale has the same colour.
    live.until(lambda: near(pixel_of_picture(browser, 'live-scale', WALL_M / 3.0, 0.1), expected))


def test_the_metres_of_each_place_are_there_for_the_mouse(
    live: LiveSession, browser: Chrome
) -> None:
    cells = live.until(lambda: text_of(browser, 'live-cells'))
    assert cells.count('2.86 m') == 24 * 32


def test_the_metres_under_the_mouse_are_shown_and_no_others(
    live: LiveSession, browser: Chrome
) -> None:
    assert shown_metres(browser) == ''
    point_at(browser, 'live-depth', 0.3, 0.6)
    live.until(lambda: shown_metres(browser))
    assert shown_metres(browser) == '2.86 m'
    point_at(browser, 'live-camera', 0.3, 0.6)
    live.until(lambda: not shown_metres(browser))


def test_the_figures_of_the_node_are_shown(live: LiveSession, browser: Chrome) -> None:
    live.until(lambda: text_of(browser, 'live-rate').endswith(' Hz'))
    assert text_of(browser, 'live-model') == 'tiny.onnx'
    assert text_of(browser, 'live-depth-in') == '100 % of the pixels'
    live.until(lambda: not text_of(browser, 'live-why'))  # it told of no image at first


def test_the_cloud_is_drawn_in_its_colours(live: LiveSession, browser: Chrome) -> None:
    def columns_of(channel: int) -> NDArray[np.intp]:
        pixels = scene(browser).astype(int)
        others = np.delete(pixels, channel, axis=2).max(axis=2)
        return np.nonzero(pixels[..., channel] > 60 + 2 * others)[1]

    live.until(lambda: columns_of(0).size > 300 and columns_of(2).size > 300)
    assert columns_of(0).mean() < columns_of(2).mean()


def test_a_slider_changes_the_parameter_of_the_node(live: LiveSession, browser: Chrome) -> None:
    before = live.value_of('temporal_filter')
    live.until(lambda: slider_of(browser, 'temporal_filter'))
    slider_of(browser, 'temporal_filter').send_keys(Keys.ARROW_RIGHT)
    live.until(lambda: live.value_of('temporal_filter') == pytest.approx(before + 0.01))
    live.until(lambda: text_of(browser, 'live-said') == 'temporal_filter is 0.01')


def test_a_slider_has_the_range_of_the_node(live: LiveSession, browser: Chrome) -> None:
    slider = live.until(lambda: slider_of(browser, 'temporal_filter'))
    limits = [slider.get_attribute(f'aria-value{end}') for end in ('min', 'max')]
    assert limits == ['0', '0.95']


def test_what_somebody_else_sets_is_shown(live: LiveSession, browser: Chrome) -> None:
    assert live.set_parameter('depth_offset', 0.5) == (True, '')
    live.until(lambda: number_of(browser, 'depth_offset').get_attribute('value') == '0.5')
    live.until(lambda: '3.36 m' in text_of(browser, 'live-cells'))
    assert live.set_parameter('depth_offset', 0.0) == (True, '')


def test_a_refused_value_is_shown_with_the_nodes_reason_and_taken_back(
    live: LiveSession, browser: Chrome
) -> None:
    type_number(browser, 'max_depth', '5')
    live.until(lambda: live.value_of('max_depth') == 5.0)
    type_number(browser, 'min_depth', '7')
    reason = 'min_depth refused: min_depth is 7 m, but it must be below max_depth, which is 5 m'
    live.until(lambda: text_of(browser, 'live-said') == reason)
    live.until(lambda: number_of(browser, 'min_depth').get_attribute('value') == '0')
    assert live.value_of('min_depth') == 0.0
    assert live.set_parameter('max_depth', 0.0) == (True, '')


def test_the_page_asks_nobody_but_its_own_server(live: LiveSession, browser: Chrome) -> None:
    script = "return performance.getEntriesByType('resource').map(entry => entry.name)"
    foreign = [
        name
        for name in browser.execute_script(script)
        if not name.startswith((live.address, 'data:', 'blob:'))
    ]
    assert foreign == []


def test_a_click_on_the_cloud_chooses_a_pixel_that_calibrates_the_scale(
    live: LiveSession, browser: Chrome
) -> None:
    def is_chosen() -> bool:
        if browser.find_elements(By.CSS_SELECTOR, '.pick'):
            return True
        pixels = scene(browser).astype(int)
        rows, columns = np.nonzero(pixels[..., 0] > 60 + 2 * pixels[..., 1:].max(axis=2))
        if rows.size:
            click(browser, int(np.median(columns)), int(np.median(rows)))
        return False

    live.until(is_chosen)  # again and again: a busy browser may take a click for a drag
    open_folder(browser, 'calibrate')
    live.until(lambda: button_of(browser, 'set depth_scale')).click()
    # The page proposes 2 m; the wall is 2.86 m away to the node.
    live.until(lambda: live.value_of('depth_scale') == pytest.approx(2.0 / WALL_M, abs=1e-3))
    live.until(lambda: '2.00 m' in text_of(browser, 'live-cells'))
    assert live.set_parameter('depth_scale', 1.0) == (True, '')


def test_the_switch_pauses_the_node_and_lets_it_go_on(live: LiveSession, browser: Chrome) -> None:
    switch_of(browser, 'enable').click()
    live.until(lambda: text_of(browser, 'live-why').startswith('paused by'))
    assert text_of(browser, 'live-said') == '/depth_estimation is paused'
    live.wait_status('frames', lambda status: status.message.startswith('paused by'))
    live.until(lambda: not switch_of(browser, 'enable').is_selected())
    switch_of(browser, 'enable').click()
    live.until(lambda: not text_of(browser, 'live-why'))
    assert switch_of(browser, 'enable').is_selected()


def test_save_writes_picture_cloud_and_parameters_where_live_view_was_started(
    live: LiveSession, browser: Chrome
) -> None:
    live.until(lambda: button_of(browser, 'save')).click()
    live.until(lambda: text_of(browser, 'live-said').startswith('wrote live_'))
    files = {path.suffix: path for path in live.folder.glob('live_*')}
    assert sorted(files) == ['.ply', '.png', '.yaml']
    picture = cv2.imread(str(files['.png']))
    assert picture is not None
    assert picture.std() > 1.0
    # Every second row and column of 96 x 128 pixels is a point.
    assert b'element vertex 3072\n' in files['.ply'].read_bytes()
    values = yaml.safe_load(files['.yaml'].read_text())['/**']['ros__parameters']
    assert values['model_path'].endswith('tiny.onnx')
    assert values['depth_scale'] == 1.0


def test_a_camera_that_the_node_does_not_have_is_named(live: LiveSession, browser: Chrome) -> None:
    with live.second_view(camera='rear', read_only=True) as address:
        browser.get(address)
        why = "camera 'rear' is none of those of /depth_estimation: (one without a name)"
        live.until(lambda: text_of(browser, 'live-why') == why)
        assert browser.find_elements(By.XPATH, "//label[.='max_depth']") == []  # read only
    browser.get(live.address)
    live.until(lambda: text_of(browser, 'live-rate').endswith(' Hz'))


def test_subscriptions_end_with_the_last_of_two_tabs(live: LiveSession, browser: Chrome) -> None:
    live.until(lambda: all(live.viewers_of(topic) == 1 for topic in TOPICS))
    first = browser.current_window_handle
    browser.switch_to.new_window('tab')
    browser.get(live.address)
    live.until(lambda: near(pixel_of_picture(browser, 'live-camera', 0.25, 0.5), LEFT))
    assert [live.viewers_of(topic) for topic in TOPICS] == [1, 1, 1, 1, 1]
    browser.get('about:blank')
    blank = browser.current_window_handle
    browser.switch_to.window(first)
    live.until(lambda: text_of(browser, 'live-rate').endswith(' Hz'))
    assert live.viewers_of('depth/image_rect') == 1
    browser.close()
    live.until(lambda: not any(live.viewers_of(topic) for topic in (*TOPICS, '/diagnostics')))
    browser.switch_to.window(blank)


def test_the_back_button_brings_a_living_page(live: LiveSession, browser: Chrome) -> None:
    browser.back()
    live.until(lambda: live.viewers_of('depth/image_rect'))
    live.until(lambda: near(pixel_of_picture(browser, 'live-camera', 0.25, 0.5), LEFT))


def test_a_browser_that_is_killed_ends_the_subscriptions_and_nothing_else(
    live: LiveSession, browser: Chrome
) -> None:
    live.until(lambda: live.viewers_of('depth/image_rect'))
    os.kill(browser.service.process.pid, signal.SIGSTOP)  # so that it does not say goodbye
    os.kill(int(browser.capabilities['goog:processID']), signal.SIGKILL)
    live.until(lambda: not live.viewers_of('depth/image_rect'))
    os.kill(browser.service.process.pid, signal.SIGCONT)
    assert live.process.poll() is None
    assert live.view.poll() is None
