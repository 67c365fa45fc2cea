"""The size of a network's input: what a user may ask for, and which one fits a camera.

A model file with free height and width runs at any size in multiples of 32. The size of its export
is its pixel budget: how much it costs. `auto` spends the budget in the camera's shape, so that no
pixel of the network looks at padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import math
import re
from typing import TYPE_CHECKING

from depth_estimation_ros.depth.image_transform import RESIZE_MODES, ImageTransform
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.image_header import REDUCTIONS
from depth_estimation_ros.model_file.model_spec import SIZE_MULTIPLE

if TYPE_CHECKING:
    from depth_estimation_ros.depth.image_transform import Size
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = [
    'AUTO',
    'ImageFitter',
    'common_sizes',
    'fitting_size',
    'parse_network_size',
    'size_text',
]

AUTO = 'auto'
MAX_EXCESS = 1.05  # of the budget, so that 7 x 7 blocks are there for a budget of 6 x 8
# How much aspect is given up for pixels: 4 % fewer pixels are as bad as 1 % of stretching.
_PIXELS_WEIGHT = 0.25
_LEAST_OVERSAMPLING = 1.5  # rows of an image made smaller / rows the network looks at
# Width / height of the cameras that there are; each also stands upright.
_COMMON_ASPECTS = (1.0, 5 / 4, 4 / 3, 3 / 2, 16 / 10, 16 / 9, 2.0)


def parse_network_size(text: str) -> Size | None:
    """Read a user's `network_size`.

    Args:
        text: 'auto' or HEIGHTxWIDTH [px].

    Returns:
        (height, width) [px], None for auto.

    Raises:
        ConfigError: It is neither, or no multiple of 32.
    """
    if text == AUTO:
        return None
    found = re.fullmatch(r'(\d{1,5})x(\d{1,5})', text)
    if found is None:
        raise ConfigError(
            f'network_size {text!r}: must be {AUTO} or HEIGHTxWIDTH, such as 192x256'
        )
    height, width = int(found[1]), int(found[2])
    nearest = (_nearest_multiple(height), _nearest_multiple(width))
    if nearest != (height, width):
        raise ConfigError(
            f'network_size {text}: height and width must be multiples of {SIZE_MULTIPLE}; '
            f'the nearest is {size_text(nearest)}'
        )
    return nearest


def size_text(size: Size) -> str:
    """Write a size as `parse_network_size` reads it: HEIGHTxWIDTH."""
    return f'{size[0]}x{size[1]}'


@lru_cache(maxsize=64)  # asked for every image
def fitting_size(image_size: Size, budget: Size) -> Size:
    """Choose the network size for a camera.

    Of all sizes in multiples of 32 with at most 1.05 times the pixels of the budget it takes the
    one with the least |ln(aspect / camera's aspect)| + |ln(pixels / budget)| / 4.

    Args:
        image_size: (height, width) of the camera's images [px].
        budget: (height, width) whose product is the number of pixels to spend.

    Returns:
        (height, width) in multiples of 32 [px].
    """
    num_blocks = budget[0] * budget[1] / SIZE_MULTIPLE**2
    most = max(1, math.floor(num_blocks * MAX_EXCESS + 1e-9))
    aspect = math.log(image_size[1] / image_size[0])

    def cost(blocks: Size) -> float:
        rows, columns = blocks
        stretch = abs(math.log(columns / rows) - aspect)
        return stretch + _PIXELS_WEIGHT * abs(math.log(rows * columns / num_blocks))

    candidates = (
        (rows, columns) for rows in range(1, most + 1) for columns in range(1, most // rows + 1)
    )
    rows, columns = min(candidates, key=cost)
    return rows * SIZE_MULTIPLE, columns * SIZE_MULTIPLE


def common_sizes(budget: Size) -> tuple[Size, ...]:
    """List the sizes that `fitting_size` gives for usual cameras, upright ones too.

    Args:
        budget: (height, width) whose product is the number of pixels to spend.
    """
    aspects = [*_COMMON_ASPECTS, *(1.0 / aspect for aspect in _COMMON_ASPECTS)]
    sizes = {fitting_size((3600, round(3600 * aspect)), budget) for aspect in aspects}
    return tuple(sorted(sizes))


@dataclass(frozen=True, kw_only=True)
class ImageFitter:
    """Decides at which size the network looks at an image, and how the image gets there.

    Attributes:
        spec: Facts of the model file.
        network_size: (height, width) [px] that the user chose, None = auto.
        resize_mode: For a size that is given: 'letterbox' keeps the aspect and pads, 'resize'
            stretches. A size that auto chose is filled: the per cent that the aspects differ by
            is stretched, and the intrinsics with it.

    Raises:
        ConfigError: There is no such resize_mode, or the file has another size, which is fixed.
    """

    spec: ModelSpec
    network_size: Size | None = None
    resize_mode: str = 'letterbox'

    def __post_init__(self) -> None:
        """Check the values."""
        if self.resize_mode not in RESIZE_MODES:
            modes = ', '.join(RESIZE_MODES)
            raise ConfigError(f'resize_mode {self.resize_mode!r}: must be one of {modes}')
        if self.network_size is not None:
            self.spec.resized(self.network_size)

    @property
    def fixed_size(self) -> Size | None:
        """(height, width) of the network for all images [px]; None if it depends on them."""
        if self.network_size is None and not self.spec.free_size:
            return self.spec.input_size
        return self.network_size

    def size_for(self, image_size: Size) -> Size:
        """(height, width) of the network's input for an image of this size [px]."""
        return self.fixed_size or fitting_size(image_size, self.spec.input_size)

    def transform_for(self, image_size: Size) -> ImageTransform:
        """How an image of this size (height, width) [px] gets into the network.

        Raises:
            ImageError: It has no pixels.
        """
        spec = self.spec.resized(self.size_for(image_size))
        return ImageTransform.by_mode(
            self.resize_mode if self.fixed_size else 'resize',
            image_size=image_size,
            network_size=spec.input_size,
            output_size=spec.output_size,
        )

    def reduction_for(self, image_size: Size) -> int:
        """How many pixels of an image's rows and columns may be averaged on the way here.

        The most of `REDUCTIONS` that divides the size and leaves 1.5 times as many rows and
        columns as the network looks at, so that it sees little of that.

        Args:
            image_size: (height, width) [px].

        Raises:
            ImageError: It has no pixels.
        """
        height, width = self.transform_for(image_size).content_size
        most = min(image_size[0] / height, image_size[1] / width) / _LEAST_OVERSAMPLING
        divides = math.gcd(*image_size)
        return next(n for n in REDUCTIONS if n == 1 or (n <= most and divides % n == 0))


def _nearest_multiple(size: int) -> int:
    return max(SIZE_MULTIPLE, round(size / SIZE_MULTIPLE) * SIZE_MULTIPLE)
