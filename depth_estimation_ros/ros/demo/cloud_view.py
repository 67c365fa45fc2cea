"""A point cloud drawn from beside, from above or from behind the camera (numpy only).

Points are in the optical frame: x right, y down, z forward [m].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUND = (24, 27, 33)  # RGB
# The perspective view stands here, behind and above the camera, and looks down by this angle.
ORBIT_POSITION = (0.0, -1.3, -0.6)  # [m] x, y, z
ORBIT_PITCH_DEG = 24.0
ORBIT_HFOV_DEG = 62.0
# Rooms are closed boxes: without a cut one sees a wall or the ceiling and nothing behind it.
CEILING_CUT = 0.6  # [m] above the camera


class CloudView(str, Enum):
    """Where the cloud is seen from."""

    SIDE = 'side'
    ABOVE = 'above'
    BEHIND = 'behind'

    @property
    def caption(self) -> str:
        """What is seen and what was cut away to see it."""
        return {
            CloudView.SIDE: 'Cloud from the side (right half cut away)',
            CloudView.ABOVE: f'Cloud from above (cut {CEILING_CUT} m over the camera)',
            CloudView.BEHIND: 'Cloud from behind and above the camera',
        }[self]


@dataclass(frozen=True, kw_only=True)
class CloudImage:
    """A drawn cloud.

    Attributes:
        rgb: (H, W, 3) uint8.
        extent: Left, right, bottom, top edge [m]; None for the perspective view.
    """

    rgb: NDArray[np.uint8]
    extent: tuple[float, float, float, float] | None


def draw_cloud(
    points: NDArray[np.float32],
    colors: NDArray[np.uint8],
    *,
    view: CloudView,
    size: tuple[int, int],
    max_depth: float,
) -> CloudImage:
    """Draw the points as small squares, the nearer over the farther.

    Args:
        points: (N, 3) float32 [m], NaN = no point.
        colors: (N, 3) uint8 RGB.
        view: Where it is seen from.
        size: (height, width) [px] of the drawing.
        max_depth: How far along z the drawing reaches [m].
    """
    is_shown = _is_shown(points, view, max_depth)
    points, colors = points[is_shown], colors[is_shown]
    height, width = size
    if view is CloudView.BEHIND:
        u, v, distance = _project(points, size)
        extent = None
    else:
        across, up, distance = _axes(points, view)
        extent = _extent(view, size, max_depth)
        left, right, bottom, top = extent
        u = (across - left) / (right - left) * width
        v = (top - up) / (top - bottom) * height
    farthest_first = np.argsort(-distance, kind='stable')
    rgb = np.full((height, width, 3), BACKGROUND, dtype=np.uint8)
    _splat(rgb, u[farthest_first], v[farthest_first], colors[farthest_first])
    return CloudImage(rgb=rgb, extent=extent)


def _is_shown(points: NDArray[np.float32], view: CloudView, max_depth: float) -> NDArray[np.bool_]:
    x, y, z = points.T
    is_uncut = x <= 0.0 if view is CloudView.SIDE else y >= -CEILING_CUT
    # Comparisons with NaN are false, so that points that are none fall out here.
    return np.asarray(is_uncut & (z <= max_depth) & np.isfinite(x + y + z))


def _axes(
    points: NDArray[np.float32], view: CloudView
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return across, up and away-from-the-viewer [m]."""
    x, y, z = points.T
    if view is CloudView.SIDE:  # from the camera's right: forward is to the right
        return z, -y, -x
    return x, z, y


def _extent(
    view: CloudView, size: tuple[int, int], max_depth: float
) -> tuple[float, float, float, float]:
    """Return left, right, bottom, top [m], the same scale along both axes."""
    height, width = size
    if view is CloudView.SIDE:
        length = 1.05 * max_depth
        rise = length * height / width
        return -0.05 * max_depth, max_depth, -0.55 * rise, 0.45 * rise
    length = 1.08 * max_depth
    half_span = length * width / height / 2
    return -half_span, half_span, -0.08 * max_depth, max_depth


def _project(
    points: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return u, v [px] and distance [m] seen from behind; u, v are NaN behind the viewer."""
    height, width = size
    sine, cosine = np.sin(np.deg2rad(ORBIT_PITCH_DEG)), np.cos(np.deg2rad(ORBIT_PITCH_DEG))
    x, y, z = (points - np.asarray(ORBIT_POSITION, dtype=np.float32)).T
    down = cosine * y - sine * z
    away = sine * y + cosine * z
    focal = width / (2 * np.tan(np.deg2rad(ORBIT_HFOV_DEG) / 2))
    safe = np.where(away > 0.1, away, np.nan)
    return focal * x / safe + width / 2, focal * down / safe + height / 2, away


def _splat(
    rgb: NDArray[np.uint8],
    u: NDArray[np.float32],
    v: NDArray[np.float32],
    colors: NDArray[np.uint8],
    *,
    point_px: int = 3,
) -> None:
    """Paint squares of `point_px`, later points over earlier ones."""
    height, width = rgb.shape[:2]
    finite = np.isfinite(u) & np.isfinite(v)
    columns = np.floor(u[finite]).astype(np.int64)
    rows = np.floor(v[finite]).astype(np.int64)
    colors = colors[finite]
    offsets = range(-(point_px // 2), point_px - point_px // 2)
    # All squares of a point stand together in the order of drawing, or a far point's corner
    # would cover a near point's middle.
    rows = np.stack([rows + dv for dv in offsets for _ in offsets], axis=1).ravel()
    columns = np.stack([columns + du for _ in offsets for du in offsets], axis=1).ravel()
    colors = np.repeat(colors, point_px * point_px, axis=0)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rgb[rows[inside], columns[inside]] = colors[inside]
