"""A real node, a real live_view and a real browser, and a camera that never stops."""

from __future__ import annotations

import array
import base64
from contextlib import contextmanager
import os
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import cv2
from depth_session import DepthSession, camera_info, image_of
import numpy as np
import pytest
from ros_session import TIMEOUT_SEC
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sensor_msgs.msg import CameraInfo, CompressedImage

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    import subprocess

    from numpy.typing import NDArray
    from rclpy.publisher import Publisher
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

CHROMIUM, DRIVER = shutil.which('chromium'), shutil.which('chromedriver')
REQUIRED_BY = 'DEPTH_TEST_REQUIRES_BROWSER'  # set to 1 where a missing browser is a failure
HEIGHT, WIDTH = 96, 128
# Their means are equal: to the tiny model both halves are 10 m * 73 / 255 away.
LEFT, RIGHT, WALL_M = (185, 17, 17), (17, 17, 185), 10.0 * 73.0 / 255.0
FRAME_SEC = 0.1
# A grey of 51 is 2 m to the tiny model.
REAR, REAR_M = (21, 111, 21), 2.0
CAMERAS = {'front': (LEFT, RIGHT), 'rear': (REAR, REAR)}
_OPTIONS = (
    '--headless=new',
    '--no-sandbox',  # in a container one is root
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--no-proxy-server',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--window-size=1200,800',
)


def need_browser() -> None:
    """Skip without Chromium and its driver, or fail where they are required."""
    if CHROMIUM and DRIVER:
        return
    why = 'needs chromium and chromedriver (Debian: apt install chromium chromium-driver)'
    if os.environ.get(REQUIRED_BY) == '1':
        pytest.fail(f'{REQUIRED_BY} is 1, but the test {why}')
    pytest.skip(why)


class LiveSession(DepthSession):
    """The tiny model's node before a wall that is red on the left and blue on the right.

    Attributes:
        view: the process of live_view.
        address: of its page.
    """

    view: subprocess.Popen[str]
    address: str

    def __init__(self, folder: Path, model: Path, **parameters: object) -> None:
        super().__init__(folder, model_path=model, **parameters)
        self._image = image_of(two_halves(LEFT, RIGHT), 'rgb8')
        self._info = camera_info(height=HEIGHT, width=WIDTH)
        self._info.k[2], self._info.k[5] = WIDTH / 2.0, HEIGHT / 2.0
        self._info.p[2], self._info.p[6] = WIDTH / 2.0, HEIGHT / 2.0
        self._sent_at = 0.0

    def __enter__(self) -> LiveSession:
        super().__enter__()
        return self

    def start_live_view(self, **parameters: object) -> None:
        """Start live_view on a free port and wait until it listens."""
        self.view = self.start_node('live.live_view', **{'port': 0, **parameters})
        self.address = self.wait_logged('the page is at ').rpartition(' ')[2]

    @contextmanager
    def second_view(self, **parameters: object) -> Iterator[str]:
        """Run another live_view; yields its address."""
        self.log.clear()
        process = self.start_node('live.live_view', **{'port': 0, **parameters})
        try:
            yield self.wait_logged('the page is at ').rpartition(' ')[2]
        finally:
            process.send_signal(signal.SIGINT)
            self.spin_until_ended(process)

    def feed(self) -> None:
        """Send an image if it is time for one, and handle what comes."""
        if time.monotonic() - self._sent_at > FRAME_SEC:
            self._sent_at = time.monotonic()
            self._info.header = self.stamp()
            self._send(self._info)
        self.executor.spin_once(timeout_sec=FRAME_SEC / 2.0)

    def _send(self, info: CameraInfo) -> None:
        self._image.header = info.header
        self.infos.publish(info)
        self.images.publish(self._image)

    def until(self, find: Callable[[], Any], timeout_sec: float = TIMEOUT_SEC) -> Any:
        """Feed the node until something is found; returns it."""
        deadline = time.monotonic() + timeout_sec
        while time.monotonic() < deadline:
            try:
                if found := find():
                    return found
            except StaleElementReferenceException:  # the page drew it anew meanwhile
                pass
            self.feed()
        raise TimeoutError(f'not found within {timeout_sec} s: {find}')

    def viewers_of(self, topic: str) -> int:
        """Count live_view's subscriptions to a topic."""
        infos = self.node.get_subscriptions_info_by_topic(self.node.resolve_topic_name(topic))
        return sum(info.node_name == 'live_view' for info in infos)

    def value_of(self, name: str) -> Any:
        """Ask the node for a parameter."""
        from rcl_interfaces.srv import GetParameters
        from rclpy.parameter import parameter_value_to_python

        request = GetParameters.Request(names=[name])
        response = self.call(GetParameters, 'depth_estimation/get_parameters', request)
        return parameter_value_to_python(response.values[0])


class CamerasSession(LiveSession):
    """Two cameras with compressed images only: front sees the wall, rear one of another colour."""

    def __init__(self, folder: Path, model: Path) -> None:
        super().__init__(folder, model, cameras=list(CAMERAS), image_transport='compressed')
        self._jpegs = {name: _jpeg(two_halves(*colors)) for name, colors in CAMERAS.items()}
        self._publishers: dict[str, tuple[Publisher, Publisher]] = {}

    def __enter__(self) -> CamerasSession:
        super().__enter__()
        qos = newest_only(Reliability.RELIABLE, depth=5)
        for name in CAMERAS:
            self._publishers[name] = (
                self.node.create_publisher(CompressedImage, f'{name}/image/compressed', qos),
                self.node.create_publisher(CameraInfo, f'{name}/camera_info', qos),
            )
        return self

    def _send(self, info: CameraInfo) -> None:
        for name, (images, infos) in self._publishers.items():
            infos.publish(info)
            images.publish(
                CompressedImage(header=info.header, format='jpeg', data=self._jpegs[name])
            )


