"""The self-check of a model file: an input anyone can make again, and what must come out.

The image is made with integer arithmetic only, so it is the same on every machine, with every
NumPy, and can be made again in any language. The comparison is in inverse depth, clipped to the
model's range: continuous where the network says "infinitely far" (0 in the output), so that a
pixel on the edge of validity cannot fail a correct backend.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ['PROBE_TOLERANCE', 'Probe', 'probe_error', 'probe_image']

# Relative RMS error of the probe output above which a backend is refused, by the lowest
# precision that took part (of the file or of the backend's arithmetic).
PROBE_TOLERANCE = {
    # Another order of summation gives 1e-6 to 1e-5; reduced-precision multipliers 1e-3 and more.
    'fp32': 1e-3,
    # 11 bits of mantissa: 4e-4 measured on a small network; wrong engines give tenths.
    'fp16': 1e-2,
    # The multipliers of NVIDIA GPUs for fp32 data, unless forbidden: the mantissa of fp16.
    'tf32': 1e-2,
    # 8 bits of mantissa: about 1e-2 measured with openvino on AVX512-BF16.
    'bf16': 5e-2,
    # 0.015 to 0.065 measured on a small network, by how it was calibrated; a wrong backend
    # (symmetric int8 activations on openvino) gave 0.18.
    'int8': 1e-1,
}

_NUM_BOXES = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Probe:
    """A regenerable input and the coarse reference output for it.

    Attributes:
        seed: Seed of `probe_image`.
        grid_step: Every grid_step-th row and column is kept, from grid_step // 2 on [px].
        reference: (N, rows, columns) float32 output of the fp32 network [m], 0 = invalid.
    """

    seed: int
    grid_step: int
    reference: NDArray[np.float32]

    @classmethod
    def from_output(cls, output: NDArray[np.float32], *, seed: int, grid_step: int = 16) -> Probe:
        """Keep a coarse grid of the fp32 network's output for `probe_image(seed, ...)`.

        Args:
            output: (N, h, w) float32 depth [m], 0 = invalid.
            seed: The seed that the input was made from.
            grid_step: Distance of the samples kept [px].
        """
        reference = _coarse_grid(output, grid_step).astype(np.float32)
        return cls(seed=seed, grid_step=grid_step, reference=reference)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Probe):
            return NotImplemented
        same_keys = (self.seed, self.grid_step) == (other.seed, other.grid_step)
        return same_keys and np.array_equal(self.reference, other.reference)

    def __hash__(self) -> int:
        return hash((self.seed, self.grid_step, self.reference.shape))

    def to_fields(self) -> dict[str, Any]:
        """What JSON can hold; the reference as base64 of little-endian float32."""
        data = np.ascontiguousarray(self.reference, dtype='<f4').tobytes()
        return {
            'seed': self.seed,
            'grid_step': self.grid_step,
            'shape': list(self.reference.shape),
            'reference': base64.b64encode(data).decode('ascii'),
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Probe:
        """Inverse of `to_fields`.

        Raises:
            ValueError: The fields are not those of a probe.
        """
        try:
            values = np.frombuffer(base64.b64decode(fields['reference']), dtype='<f4')
            return cls(
                seed=int(fields['seed']),
                grid_step=int(fields['grid_step']),
                reference=values.reshape(fields['shape']).astype(np.float32),
            )
        except (KeyError, TypeError, binascii.Error) as err:
            raise ValueError(f'damaged probe: {err!r}') from err


def probe_image(seed: int, *, batch_size: int, height: int, width: int) -> NDArray[np.uint8]:
    """Make the probe input: shaded boxes before a floor and a wall, with fine noise.

    Args:
        seed: Any integer; image i of the batch is made from seed + i.
        batch_size: Number of images.
        height: Rows [px].
        width: Columns [px].

    Returns:
        (batch_size, height, width, 3) uint8 RGB.
    """
    images = [_one_image(seed + index, height, width) for index in range(batch_size)]
    return np.stack(images)


def probe_error(
    output: NDArray[np.float32], probe: Probe, *, min_depth: float, max_depth: float
) -> float:
    """Relative RMS error of an output against the probe's reference.

    Args:
        output: (N, h, w) float32 depth for the probe image [m], 0 = invalid.
        probe: What the output must be.
        min_depth: Lower end of the model's range [m].
        max_depth: Upper end of the model's range [m].

    Returns:
        RMS over the grid of |inverse depth - reference| / reference, both clipped to the range;
        infinity when the output holds NaN or has another shape.
    """
    grid = _coarse_grid(output, probe.grid_step)
    if grid.shape != probe.reference.shape or not np.isfinite(grid).all():
        return float('inf')
    found = _clipped_inverse(grid, min_depth, max_depth)
    expected = _clipped_inverse(probe.reference, min_depth, max_depth)
    return float(np.sqrt(np.mean(np.square(found / expected - 1.0))))


def _coarse_grid(output: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    return output[:, step // 2 :: step, step // 2 :: step]


def _clipped_inverse(
    depth: NDArray[np.float32], min_depth: float, max_depth: float
) -> NDArray[np.float64]:
    far_away = np.where(depth > 0.0, depth.astype(np.float64), np.inf)
    return np.clip(1.0 / far_away, 1.0 / max_depth, 1.0 / min_depth)


def _hash(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Mix 32-bit integers: two multiply-xorshift rounds, wrapping modulo 2**32."""
    mixed: NDArray[np.uint32] = values * np.uint32(0x9E3779B1)
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x85EBCA77)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE3D)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _random(start: int, count: int) -> NDArray[np.int64]:
    """(count,) int64 in [0, 2**32): a hash of start, start + 1, ... modulo 2**32."""
    keys = (np.arange(count, dtype=np.int64) + start) & 0xFFFFFFFF
    return _hash(keys.astype(np.uint32)).astype(np.int64)


def _one_image(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8."""
    start = int(_hash(np.array([seed & 0xFFFFFFFF], dtype=np.uint32))[0])
    rows = np.arange(height, dtype=np.int64)[:, None]
    columns = np.arange(width, dtype=np.int64)[None, :]
    wall = 170 + 40 * columns // width - 60 * rows // height
    floor = (
        60
        + 120 * (2 * rows - height) // height
        + 25 * ((columns * 8 // width + rows * 8 // height) % 2)
    )
    base = np.where(2 * rows < height, wall, floor)
    image = np.stack([base, base - 15, base - 30], axis=2)
    draws = _random(start, 7 * _NUM_BOXES)
    for top, left, tall, wide, red, green, blue in draws.reshape(_NUM_BOXES, 7):
        row, column = top % height, left % width
        window = image[
            row : row + 1 + tall % (height // 3 + 1), column : column + 1 + wide % (width // 3 + 1)
        ]
        shade = 40 * np.arange(window.shape[1]) // window.shape[1]
        window[:] = np.stack([colour % 200 + shade for colour in (red, green, blue)], axis=1)
    noise = _random(start, image.size).reshape(image.shape) % 17 - 8
    clipped: NDArray[np.int64] = np.clip(image + noise, 0, 255)
    return clipped.astype(np.uint8)
