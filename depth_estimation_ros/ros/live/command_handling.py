"""Does what the page asks for, and says there how it went."""

from __future__ import annotations

from datetime import datetime
from functools import singledispatchmethod
import math
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.depth.scale_fit import fit_scale, flat_target_pairs
from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.ros.live.cloud import nearest_to_ray, pixel_of, point_of
from depth_estimation_ros.ros.live.controls import (
    Calibrate,
    ChooseCamera,
    ChoosePixel,
    PickPoint,
    Save,
    SetEnabled,
    SetParameter,
    ShowCloud,
)
from depth_estimation_ros.ros.live.frame import save
from depth_estimation_ros.ros.live.page_text import metres
from depth_estimation_ros.ros.live.pictures import depth_at
from depth_estimation_ros.ros.scale.calibration import Correction

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from depth_estimation_ros.depth.scale_fit import DepthPairs, ScaleFit
    from depth_estimation_ros.ros.live.viewer import Viewer

NUM_FRAMES = 5
REGION = 0.08  # of the image's width and height, around the pixel
MAX_SPREAD = 0.1
MIN_PAIRS = 50


class PixelCalibration:
    """The calibration of docs/scale.md on a pixel that was chosen on the page.

    Args:
        pixel: (column, row) in the middle of the target.
        distance: of the target along the optical axis [m].
    """

    def __init__(self, pixel: tuple[int, int], distance: float) -> None:
        self._pixel = pixel
        self._distance = distance
        self._frames: list[DepthPairs] = []

    @property
    def num_missing(self) -> int:
        """Depth images that are still needed."""
        return NUM_FRAMES - len(self._frames)

    def add(self, depth: NDArray[np.float32]) -> None:
        """Compare a depth image, (H, W) float32 [m].

        Raises:
            DataError: The depth around the pixel is not known, or not that of a flat target.
        """
        self._frames.append(
            flat_target_pairs(
                depth,
                distance=self._distance,
                region=REGION,
                max_spread=MAX_SPREAD,
                center=self._pixel,
            )
        )

    def fit(self, now: Correction) -> tuple[ScaleFit, Correction]:
        """Find the correction that takes the place of the one of now.

        Raises:
            DataError: There is too little depth around the pixel.
            ConfigError: The node would not accept it.
        """
        fit = fit_scale(
            self._frames,
            scale_now=now.depth_scale,
            offset_now=now.depth_offset,
            min_pairs=MIN_PAIRS,
        )
        found = Correction(depth_scale=round(fit.scale, 5), depth_offset=now.depth_offset)
        found.check()
        return fit, found


class CommandHandler:
    """Commands of the page, one after the other.

    Args:
        viewer: whose frame, node and page they concern.

    Attributes:
        pixel: the chosen one, (column, row) of the depth image.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._calibration: PixelCalibration | None = None
        self.pixel: tuple[int, int] | None = None

    @singledispatchmethod
    def do(self, command: Any) -> None:
        """Do what a command says."""
        raise NotImplementedError(command)

    @do.register
    def _(self, command: SetParameter) -> None:
        def on_answer(is_set: bool, reason: str) -> None:
            if is_set:
                viewer.facts.values[command.name] = command.value
                viewer.page.say(f'{command.name} is {command.value:g}')
            else:
                viewer.page.say(f'{command.name} refused: {reason}', is_refusal=True)
                viewer.page.show_value(command.name, viewer.facts.values[command.name])

        viewer = self._viewer
        if viewer.client is not None:
            viewer.client.set_parameters({command.name: command.value}, on_answer)

    @do.register
    def _(self, command: SetEnabled) -> None:
        def on_answer(is_done: bool, reason: str) -> None:
            word = 'goes on' if command.is_enabled else 'is paused'
            text = f'{viewer.node_name} {word}' if is_done else f'enable refused: {reason}'
            viewer.page.say(text, is_refusal=not is_done)

        viewer = self._viewer
        if viewer.client is not None:
            viewer.client.set_enabled(is_enabled=command.is_enabled, on_answer=on_answer)

    @do.register
    def _(self, command: ChooseCamera) -> None:
        self.pixel = self._calibration = None
        self._viewer.choose_camera(command.name)

    @do.register
    def _(self, command: ShowCloud) -> None:
        viewer = self._viewer
        viewer.is_cloud_wanted = command.is_wanted
        if viewer.topics is not None:
            viewer.topics.show_cloud(is_wanted=command.is_wanted)
        if not command.is_wanted:
            viewer.frame.points = viewer.frame.colors = None
            viewer.page.hide_cloud()

    @do.register
    def _(self, command: ChoosePixel) -> None:
        self.pixel = (command.column, command.row)

    @do.register
    def _(self, command: PickPoint) -> None:
        frame = self._viewer.frame
        if frame.points is None or frame.intrinsics is None:
            return
        point = nearest_to_ray(frame.points, command.origin, command.direction)
        if point is not None:
            self.pixel = pixel_of(point, frame.intrinsics)
            self._viewer.page.show_pixel(*self.pixel)

    @do.register
    def _(self, command: Calibrate) -> None:
        page, depth = self._viewer.page, self._viewer.frame.depth
        if depth is None:
            page.say('not calibrated: no depth has come yet', is_refusal=True)
            return
        if self.pixel is None:
            page.say('not calibrated: click on the target in the cloud first', is_refusal=True)
            return
        self._calibration = PixelCalibration(self.pixel, command.distance)
        page.say('calibrating ...')

    @do.register
    def _(self, command: Save) -> None:
        del command
        viewer = self._viewer
        stamp = datetime.now().astimezone().strftime('%Y%m%d_%H%M%S')
        try:
            text = save(viewer.folder, stamp, viewer.frame, viewer.facts.values, viewer.node_name)
        except (DepthEstimationError, OSError) as err:
            viewer.page.say(str(err), is_refusal=True)
            return
        viewer.page.say(text)
        viewer.node.get_logger().info(text)

    def see_depth(self, depth: NDArray[np.float32]) -> None:
        """Go on with a calibration, if there is one."""
        if self._calibration is None:
            return
        try:
            self._calibration.add(depth)
            if self._calibration.num_missing == 0:
                self._apply(self._calibration)
                self._calibration = None
        except DepthEstimationError as err:
            self._calibration = None
            self._viewer.page.say(f'not calibrated: {err}', is_refusal=True)

    def show_mark(self) -> None:
        """Show where the chosen pixel is and how far away."""
        frame = self._viewer.frame
        if self.pixel is None or frame.depth is None or frame.intrinsics is None:
            self._viewer.page.mark((math.nan, math.nan, math.nan), '')
            return
        depth = depth_at(frame.depth, self.pixel)
        self._viewer.page.mark(point_of(self.pixel, depth, frame.intrinsics), metres(depth))

    def _apply(self, calibration: PixelCalibration) -> None:
        viewer = self._viewer
        values = viewer.facts.values
        now = Correction(depth_scale=values['depth_scale'], depth_offset=values['depth_offset'])
        fit, found = calibration.fit(now)

        def on_answer(is_set: bool, reason: str) -> None:
            if is_set:
                viewer.page.say(
                    f'depth_scale is {found.depth_scale:g} (was {now.depth_scale:g}), median '
                    f'error {fit.median_error:.3f} m in {fit.num_frames} frames'
                )
            else:
                viewer.page.say(f'depth_scale refused: {reason}', is_refusal=True)

        if viewer.client is not None:
            viewer.client.set_parameters({'depth_scale': found.depth_scale}, on_answer)
