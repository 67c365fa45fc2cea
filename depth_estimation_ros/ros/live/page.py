"""The page itself: what viser draws and the browsers answer. Its callbacks only queue commands."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
import math
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from depth_estimation_ros.ros.live.controls import (
    Calibrate,
    ChooseCamera,
    ChoosePixel,
    Control,
    ControlKind,
    PickPoint,
    Save,
    SetEnabled,
    SetParameter,
    ShowCloud,
)
from depth_estimation_ros.ros.live.page_text import said_html

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from viser import ViserServer

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.ros.live.controls import Command

PANEL_WIDTH = 340.0  # [px], of each of the two
POINT_SIZE = 0.012  # [m]
FLOOR_SIZE = 20.0  # [m]
EYE = (-0.9, -1.1, -1.6)  # a little behind and above the camera [m]
LOOK_AT = (0.0, 0.2, 2.5)


class Page:
    """One page, the same for every browser.

    Args:
        server: viser's.
        is_read_only: nothing can be changed from it.
    """

    def __init__(self, server: ViserServer, *, is_read_only: bool) -> None:
        self._server = server
        self._is_read_only = is_read_only
        self._commands: SimpleQueue[Command] = SimpleQueue()
        self._handles: dict[str, Any] = {}
        self._folder: Any = None
        self._cameras: Any = None
        self._cloud: Any = None
        self._frustum: Any = None
        self._frustum_of: CameraIntrinsics | None = None
        self._said = ''
        self._lay_out_scene()
        self._lay_out_panel()

    @property
    def num_browsers(self) -> int:
        """Browsers that are connected."""
        return len(self._server.get_clients())

    def take_commands(self) -> list[Command]:
        """Return what was asked for since the last call; of a slider only its last value."""
        commands: dict[object, Command] = {}
        while True:
            try:
                command = self._commands.get_nowait()
            except Empty:
                return list(commands.values())
            key = (type(command), getattr(command, 'name', ''))
            commands.pop(key, None)
            commands[key] = command

    def show_pictures(self, html: str) -> None:
        """Replace the pictures."""
        self._pictures.content = html

    def show_state(self, html: str) -> None:
        """Replace the figures and the sentence."""
        if html != self._state.content:
            self._state.content = html

    def say(self, text: str, *, is_refusal: bool = False) -> None:
        """Show the answer to what was asked for last."""
        self._answer.content = said_html(text, is_refusal=is_refusal)

    def show_cloud(self, points: NDArray[np.float32], colors: NDArray[np.uint8]) -> None:
        """Replace the cloud.

        Args:
            points: (N, 3) float32 [m] in the optical frame.
            colors: (N, 3) uint8 RGB.
        """
        if self._cloud is None:
            self._cloud = self._server.scene.add_point_cloud(
                '/cloud', points, colors, point_size=POINT_SIZE, point_shading='flat'
            )
            return
        with self._server.atomic():
            self._cloud.points = points.astype(np.float16)
            self._cloud.colors = colors

    def hide_cloud(self) -> None:
        """Show no cloud."""
        if self._cloud is not None:
            self._cloud.remove()
            self._cloud = None

    def show_floor(self, below: float) -> None:
        """Draw the floor this far under the camera [m]."""
        self._floor.position = (0.0, below, FLOOR_SIZE / 2.0 - 2.0)
        self._floor.visible = True

    def show_camera(self, intrinsics: CameraIntrinsics) -> None:
        """Draw what the camera sees as a frustum."""
        if intrinsics == self._frustum_of:
            return
        self._frustum_of = intrinsics
        self._frustum = self._server.scene.add_camera_frustum(
            '/camera',
            fov=2.0 * math.atan(0.5 * intrinsics.height / intrinsics.fy),
            aspect=intrinsics.width / intrinsics.height,
            scale=0.25,
            thickness=0.008,
            color=(255, 213, 79),
        )

    def mark(self, point: tuple[float, float, float], text: str) -> None:
        """Put the mark of the chosen pixel at a point [m]; a point with NaN hides it."""
        is_known = all(math.isfinite(value) for value in point)
        self._mark.visible = self._mark_text.visible = is_known
        if is_known:
            self._mark.position = self._mark_text.position = point
            self._mark_text.text = text

    def show_pixel(self, column: int, row: int) -> None:
        """Show which pixel is chosen."""
        if self._pixel is not None:
            self._pixel.value = (column, row)

    def show_controls(self, controls: Sequence[Control]) -> None:
        """Show the node's parameters, or their values where they are shown already."""
        if self._is_read_only:
            return
        names = [control.name for control in controls]
        if names != list(self._handles):
            self._lay_out_controls(controls)
        for control in controls:
            self.show_value(control.name, control.value)

    def show_value(self, name: str, value: bool | int | float) -> None:
        """Show what a parameter is now."""
        handle = self._handles.get(name)
        if handle is not None and handle.value != value:
            handle.value = value

    def show_enabled(self, *, is_enabled: bool) -> None:
        """Show whether the node is paused."""
        if self._enabled is not None and self._enabled.value != is_enabled:
            self._enabled.value = is_enabled

    def show_cameras(self, names: Sequence[str]) -> None:
        """Offer the cameras, if there are several."""
        if self._cameras is not None:
            self._cameras.remove()
            self._cameras = None
        if len(names) < 2:
            return
        self._cameras = self._server.gui.add_button_group('camera', names, order=0.5)
        self._cameras.on_click(
            lambda event: self._commands.put(ChooseCamera(name=str(event.target.value)))
        )

    def _lay_out_scene(self) -> None:
        scene = self._server.scene
        scene.set_up_direction('-y')
        self._server.initial_camera.position = EYE
        self._server.initial_camera.look_at = LOOK_AT
        self._floor = scene.add_grid(
            '/floor',
            width=FLOOR_SIZE,
            height=FLOOR_SIZE,
            plane='xz',
            cell_size=1.0,
            section_size=5.0,
            cell_color=(95, 99, 104),
            section_color=(140, 145, 150),
            shadow_opacity=0.0,
            visible=False,
        )
        self._mark = scene.add_icosphere('/mark', radius=0.025, color=(255, 255, 255))
        self._mark_text = scene.add_label('/mark_text', '', anchor='bottom-left')
        self._mark.visible = self._mark_text.visible = False

        @scene.on_click()
        def _(event: Any) -> None:
            self._commands.put(PickPoint(origin=event.ray_origin, direction=event.ray_direction))

    def _lay_out_panel(self) -> None:
        gui = self._server.gui
        gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
        gui.set_panel_label('depth_estimation')
        gui.main_panel.dock_right()
        gui.main_panel.set_width(PANEL_WIDTH)
        pictures = gui.add_panel()
        with pictures.add_tab('camera and depth'):
            self._pictures = gui.add_html('')
        pictures.dock_left()
        pictures.set_width(PANEL_WIDTH)
        self._state = gui.add_html('', order=1.0)
        self._answer = gui.add_html('', order=2.0)
        self._on(gui.add_checkbox('point cloud', True, order=3.0), self._cloud_wanted)
        self._enabled: Any = None
        self._pixel: Any = None
        if self._is_read_only:
            return
        self._enabled = gui.add_checkbox('enable', True, hint='Pause the node.', order=4.0)
        self._on(self._enabled, lambda value: SetEnabled(is_enabled=bool(value)))
        with gui.add_folder('calibrate', expand_by_default=False, order=6.0):
            self._lay_out_calibration()
        button = gui.add_button(
            'save', hint='A PNG, a PLY and the parameters, where live_view was started.', order=7.0
        )
        button.on_click(lambda _event: self._commands.put(Save()))

    def _lay_out_calibration(self) -> None:
        gui = self._server.gui
        self._pixel = gui.add_vector2(
            'pixel', (0, 0), min=(0, 0), step=1, hint='Column and row; or click on the cloud.'
        )
        self._on(
            self._pixel,
            lambda value: ChoosePixel(column=round(float(value[0])), row=round(float(value[1]))),
        )
        distance = gui.add_number(
            'is ... m away', 2.0, min=0.01, max=1000.0, step=0.01, hint='Along the optical axis.'
        )
        button = gui.add_button('set depth_scale')
        button.on_click(
            lambda _event: self._commands.put(Calibrate(distance=float(distance.value)))
        )

    def _lay_out_controls(self, controls: Sequence[Control]) -> None:
        if self._folder is not None:
            self._folder.remove()
        self._handles.clear()
        with ExitStack() as stack:
            self._folder = self._server.gui.add_folder('parameters', order=5.0)
            stack.enter_context(self._folder)
            for control in controls:
                handle = self._control(control)
                self._handles[control.name] = handle
                self._on(handle, partial(_set, control.name))

    def _control(self, control: Control) -> Any:
        gui = self._server.gui
        if control.kind is ControlKind.SWITCH:
            return gui.add_checkbox(control.name, bool(control.value), hint=control.description)
        kind = type(control.value)
        return gui.add_slider(
            control.name,
            min=kind(control.low),
            max=kind(control.high),
            step=kind(control.step),
            initial_value=control.value,
            hint=control.description,
        )

    def _on(self, handle: Any, make_command: Callable[[Any], Command]) -> None:
        """Queue a command when a browser, and not this program, changes a value."""

        @handle.on_update
        def _(event: Any) -> None:
            if event.client_id is not None:
                self._commands.put(make_command(event.target.value))

    @staticmethod
    def _cloud_wanted(value: Any) -> Command:
        return ShowCloud(is_wanted=bool(value))


def _set(name: str, value: Any) -> SetParameter:
    return SetParameter(name=name, value=value)