def two_halves(left: tuple[int, ...], right: tuple[int, ...]) -> NDArray[np.uint8]:
    """Paint the camera's image, (HEIGHT, WIDTH, 3) uint8 RGB."""
    pixels: NDArray[np.uint8] = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, : WIDTH // 2], pixels[:, WIDTH // 2 :] = left, right
    return pixels


def _jpeg(rgb: NDArray[np.uint8]) -> array.array[int]:
    return array.array('B', cv2.imencode('.jpg', rgb[..., ::-1])[1].tobytes())


def open_browser() -> Chrome:
    """Start a Chromium without a screen, WebGL by software."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ''
    options.page_load_strategy = 'none'
    for option in _OPTIONS:
        options.add_argument(option)
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_script_timeout(TIMEOUT_SEC)
    return browser


def text_of(browser: Chrome, name: str) -> str:
    """Return the text of an element by its id, empty if it is not there."""
    return str(
        browser.execute_script(
            "return (document.getElementById(arguments[0]) || {textContent: ''}).textContent", name
        )
    )


def pixel_of_picture(browser: Chrome, name: str, x: float, y: float) -> list[int]:
    """Return the RGB that a picture shows at a place given in shares, empty before it is drawn."""
    script = """
    const image = document.getElementById(arguments[0]);
    if (!image || !image.naturalWidth) return [];
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const place = [arguments[1] * canvas.width, arguments[2] * canvas.height].map(Math.floor);
    return [...context.getImageData(place[0], place[1], 1, 1).data].slice(0, 3);
    """
    return list(browser.execute_script(script, name, x, y))


def screenshot(browser: Chrome) -> NDArray[np.uint8]:
    """Return what the browser shows, (H, W, 3) uint8 RGB."""
    data = browser.execute_cdp_cmd('Page.captureScreenshot', {})['data']
    bgr = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)


def scene(browser: Chrome) -> NDArray[np.uint8]:
    """Return what the browser shows of the 3D scene, (H, W, 3) uint8 RGB."""
    box = browser.execute_script(
        "const b = document.querySelector('canvas').getBoundingClientRect();"
        'return [b.left, b.top, b.right, b.bottom].map(Math.round)'
    )
    left, top, right, bottom = box
    return screenshot(browser)[top:bottom, left:right]


def number_of(browser: Chrome, label: str) -> WebElement:
    """Find the number beside the slider of a parameter."""
    return browser.find_element(By.XPATH, f'{_row(label)}//input[@inputmode]')


def slider_of(browser: Chrome, label: str) -> WebElement:
    """Find the handle of the slider of a parameter."""
    return browser.find_element(By.XPATH, f"{_row(label)}//div[@role='slider']")


def type_number(browser: Chrome, label: str, value: str) -> None:
    """Type a number in the place of another."""
    field = number_of(browser, label)
    field.send_keys(Keys.CONTROL, 'a')
    field.send_keys(value, Keys.ENTER)


def click(browser: Chrome, x: int, y: int) -> None:
    """Click at a place of the 3D scene, in its pixels."""
    canvas = browser.find_element(By.TAG_NAME, 'canvas')
    size = canvas.size
    offsets = (x - size['width'] // 2, y - size['height'] // 2)
    ActionChains(browser).move_to_element_with_offset(canvas, *offsets).click().perform()


def near(pixel: list[int], color: tuple[int, ...] | NDArray[np.uint8]) -> bool:
    """Compare a pixel that may not be there yet with a colour; JPEG changes colours a little."""
    return bool(pixel) and bool(np.abs(np.array(pixel) - np.asarray(color, int)).max() <= 12)


def point_at(browser: Chrome, name: str, x: float, y: float) -> None:
    """Move the mouse over an element, to a place given in shares of it."""
    element = browser.find_element(By.ID, name)
    size = element.size
    offsets = (round((x - 0.5) * size['width']), round((y - 0.5) * size['height']))
    ActionChains(browser, duration=0).move_to_element_with_offset(element, *offsets).perform()


def shown_metres(browser: Chrome) -> str:
    """Return the metres that the page shows for the place under the mouse."""
    script = """
    const shown = [...document.querySelectorAll('#live-cells b')].filter(b => b.offsetParent);
    return shown.map(b => b.textContent).join(' and ');
    """
    return str(browser.execute_script(script))


def switch_of(browser: Chrome, label: str) -> WebElement:
    """Find a checkbox."""
    return browser.find_element(By.XPATH, f"{_row(label)}//input[@type='checkbox']")


def button_of(browser: Chrome, label: str) -> WebElement | None:
    """Find a button that can be pressed."""
    found = browser.find_elements(By.XPATH, f"//button[.='{label}']")
    return found[0] if found and found[0].is_displayed() else None


def open_folder(browser: Chrome, label: str) -> None:
    """Open a folder of the panel."""
    browser.find_element(By.XPATH, f"//*[text()='{label}']").click()


def _row(label: str) -> str:
    return f"//label[.='{label}']/ancestor::div[contains(@class, 'mantine-Flex-root')][1]"
