"""Pictures for a camera stand-in: synthetic rooms, a photo, a folder, a video file, a webcam.

No ROS here: a source is an iterator of `SourceFrame`. Arrays are HWC, RGB.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from itertools import chain
import logging
from pathlib import Path
import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import ConfigError, DataError, ImageError
from depth_estimation_ros.files.image import IMAGE_SUFFIXES, list_folder, read_image
from depth_estimation_ros.files.image_codec import MAX_IMAGE_PIXELS
from depth_estimation_ros.files.image_header import read_header
from depth_estimation_ros.files.reading import printable
from depth_estimation_ros.files.video import VideoEndsEarlyError, read_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_logger = logging.getLogger(__name__)

WEBCAM_PREFIX = 'webcam:'
DEVICE = re.compile(r'/dev/video(\d+)')
# A furnished room that no model has seen: training uses no seed from 1,000,000,000 on.
ROOM_SEED = 1_000_000_416
ROOM_SIZE = (480, 640)  # (height, width) of a room's picture unless told otherwise
NUM_RENDER_THREADS = 2


class SourceKind(str, Enum):
    """What a source is; decides how it is read ahead."""

    ROOMS = 'rooms'
    PHOTO = 'photo'
    FOLDER = 'folder'
    VIDEO = 'video'
    WEBCAM = 'webcam'


@dataclass(frozen=True, kw_only=True)
class SourceFrame:
    """One picture with what is known of its camera.

    Attributes:
        rgb: (H, W, 3) uint8.
        intrinsics: Of this picture, at its size.
        depth: (H, W) float32 [m] along Z, NaN = none; only synthetic rooms know it.
    """

    rgb: NDArray[np.uint8]
    intrinsics: CameraIntrinsics
    depth: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How a source is read."""

    # rooms, webcam:INDEX, or a path to a photo, a folder, a video or /dev/videoN
    source: str = 'rooms'
    seed: int = ROOM_SEED  # of the room and of the walk through it
    width: int = 0  # [px], 0 = the source's own (640 for rooms)
    height: int = 0  # [px], 0 = the source's own, or what keeps the aspect when width is given
    hfov_deg: float = 65.0  # horizontal field of view: of rooms, and what is said of the rest
    rate_hz: float = 30.0  # rooms: the walk's time from one frame to the next
    num_frames_ahead: int = 90  # rooms: how many frames of the walk there are
    max_image_pixels: int = MAX_IMAGE_PIXELS  # larger pictures are refused by their header

    def __post_init__(self) -> None:
        """Refuse what no source can do.

        Raises:
            ConfigError: A value is out of its range.
        """
        if self.width < 0 or self.height < 0:
            raise ConfigError(f'width x height is {self.width}x{self.height}; expected 0 or more')
        if not 1.0 <= self.hfov_deg < 180.0:
            raise ConfigError(f'hfov_deg is {self.hfov_deg}; expected 1 to 179')
        if self.rate_hz <= 0.0:
            raise ConfigError(f'rate_hz is {self.rate_hz}; expected more than 0')
        if self.num_frames_ahead < 1:
            raise ConfigError(f'num_frames_ahead is {self.num_frames_ahead}; expected 1 or more')

    @property
    def kind(self) -> SourceKind:
        """What the source is, judged by its name and, for a path, by what lies there.

        Raises:
            ConfigError: The path does not exist or the webcam's index is no number.
        """
        if self.source == SourceKind.ROOMS.value:
            return SourceKind.ROOMS
        path = Path(self.source).expanduser()
        if self.source.startswith(WEBCAM_PREFIX) or _device(path):
            self.webcam_index()
            return SourceKind.WEBCAM
        if path.is_dir():
            return SourceKind.FOLDER
        if not path.is_file():
            fault = 'is no file' if path.exists() else 'does not exist'
            raise ConfigError(
                f"source '{printable(self.source)}' {fault}; "
                'expected rooms, webcam:0, or the path of a photo, a folder of photos or a video'
            )
        return SourceKind.PHOTO if _is_photo(path) else SourceKind.VIDEO

    def webcam_index(self) -> int:
        """Return N of `webcam:N`, or of /dev/videoN and names that lead to it.

        Raises:
            ConfigError: N is not a number.
        """
        device = _device(Path(self.source))
        if device:
            return int(device[1])
        index = self.source[len(WEBCAM_PREFIX) :]
        if not index.isdecimal():
            raise ConfigError(f"source '{self.source}': expected webcam:0, webcam:1, ...")
        return int(index)


def read_frames(options: SourceOptions) -> Iterator[SourceFrame]:
    """Yield the source's frames once through, in order; a webcam never ends.

    Raises:
        ConfigError: The source does not exist.
        DataError: The source is there but cannot be read, or holds no picture.
    """
    kind = options.kind
    if kind is SourceKind.ROOMS:
        return _read_rooms(options)
    path = Path(options.source).expanduser()
    if kind is SourceKind.PHOTO:
        pictures = iter([_read_photo(path, options)])
    elif kind is SourceKind.FOLDER:
        pictures = _read_folder(path, options)
    elif kind is SourceKind.VIDEO:
        pictures = _read_video(path, options)
    else:
        pictures = _read_webcam(options.webcam_index(), options)
    return (_as_frame(rgb, options) for rgb in pictures)


