"""The newest of everything that came of one camera: kept, drawn as HTML, saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.atomic import atomic_path, atomic_write_text
from depth_estimation_ros.files.ply import write_ply
from depth_estimation_ros.ros.demo.pictures import Scene, draw_snapshot
from depth_estimation_ros.ros.live.page_text import pictures_html
from depth_estimation_ros.ros.live.pictures import (
    MAX_WIDTH,
    ScaleEnd,
    depth_picture,
    draw_scale,
    encode_jpeg,
    readings,
    reduce_depth,
    reduce_rgb,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics


@dataclass(kw_only=True)
class Frame:
    """What is shown.

    Attributes:
        rgb: (H, W, 3) uint8 camera image.
        depth: (H, W) float32 [m], anything not finite = none.
        intrinsics: of the depth image.
        points: (N, 3) float32 [m] in the optical frame, all finite.
        colors: (N, 3) uint8 RGB.
    """

    rgb: NDArray[np.uint8] | None = None
    depth: NDArray[np.float32] | None = None
    intrinsics: CameraIntrinsics | None = None
    points: NDArray[np.float32] | None = None
    colors: NDArray[np.uint8] | None = None


class FrameDrawing:
    """A frame as the HTML of its pictures, made anew only when something new came.

    Args:
        camera: its name, empty for the only one.
    """

    def __init__(self, camera: str) -> None:
        self._camera = camera
        self._scale_end = ScaleEnd()
        self._drawn: tuple[object, object, object] = (None, None, None)
        self._scale: tuple[float, bytes] | None = None

    def html_of(self, frame: Frame, pixel: tuple[int, int] | None) -> str:
        """Draw a frame.

        Args:
            frame: what came.
            pixel: the chosen one, (column, row) of the depth image.

        Returns:
            HTML, or nothing if that is what was drawn last.
        """
        # A new message is a new array.
        drawn = (frame.rgb, frame.depth, pixel)
        if all(new is old for new, old in zip(drawn, self._drawn, strict=True)):
            return ''
        self._drawn = drawn
        camera = None if frame.rgb is None else encode_jpeg(reduce_rgb(frame.rgb))
        if frame.depth is None:
            return pictures_html(
                name=self._camera, camera=camera, depth=None, scale=None, readings=None
            )
        height, width = frame.depth.shape
        small = reduce_depth(frame.depth)
        far = self._scale_end.update(small)
        pick = None if pixel is None else ((pixel[0] + 0.5) / width, (pixel[1] + 0.5) / height)
        return pictures_html(
            name=self._camera,
            camera=camera,
            depth=encode_jpeg(depth_picture(small, far)),
            scale=self._scale_jpeg(far),
            readings=readings(frame.depth),
            pick=pick,
        )

    def _scale_jpeg(self, far: float) -> bytes:
        if self._scale is None or self._scale[0] != far:
            self._scale = (far, encode_jpeg(draw_scale(far, MAX_WIDTH), quality=95))
        return self._scale[1]


def parameter_file_text(values: Mapping[str, Any], comment: str) -> str:
    """Write parameters as a file for `--params-file`, whatever the name of the node.

    Args:
        values: by name; bool, int, float, text or a list of texts.
        comment: first line.
    """
    import yaml

    tree = {'/**': {'ros__parameters': dict(values)}}
    return f'# {comment}\n{yaml.safe_dump(tree, sort_keys=False)}'


def save(folder: Path, stamp: str, frame: Frame, values: Mapping[str, Any], node: str) -> str:
    """Write live_<stamp>.png, .ply and .yaml, each complete or not at all.

    Args:
        folder: where to.
        stamp: makes the names different from those saved before.
        frame: what is shown.
        values: parameters of the node.
        node: its full name.

    Returns:
        What was written, in words.

    Raises:
        DataError: There is no depth to save.
        OSError: A file cannot be written.
    """
    if frame.depth is None or frame.rgb is None:
        raise DataError('nothing saved: no camera image or no depth has come yet')
    base = folder / f'live_{stamp}'
    written = [base.with_suffix('.yaml')]
    atomic_write_text(written[0], parameter_file_text(values, f'Parameters of {node}.'))
    if frame.points is not None and frame.colors is not None:
        ply, png = base.with_suffix('.ply'), base.with_suffix('.png')
        write_ply(ply, frame.points, frame.colors)
        scene = Scene(rgb=frame.rgb, depth=frame.depth, points=frame.points, colors=frame.colors)
        with atomic_path(png) as unfinished:
            draw_snapshot(
                unfinished,
                scene,
                title='Depth from one camera image',
                notes=f'{node}, {len(frame.points)} points, {stamp}',
            )
        written += [ply, png]
    names = ', '.join(path.name for path in written)
    missing = '' if len(written) > 1 else '; no cloud is shown, so no picture and no .ply'
    return f'wrote {names} to {folder}{missing}'
