"""What is built and installed: versions, pins, pip, colcon, make."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from depth_estimation_ros.version import VERSION

ROOT = Path(__file__).parents[1]
SCRIPTS = (
    'camera_player',
    'demo',
    'depth-estimation',
    'depth_estimation',
    'live_demo',
    'live_view',
    'snapshot',
)
# Files above this size slow down every clone: pictures and models only, and those within reason.
MAX_FILE_SIZE = 200_000
MAX_MODELS_SIZE = 45_000_000  # of all files in models/ together
MAX_PICTURE_SIZE = 1_500_000


def _committed_files() -> list[Path]:
    if not (ROOT / '.git').exists():
        pytest.skip('not a git checkout')
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split('\0') if (ROOT / name).is_file()]


def _package_xml() -> ElementTree.Element:
    return ElementTree.parse(ROOT / 'package.xml').getroot()  # noqa: S314 - our own file


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder without sources, with nothing of this process' Python path."""
    inherited = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT / 'test',
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_package_xml_and_python_say_the_same_version() -> None:
    assert _package_xml().findtext('version') == VERSION


def test_the_licence_is_apache_2_in_full() -> None:
    licence = (ROOT / 'LICENSE').read_text(encoding='utf-8')
    assert _package_xml().findtext('license') == 'Apache-2.0'
    assert 'Apache License\n                           Version 2.0, January 2004' in licence
    assert 'END OF TERMS AND CONDITIONS' in licence


def test_every_requirement_is_pinned() -> None:
    pinned = re.compile(r'[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9_.]*(; python_version [<>]=? "3\.\d+")?')
    for path in sorted((ROOT / 'requirements').glob('*.txt')):
        for line in path.read_text(encoding='utf-8').splitlines():
            requirement = line.partition(' #')[0].partition('#')[0].strip()
            if requirement and not requirement.startswith('-r '):
                assert pinned.fullmatch(requirement), f'{path.name}: {line}'


def test_torch_is_in_no_requirement_of_the_demo() -> None:
    for name in ('base.txt', 'ros.txt', 'ros-kilted.txt', 'constraints.txt'):
        text = (ROOT / 'requirements' / name).read_text(encoding='utf-8')
        assert not re.search(r'^(torch|torchvision)\b', text, re.MULTILINE), name


def test_no_large_file_is_committed() -> None:
    limits = {'.onnx': MAX_MODELS_SIZE, '.png': MAX_PICTURE_SIZE}
    for path in _committed_files():
        assert path.stat().st_size <= limits.get(path.suffix, MAX_FILE_SIZE), path
    models = (ROOT / 'depth_estimation_ros' / 'models').iterdir()
    assert sum(path.stat().st_size for path in models) <= MAX_MODELS_SIZE


def test_no_committed_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    # /opt/ros is where every ROS install is; /opt/python is where the ROS wheels were built.
    place = re.compile(r'(?<![\w./~}])/(work|home|root|farm|tmp|opt/(?!ros\b|python/))/?[\w-]+')
    for path in _committed_files():
        if path.suffix in {'.onnx', '.png'} or path == Path(__file__):
            continue
        found = place.search(path.read_text(encoding='utf-8', errors='replace'))
        assert found is None, f'{path}: {found.group() if found else ""}'


def test_no_source_folder_takes_the_place_of_the_generated_messages() -> None:
    assert not (ROOT / 'depth_estimation_ros' / 'msg').exists()


@pytest.mark.parametrize('name', SCRIPTS)
def test_an_executable_of_ros2_run_calls_a_main_that_exists(name: str) -> None:
    path = ROOT / 'scripts' / name
    text = path.read_text(encoding='utf-8')
    assert text.startswith('#!/usr/bin/env python3\n')
    assert os.access(path, os.X_OK)
    assert f'scripts/{name}\n' in (ROOT / 'CMakeLists.txt').read_text(encoding='utf-8')
    module = re.search(r'^ *from (\S+) import main\b', text, re.MULTILINE)
    assert module
    if module.group(1).startswith('depth_estimation_ros.ros.'):
        pytest.importorskip('depth_estimation_ros.msg', reason='needs the colcon install')
    assert callable(importlib.import_module(module.group(1)).main)


def test_a_pip_install_brings_the_command_the_model_and_no_ros(tmp_path: Path) -> None:
    pytest.importorskip('setuptools', minversion='77')
    source = tmp_path / 'source'  # pip writes build/ and *.egg-info beside the sources
    source.mkdir()
    for name in ('pyproject.toml', 'setup.py', 'README.md', 'LICENSE'):
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / 'depth_estimation_ros',
        source / 'depth_estimation_ros',
        ignore=shutil.ignore_patterns('__pycache__'),
    )
    target = tmp_path / 'site'
    pip = ('-m', 'pip', '--disable-pip-version-check', 'install', '--no-index')
    options = ('--no-deps', '--no-build-isolation', '--target', target)
    installed = _run(sys.executable, *pip, *options, source)
    assert installed.returncode == 0, installed.stderr

    shown = _run(target / 'bin' / 'depth-estimation', '--help', PYTHONPATH=str(target))
    assert shown.returncode == 0, shown.stderr
    assert 'predict' in shown.stdout

    package = target / 'depth_estimation_ros'
    for path in (ROOT / 'depth_estimation_ros').rglob('*'):
        if path.is_file() and '__pycache__' not in path.parts:
            copy = package / path.relative_to(ROOT / 'depth_estimation_ros')
            assert copy.is_file(), f'{path} was not installed'


