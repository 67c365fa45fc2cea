"""Sources of the camera player, each read from a real file."""

from __future__ import annotations

import math
from pathlib import Path
import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from depth_estimation_ros.errors import ConfigError, DataError
from depth_estimation_ros.ros.player.frame_stream import Clip, ReadAhead, open_stream
from depth_estimation_ros.ros.player.image_sources import SourceKind, SourceOptions, read_frames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

HEIGHT, WIDTH = 48, 64


def solid(
    red: int, green: int, blue: int, size: tuple[int, int] = (HEIGHT, WIDTH)
) -> NDArray[np.uint8]:
    """An RGB picture of one colour."""
    return np.full((*size, 3), (red, green, blue), dtype=np.uint8)


def write_picture(path: Path, rgb: NDArray[np.uint8]) -> Path:
    assert cv2.imwrite(str(path), rgb[:, :, ::-1])
    return path


def write_video(path: Path, levels: list[int], size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    """Write a video whose frames are grey, each of its own level."""
    fourcc = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), fourcc, 25.0, (size[1], size[0]))
    assert writer.isOpened()
    for level in levels:
        writer.write(solid(level, level, level, size))
    writer.release()
    return path


def test_a_photo_is_one_rgb_frame(tmp_path: Path) -> None:
    path = write_picture(tmp_path / 'photo.png', solid(200, 100, 50))

    frames = list(read_frames(SourceOptions(source=str(path))))

    assert len(frames) == 1
    assert frames[0].rgb.shape == (HEIGHT, WIDTH, 3)
    assert frames[0].rgb[0, 0].tolist() == [200, 100, 50]
    assert frames[0].rgb.flags.c_contiguous
    assert frames[0].depth is None


def test_the_focal_length_follows_from_the_field_of_view(tmp_path: Path) -> None:
    path = write_picture(tmp_path / 'photo.png', solid(1, 2, 3))

    frame = next(read_frames(SourceOptions(source=str(path), hfov_deg=90.0)))

    # tan(45 deg) = 1: half the width away.
    assert frame.intrinsics.fx == pytest.approx(32.0)
    assert frame.intrinsics.fy == pytest.approx(32.0)
    assert (frame.intrinsics.cx, frame.intrinsics.cy) == (31.5, 23.5)


def test_a_width_alone_keeps_the_aspect_and_scales_the_intrinsics(tmp_path: Path) -> None:
    path = write_picture(tmp_path / 'photo.png', solid(1, 2, 3))

    frame = next(read_frames(SourceOptions(source=str(path), width=32, hfov_deg=90.0)))

    assert frame.rgb.shape == (24, 32, 3)
    assert frame.intrinsics.fx == pytest.approx(16.0)


def test_another_aspect_cuts_the_sides_and_keeps_the_focal_length(tmp_path: Path) -> None:
    rgb = solid(0, 0, 0)
    rgb[:, 8:56] = 255  # the middle 48 of 64 columns
    path = write_picture(tmp_path / 'photo.png', rgb)

    options = SourceOptions(source=str(path), width=48, height=48, hfov_deg=90.0)
    frame = next(read_frames(options))

    assert frame.rgb.shape == (48, 48, 3)
    assert frame.rgb.min() == 255
    assert frame.intrinsics.fx == pytest.approx(32.0)
    assert frame.intrinsics.cx == pytest.approx(31.5 - 8)


def test_a_folder_is_played_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write_picture(tmp_path / f'frame{number}.png', solid(number, 0, 0))
    (tmp_path / 'notes.txt').write_text('not a picture')

    frames = read_frames(SourceOptions(source=str(tmp_path)))

    assert [int(frame.rgb[0, 0, 0]) for frame in frames] == [1, 2, 10]


def test_a_video_is_decoded_frame_by_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / 'video.avi', [40, 120, 200])

    frames = list(read_frames(SourceOptions(source=str(path))))

    assert [round(float(frame.rgb.mean()), -1) for frame in frames] == [40.0, 120.0, 200.0]


@pytest.mark.parametrize(
    ('source', 'kind'),
    [('rooms', SourceKind.ROOMS), ('webcam:2', SourceKind.WEBCAM)],
)
def test_names_that_are_no_path_are_known(source: str, kind: SourceKind) -> None:
    assert SourceOptions(source=source).kind is kind


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    missing = tmp_path / 'nothing.jpg'
    with pytest.raises(ConfigError, match=r'nothing\.jpg.* does not exist'):
        read_frames(SourceOptions(source=str(missing)))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match='holds no picture'):
        read_frames(SourceOptions(source=str(tmp_path)))


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'broken.jpg'
    path.write_bytes(b'this is text')
    with pytest.raises(DataError, match=r'broken\.jpg.* cannot be read as a picture'):
        list(read_frames(SourceOptions(source=str(path))))


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'broken.mp4'
    path.write_bytes(b'this is text')
    with pytest.raises(DataError, match=r'broken\.mp4.* cannot be read as a picture or a video'):
        list(read_frames(SourceOptions(source=str(path))))


def test_a_webcam_that_is_not_there_is_refused() -> None:
    assert not Path('/dev/video97').exists()
    with pytest.raises(DataError, match='no webcam 97'):
        read_frames(SourceOptions(source='webcam:97'))


