"""Bags in both formats, their encodings, and what can be wrong with them."""

from __future__ import annotations

import multiprocessing
import pickle
import struct
from typing import TYPE_CHECKING, Any

from bag_files import (
    COLOUR_TOPIC,
    COMPRESSED,
    DEPTH_TOPIC,
    IMAGE,
    START_NS,
    compressed_message,
    header,
    image_message,
    recording,
    write_bag,
)
import numpy as np
import pytest
from rgbd_files import encode
from torch.utils.data import DataLoader

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.bag.rosbag_depth import RosbagDepth
from depth_estimation_ros.training.data.bag.stamps import pair_stamps
from depth_estimation_ros.training.data.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLOUR = np.full((12, 16, 3), (200, 100, 50), np.uint8)
DEPTH = np.full((12, 16), 1500, np.uint16)
METRES = np.full((12, 16), 1.5, np.float32)
METRES[0, 0] = np.nan


def _pair(
    path: Path, image: Any, depth: Any, *, image_type: str = IMAGE, depth_type: str = IMAGE
) -> None:
    write_bag(path, [(COLOUR_TOPIC, image_type, image), (DEPTH_TOPIC, depth_type, depth)])


def _restamped(path: Path, stamp_of: Callable[[int], int], topics: tuple[str, ...]) -> None:
    """Write a recording of 6 frames whose messages on some topics have other stamps."""
    times = {}
    messages = recording(6)
    for topic, _, message in messages:
        stamp = message.header.stamp
        times[id(message)] = stamp.sec * 10**9 + stamp.nanosec
        if topic in topics:
            message.header = header(stamp_of(times[id(message)]))
    write_bag(path, messages, recorded=[times[id(item)] for _, _, item in messages])


@pytest.mark.parametrize(
    ('stamp_of', 'topics', 'words'),
    [
        (lambda _: 0, (COLOUR_TOPIC, DEPTH_TOPIC), '12 of 12 messages have stamp 0'),
        (lambda _: 0, (DEPTH_TOPIC,), '6 of 12 messages have stamp 0'),
        (
            lambda time: time + 3600 * 10**9,
            (DEPTH_TOPIC,),
            'up to 3600 s later than the recording',
        ),
    ],
)
def test_without_stamps_of_one_clock_frames_are_paired_by_recording_time(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    stamp_of: Callable[[int], int],
    topics: tuple[str, ...],
    words: str,
) -> None:
    _restamped(tmp_path / 'bag', stamp_of, topics)
    data = RosbagDepth(tmp_path / 'bag', split='test')
    assert (len(data), data.num_skipped) == (6, 0)
    assert [round(data[i]['image'][0, 3, 15].item()) for i in range(6)] == [0, 10, 20, 30, 40, 50]
    assert data[5]['depth'][11, 15] == pytest.approx(1.005)
    assert f'{words}: images and depth are paired by recording time' in caplog.text
    assert data.sample_name(5) == '/camera/color/image_raw at 1700000000.500'


