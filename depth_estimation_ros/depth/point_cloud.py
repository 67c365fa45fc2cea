"""Depth and intrinsics to an organised point cloud, in the memory layout of PointCloud2."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.depth import byte_array
from depth_estimation_ros.depth.depth_image import valid_mask
from depth_estimation_ros.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

__all__ = ['PointCloudBuilder']


class PointCloudBuilder:
    """Turns depth images into points in the camera's optical frame (x right, y down, z forward).

    A point is float32 x, y, z (12 bytes) or x, y, z, rgb (16 bytes; rgb is the integer
    0x00RRGGBB in the place of a float, as PCL and RViz read it). With decimation n, the pixels
    0, n, 2n, ... of a row or column are kept, as image_proc's CropDecimate does; none is
    averaged, so that no point floats between an object and its background.

    Some buffers are kept between calls: one call at a time.
    """

    def __init__(self, *, decimation_x: int = 1, decimation_y: int = 1) -> None:
        """Choose how many pixels become points.

        Args:
            decimation_x: Keep every n-th column.
            decimation_y: Keep every n-th row.

        Raises:
            ConfigError: A decimation is below 1.
        """
        if min(decimation_x, decimation_y) < 1:
            raise ConfigError(
                f'decimation_x {decimation_x}, decimation_y {decimation_y}: must be 1 or more'
            )
        self._step_x, self._step_y = decimation_x, decimation_y
        self._planes = np.empty((3, 0, 0), dtype=np.float32)

    def build(
        self,
        depth: NDArray[np.float32],
        intrinsics: CameraIntrinsics,
        rgb_hwc: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.float32]:
        """Unproject: x = (u - cx) * z / fx, y = (v - cy) * z / fy, z = depth.

        Args:
            depth: (H, W) float32 [m]; what is not a finite number above 0 becomes a NaN point.
            intrinsics: The camera's, for this image size.
            rgb_hwc: (H, W, 3) uint8 RGB; None leaves the colour out.

        Returns:
            (ceil(H / decimation_y), ceil(W / decimation_x), 3 or 4) float32, C-contiguous.

        Raises:
            ImageError: Sizes differ or the camera is not calibrated.
        """
        if rgb_hwc is not None and rgb_hwc.shape != (*depth.shape, 3):
            raise ImageError(f'colours of shape {rgb_hwc.shape} for depth of shape {depth.shape}')
        if depth.shape != (intrinsics.height, intrinsics.width):
            raise ImageError(
                f'depth of shape {depth.shape} with intrinsics of a '
                f'{intrinsics.width}x{intrinsics.height} image (width x height)'
            )
        colors = None if rgb_hwc is None else rgb_hwc[self.rows, self.columns]
        return self.build_chosen(depth[self.rows, self.columns], intrinsics, colors)

    @property
    def rows(self) -> slice:
        """The rows that are kept."""
        return slice(None, None, self._step_y)

    @property
    def columns(self) -> slice:
        """The columns that are kept."""
        return slice(None, None, self._step_x)

    def build_chosen(
        self,
        depth: NDArray[np.float32],
        intrinsics: CameraIntrinsics,
        rgb_hwc: NDArray[np.uint8] | None = None,
    ) -> NDArray[np.float32]:
        """Unproject as `build`, from nothing but the pixels of `rows` and `columns`.

        Args:
            depth: (ceil(H / decimation_y), ceil(W / decimation_x)) float32 [m].
            intrinsics: The camera's, for (H, W).
            rgb_hwc: uint8 RGB of the same pixels; None leaves the colour out.

        Returns:
            See `build`.

        Raises:
            ImageError: The depth is of other pixels or the camera is not calibrated.
        """
        if not intrinsics.is_calibrated:
            raise ImageError(f'no point cloud without a calibrated camera: {intrinsics}')
        ray_x, ray_y = _rays(intrinsics, self._step_x, self._step_y)
        if depth.shape != (ray_y.size, ray_x.size):
            raise ImageError(
                f'depth of shape {depth.shape} where the camera has {(ray_y.size, ray_x.size)} '
                'pixels to make points of'
            )
        if self._planes.shape[1:] != depth.shape:
            self._planes = np.empty((3, *depth.shape), dtype=np.float32)
        x, y, z = self._planes
        np.copyto(z, depth)
        np.copyto(z, np.float32(np.nan), where=~valid_mask(z))
        np.multiply(z, ray_x, out=x)
        np.multiply(z, ray_y, out=y)
        planes = [x, y, z]
        if rgb_hwc is not None:
            planes.append(_packed_colors(rgb_hwc))
        return _interleave(planes)


@lru_cache(maxsize=8)
def _rays(
    intrinsics: CameraIntrinsics, step_x: int, step_y: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(1, w) and (h, 1) float32: x / z of the chosen columns, y / z of the chosen rows."""
    columns = np.arange(0, intrinsics.width, step_x, dtype=np.float64)
    rows = np.arange(0, intrinsics.height, step_y, dtype=np.float64)
    ray_x = ((columns - intrinsics.cx) / intrinsics.fx).astype(np.float32)
    ray_y = ((rows - intrinsics.cy) / intrinsics.fy).astype(np.float32)
    return ray_x[None, :], ray_y[:, None]


def _packed_colors(rgb_hwc: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) uint8 -> (h, w) float32 with the bits of 0x00RRGGBB."""
    import cv2

    rows, step = _whole_rows(rgb_hwc)
    bgra = np.asarray(cv2.cvtColor(rows, cv2.COLOR_RGB2BGRA), dtype=np.uint8)
    packed = np.ascontiguousarray(bgra.view('<u4')[:, ::step, 0])
    packed &= np.uint32(0x00FFFFFF)  # alpha would make a NaN of it
    return packed.view(np.float32)


def _whole_rows(rgb_hwc: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """View every pixel between those of a view of every n-th column; returns n too.

    Choosing from packed pixels takes a tenth of the time that copying 3 bytes here and there does.
    """
    height, width, channels = rgb_hwc.shape
    row_bytes, pixel_bytes, sample_bytes = rgb_hwc.strides
    step = pixel_bytes // channels
    if sample_bytes != 1 or step < 1 or pixel_bytes % channels or width < 1:
        return rgb_hwc, 1
    rows = np.lib.stride_tricks.as_strided(
        rgb_hwc,
        shape=(height, (width - 1) * step + 1, channels),
        strides=(row_bytes, channels, 1),
        writeable=False,
    )
    return rows, step


def _interleave(planes: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """N times (h, w) -> (h, w, n)."""
    import cv2

    room = byte_array.zeros((*planes[0].shape, len(planes)), np.float32)
    return np.asarray(cv2.merge(planes, room), dtype=np.float32)
