"""One image with its depth, and the base of the data sets that read such pairs.

Units and missing pixels are settled here, once: depth is metres along Z, 0 = missing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.errors import DataError

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics


_logger = logging.getLogger(__name__)


class SampleError(DataError):
    """A sample is damaged or not in the format of its data set.

    A loader's worker process hands an error over with its traceback as the message; only its
    last line, the message that was raised, is kept.
    """

    def __init__(self, message: str) -> None:
        if message.startswith('Caught ') and '\n' in message:
            message = message.rstrip().rpartition('\n')[2].partition(': ')[2]
        super().__init__(message)


@dataclass(frozen=True, kw_only=True)
class RgbdSample:
    """An image and the depth of its pixels.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 depth along Z [m]; 0 or not finite = missing.
        intrinsics: The camera's at this size, None = unknown.
        depth_step: The steps that depth was recorded in [m]; 0 = too fine to matter.
        num_impossible: Pixels whose depth was a mark for none, such as 65535, or beyond what any
            sensor gives; they are missing in `depth`.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    intrinsics: CameraIntrinsics | None = None
    depth_step: float = 0.0
    num_impossible: int = 0

    def item(self) -> dict[str, NDArray[Any]]:
        """Return what a network is trained with; torch's DataLoader makes tensors of it.

        Returns:
            `image` (3, H, W) uint8 RGB, `depth` (H, W) float32 [m], 0 = missing, `intrinsics`
            (4,) float32 fx, fy, cx, cy [px], all 0 = unknown, and `depth_step` () float32 [m].
        """
        camera = self.intrinsics
        values = (0.0, 0.0, 0.0, 0.0)
        if camera is not None and camera.is_calibrated:
            values = (camera.fx, camera.fy, camera.cx, camera.cy)
        return {
            'image': np.ascontiguousarray(self.image.transpose(2, 0, 1)),
            'depth': np.ascontiguousarray(self.depth),
            'intrinsics': np.array(values, np.float32),
            'depth_step': np.array(self.depth_step, np.float32),
        }


class RgbdDataset(ABC):
    """Pairs of image and depth; a subclass reads one.

    A torch DataLoader takes it as a map-style data set, though nothing here needs torch. Safe to
    share with worker processes, forked or spawned: files are opened where they are read.

    Attributes:
        size: (height, width) of every item [px]; None = as recorded.
        frame_px: So many rows and columns are cut off each side of every image before it is
            resized: NYU's have a white frame.
        num_skipped: Samples that the data set lists but does not have.
        num_impossible: Pixels read so far, in this process, whose depth no sensor gives.
    """

    def __init__(self, size: tuple[int, int] | None, *, frame_px: int = 0) -> None:
        if size is not None and min(size) < 1:
            raise DataError(f'size {size} has no pixels')
        if not isinstance(frame_px, int) or frame_px < 0:
            raise DataError(f'frame_px {frame_px} must be a whole number, 0 or more [px]')
        self.size = size
        self.frame_px = frame_px
        self.num_skipped = 0
        self.num_impossible = 0

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def sample_name(self, index: int) -> str:
        """Return what a sample is called, for messages and reports."""

    @abstractmethod
    def read(self, index: int) -> RgbdSample:
        """Read a sample at `size`.

        Raises:
            SampleError: It is damaged or in another format; the message names the file.
        """

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]:
        """Return a sample as `RgbdSample.item` has it.

        Raises:
            IndexError: The index is not in 0..len - 1.
            SampleError: The sample is damaged or in another format.
        """
        if not 0 <= index < len(self):
            raise IndexError(f'item {index} of {len(self)}')
        return self.read(index).item()

    def counted(self, sample: RgbdSample, index: int) -> RgbdSample:
        """Return the sample; count its impossible depths and say so at the first of them."""
        if sample.num_impossible and not self.num_impossible:
            _logger.warning(
                '%s: %d of %d depths are a mark for none (65535, depth_invalid) or farther than '
                'any sensor gives; taken as missing, here and in what follows',
                self.sample_name(index),
                sample.num_impossible,
                sample.depth.size,
            )
        self.num_impossible += sample.num_impossible
        return sample
