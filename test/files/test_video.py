"""Videos that end early, and paths that OpenCV must not see."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image import list_folder, read_frames, read_image
from depth_estimation_ros.files.video import VideoEndsEarlyError, read_video

if TYPE_CHECKING:
    from pathlib import Path

NUM_FRAMES = 30


def write_video(path: Path, code: str = 'MJPG') -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 10.0, (64, 48))
    noise = np.random.default_rng(0)
    for _ in range(NUM_FRAMES):
        writer.write(noise.integers(0, 255, (48, 64, 3), np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize(
    ('suffix', 'code'), [('.avi', 'MJPG'), ('.mkv', 'MJPG'), ('.mp4', 'mp4v')]
)
def test_a_whole_video_gives_all_its_frames(tmp_path: Path, suffix: str, code: str) -> None:
    path = write_video(tmp_path / f'x{suffix}', code)
    assert [index for index, _ in read_video(path)] == list(range(NUM_FRAMES))


@pytest.mark.parametrize('suffix', ['.avi', '.mkv'])
def test_of_half_a_video_the_frames_are_kept_and_the_rest_is_missed(
    tmp_path: Path, suffix: str
) -> None:
    path = write_video(tmp_path / f'x{suffix}')
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    seen: list[str] = []
    with pytest.raises(VideoEndsEarlyError, match=rf'x\{suffix}: the video is cut short'):
        seen.extend(frame.name for frame in read_frames(path))
    assert 0 < len(seen) < NUM_FRAMES


def test_half_an_mp4_whose_index_was_at_its_end_is_no_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / 'x.mp4', 'mp4v')
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match=r'x\.mp4: not a video .*cut short'):
        list(read_video(path))


def test_names_that_are_no_utf_8_are_read(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b'caf\xe9')
    folder.mkdir()
    video = write_video(tmp_path / 'x.avi').rename(folder / 'x.avi')
    image = folder / os.fsdecode(b'\xff.png')
    image.write_bytes(cv2.imencode('.png', np.zeros((3, 5, 3), np.uint8))[1].tobytes())
    assert sum(1 for _ in read_video(video)) == NUM_FRAMES
    assert read_image(image).shape == (3, 5, 3)
    with pytest.raises(ImageError, match=r'caf\\xe9/absent\.png: cannot be read'):
        read_image(folder / 'absent.png')


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'x.png')
    with pytest.raises(ImageError, match=r'x\.png: cannot be read: it is a pipe'):
        list(read_frames(tmp_path / 'x.png'))


def test_pictures_that_are_not_read_are_counted_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ('a.heic', 'b.HEIC', 'c.cr2', 'd.jfif', 'notes.txt', '.hidden.png', 'e.gif'):
        (tmp_path / name).touch()
    names = [path.name for path in list_folder(tmp_path, frozenset({'.jfif', '.gif', '.png'}))]
    assert names == ['d.jfif', 'e.gif']
    assert '3 files are left out, their format is not read (1 .cr2, 2 .heic)' in caplog.text
    assert 'a.heic, b.HEIC, c.cr2' in caplog.text
