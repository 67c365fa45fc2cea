"""A room: its scene, its extent and what stands on its floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice
    from depth_estimation_ros.rooms.furnishings.furniture import Size
    from depth_estimation_ros.rooms.furnishings.shell import Wall
    from depth_estimation_ros.rooms.furnishings.spot import Spot
    from depth_estimation_ros.rooms.tracer.scene import Scene

Rect = tuple[float, float, float, float, float]  # x low, y low, x high, y high, height [m]


@dataclass(kw_only=True)
class Room:
    """A furnished room: the scene, its extent and what stands on its floor."""

    scene: Scene
    dice: Dice
    width: float  # along x, 0..width [m]
    depth: float  # along y, 0..depth [m]
    height: float
    blocked: list[Rect] = field(default_factory=list)
    walls: list[Wall] = field(default_factory=list)

    def is_free(self, rect: Rect, *, margin: float = 0.0) -> bool:
        """Tell whether a rectangle on the floor lies in the room and touches nothing."""
        x0, y0, x1, y1 = rect[0] - margin, rect[1] - margin, rect[2] + margin, rect[3] + margin
        if x0 < 0 or y0 < 0 or x1 > self.width or y1 > self.depth:
            return False
        return all(x1 < b[0] or x0 > b[2] or y1 < b[1] or y0 > b[3] for b in self.blocked)


def footprint(spot: Spot, size: Size) -> Rect:
    """Return the rectangle on the floor that furniture of a size at a spot takes."""
    w, d, h = size
    corners = [spot.world(x, y, 0.0) for x in (-0.5 * w, 0.5 * w) for y in (0.0, d)]
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    return (min(xs), min(ys), max(xs), max(ys), h)
