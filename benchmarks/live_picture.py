"""Make docs/images/live.png: the page before a synthetic room, as a browser of 1400x800 shows it.

Run after `make`, with Debian's chromium and chromium-driver: `. install/local_setup.bash` and then
`python benchmarks/live_picture.py`. The model is the one shipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import shutil
import subprocess
import sys
from tempfile import TemporaryDirectory
import time
from typing import TYPE_CHECKING

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from depth_estimation_ros.ros.demo.demo import absolute_source

if TYPE_CHECKING:
    from collections.abc import Sequence

PORT = 8094
TIMEOUT_SEC = 300.0
LOOK_SEC = 1.0
NUM_LOOKS = 8  # that find depth and figures, so that the cloud is drawn as well
OPTIONS = (
    '--headless=new',
    '--no-sandbox',
    '--no-first-run',
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--window-size=1400,800',
)
SCRIPT = """
const rate = document.getElementById('live-rate');
return Boolean(document.getElementById('live-depth') && rate && rate.textContent !== '-');
"""
# viser tells of WebGL without a GPU.
CLOSE_NOTICES = """
document.querySelectorAll('.mantine-Notification-closeButton').forEach(button => button.click());
"""


def take_picture(path: Path) -> None:
    """Open the page and write what the browser shows.

    Raises:
        TimeoutError: No depth came.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which('chromium') or ''
    options.page_load_strategy = 'none'
    for option in OPTIONS:
        options.add_argument(option)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which('chromedriver')))
    try:
        browser.get(f'http://127.0.0.1:{PORT}')
        deadline = time.monotonic() + TIMEOUT_SEC
        num_looks = 0
        while num_looks < NUM_LOOKS:
            num_looks += bool(browser.execute_script(SCRIPT))
            if time.monotonic() > deadline:
                raise TimeoutError(f'no depth on the page within {TIMEOUT_SEC:g} s')
            time.sleep(LOOK_SEC)
        browser.execute_script(CLOSE_NOTICES)
        time.sleep(LOOK_SEC)
        browser.save_screenshot(str(path))
    finally:
        browser.quit()


def main(argv: Sequence[str] | None = None) -> int:
    """Start what `make live` starts, take the picture, end it."""
    parser = argparse.ArgumentParser(prog='live_picture', description=__doc__)
    parser.add_argument('--output', type=Path, default=Path('docs/images/live.png'))
    parser.add_argument('--input', default='rooms', help='as of make live')
    arguments = parser.parse_args(argv)
    command = [sys.executable, '-m', 'depth_estimation_ros.ros.live.live_demo']
    command += ['--input', absolute_source(arguments.input)]
    command += ['--port', str(PORT), '--num-frames-ahead', '1']
    # Elsewhere, so that the source checkout does not hide the installed package.
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE) as process,
    ):
        try:
            if not any(b'the page is at' in line for line in process.stderr or ()):
                sys.stderr.write('error: live_demo ended early; run it to see why\n')
                return 1
            take_picture(arguments.output)
        finally:
            process.terminate()
    return 0


if __name__ == '__main__':
    sys.exit(main())
