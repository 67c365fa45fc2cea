"""From the bytes of an image and its raw depth to a sample of the size that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from depth_estimation_ros.camera.compressed import decode_compressed
from depth_estimation_ros.depth.depth_image import impossible_depth
from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_codec import decode_rgb, decode_unchanged
from depth_estimation_ros.files.image_header import REDUCTIONS
from depth_estimation_ros.training.data.rgbd_sample import RgbdSample, SampleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics


def known_depth(
    depth: NDArray[Any], metres_per_unit: float = 1.0, *, depth_invalid: float | None = None
) -> NDArray[np.float32]:
    """Return (H, W) float32 depth [m], 0 wherever none was measured.

    Args:
        depth: (H, W) of any number type; missing are 0, negative, NaN, infinite, 65535 in 16 bits
            (what many drivers write for none) and beyond `MAX_SENSOR_DEPTH`.
        metres_per_unit: What 1 stands for [m].
        depth_invalid: One more raw value that means none.
    """
    values = depth.astype(np.float32)
    if metres_per_unit != 1.0:
        values *= np.float32(metres_per_unit)
    if depth.dtype.kind == 'f':
        values[~(values > 0)] = 0
    values[impossible_depth(depth, metres_per_unit, depth_invalid=depth_invalid)] = 0
    return values


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How images of one size become another: cut to the new aspect about the centre, resized.

    Nothing is stretched (but to whole pixels) and no border is added, so focal lengths stay
    those of a real camera. Depth is picked, never averaged: an average over an edge is a depth
    where nothing is.

    Attributes:
        top: First row that is kept.
        left: First column that is kept.
        height: Rows that are kept.
        width: Columns that are kept.
        size: (height, width) of the result.
    """

    top: int
    left: int
    height: int
    width: int
    size: tuple[int, int]

    @classmethod
    def between(
        cls, source: tuple[int, int], size: tuple[int, int] | None, *, frame_px: int = 0
    ) -> Fit:
        """Choose the part of (height, width) images to keep; None keeps its size.

        Args:
            source: Size of the images.
            size: Size wanted.
            frame_px: Rows and columns that are cut off each side in any case.

        Raises:
            SampleError: The frame leaves nothing.
        """
        height, width = source[0] - 2 * frame_px, source[1] - 2 * frame_px
        if height < 1 or width < 1:
            raise SampleError(
                f'frame_px {frame_px} leaves nothing of an image of {source[0]}x{source[1]}: '
                f'it must be below {min(source) / 2:g}'
            )
        size = size or (height, width)
        kept_height = min(height, max(1, round(width * size[0] / size[1])))
        kept_width = min(width, max(1, round(height * size[1] / size[0])))
        return cls(
            top=frame_px + (height - kept_height) // 2,
            left=frame_px + (width - kept_width) // 2,
            height=kept_height,
            width=kept_width,
            size=size,
        )

    def reduction(self, source: tuple[int, int]) -> int:
        """Return by how much a decoder may shrink (height, width) images: 1, 2, 4 or 8."""
        edges = (self.top, self.left, self.height, self.width, *source)
        for factor in REDUCTIONS:
            enough = self.height >= factor * self.size[0] and self.width >= factor * self.size[1]
            if enough and all(edge % factor == 0 for edge in edges):
                return factor
        return 1

    def image(self, image: NDArray[np.uint8], *, reduced: int = 1) -> NDArray[np.uint8]:
        """Cut and resize an image, (H, W, 3) uint8, that may be shrunk already."""
        top, left, height, width = (
            edge // reduced for edge in (self.top, self.left, self.height, self.width)
        )
        part = image[top : top + height, left : left + width]
        if part.shape[:2] == self.size:
            return part
        shrinks = height > self.size[0] or width > self.size[1]
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, self.size[::-1], interpolation=method), np.uint8)

    def depth(self, depth: NDArray[Any]) -> NDArray[Any]:
        """Cut depth, (H, W), and pick the pixel that each new one's centre lies in."""
        if depth.shape == self.size:
            return depth
        rows = (np.arange(self.size[0]) * 2 + 1) * self.height // (2 * self.size[0]) + self.top
        columns = (np.arange(self.size[1]) * 2 + 1) * self.width // (2 * self.size[1]) + self.left
        return depth[rows[:, None], columns]

    def intrinsics(self, camera: CameraIntrinsics | None) -> CameraIntrinsics | None:
        """Return the intrinsics of the fitted image."""
        if camera is None or not camera.is_calibrated:
            return None
        part = camera.cropped(top=self.top, left=self.left, height=self.height, width=self.width)
        return part.scaled(height=self.size[0], width=self.size[1])


