"""What can be wrong with nyu_data.zip is an error that names the file."""

from __future__ import annotations

from typing import TYPE_CHECKING
import zipfile

import numpy as np
import pytest
from rgbd_files import HEIGHT, WIDTH, encode, flat_image, write_nyu_zip
from torch.utils.data import DataLoader

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.data.nyu.nyu_depth import NyuDenseDepth

if TYPE_CHECKING:
    from pathlib import Path

STEM = 'data/nyu2_train/basement_0001a_out/1'


@pytest.fixture
def nyu_zip(tmp_path: Path) -> Path:
    write_nyu_zip(tmp_path / 'nyu_data.zip')
    return tmp_path / 'nyu_data.zip'


def test_many_rows_without_files_are_a_damaged_data_set(tmp_path: Path) -> None:
    rows = f'{STEM}.jpg,{STEM}.png\ndata/lost.jpg,{STEM}.png\n'.encode()
    write_nyu_zip(tmp_path / 'lost.zip', extra={'data/nyu2_train.csv': rows})
    with pytest.raises(DataError, match=r'1 of 2 rows lack a file, first data/lost\.jpg'):
        NyuDenseDepth(tmp_path / 'lost.zip')


@pytest.mark.parametrize(
    ('extra', 'message'),
    [
        ({f'{STEM}.png': encode(np.full((HEIGHT, WIDTH), 51, np.uint16), '.png')},
         r'1\.png: 16-bit with 1 channel\(s\), expected 8-bit'),
        ({f'{STEM}.png': encode(flat_image(3), '.png')}, r'1\.png: 8-bit with 3 channel'),
        ({f'{STEM}.png': encode(np.full((HEIGHT, WIDTH), 9, np.uint8), '.png')[:-30]},
         r'1\.png: damaged'),
        ({f'{STEM}.jpg': encode(flat_image(3), '.jpg')[:-40]}, r'1\.jpg: damaged'),
        ({f'{STEM}.jpg': b''}, r'1\.jpg: damaged'),
        ({f'{STEM}.jpg': encode(flat_image(3)[:40], '.jpg')},
         r'1\.jpg: the image is \(40, 64\) .height, width., its depth \(48, 64\)'),
    ],
)  # fmt: skip
def test_a_wrong_file_is_an_error_that_names_it(
    tmp_path: Path, extra: dict[str, bytes], message: str
) -> None:
    rows = f'{STEM}.jpg,{STEM}.png\n'.encode()
    write_nyu_zip(tmp_path / 'bad.zip', extra={'data/nyu2_train.csv': rows, **extra})
    with pytest.raises(DataError, match=message):
        NyuDenseDepth(tmp_path / 'bad.zip')[0]


def test_8_bit_test_depth_is_refused(tmp_path: Path) -> None:
    wrong = encode(np.full((HEIGHT, WIDTH), 51, np.uint8), '.png')
    write_nyu_zip(tmp_path / 'bad.zip', extra={'data/nyu2_test/00000_depth.png': wrong})
    with pytest.raises(DataError, match=r'00000_depth\.png: 8-bit .* expected 16-bit'):
        NyuDenseDepth(tmp_path / 'bad.zip', split='test')[0]


def test_a_byte_that_changed_on_disk_is_found_by_its_checksum(nyu_zip: Path) -> None:
    with zipfile.ZipFile(nyu_zip) as archive:
        place = archive.getinfo('data/nyu2_test/00000_colors.png').header_offset + 150
    content = bytearray(nyu_zip.read_bytes())
    content[place] ^= 0xFF
    nyu_zip.write_bytes(content)
    with pytest.raises(DataError, match=r'00000_colors\.png: damaged: its checksum'):
        NyuDenseDepth(nyu_zip, split='test')[0]


def test_an_error_in_a_worker_is_still_one_line(tmp_path: Path) -> None:
    rows = f'{STEM}.jpg,{STEM}.png\n'.encode()
    extra = {'data/nyu2_train.csv': rows, f'{STEM}.png': b'x'}
    write_nyu_zip(tmp_path / 'bad.zip', extra=extra)
    # Spawned: OpenVINO, which other tests have loaded into this process, does not survive a fork.
    dataset = NyuDenseDepth(tmp_path / 'bad.zip')
    loader = DataLoader(Mixture.of(dataset), num_workers=1, multiprocessing_context='spawn')
    with pytest.raises(DataError, match=r'1\.png: damaged') as caught:
        next(iter(loader))
    assert '\n' not in str(caught.value)
    assert 'Traceback' not in str(caught.value)


@pytest.mark.parametrize('name', ['../evil.png', '/etc/evil.png', 'data/../../evil.png'])
def test_a_zip_with_names_that_lead_out_of_it_is_refused(tmp_path: Path, name: str) -> None:
    write_nyu_zip(tmp_path / 'evil.zip', extra={name: b'x'})
    with pytest.raises(DataError, match='leads out of the zip'):
        NyuDenseDepth(tmp_path / 'evil.zip')


@pytest.mark.parametrize(
    ('rows', 'message'),
    [
        (b'../../etc/passwd,a.png\n', r"row 1: '\.\./\.\./etc/passwd' leads out"),
        (b'a.jpg\n', r"row 1 is \['a\.jpg'\]"),
        (b'\xff\xfe\x00', 'not text'),
        (b'\n\n', 'lists no samples'),
    ],
)
def test_a_wrong_csv_is_an_error_that_names_the_row(
    tmp_path: Path, rows: bytes, message: str
) -> None:
    write_nyu_zip(tmp_path / 'bad.zip', extra={'data/nyu2_train.csv': rows})
    with pytest.raises(DataError, match=message):
        NyuDenseDepth(tmp_path / 'bad.zip')


def test_a_zip_that_is_missing_cut_short_or_another_is_refused(
    nyu_zip: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r'absent\.zip: no such file'):
        NyuDenseDepth(tmp_path / 'absent.zip')
    (tmp_path / 'cut.zip').write_bytes(nyu_zip.read_bytes()[:2000])
    with pytest.raises(DataError, match=r'cut\.zip: damaged, cut short or no zip file'):
        NyuDenseDepth(tmp_path / 'cut.zip')
    with zipfile.ZipFile(tmp_path / 'other.zip', 'w') as archive:
        archive.writestr('hello.txt', 'x')
    with pytest.raises(DataError, match=r'other\.zip: has 0 files nyu2_train\.csv'):
        NyuDenseDepth(tmp_path / 'other.zip')


def test_one_scene_cannot_be_split_but_trained_on(tmp_path: Path) -> None:
    rows = f'{STEM}.jpg,{STEM}.png\n'.encode()
    write_nyu_zip(tmp_path / 'one.zip', extra={'data/nyu2_train.csv': rows})
    assert len(NyuDenseDepth(tmp_path / 'one.zip', split='train')) == 1
    with pytest.raises(DataError, match='two scenes or more, here are 1'):
        NyuDenseDepth(tmp_path / 'one.zip', split='validation')


def test_an_unknown_split_is_refused(nyu_zip: Path) -> None:
    with pytest.raises(DataError, match="unknown split 'dev'"):
        NyuDenseDepth(nyu_zip, split='dev')