def _device(path: Path) -> re.Match[str] | None:
    """Match a webcam's device file, or a link to one, as in /dev/v4l/by-id."""
    return DEVICE.fullmatch(str(path.resolve() if path.is_symlink() else path))


def _read_rooms(options: SourceOptions) -> Iterator[SourceFrame]:
    from depth_estimation_ros.rooms import RoomWalk

    height, width = options.height, options.width
    # A side that is not given keeps the aspect of ROOM_SIZE.
    height = height or (round(width * ROOM_SIZE[0] / ROOM_SIZE[1]) if width else ROOM_SIZE[0])
    size = (height, width or round(height * ROOM_SIZE[1] / ROOM_SIZE[0]))
    walk = RoomWalk(options.seed, size, hfov_deg=options.hfov_deg)

    def render(index: int) -> SourceFrame:
        view = walk.frame(index / options.rate_hz)
        return SourceFrame(rgb=view.rgb, intrinsics=view.intrinsics, depth=view.depth)

    with ThreadPoolExecutor(NUM_RENDER_THREADS) as renderers:
        yield from renderers.map(render, range(options.num_frames_ahead))


def _is_photo(path: Path) -> bool:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    with path.open('rb') as file:
        return read_header(file.read(4096)) is not None


def _read_photo(path: Path, options: SourceOptions) -> NDArray[np.uint8]:
    try:
        return read_image(path, max_pixels=options.max_image_pixels)
    except ImageError as err:
        raise DataError(
            f"'{printable(path)}' cannot be read as a picture; expected jpeg, png, ... ({err})"
        ) from err


def _read_folder(folder: Path, options: SourceOptions) -> Iterator[NDArray[np.uint8]]:
    paths = list_folder(folder, IMAGE_SUFFIXES)
    if not paths:
        suffixes = ' '.join(sorted(IMAGE_SUFFIXES))
        raise DataError(
            f"folder '{printable(folder)}' holds no picture; expected files ending in {suffixes}"
        )
    return _read_photos(paths, options)


def _read_photos(paths: list[Path], options: SourceOptions) -> Iterator[NDArray[np.uint8]]:
    """Read what can be read; a damaged picture is left out, counted and named.

    Raises:
        DataError: None of them can be read.
    """
    num_damaged = 0
    for path in paths:
        try:
            rgb = _read_photo(path, options)
        except DataError as err:
            num_damaged += 1
            if num_damaged == len(paths):
                raise
            _logger.warning('left out, %d so far: %s', num_damaged, err)
            continue
        yield rgb


def _read_video(path: Path, options: SourceOptions) -> Iterator[NDArray[np.uint8]]:
    """Begin a video, so that one that cannot be read is refused at once."""
    frames = _frames_of_video(path, options)
    try:
        first = next(frames)
    except (ImageError, StopIteration) as err:
        raise DataError(
            f"'{printable(path)}' cannot be read as a picture or a video ({err})"
        ) from err
    return chain([first], frames)


def _frames_of_video(path: Path, options: SourceOptions) -> Iterator[NDArray[np.uint8]]:
    try:
        for _, rgb in read_video(path, max_pixels=options.max_image_pixels):
            yield rgb
    except VideoEndsEarlyError as err:
        _logger.warning('%s', err)


def _read_webcam(index: int, options: SourceOptions) -> Iterator[NDArray[np.uint8]]:
    device = Path(f'/dev/video{index}')
    # Asked of the file system first: OpenCV's own answer to a missing camera is a page of text.
    capture = cv2.VideoCapture(index) if device.exists() else None
    if capture is None or not capture.isOpened():
        raise DataError(f"no webcam {index}: '{device}' is missing, busy or not readable")
    if options.width and options.height:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
    grabbed, first = capture.read()
    if not grabbed:
        capture.release()
        raise DataError(f"webcam {index} ('{device}') opens but gives no picture")
    return _read_capture(capture, np.asarray(first, dtype=np.uint8))


def _read_capture(
    capture: cv2.VideoCapture, first: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    try:
        grabbed, bgr = True, first
        while grabbed:
            yield np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            grabbed, following = capture.read()
            bgr = np.asarray(following, np.uint8) if grabbed else bgr
    finally:
        capture.release()


def _as_frame(rgb: NDArray[np.uint8], options: SourceOptions) -> SourceFrame:
    """Resize to the size asked for; field of view and aspect stay true to the pixels."""
    height, width = rgb.shape[:2]
    out_width = options.width or round(width * (options.height or height) / height)
    out_height = options.height or round(height * out_width / width)
    # A size of another aspect cuts the longer side about its middle: nothing is squeezed.
    crop_width = min(width, round(height * out_width / out_height))
    crop_height = min(height, round(width * out_height / out_width))
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    cropped = rgb[top : top + crop_height, left : left + crop_width]
    intrinsics = CameraIntrinsics.from_hfov(width=width, height=height, hfov_deg=options.hfov_deg)
    intrinsics = intrinsics.cropped(top=top, left=left, height=crop_height, width=crop_width)
    if (crop_height, crop_width) != (out_height, out_width):
        shrinks = out_width < crop_width
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = cv2.resize(cropped, (out_width, out_height), interpolation=method)
        cropped = np.asarray(resized, dtype=np.uint8)
        intrinsics = intrinsics.scaled(height=out_height, width=out_width)
    return SourceFrame(rgb=np.ascontiguousarray(cropped), intrinsics=intrinsics)
