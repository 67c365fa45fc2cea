"""A camera image as the network needs it: in full, or made smaller as it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from depth_estimation_ros.ros.messages.conversions import reducible_size, rgb_from_message

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from sensor_msgs.msg import CompressedImage, Image

    from depth_estimation_ros.depth.image_transform import Size


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraImage:
    """Pixels of a message.

    Attributes:
        rgb_hwc: (H, W, 3) uint8 RGB, of `size` or smaller by a whole factor.
        size: (height, width) of the camera's image [px].
    """

    rgb_hwc: NDArray[np.uint8]
    size: Size

    @classmethod
    def read(
        cls,
        message: Image | CompressedImage,
        *,
        max_pixels: int,
        reduction_for: Callable[[Size], int] | None = None,
    ) -> CameraImage:
        """Read a message.

        Args:
            message: the image.
            max_pixels: refuse a larger one.
            reduction_for: of (height, width) [px], by what factor the image may be made smaller;
                None = it is needed in full.

        Raises:
            ImageError: the image cannot be read; the text names what is wrong with it.
        """
        size = None if reduction_for is None else reducible_size(message)
        reduced = 1 if reduction_for is None or size is None else reduction_for(size)
        rgb = rgb_from_message(message, max_pixels=max_pixels, reduced=reduced)
        read = (rgb.shape[0], rgb.shape[1])
        return cls(rgb_hwc=rgb, size=read if size is None or reduced == 1 else size)

    @property
    def is_reduced(self) -> bool:
        """Whether it is smaller than the camera's image."""
        return self.rgb_hwc.shape[:2] != self.size
