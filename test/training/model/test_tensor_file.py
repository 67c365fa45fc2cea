from __future__ import annotations

import os
from typing import TYPE_CHECKING
import zipfile

import pytest
import torch

from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.training.model.tensor_file import read_tensors, seal

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = 'file of tensors'


def sealed(path: Path) -> bytes:
    with path.open('x+b') as file:
        torch.save({'a': torch.arange(6.0), 'b': [1, 'two']}, file)
        seal(file)
    return path.read_bytes()


def test_a_sealed_file_is_read_by_us_by_pytorch_and_by_any_unzip(tmp_path: Path) -> None:
    sealed(tmp_path / 'a.pt')
    for contents in (
        read_tensors(tmp_path / 'a.pt', EXPECTED),
        torch.load(tmp_path / 'a.pt', weights_only=True),
    ):
        assert contents['a'].tolist() == [0, 1, 2, 3, 4, 5]
        assert contents['b'] == [1, 'two']
    with zipfile.ZipFile(tmp_path / 'a.pt') as archive:
        assert archive.testzip() is None
        assert archive.comment.startswith(b'depth_estimation_ros sha256 ')


def test_a_flipped_bit_is_refused_wherever_it_is(tmp_path: Path) -> None:
    whole = sealed(tmp_path / 'a.pt')
    path = tmp_path / 'b.pt'
    for place in range(0, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=r'b\.pt.*damaged'):
            read_tensors(path, EXPECTED)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    whole = sealed(tmp_path / 'a.pt')
    path = tmp_path / 'b.pt'
    for length in range(0, len(whole), 50):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r'b\.pt.*damaged'):
            read_tensors(path, EXPECTED)


def test_an_older_file_without_a_seal_is_checked_by_the_checksums_of_its_parts(
    tmp_path: Path,
) -> None:
    path = tmp_path / 'old.pt'
    torch.save({'a': torch.full((64,), 0.5)}, path)
    assert read_tensors(path, EXPECTED)['a'].sum() == 32
    data = bytearray(path.read_bytes())
    place = data.index(torch.full((64,), 0.5).numpy().tobytes())
    data[place + 100] ^= 4
    path.write_bytes(data)
    with pytest.raises(
        CheckpointError, match=r'old\.pt: damaged: the checksum of old/data/0 in it is wrong'
    ):
        read_tensors(path, EXPECTED)


def test_a_file_with_its_digest_in_its_name_is_held_to_it(tmp_path: Path) -> None:
    path = tmp_path / 'w.pth'
    torch.save({'a': torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    (tmp_path / 'w-0123abcd.pth').write_bytes(data)
    with pytest.raises(
        CheckpointError, match=r'w-0123abcd\.pth: damaged: .*, its name says 0123abcd'
    ):
        read_tensors(tmp_path / 'w-0123abcd.pth', EXPECTED)


def test_a_compressed_part_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    torch.save({'a': torch.zeros(4)}, tmp_path / 'a.pt')
    with (
        zipfile.ZipFile(tmp_path / 'a.pt') as source,
        zipfile.ZipFile(tmp_path / 'bomb.pt', 'w', zipfile.ZIP_DEFLATED) as bomb,
    ):
        for part in source.infolist():
            bomb.writestr(part.filename, source.read(part))
    with pytest.raises(
        CheckpointError, match=r'bomb\.pt: refused, a/data.pkl in it is compressed'
    ):
        read_tensors(tmp_path / 'bomb.pt', EXPECTED)


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ('executed',)


def test_a_hostile_file_is_refused_without_advice_to_trust_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(Malicious(), tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match=r'it asks for posix\.mkdir, which is no') as caught:
        read_tensors(tmp_path / 'a.pt', EXPECTED)
    assert 'weights_only' not in str(caught.value)
    assert not (tmp_path / 'executed').exists()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'a.pt')
    with pytest.raises(CheckpointError, match=r'a\.pt: cannot be read: it is a pipe'):
        read_tensors(tmp_path / 'a.pt', EXPECTED)
