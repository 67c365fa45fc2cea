"""Files appear complete or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from depth_estimation_ros.files.atomic import (
    atomic_path,
    atomic_write,
    atomic_write_bytes,
    atomic_write_text,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_content_appears_under_the_name_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'data.bin'
    with atomic_write(path) as file:
        file.write(b'abc')
        assert not path.exists()
    assert path.read_bytes() == b'abc'
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / 'data.txt'
    atomic_write_text(path, 'old ü')

    def write_half() -> None:
        with atomic_write(path) as file:
            file.write(b'new')
            raise ValueError('half way')

    with pytest.raises(ValueError, match='half way'):
        write_half()
    assert path.read_text(encoding='utf-8') == 'old ü'
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_path_keeps_the_suffix_that_libraries_look_at(tmp_path: Path) -> None:
    with atomic_path(tmp_path / 'picture.png') as temporary:
        assert temporary.suffix == '.png'
        assert temporary.parent == tmp_path
        temporary.write_bytes(b'x')
    assert (tmp_path / 'picture.png').read_bytes() == b'x'


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / 'picture.png'):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    ordinary = tmp_path / 'ordinary'
    ordinary.write_bytes(b'')
    atomic_write_bytes(tmp_path / 'atomic', b'')
    assert (tmp_path / 'atomic').stat().st_mode == ordinary.stat().st_mode


def test_a_full_disk_is_an_os_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / 'data.bin'
    path.write_bytes(b'old')

    def write_to_full_disk() -> None:
        with atomic_path(path) as temporary:
            temporary.symlink_to('/dev/full')
            temporary.write_bytes(b'new')

    with pytest.raises(OSError, match='No space left'):
        write_to_full_disk()
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]
