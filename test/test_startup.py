"""A signal in the first second, while a program still imports, ends it without a word."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

SCRIPTS = Path(__file__).parents[1] / 'scripts'
# Stands for a module whose import takes long.
ENDLESS = "print('importing', flush=True)\nwhile True:\n    pass\n"


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ('script', 'module', 'status'),
    [
        ('depth_estimation', 'rclpy', 0),
        ('camera_player', 'rclpy', 0),
        ('demo', 'numpy', 130),
        ('snapshot', 'numpy', 130),
        ('live_view', 'numpy', 130),
        ('live_demo', 'numpy', 130),
        ('depth-estimation', 'argparse', 130),
    ],
)
def test_a_signal_during_the_imports_ends_a_program_cleanly(
    tmp_path: Path, script: str, module: str, status: int, number: signal.Signals
) -> None:
    (tmp_path / f'{module}.py').write_text(ENDLESS)
    paths = [str(tmp_path), os.environ.get('PYTHONPATH', '')]
    with subprocess.Popen(
        [sys.executable, str(SCRIPTS / script)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'importing\n'
        process.send_signal(number)
        _, complaint = process.communicate(timeout=120)
    assert (process.returncode, complaint) == (status, '')