def test_the_colcon_install_has_the_message_beside_the_sources() -> None:
    pytest.importorskip('rclpy')
    message = pytest.importorskip('depth_estimation_ros.msg').DepthStats(valid_fraction=0.5)
    assert message.get_fields_and_field_types()['header'] == 'std_msgs/Header'
    assert message.valid_fraction == 0.5

    from ament_index_python.packages import get_package_prefix, get_package_share_directory

    share = Path(get_package_share_directory('depth_estimation_ros'))
    for name in ('launch/depth.launch.py', 'launch/demo.launch.py', 'config/depth.yaml'):
        assert (share / name).is_file(), name
    programs = Path(get_package_prefix('depth_estimation_ros'), 'lib', 'depth_estimation_ros')
    assert {path.name for path in programs.iterdir()} >= set(SCRIPTS)


def test_a_cmake_export_of_the_ros_wheels_is_pointed_at_this_python() -> None:
    sys.path.insert(0, str(ROOT / 'scripts'))
    try:
        repaired = importlib.import_module('repair_ros_wheels').repaired
    finally:
        sys.path.remove(str(ROOT / 'scripts'))
    text = (
        'INTERFACE_INCLUDE_DIRECTORIES "${_IMPORT_PREFIX}/include/std_msgs;'
        '/opt/python/cp312-cp312/include/python3.12;'
        '/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy/_core/include"'
    )
    assert repaired(text, include='/py/include', purelib='/py/lib') == (
        'INTERFACE_INCLUDE_DIRECTORIES "${_IMPORT_PREFIX}/include/std_msgs;'
        '/py/include;/py/lib/numpy/_core/include"'
    )


_PYTHON3 = """#!/bin/sh
[ "$1 $2" = '-m venv' ] && shift 2 && exec {python} -m venv --without-pip "$@"
exec {python} "$@"
"""


@pytest.fixture
def python3_without_pip(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `python3` on PATH whose environments come without pip, which takes most of the time."""
    python = tmp_path_factory.mktemp('bin') / 'python3'
    python.write_text(_PYTHON3.format(python=sys.executable), encoding='utf-8')
    python.chmod(0o755)
    monkeypatch.setenv('PATH', str(python.parent), prepend=os.pathsep)


def _make_venv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / 'scripts' / 'make_venv.sh'
    return subprocess.run(
        [str(script), '.venv/stamps/venv', *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.usefixtures('python3_without_pip')
def test_an_environment_is_kept_until_another_interpreter_is_asked_for(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, '-m', 'venv', '--without-pip', '.venv'], cwd=tmp_path, check=True
    )
    mark = tmp_path / '.venv' / 'mark'
    mark.touch()
    for arguments in ([], [sys.executable], []):
        kept = _make_venv(tmp_path, *arguments)
        assert (kept.returncode, kept.stdout, kept.stderr) == (0, '', '')
        assert mark.exists()

    stamp = tmp_path / '.venv' / 'stamps' / 'venv'
    stamp.write_text('3.9.0 somewhere in another-folder\n', encoding='utf-8')
    (tmp_path / 'build').mkdir()
    remade = _make_venv(tmp_path)
    assert remade.returncode == 0, remade.stderr
    assert 'remaking .venv' in remade.stdout
    assert not mark.exists()
    assert not (tmp_path / 'build').exists()
    assert stamp.read_text(encoding='utf-8').endswith(f' in {tmp_path}\n')


def test_an_interpreter_that_is_not_there_is_refused_before_anything_is_removed(
    tmp_path: Path,
) -> None:
    (tmp_path / 'build').mkdir()
    refused = _make_venv(tmp_path, 'python-of-nowhere')
    assert refused.returncode == 1
    assert "'python-of-nowhere' does not run" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ['build']


@pytest.mark.usefixtures('python3_without_pip')
def test_another_ros_has_the_environment_remade(tmp_path: Path) -> None:
    (tmp_path / 'requirements').mkdir()
    (tmp_path / 'requirements' / 'constraints-kilted.txt').touch()
    stamp = tmp_path / '.venv' / 'stamps' / 'venv'
    assert _make_venv(tmp_path, 'python3').returncode == 0
    assert stamp.read_text(encoding='utf-8').endswith(f' in {tmp_path}\n')
    remade = _make_venv(tmp_path, 'python3', 'kilted')
    assert remade.returncode == 0, remade.stderr
    assert 'remaking .venv' in remade.stdout
    assert stamp.read_text(encoding='utf-8').endswith(f' in {tmp_path} with kilted\n')
    unknown = _make_venv(tmp_path, sys.executable, 'humble')
    assert 'no wheels are known for ROS_DISTRO=humble' in unknown.stderr
