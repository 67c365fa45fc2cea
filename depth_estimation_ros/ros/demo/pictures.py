"""The pictures that people look at: camera, depth with a scale in metres, cloud, truth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.ros.demo.cloud_view import BACKGROUND, CloudView, draw_cloud

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

DPI = 100
CLOUD_SIZE = (600, 800)  # (height, width) [px]
COLORMAP = 'turbo_r'  # near is red, far is blue
FOREGROUND = '#e8eaed'
MUTED = '#9aa0a6'
NOTES_WIDTH = 150  # letters in a line under the title
# Where the metres are written on depth and truth, (row, column) as shares of the picture.
READINGS = ((0.5, 0.2), (0.5, 0.5), (0.5, 0.8), (0.85, 0.5))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is drawn, all of one moment.

    Attributes:
        rgb: (H, W, 3) uint8 camera picture.
        depth: (h, w) float32 [m], anything not finite = none.
        points: (N, 3) float32 [m] optical frame, NaN = none.
        colors: (N, 3) uint8 RGB.
        truth: (h, w) float32 [m] or None where it is not known.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    points: NDArray[np.float32]
    colors: NDArray[np.uint8]
    truth: NDArray[np.float32] | None = None


def draw_preview(path: Path, scene: Scene, *, title: str, notes: str) -> None:
    """Write camera and depth, under them the cloud from the side and the truth.

    Where the truth is not known the cloud from above stands in its place.

    Args:
        path: PNG to write.
        scene: What to draw.
        title: First line.
        notes: Smaller lines under it.
    """
    figure, axes = _new_figure((2, 2), title=title, notes=notes)
    limits = depth_limits(scene)
    _draw_photo(axes[0], scene.rgb, 'Camera')
    _draw_depth(figure, axes[1], scene.depth, 'Estimated depth', limits)
    _draw_cloud(axes[2], scene, CloudView.SIDE, limits[1])
    if scene.truth is None:
        _draw_cloud(axes[3], scene, CloudView.ABOVE, limits[1])
    else:
        _draw_depth(figure, axes[3], scene.truth, 'True depth (known: it is rendered)', limits)
    _save(figure, path)


def draw_snapshot(path: Path, scene: Scene, *, title: str, notes: str) -> None:
    """Write camera, depth and the cloud from three sides.

    Args:
        path: PNG to write.
        scene: What to draw.
        title: First line.
        notes: Smaller lines under it.
    """
    figure, axes = _new_figure((2, 3), title=title, notes=notes)
    limits = depth_limits(scene)
    _draw_photo(axes[0], scene.rgb, 'Camera')
    _draw_depth(figure, axes[1], scene.depth, 'Estimated depth', limits)
    for axis, view in zip(axes[2:], CloudView, strict=True):
        _draw_cloud(axis, scene, view, limits[1])
    _save(figure, path)


def depth_limits(scene: Scene) -> tuple[float, float]:
    """Return the ends of the scale [m], whole half metres that hold 98 % of the pixels."""
    maps = [scene.depth] if scene.truth is None else [scene.depth, scene.truth]
    valid = np.concatenate([depth[np.isfinite(depth)] for depth in maps])
    if valid.size == 0:
        return 0.0, 1.0
    nearest, farthest = np.percentile(valid, (1, 99))
    low = float(np.floor(nearest * 2) / 2)
    return low, max(float(np.ceil(farthest * 2) / 2), low + 0.5)


def _new_figure(
    panels_per_row: tuple[int, ...], *, title: str, notes: str
) -> tuple[Figure, list[Axes]]:
    # The object-oriented side of matplotlib: no window system, no global state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Neighbouring rows with as many panels share a grid, so that their panels are of one size.
    grids = [(len(list(rows)), num_panels) for num_panels, rows in groupby(panels_per_row)]
    heights = [1.3, *(10.6 * num_rows / num_panels for num_rows, num_panels in grids)]
    # Humble's matplotlib 3.5 has no layout engine as an object.
    layout: dict[str, object] = {'w_pad': 0.12, 'h_pad': 0.08}
    figure = Figure(figsize=(13.2, sum(heights)), dpi=DPI, constrained_layout=layout)
    FigureCanvasAgg(figure)
    figure.set_facecolor(_hex(BACKGROUND))
    bands = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)
    header, *bodies = bands.ravel()
    header.set_facecolor(_hex(BACKGROUND))
    header.text(0.012, 0.78, title, color=FOREGROUND, fontsize=17, weight='bold', va='center')
    lines = [textwrap.fill(line, NOTES_WIDTH) for line in notes.splitlines()]
    header.text(
        0.012, 0.58, '\n'.join(lines), color=MUTED, fontsize=10.5, va='top', linespacing=1.4
    )
    axes: list[Axes] = []
    for body, (num_rows, num_panels) in zip(bodies, grids, strict=True):
        body.set_facecolor(_hex(BACKGROUND))
        axes.extend(body.subplots(num_rows, num_panels, squeeze=False).ravel())
    for axis in axes:
        axis.set_facecolor(_hex(BACKGROUND))
        axis.tick_params(colors=MUTED, labelsize=9)
        for spine in axis.spines.values():
            spine.set_color('#3c4043')
    return figure, axes


def _draw_photo(axis: Axes, rgb: NDArray[np.uint8], title: str) -> None:
    height, width = rgb.shape[:2]
    axis.imshow(rgb)
    _set_title(axis, f'{title}  {width} x {height}')
    axis.set_xticks([])
    axis.set_yticks([])


def _draw_depth(
    figure: Figure,
    axis: Axes,
    depth: NDArray[np.float32],
    title: str,
    limits: tuple[float, float],
) -> None:
    shown = np.ma.masked_invalid(depth)
    image = axis.imshow(shown, cmap=COLORMAP, vmin=limits[0], vmax=limits[1])
    _set_title(axis, title)
    axis.set_xticks([])
    axis.set_yticks([])
    bar = figure.colorbar(image, ax=axis, shrink=0.9, pad=0.02)
    bar.set_label('depth [m]', color=FOREGROUND)
    bar.ax.tick_params(colors=MUTED, labelsize=9)
    bar.outline.set_edgecolor('#3c4043')
    height, width = depth.shape
    for row_share, column_share in READINGS:
        _write_reading(axis, depth, int(row_share * height), int(column_share * width))


def _write_reading(axis: Axes, depth: NDArray[np.float32], row: int, column: int) -> None:
    """Mark a pixel and write the depth of its neighbourhood beside it."""
    patch = depth[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
    valid = patch[np.isfinite(patch)]
    text = f'{np.median(valid):.2f} m' if valid.size else 'none'
    axis.plot([column], [row], '+', color='white', markersize=9, markeredgewidth=1.6)
    box: dict[str, Any] = {'facecolor': '#000000', 'alpha': 0.55, 'pad': 2, 'edgecolor': 'none'}
    axis.annotate(
        text,
        (column, row),
        textcoords='offset points',
        xytext=(7, 5),
        color='white',
        fontsize=9.5,
        bbox=box,
    )


def _draw_cloud(axis: Axes, scene: Scene, view: CloudView, max_depth: float) -> None:
    cloud = draw_cloud(scene.points, scene.colors, view=view, size=CLOUD_SIZE, max_depth=max_depth)
    _set_title(axis, view.caption)
    if cloud.extent is None:
        axis.imshow(cloud.rgb)
        axis.set_xticks([])
        axis.set_yticks([])
        return
    axis.imshow(cloud.rgb, extent=cloud.extent)
    axis.plot([0.0], [0.0], marker='D', color='#ffd54f', markersize=8)
    axis.annotate(
        'camera',
        (0.0, 0.0),
        textcoords='offset points',
        xytext=(8, -14),
        color='#ffd54f',
        fontsize=9.5,
    )
    is_side = view is CloudView.SIDE
    axis.set_xlabel('forward [m]' if is_side else 'right [m]', color=FOREGROUND)
    axis.set_ylabel('up [m]' if is_side else 'forward [m]', color=FOREGROUND)
    axis.grid(visible=True, color='#5f6368', linewidth=0.5, alpha=0.5)


def _set_title(axis: Axes, title: str) -> None:
    axis.set_title(title, color=FOREGROUND, fontsize=12, loc='left')


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, facecolor=figure.get_facecolor())


def _hex(rgb: tuple[int, int, int]) -> str:
    return '#{:02x}{:02x}{:02x}'.format(*rgb)
