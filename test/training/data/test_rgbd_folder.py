"""Folders of images and 16-bit depth PNGs, as RealSense, Kinect and TUM tools leave them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from rgbd_files import HEIGHT, WIDTH, encode, flat_image

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.rgbd_decoding import Fit, known_depth
from depth_estimation_ros.training.data.rgbd_folder import RgbdFolder

if TYPE_CHECKING:
    from pathlib import Path

DEPTH = np.full((HEIGHT, WIDTH), 1500, np.uint16)
DEPTH[0, 0] = 0


def _write_pair(folder: Path, image: str, depth: str, *, red: int = 100) -> None:
    for name, data in ((image, flat_image(red)), (depth, DEPTH)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(data, path.suffix))


def _names(data: RgbdFolder) -> list[str]:
    return [data.sample_name(index) for index in range(len(data))]


@pytest.mark.parametrize(
    ('image', 'depth'),
    [
        ('rgb/0001.png', 'depth/0001.png'),
        ('color/0001.jpg', 'aligned_depth_to_color/0001.png'),
        ('0001_color.jpg', '0001_depth.png'),
        ('rgb0001.png', 'depth0001.png'),
        ('kitchen/image_0001.jpg', 'kitchen/depth_0001.png'),
        ('0001.jpg', '0001_depth.png'),
        ('0001.jpg', '0001.png'),
        ('depth_kitchen/rgb/0001.png', 'depth_kitchen/depth/0001.png'),
    ],
)
def test_pairs_are_found_by_their_names(tmp_path: Path, image: str, depth: str) -> None:
    _write_pair(tmp_path, image, depth)
    data = RgbdFolder(tmp_path, split='test')
    assert _names(data) == [image]
    item = data[0]
    assert item['image'].shape == (3, HEIGHT, WIDTH)
    assert abs(int(item['image'][0, 5, 5]) - 100) <= 2
    assert item['depth'][5, 5] == pytest.approx(1.5)
    assert item['depth'][0, 0] == 0.0
    assert item['intrinsics'].tolist() == [0, 0, 0, 0]


def test_associations_pair_files_of_different_stamps(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.10.png', 'depth/1.12.png')
    _write_pair(tmp_path, 'rgb/2.10.png', 'depth/2.13.png', red=50)
    (tmp_path / 'associations.txt').write_text(
        '# stamps\r\n1.10 rgb/1.10.png 1.12 depth/1.12.png\r\n'
        '2.13 depth/2.13.png 2.10 rgb/2.10.png\r\n3.0 rgb/lost.png 3.0 depth/lost.png\r\n'
    )
    data = RgbdFolder(tmp_path, split='test', depth_scale=0.0002)
    assert _names(data) == ['rgb/1.10.png', 'rgb/2.10.png']
    assert data.num_skipped == 1
    assert data[1]['depth'][5, 5] == pytest.approx(0.3)
    assert data[1]['image'][0, 0, 0] == 50


def test_files_without_a_partner_are_counted(tmp_path: Path) -> None:
    for number in (2, 10, 9):
        _write_pair(tmp_path, f'rgb/{number}.png', f'depth/{number}.png')
    (tmp_path / 'rgb/11.png').write_bytes(b'never read')
    data = RgbdFolder(tmp_path, split='test')
    assert _names(data) == ['rgb/2.png', 'rgb/9.png', 'rgb/10.png']
    assert data.num_skipped == 1


def test_validation_is_the_end_of_the_recording_and_test_is_all_of_it(tmp_path: Path) -> None:
    for number in range(10):
        _write_pair(tmp_path, f'rgb/{number}.png', f'depth/{number}.png')
    validation = RgbdFolder(tmp_path, split='validation', validation_fraction=0.2)
    assert _names(validation) == ['rgb/8.png', 'rgb/9.png']
    assert len(RgbdFolder(tmp_path, split='train', validation_fraction=0.2)) == 8
    assert len(RgbdFolder(tmp_path, split='test')) == 10


def test_folders_named_after_splits_are_the_splits(tmp_path: Path) -> None:
    for split, count in (('train', 3), ('val', 2), ('test', 1)):
        for number in range(count):
            _write_pair(tmp_path / split, f'rgb/{number}.png', f'depth/{number}.png')
    sizes = [len(RgbdFolder(tmp_path, split=split)) for split in ('train', 'validation', 'test')]
    assert sizes == [3, 2, 1]


def test_without_a_folder_for_validation_it_comes_from_training(tmp_path: Path) -> None:
    for number in range(4):
        _write_pair(tmp_path / 'train', f'rgb/{number}.png', f'depth/{number}.png')
    assert _names(RgbdFolder(tmp_path, split='validation')) == ['train/rgb/3.png']
    assert len(RgbdFolder(tmp_path, split='train')) == 3
    with pytest.raises(DataError, match="has no folder 'test', only train"):
        RgbdFolder(tmp_path, split='test')


def test_intrinsics_follow_the_crop_and_the_size(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    values = {'fx': 60.0, 'fy': 62.0, 'cx': 31.0, 'cy': 23.0}
    (tmp_path / 'intrinsics.json').write_text(json.dumps(values))
    # 48x64 to the aspect of 16x16: columns 8..55 stay, then a third.
    item = RgbdFolder(tmp_path, split='test', size=(16, 16))[0]
    assert item['intrinsics'].tolist() == pytest.approx([20.0, 62 / 3, 23 / 3, 23 / 3])
    (tmp_path / 'intrinsics.json').write_text(json.dumps({**values, 'width': 128, 'height': 96}))
    item = RgbdFolder(tmp_path, split='test')[0]
    assert item['intrinsics'].tolist() == pytest.approx([30.0, 31.0, 15.5, 11.5])


def test_a_ros_camera_info_file_gives_the_intrinsics(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    (tmp_path / 'intrinsics.yaml').write_text(
        'image_width: 64\nimage_height: 48\n'
        'camera_matrix: {rows: 3, cols: 3, data: [60, 0, 31, 0, 62, 23, 0, 0, 1]}\n'
    )
    assert RgbdFolder(tmp_path, split='test')[0]['intrinsics'].tolist() == [60, 62, 31, 23]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{"fx": 1}', "expected .*'fy'"),
        ('[1, 2]', 'expected'),
        ('[' * 100_000, 'expected'),
        ('{"fx": 1, "fy": 1, "cx": 1, "cy": 1, "width": 1e999}', 'expected'),
        ('{"fx": 0, "fy": 1, "cx": 1, "cy": 1}', r'fx 0\.0 and fy 1\.0 must be above 0'),
        ('{"fx": 1, "fy": 1, "cx": 1, "cy": 1, "width": 3}', 'must both be given'),
    ],
)
def test_a_wrong_file_of_intrinsics_is_named(tmp_path: Path, text: str, message: str) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    (tmp_path / 'intrinsics.json').write_text(text)
    with pytest.raises(DataError, match=rf'intrinsics\.json: .*{message}'):
        RgbdFolder(tmp_path, split='test')


def test_depth_of_8_bits_or_another_size_is_refused(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    (tmp_path / 'depth/1.png').write_bytes(encode(DEPTH.astype(np.uint8), '.png'))
    with pytest.raises(DataError, match=r'1\.png: 8-bit with 1 channel\(s\), expected 16-bit'):
        RgbdFolder(tmp_path, split='test')[0]
    (tmp_path / 'depth/1.png').write_bytes(encode(DEPTH[:40], '.png'))
    with pytest.raises(DataError, match=r'the image is \(48, 64\) .* its depth \(40, 64\)'):
        RgbdFolder(tmp_path, split='test')[0]
    (tmp_path / 'depth/1.png').unlink()
    with pytest.raises(DataError, match='no pairs of image and depth'):
        RgbdFolder(tmp_path, split='test')


def test_two_candidates_for_a_pair_are_an_error_that_names_both(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    _write_pair(tmp_path, 'rgb/1.jpg', 'depth/1.png')
    with pytest.raises(DataError, match=r'rgb/1\.jpg, .*rgb/1\.png: which of them'):
        RgbdFolder(tmp_path)


def test_associations_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / 'associations.txt').write_text('1 ../rgb/1.png 1 depth/1.png\n')
    with pytest.raises(DataError, match='line 1 is .* expected `stamp image stamp depth`'):
        RgbdFolder(tmp_path)


def test_a_missing_folder_and_a_wrong_scale_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='absent: no such folder'):
        RgbdFolder(tmp_path / 'absent')
    with pytest.raises(DataError, match=r'depth_scale 0\.0 must be above 0'):
        RgbdFolder(tmp_path, depth_scale=0.0)


def test_one_pair_cannot_be_split(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    with pytest.raises(DataError, match=r'1 sample\(s\) cannot be split'):
        RgbdFolder(tmp_path, split='train')


def test_a_16_9_image_is_cut_to_4_3_and_nothing_is_stretched() -> None:
    fit = Fit.between((720, 1280), (192, 256))
    assert (fit.top, fit.left, fit.height, fit.width) == (0, 160, 720, 960)
    assert fit.reduction((720, 1280)) == 2
    depth = np.zeros((720, 1280), np.float32)
    depth[:, 640:] = 2.0
    assert set(np.unique(fit.depth(depth))) == {0.0, 2.0}  # picked: nothing between
    assert (fit.depth(depth)[:, :128] == 0).all()
    assert (fit.depth(depth)[:, 128:] == 2).all()


def test_a_jpeg_that_is_shrunk_while_it_is_decoded_looks_the_same(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:480, :640].astype(np.float32)
    image = np.stack([rows / 2, columns / 3, (rows + columns) / 5], axis=-1).astype(np.uint8)
    (tmp_path / 'a_rgb.jpg').write_bytes(encode(image, '.jpg'))
    (tmp_path / 'a_depth.png').write_bytes(encode(np.full((480, 640), 7, np.uint16), '.png'))
    item = RgbdFolder(tmp_path, split='test', size=(192, 256))[0]
    whole = cv2.resize(image, (256, 192), interpolation=cv2.INTER_AREA).astype(np.float32)
    difference = item['image'].transpose(1, 2, 0).astype(np.float32) - whole
    assert np.abs(difference).mean() < 1.5
    assert np.abs(difference.mean((0, 1))).max() < 0.7


def test_depth_that_is_not_a_positive_number_is_missing() -> None:
    depth = np.array([[1.0, -1.0, 0.0], [np.nan, np.inf, 2.5]], np.float64)
    assert known_depth(depth).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 2.5]]
    assert known_depth(np.array([[0, 1500]], np.uint16), 0.001).tolist() == [
        [0.0, pytest.approx(1.5)]
    ]


def test_a_frame_is_cut_off_before_anything_else() -> None:
    # Without 12 px all round 456x616 are left; 4:3 of them are 456x608, from column 16 on
    fit = Fit.between((480, 640), (228, 304), frame_px=12)
    assert (fit.top, fit.left, fit.height, fit.width) == (12, 16, 456, 608)
    whole = Fit.between((480, 640), None, frame_px=12)
    assert (whole.top, whole.left, whole.size) == (12, 12, (456, 616))
    assert whole.depth(np.arange(480 * 640).reshape(480, 640))[0, 0] == 12 * 640 + 12


def test_a_frame_moves_the_principal_point(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    values = {'fx': 50.0, 'fy': 50.0, 'cx': 20.0, 'cy': 10.0}
    (tmp_path / 'intrinsics.json').write_text(json.dumps(values))
    item = RgbdFolder(tmp_path, split='test', frame_px=3)[0]
    assert item['image'].shape == (3, HEIGHT - 6, WIDTH - 6)
    assert item['intrinsics'].tolist() == [50.0, 50.0, 17.0, 7.0]


@pytest.mark.parametrize('frame_px', [HEIGHT // 2, 1000])
def test_a_frame_wider_than_the_image_is_refused(tmp_path: Path, frame_px: int) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    with pytest.raises(DataError, match=f'frame_px {frame_px} leaves nothing of an image of'):
        RgbdFolder(tmp_path, split='test', frame_px=frame_px)[0]


@pytest.mark.parametrize('frame_px', [-1, 1.5])
def test_a_frame_that_is_no_number_of_pixels_is_refused(tmp_path: Path, frame_px: int) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    with pytest.raises(DataError, match=f'frame_px {frame_px} must be a whole number'):
        RgbdFolder(tmp_path, split='test', frame_px=frame_px)


def test_steps_of_depth_come_with_every_item(tmp_path: Path) -> None:
    _write_pair(tmp_path, 'rgb/1.png', 'depth/1.png')
    assert RgbdFolder(tmp_path, split='test')[0]['depth_step'].item() == 0.0
    stepped = RgbdFolder(tmp_path, split='test', depth_step=0.04)
    assert stepped[0]['depth_step'].item() == pytest.approx(0.04)
    with pytest.raises(DataError, match=r'depth_step -1 must be 0 or more \[m\]'):
        RgbdFolder(tmp_path, split='test', depth_step=-1)


def test_runs_of_file_numbers_are_on_one_side_only(tmp_path: Path) -> None:
    # Runs 1-3, 7-8, 20, 31-34: ten images
    numbers = [1, 2, 3, 7, 8, 20, 31, 32, 33, 34]
    for number in numbers:
        _write_pair(tmp_path, f'rgb/{number:04d}.png', f'depth/{number:04d}.png')

    def side(split: str) -> set[int]:
        data = RgbdFolder(tmp_path, split=split, split_runs=True, validation_fraction=0.3)
        return {int(name[4:8]) for name in _names(data)}

    sides = {split: side(split) for split in ('train', 'validation')}
    assert sides['train'] | sides['validation'] == set(numbers)
    assert not sides['train'] & sides['validation']
    assert len(sides['validation']) >= 3
    for run in ({1, 2, 3}, {7, 8}, {20}, {31, 32, 33, 34}):
        assert run <= sides['train'] or run <= sides['validation']


def test_runs_need_names_that_end_in_numbers(tmp_path: Path) -> None:
    for name in ('a', 'b'):
        _write_pair(tmp_path, f'rgb/{name}.png', f'depth/{name}.png')
    with pytest.raises(DataError, match="'a' does not end in a number: leave split_runs out"):
        RgbdFolder(tmp_path, split_runs=True)
