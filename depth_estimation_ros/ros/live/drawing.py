"""A frame as the HTML of its pictures, made anew only when something new came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.ros.live.page_html import pictures_html
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
    from depth_estimation_ros.ros.live.frame import Frame


class FrameDrawing:
    """Remembers what was drawn last."""

    def __init__(self) -> None:
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
            return pictures_html(camera=camera, depth=None, scale=None, readings=None)
        height, width = frame.depth.shape
        small = reduce_depth(frame.depth)
        far = self._scale_end.update(small)
        pick = None if pixel is None else ((pixel[0] + 0.5) / width, (pixel[1] + 0.5) / height)
        return pictures_html(
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