def test_a_clock_ahead_that_both_cameras_share_is_said_and_their_stamps_pair(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _restamped(tmp_path / 'bag', lambda time: time + 60 * 10**9, (COLOUR_TOPIC, DEPTH_TOPIC))
    assert len(RosbagDepth(tmp_path / 'bag', split='test')) == 6
    assert 'up to 60 s later than the recording: the clocks differ' in caplog.text


@pytest.mark.parametrize('storage', ['mcap', 'db3'])
def test_frames_are_paired_by_stamp_and_read_when_asked(tmp_path: Path, storage: str) -> None:
    write_bag(tmp_path / 'bag', recording(10), storage=storage)
    data = RosbagDepth(tmp_path / 'bag', split='test')
    assert len(data) == 10
    item = data[7]
    assert item['image'].shape == (3, 12, 16)
    assert item['image'][:, 3, 15].tolist() == [70, 1, 2]
    assert item['depth'][11, 15] == pytest.approx(1.007)
    assert item['depth'][0, 0] == 0.0
    assert item['intrinsics'].tolist() == [20.0, 21.0, 8.0, 6.0]
    assert data.sample_name(7) == '/camera/color/image_raw at 1700000000.700'


def test_a_single_file_is_a_bag_too(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag', recording(2))
    file = next((tmp_path / 'bag').glob('*.mcap'))
    assert len(RosbagDepth(file, split='test')) == 2


def test_validation_is_the_end_of_the_recording(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag', recording(10))
    train, validation = (
        RosbagDepth(tmp_path / 'bag', split=split, validation_fraction=0.3)
        for split in ('train', 'validation')
    )
    assert [int(train[index]['image'][0, 0, 0]) for index in range(len(train))] == [
        0, 10, 20, 30, 40, 50, 60,
    ]  # fmt: skip
    assert [int(validation[index]['image'][0, 0, 0]) for index in range(3)] == [70, 80, 90]


def test_worker_processes_read_what_this_process_reads(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag', recording(4))
    data = RosbagDepth(tmp_path / 'bag', split='test')
    here = np.stack([data[index]['depth'] for index in range(4)])  # the bag is open now
    context = multiprocessing.get_context('fork')
    loader = DataLoader(
        Mixture.of(data), batch_size=4, num_workers=1, multiprocessing_context=context
    )
    assert np.array_equal(next(iter(loader))['depth'], here)
    pickled = pickle.dumps(data)  # what a spawned process gets
    assert np.array_equal(pickle.loads(pickled)[2]['depth'], here[2])  # noqa: S301
    assert len(pickled) < 10_000


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('rgb8', [0, 1, 2]), ('bgr8', [2, 1, 0]), ('rgba8', [0, 1, 2, 0]), ('bgra8', [2, 1, 0, 0])],
)
def test_colour_comes_in_any_order(tmp_path: Path, encoding: str, order: list[int]) -> None:
    image = image_message(START_NS, COLOUR[:, :, order], encoding, padding=5)
    _pair(tmp_path / 'bag', image, image_message(START_NS, DEPTH, '16UC1'))
    item = RosbagDepth(tmp_path / 'bag', split='test')[0]
    assert item['image'][:, 3, 4].tolist() == [200, 100, 50]
    assert item['intrinsics'].tolist() == [0, 0, 0, 0]  # no camera_info


def test_a_gray_image_has_three_equal_channels(tmp_path: Path) -> None:
    image = image_message(START_NS, COLOUR[:, :, 1], 'mono8')
    _pair(tmp_path / 'bag', image, image_message(START_NS, DEPTH, '16UC1'))
    item = RosbagDepth(tmp_path / 'bag', split='test')[0]
    assert item['image'][:, 3, 4].tolist() == [100, 100, 100]


def test_red_in_nv12_is_red(tmp_path: Path) -> None:
    # BT.601: Y = 16 + 65.5, U = 128 - 37.8, V = 128 + 112; 12 rows of Y, then 6 of U and V
    rows = np.full((18, 16), 81, np.uint8)
    rows[12:, 0::2], rows[12:, 1::2] = 90, 240
    image = image_message(START_NS, rows, 'nv12', padding=2)
    image.height = 12
    _pair(tmp_path / 'bag', image, image_message(START_NS, DEPTH, '16UC1'))
    item = RosbagDepth(tmp_path / 'bag', split='test')[0]
    assert item['image'].shape == (3, 12, 16)
    assert item['image'][0].min() >= 253
    assert item['image'][1:].max() <= 2


def test_a_bayer_mosaic_becomes_colours(tmp_path: Path) -> None:
    mosaic = np.full((12, 16), 100, np.uint8)  # green on every second pixel
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = 200, 50  # red, blue
    image = image_message(START_NS, mosaic, 'bayer_rggb8', padding=3)
    _pair(tmp_path / 'bag', image, image_message(START_NS, DEPTH, '16UC1'))
    item = RosbagDepth(tmp_path / 'bag', split='test')[0]
    inside = item['image'][:, 2:-2, 2:-2].reshape(3, -1)
    assert {tuple(pixel) for pixel in inside.T.tolist()} == {(200, 100, 50)}


def test_marks_for_no_depth_are_missing_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    depth = DEPTH.copy()
    depth[0, :3], depth[1, :2], depth[2, 0] = 65535, 4000, 0
    _pair(
        tmp_path / 'bag',
        image_message(START_NS, COLOUR, 'rgb8'),
        image_message(START_NS, depth, '16UC1'),
    )
    data = RosbagDepth(tmp_path / 'bag', split='test', depth_invalid=4000)
    item = data[0]
    assert np.count_nonzero(item['depth'] == 0.0) == 6
    assert np.unique(item['depth']).tolist() == [0.0, pytest.approx(1.5)]
    assert data.num_impossible == 5  # 0 is what it should be
    assert '5 of 192 depths are a mark for none (65535, depth_invalid)' in caplog.text


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize(('pixels', 'encoding'), [(DEPTH, '16UC1'), (METRES, '32FC1')])
def test_depth_comes_in_millimetres_or_metres(
    tmp_path: Path, pixels: Any, encoding: str, bigendian: bool
) -> None:
    depth = image_message(START_NS, pixels, encoding, padding=4, bigendian=bigendian)
    _pair(tmp_path / 'bag', image_message(START_NS, COLOUR, 'rgb8'), depth)
    item = RosbagDepth(tmp_path / 'bag', split='test')[0]
    assert item['depth'][5, 5] == pytest.approx(1.5)
    assert item['depth'][0, 0] == (0.0 if encoding == '32FC1' else pytest.approx(1.5))


def _quantised(scale: float, offset: float) -> bytes:
    """Encode 1.5 m as compressed_depth_image_transport does: level = scale / depth + offset."""
    levels = np.full((12, 16), round(scale / 1.5 + offset), np.uint16)
    levels[0, 0] = 0
    return struct.pack('<iff', 0, scale, offset) + encode(levels, '.png')


@pytest.mark.parametrize(
    ('data', 'text'),
    [
        (encode(DEPTH, '.png'), '16UC1; png compressed '),
        (struct.pack('<iff', 0, 0, 0) + encode(DEPTH, '.png'), '16UC1; compressedDepth png'),
        (_quantised(3000.0, 7.0), '32FC1; compressedDepth png'),
    ],
)
def test_compressed_images_and_depth_are_read(tmp_path: Path, data: bytes, text: str) -> None:
    image = compressed_message(START_NS, encode(COLOUR, '.png'), 'rgb8; png compressed bgr8')
    depth = compressed_message(START_NS, data, text)
    _pair(tmp_path / 'bag', image, depth, image_type=COMPRESSED, depth_type=COMPRESSED)
    item = RosbagDepth(tmp_path / 'bag', split='test', size=(6, 8))[0]
    assert item['image'].shape == (3, 6, 8)
    assert item['image'][:, 3, 4].tolist() == [200, 100, 50]
    assert item['depth'][3, 3] == pytest.approx(1.5, rel=1e-3)


@pytest.mark.parametrize(
    ('image', 'depth', 'message'),
    [
        (
            image_message(START_NS, COLOUR[:, :, 0], '8UC2'),
            None,
            "encoding '8UC2' is not supported; supported: rgb8",
        ),
        (
            None,
            image_message(START_NS, DEPTH, 'mono16'),
            "depth image has encoding 'mono16'; expected 32FC1 or 16UC1",
        ),
        (None, image_message(START_NS, DEPTH[:6], '16UC1'), r'\(12, 16\) .* its depth \(6, 16\)'),
        (
            image_message(START_NS, COLOUR[:, :8], 'rgba8'),
            None,
            'image step is 24 bytes, but a row of 8 rgba8 pixels has 32',
        ),
    ],
)
def test_a_message_in_another_form_is_an_error_that_says_which(
    tmp_path: Path, image: Any, depth: Any, message: str
) -> None:
    image = image if image is not None else image_message(START_NS, COLOUR, 'rgb8')
    depth = depth if depth is not None else image_message(START_NS, DEPTH, '16UC1')
    _pair(tmp_path / 'bag', image, depth)
    data = RosbagDepth(tmp_path / 'bag', split='test')
    with pytest.raises(DataError, match=message):
        data[0]


def test_topics_that_are_not_clear_are_listed(tmp_path: Path) -> None:
    image = image_message(START_NS, COLOUR, 'rgb8')
    depth = image_message(START_NS, DEPTH, '16UC1')
    topics = [('/left/image', image), ('/right/image', image), ('/left/depth', depth)]
    write_bag(tmp_path / 'bag', [(topic, IMAGE, message) for topic, message in topics])
    with pytest.raises(DataError, match=r'2 topics could be the image: .* /left/image, /right'):
        RosbagDepth(tmp_path / 'bag')
    with pytest.raises(DataError, match=r'no images on /up/image; image topics: /left/depth'):
        RosbagDepth(tmp_path / 'bag', image_topic='/up/image')
    assert len(RosbagDepth(tmp_path / 'bag', split='test', image_topic='/left/image')) == 1


def test_stamps_too_far_apart_are_no_pair(tmp_path: Path) -> None:
    write_bag(tmp_path / 'bag', recording(3))
    with pytest.raises(DataError, match=r'3 messages on .*none within 0\.001 s'):
        RosbagDepth(tmp_path / 'bag', max_time_difference_sec=0.001)


def test_each_depth_serves_the_image_nearest_to_it() -> None:
    images = np.array([0, 30, 100, 205, 400], np.int64)
    depths = np.array([25, 110, 200, 210, 600], np.int64)
    # 0 and 30 both want 25: 30 is nearer. 205 is as near to 200 as to 210: the earlier.
    assert pair_stamps(images, depths, 50).tolist() == [[1, 0], [2, 1], [3, 2]]
    assert pair_stamps(images, depths[:0], 50).shape == (0, 2)


def test_a_bag_that_is_missing_cut_short_or_no_bag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='absent: no such bag'):
        RosbagDepth(tmp_path / 'absent')
    write_bag(tmp_path / 'bag', recording(3))
    file = next((tmp_path / 'bag').glob('*.mcap'))
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(DataError, match=r'\.mcap: damaged: a record of .* does not fit the'):
        RosbagDepth(tmp_path / 'bag')
    (tmp_path / 'folder').mkdir()
    with pytest.raises(DataError, match='folder: damaged, or no rosbag2'):
        RosbagDepth(tmp_path / 'folder')
