"""The machine in words, by what the system and NVIDIA's tools say."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from depth_estimation_ros.benchmark import hardware
from depth_estimation_ros.benchmark.hardware import describe_hardware, gpu_memory_used_mb

if TYPE_CHECKING:
    from pathlib import Path


def test_the_machine_is_described_by_what_the_system_says() -> None:
    found = describe_hardware()
    assert found.machine == os.uname().machine
    assert 1 <= found.num_usable_cores <= found.num_cores
    assert found.memory_mb is not None
    assert found.memory_mb > 100.0
    assert found.python.startswith(f'{sys.version_info[0]}.{sys.version_info[1]}.')
    assert found.cpu in found.lines()[0]


@pytest.fixture
def _tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for NVIDIA's tools, as the real ones answer."""
    answers = {
        'nvidia-smi': 'case "$*" in\n'
        '  *memory.used*) echo 1000 ;;\n'
        '  *) echo "NVIDIA RTX A2000, 580.65.06, 12282" ;;\n'
        'esac',
        'nvpmodel': 'echo "NV Power Mode: MAXN_SUPER"; echo 2',
    }
    for name, body in answers.items():
        (tmp_path / name).write_text(f'#!/bin/sh\n{body}\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path}:{os.environ["PATH"]}')


@pytest.mark.usefixtures('_tools')
def test_a_gpu_and_a_power_mode_are_named() -> None:
    found = describe_hardware()
    assert found.gpu is not None
    assert (found.gpu.name, found.gpu.driver) == ('NVIDIA RTX A2000', '580.65.06')
    assert found.gpu.memory_mb == pytest.approx(12282 * 1.048576)
    assert found.power_mode == 'NV Power Mode: MAXN_SUPER'
    assert 'NVIDIA RTX A2000, driver 580.65.06' in found.lines()
    assert gpu_memory_used_mb() == pytest.approx(1048.576)


def test_without_a_gpu_there_is_none() -> None:
    if (
        subprocess.run(['sh', '-c', 'nvidia-smi'], capture_output=True, check=False).returncode
        == 0
    ):
        pytest.skip('this machine has one')
    assert gpu_memory_used_mb() is None
    assert describe_hardware().gpu is None
    assert 'no NVIDIA GPU' in describe_hardware().lines()


@pytest.mark.parametrize(('load', 'is_busy'), [(0.9, False), (1.1, True)])
def test_a_busy_machine_is_noticed(
    monkeypatch: pytest.MonkeyPatch, load: float, is_busy: bool
) -> None:
    monkeypatch.setattr(os, 'getloadavg', lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(hardware, '_num_usable_cores', lambda: 2)
    assert describe_hardware().is_busy is is_busy