def test_a_webcam_needs_a_number() -> None:
    with pytest.raises(ConfigError, match='webcam:front'):
        _ = SourceOptions(source='webcam:front').kind


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'width': -1}, r'-1x0'),
        ({'hfov_deg': 180.0}, r'hfov_deg is 180\.0'),
        ({'rate_hz': 0.0}, r'rate_hz is 0\.0'),
        ({'num_frames_ahead': 0}, r'num_frames_ahead is 0'),
    ],
)
def test_values_out_of_range_are_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SourceOptions(**change)  # type: ignore[arg-type]


def test_a_room_comes_with_the_depth_of_its_walk() -> None:
    from depth_estimation_ros.rooms import RoomWalk

    options = SourceOptions(seed=5, width=64, height=48, rate_hz=10.0, num_frames_ahead=3)
    frames = list(read_frames(options))

    assert len(frames) == 3
    walk = RoomWalk(5, (48, 64))
    for index, frame in enumerate(frames):
        view = walk.frame(index / 10.0)
        assert frame.depth is not None
        np.testing.assert_array_equal(frame.depth, view.depth)
        np.testing.assert_array_equal(frame.rgb, view.rgb)
        assert frame.intrinsics == view.intrinsics
    assert math.isfinite(frames[0].intrinsics.fx)


def take_all(stream: Clip[int] | ReadAhead[int], count: int) -> list[int]:
    """Take `count` frames, waiting for those that are not ready."""
    taken: list[int] = []
    while len(taken) < count:
        frame = stream.take()
        if frame is not None:
            taken.append(frame)
    return taken


def test_a_source_that_fits_is_read_once_and_repeats() -> None:
    num_reads = 0

    def read() -> Iterator[int]:
        nonlocal num_reads
        num_reads += 1
        return iter((1, 2, 3))

    stream = open_stream(read, num_ahead=3, loop=True)

    assert isinstance(stream, Clip)
    assert take_all(stream, 7) == [1, 2, 3, 1, 2, 3, 1]
    assert num_reads == 1
    assert not stream.is_finished


def test_there_and_back_shows_the_ends_once() -> None:
    stream = Clip([1, 2, 3, 4], loop=True, there_and_back=True)
    assert take_all(stream, 9) == [1, 2, 3, 4, 3, 2, 1, 2, 3]


def test_without_a_loop_the_stream_ends() -> None:
    stream = open_stream(lambda: iter((1, 2)), num_ahead=5, loop=False)

    assert isinstance(stream, Clip)
    assert take_all(stream, 2) == [1, 2]
    assert stream.is_finished
    assert stream.take() is None


def test_a_long_source_is_read_ahead_and_no_frame_is_lost() -> None:
    stream = open_stream(lambda: iter(range(100)), num_ahead=4, loop=False)

    assert isinstance(stream, ReadAhead)
    assert take_all(stream, 100) == list(range(100))
    stream.close()
    assert stream.is_finished


def test_a_long_source_that_loops_is_read_again() -> None:
    stream = open_stream(lambda: iter(range(5)), num_ahead=2, loop=True)

    assert isinstance(stream, ReadAhead)
    assert take_all(stream, 12) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    stream.close()


def test_frames_ahead_stop_at_the_memory_limit() -> None:
    num_read = 0

    def read() -> Iterator[int]:
        nonlocal num_read
        for frame in range(1000):
            num_read += 1
            yield frame

    stream = open_stream(read, num_ahead=500, loop=False, num_bytes=lambda _: 10, max_bytes=30)
    stream.close()

    # Three fill the limit, a fourth tells that there is more, one more may be on its way.
    assert num_read <= 5


def test_an_error_while_reading_ahead_comes_after_the_frames_before_it() -> None:
    def read() -> Iterator[int]:
        yield from (1, 2, 3)
        raise DataError('frame 4 is broken')

    stream = open_stream(read, num_ahead=1, loop=False)

    assert isinstance(stream, ReadAhead)
    assert take_all(stream, 3) == [1, 2, 3]
    with pytest.raises(DataError, match='frame 4 is broken'):
        take_all(stream, 1)
    stream.close()


def test_a_live_camera_loses_its_oldest_frame() -> None:
    has_ended = threading.Event()

    def read() -> Iterator[int]:
        yield from range(50)
        has_ended.set()

    stream = ReadAhead(read(), num_ahead=1, newest_only=True)
    assert has_ended.wait(10.0)
    assert take_all(stream, 1) == [49]
    stream.close()


@pytest.mark.parametrize(
    ('asked', 'size'),
    [((0, 96), (72, 96)), ((72, 0), (72, 96)), ((60, 96), (60, 96))],
)
def test_a_side_of_a_rooms_picture_that_is_not_given_keeps_4_to_3(
    asked: tuple[int, int], size: tuple[int, int]
) -> None:
    options = SourceOptions(height=asked[0], width=asked[1], num_frames_ahead=1)
    frame = next(iter(read_frames(options)))
    assert frame.rgb.shape[:2] == size
    assert (frame.intrinsics.height, frame.intrinsics.width) == size