def decode_sample(  # noqa: PLR0913 - each a fact of the recording
    image_data: bytes,
    raw_depth: NDArray[Any],
    camera: CameraIntrinsics | None,
    *,
    size: tuple[int, int] | None,
    metres_per_unit: float = 1.0,
    frame_px: int = 0,
    depth_step: float = 0.0,
    depth_invalid: float | None = None,
    name: str,
    format_text: str = '',
) -> RgbdSample:
    """Make a sample of an encoded image and its depth.

    Args:
        image_data: A JPEG, PNG or another image file.
        raw_depth: (H, W) of any number type; not a positive number = missing.
        camera: Intrinsics at the recorded size.
        size: (height, width) wanted; None = as recorded.
        metres_per_unit: What 1 stands for in the depth [m].
        frame_px: Rows and columns to cut off each side first.
        depth_step: The steps that depth was recorded in [m]; 0 = too fine to matter.
        depth_invalid: One more raw value that means none.
        name: The image's, for messages.
        format_text: What a CompressedImage says of its format.

    Raises:
        SampleError: The image is damaged, or not of the depth's size.
    """
    source = raw_depth.shape[0], raw_depth.shape[1]
    fit = Fit.between(source, size, frame_px=frame_px)
    reduced = fit.reduction(source)
    return _fitted(
        fit,
        decode_image(image_data, name=name, reduced=reduced, format_text=format_text),
        raw_depth,
        camera,
        reduced=reduced,
        metres_per_unit=metres_per_unit,
        depth_step=depth_step,
        depth_invalid=depth_invalid,
        name=name,
    )


def fit_sample(
    image: NDArray[np.uint8],
    raw_depth: NDArray[Any],
    camera: CameraIntrinsics | None,
    *,
    size: tuple[int, int] | None,
    metres_per_unit: float = 1.0,
    frame_px: int = 0,
    depth_step: float = 0.0,
    depth_invalid: float | None = None,
    name: str,
) -> RgbdSample:
    """Make a sample of a decoded image and its depth; see `decode_sample`."""
    return _fitted(
        Fit.between((raw_depth.shape[0], raw_depth.shape[1]), size, frame_px=frame_px),
        image,
        raw_depth,
        camera,
        metres_per_unit=metres_per_unit,
        depth_step=depth_step,
        depth_invalid=depth_invalid,
        name=name,
    )


def _fitted(
    fit: Fit,
    image: NDArray[np.uint8],
    raw_depth: NDArray[Any],
    camera: CameraIntrinsics | None,
    *,
    reduced: int = 1,
    metres_per_unit: float,
    depth_step: float,
    depth_invalid: float | None,
    name: str,
) -> RgbdSample:
    """Make a sample of an image, perhaps shrunk already, and its depth.

    Raises:
        SampleError: They are not of one size.
    """
    found = tuple(side * reduced for side in image.shape[:2])
    if found != raw_depth.shape:
        raise SampleError(
            f'{name}: the image is {found} (height, width), its depth {raw_depth.shape}'
        )
    depth, num_impossible = _known(fit.depth(raw_depth), metres_per_unit, depth_invalid)
    return RgbdSample(
        image=fit.image(image, reduced=reduced),
        depth=depth,
        intrinsics=fit.intrinsics(camera),
        depth_step=depth_step,
        num_impossible=num_impossible,
    )


def _known(
    raw_depth: NDArray[Any], metres_per_unit: float, depth_invalid: float | None
) -> tuple[NDArray[np.float32], int]:
    """Return the known depth [m], and how many pixels of it were impossible."""
    impossible = impossible_depth(raw_depth, metres_per_unit, depth_invalid=depth_invalid)
    depth = known_depth(raw_depth, metres_per_unit, depth_invalid=depth_invalid)
    return depth, int(np.count_nonzero(impossible))


def decode_image(
    data: bytes, *, name: str, reduced: int = 1, format_text: str = ''
) -> NDArray[np.uint8]:
    """Decode an image file's bytes to (H, W, 3) uint8 RGB, shrunk by 1, 2, 4 or 8.

    A rotation in the file's EXIF is not applied: depth has none.

    Raises:
        SampleError: It is no image, too large by its header, or damaged.
    """
    try:
        if format_text:
            return decode_compressed(data, text=format_text, reduced=reduced)
        return decode_rgb(data, name='image', reduced=reduced)
    except ImageError as err:
        raise SampleError(f'{name}: damaged, or no image that can be read: {err}') from err


def decode_depth_png(
    data: bytes, *, dtype: type[np.uint8] | type[np.uint16], name: str
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Decode a depth image's bytes to (H, W), of exactly this type.

    Raises:
        SampleError: It is no image, too large by its header, damaged or of another bit depth.
    """
    try:
        raw = decode_unchanged(data, name='depth')
    except ImageError as err:
        raise SampleError(f'{name}: damaged, or no image that can be read: {err}') from err
    bits = np.dtype(dtype).itemsize * 8
    if raw.dtype != dtype or raw.ndim != 2:
        channels = 1 if raw.ndim == 2 else raw.shape[2]
        raise SampleError(
            f'{name}: {raw.dtype.itemsize * 8}-bit with {channels} channel(s), '
            f'expected {bits}-bit depth with 1'
        )
    return raw
