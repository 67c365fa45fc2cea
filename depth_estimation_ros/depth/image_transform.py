"""Resize or letterbox of a camera image to the network's size, and the way back for depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ['PAD_VALUE', 'RESIZE_MODES', 'ImageTransform', 'Size']

Size = tuple[int, int]  # (height, width) [px]
RESIZE_MODES = ('letterbox', 'resize')
PAD_VALUE = 115  # a grey near the mean of photographs, about zero after normalisation


@dataclass(frozen=True, kw_only=True)
class ImageTransform:
    """Places an image inside the network's input, and brings depth back to the image.

    The image is scaled to `content_size` and put at (top, left) of the network's input; the rest
    is PAD_VALUE. The content's borders fall on whole pixels of the network's output too, so the
    way back is exact: no sample mixes image and padding.

    Attributes:
        image_size: (height, width) of the camera image [px].
        network_size: (height, width) of the network's input [px].
        stride: Input pixels per output pixel of the network.
        content_size: (height, width) of the scaled image inside the input [px].
        top: First row of the content [px].
        left: First column of the content [px].
    """

    image_size: Size
    network_size: Size
    stride: int
    content_size: Size
    top: int
    left: int

    @classmethod
    def letterbox(
        cls, *, image_size: Size, network_size: Size, output_size: Size | None = None
    ) -> ImageTransform:
        """Keep the aspect, centre the image and pad what is left.

        Args:
            image_size: (height, width) of the camera image [px].
            network_size: (height, width) of the network's input [px].
            output_size: (height, width) of the network's depth [px], None = network_size. The
                content is rounded to whole output pixels, which changes the aspect by less than
                one of them.

        Raises:
            ImageError: The image has no pixels.
            ConfigError: network_size is no whole multiple of output_size.
        """
        stride = _stride(network_size, output_size)
        _require_pixels(image_size)
        ratio = min(network_size[0] / image_size[0], network_size[1] / image_size[1])
        height, width = (
            min(limit, stride * max(1, round(size * ratio / stride)))
            for size, limit in zip(image_size, network_size, strict=True)
        )
        return cls(
            image_size=image_size,
            network_size=network_size,
            stride=stride,
            content_size=(height, width),
            top=(network_size[0] - height) // (2 * stride) * stride,
            left=(network_size[1] - width) // (2 * stride) * stride,
        )

    @classmethod
    def resize(
        cls, *, image_size: Size, network_size: Size, output_size: Size | None = None
    ) -> ImageTransform:
        """Fill the network's input; another aspect is stretched.

        Args:
            image_size: (height, width) of the camera image [px].
            network_size: (height, width) of the network's input [px].
            output_size: (height, width) of the network's depth [px], None = network_size.

        Raises:
            ImageError: The image has no pixels.
            ConfigError: network_size is no whole multiple of output_size.
        """
        _require_pixels(image_size)
        return cls(
            image_size=image_size,
            network_size=network_size,
            stride=_stride(network_size, output_size),
            content_size=network_size,
            top=0,
            left=0,
        )

    @classmethod
    def by_mode(
        cls, mode: str, *, image_size: Size, network_size: Size, output_size: Size | None = None
    ) -> ImageTransform:
        """Make the transform that a setting names.

        Args:
            mode: One of RESIZE_MODES.
            image_size: (height, width) of the camera image [px].
            network_size: (height, width) of the network's input [px].
            output_size: (height, width) of the network's depth [px], None = network_size.

        Raises:
            ConfigError: There is no such mode.
        """
        if mode not in RESIZE_MODES:
            raise ConfigError(f'resize_mode {mode!r}: must be one of {", ".join(RESIZE_MODES)}')
        make = cls.letterbox if mode == 'letterbox' else cls.resize
        return make(image_size=image_size, network_size=network_size, output_size=output_size)

    @property
    def scale(self) -> tuple[float, float]:
        """Content pixels per image pixel, (vertical, horizontal)."""
        return (
            self.content_size[0] / self.image_size[0],
            self.content_size[1] / self.image_size[1],
        )

    def apply_image(
        self, rgb_hwc: NDArray[np.uint8], *, out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Scale and pad an image; areas are averaged when shrinking, bilinear when enlarging.

        Args:
            rgb_hwc: (H, W, 3) uint8 of image_size, or made smaller already but not below
                content_size; may be a strided view.
            out: (h, w, 3) uint8 C-contiguous buffer to fill, None = a new one.

        Returns:
            (h, w, 3) uint8 of network_size.
        """
        import cv2

        if out is None:
            out = np.empty((*self.network_size, 3), dtype=np.uint8)
        height, width = self.content_size
        bottom, right = self.top + height, self.left + width
        out[: self.top] = PAD_VALUE
        out[bottom:] = PAD_VALUE
        out[self.top : bottom, : self.left] = PAD_VALUE
        out[self.top : bottom, right:] = PAD_VALUE
        if rgb_hwc.shape[:2] == (1, 1):  # which OpenCV 4.5.4, Humble's, refuses
            rgb_hwc = np.repeat(rgb_hwc, 2, axis=1)
        shrinks = max(self.scale) <= 1.0
        out[self.top : bottom, self.left : right] = cv2.resize(
            rgb_hwc, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return out

    def content_of(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cut the padding off the network's depth.

        Args:
            depth: (h, w) float32 of the network's output size [m].

        Returns:
            The part that the image filled, a view.

        Raises:
            ImageError: The depth has another size than the network's output.
        """
        wanted = (self.network_size[0] // self.stride, self.network_size[1] // self.stride)
        if depth.shape != wanted:
            raise ImageError(f'depth of shape {depth.shape} where the network gives {wanted}')
        top, left = self.top // self.stride, self.left // self.stride
        height, width = self.grid_size
        return depth[top : top + height, left : left + width]

    @property
    def grid_size(self) -> Size:
        """(height, width) of the samples of depth that the network gives for the image."""
        return self.content_size[0] // self.stride, self.content_size[1] // self.stride

    def apply_intrinsics(self, intrinsics: CameraIntrinsics) -> CameraIntrinsics:
        """Intrinsics of the camera as the network sees it.

        Exact for what apply_image does: pixel borders, not pixel centres, are scaled, so that
        cx + 0.5 scales, unlike ROS's rule in CameraIntrinsics.scaled.

        Args:
            intrinsics: The camera's, for image_size.

        Raises:
            ImageError: They belong to another image size.
        """
        if (intrinsics.height, intrinsics.width) != self.image_size:
            raise ImageError(
                f'intrinsics of a {intrinsics.width}x{intrinsics.height} image for one of '
                f'{self.image_size[1]}x{self.image_size[0]} (width x height)'
            )
        scale_y, scale_x = self.scale
        return CameraIntrinsics(
            width=self.network_size[1],
            height=self.network_size[0],
            fx=intrinsics.fx * scale_x,
            fy=intrinsics.fy * scale_y,
            cx=(intrinsics.cx + 0.5) * scale_x - 0.5 + self.left,
            cy=(intrinsics.cy + 0.5) * scale_y - 0.5 + self.top,
        )


def _stride(network_size: Size, output_size: Size | None) -> int:
    height, width = output_size or network_size
    stride = network_size[0] // max(1, height)
    if (stride * height, stride * width) != network_size:
        raise ConfigError(f'network size {network_size} is no whole multiple of {output_size}')
    return stride


def _require_pixels(image_size: Size) -> None:
    if min(image_size) < 1:
        raise ImageError(
            f'image of {image_size[1]}x{image_size[0]} (width x height) has no pixels'
        )
