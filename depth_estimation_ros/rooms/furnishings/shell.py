"""Floor, ceiling and walls with their doors, windows and what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass, field
import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.furnishings import materials as mt
from depth_estimation_ros.rooms.tracer import textures as tx
from depth_estimation_ros.rooms.tracer.scene import Light, Material, Vector

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.furnishings.spot import Spot

THICKNESS = 0.18
Interval = tuple[float, float]
Opening = tuple[float, float, float, float]  # left, right, low, high [m]


@dataclass(kw_only=True)
class Wall:
    """One wall: `spot` is the middle of its foot, y into the room; intervals are along x [m]."""

    spot: Spot
    length: float
    height: float
    openings: list[Opening] = field(default_factory=list)
    low: list[Interval] = field(default_factory=list)  # taken below 1.2 m
    high: list[Interval] = field(default_factory=list)  # taken above 1.2 m

    def find(self, width: float, *, low: bool = True, high: bool = True) -> float | None:
        """Return the middle of a free stretch of a width, None when no place is found."""
        half, room = 0.5 * width, 0.5 * self.length - 0.02
        if half > room:
            return None
        for _ in range(6):
            x = self.spot.dice.uniform(-room + half, room - half)
            if self.spot.dice.chance(0.3):  # furniture likes corners
                x = (room - half) * (1 if x > 0 else -1)
            taken = (self.low if low else []) + (self.high if high else [])
            if all(x + half < a or x - half > b for a, b in taken):
                return x
        return None

    def take(self, x: float, width: float, *, low: bool = True, high: bool = True) -> None:
        """Mark a stretch as used."""
        interval = (x - 0.5 * width, x + 0.5 * width)
        if low:
            self.low.append(interval)
        if high:
            self.high.append(interval)


def build_wall(wall: Wall, material: Material, skirting: Material | None) -> None:
    """Add the pieces of wall around its openings, and skirting boards."""
    y, height = -0.5 * THICKNESS, wall.height
    left = -0.5 * wall.length - THICKNESS
    end = 0.5 * wall.length + THICKNESS
    for a, b, low, high in [*sorted(wall.openings), (end, end, 0.0, height)]:
        _piece(wall, material, left, a, 0.0, height, y)
        if skirting is not None and a > left:
            width = a - left
            wall.spot.box(0.5 * (a + left), 0.006, 0.0, (width, 0.014, 0.07), skirting)
        if b > a:
            _piece(wall, material, a, b, 0.0, low, y)
            _piece(wall, material, a, b, high, height, y)
            if skirting is not None and low > 0.1:
                wall.spot.box(0.5 * (a + b), 0.006, 0.0, (b - a, 0.014, 0.07), skirting)
        left = b


def _piece(
    wall: Wall, material: Material, a: float, b: float, low: float, high: float, y: float
) -> None:
    if b - a > 1e-6 and high - low > 1e-6:
        wall.spot.box(0.5 * (a + b), y, low, (b - a, THICKNESS, high - low), material)


def door_frame(spot: Spot, *, width: float, height: float, paint: Material) -> None:
    """Add a frame around a doorway centred on the spot."""
    for x in (-0.5 * width - 0.03, 0.5 * width + 0.03):
        spot.box(x, -0.07, 0.0, (0.07, 0.19, height + 0.03), paint)
    spot.box(0.0, -0.07, height, (width + 0.13, 0.19, 0.07), paint)


def door_leaf(spot: Spot, *, width: float, height: float, paint: Material) -> None:
    """Add a leaf from x = 0 to x = width with panels and a handle at 1.05 m."""
    dice = spot.dice
    spot.box(0.5 * width, -0.02, 0.005, (width, 0.04, height - 0.01), paint)
    panels = dice.integer(0, 2)
    for k in range(panels):
        tall = (height - 0.35) / panels - 0.12
        z = 0.2 + k * (tall + 0.14)
        darker = Material(color=mt.shade(paint.color, 0.85), color2=mt.shade(paint.color2, 0.85),
                          kind=paint.kind, params=paint.params, seed=paint.seed)  # fmt: skip
        spot.box(0.5 * width, 0.0, z, (width - 0.26, 0.012, tall), darker)
    steel = mt.metal(dice)
    for side in (0.03, -0.07):
        spot.box(width - 0.06, side - 0.02, 0.95, (0.035, 0.015, 0.2), steel)
        spot.bar(width - 0.11, side, 1.05, 0.02, 0.12, steel)


def closed_door(wall: Wall) -> bool:
    """Add a closed door, 0.8 to 0.9 x 2.0 to 2.1 m."""
    dice = wall.spot.dice
    width, height = dice.pick((0.8, 0.8, 0.85, 0.9)), dice.uniform(2.0, 2.1)
    x = wall.find(width + 0.3)
    if x is None:
        return False
    wall.take(x, width + 0.3)
    paint = mt.white_lacquer(dice) if dice.chance(0.55) else mt.wood(dice)
    frame = paint if dice.chance(0.7) else mt.white_lacquer(dice)
    spot = wall.spot.at(x, 0.0)
    door_frame(spot, width=width, height=height, paint=frame)
    # The leaf stands proud of the wall and of the skirting, or they would show through.
    door_leaf(spot.at(-0.5 * width, 0.018), width=width, height=height, paint=paint)
    return True


def window(wall: Wall, daylight: Vector) -> bool:
    """Add a window with sill, frame, bars, maybe curtains and radiator, and its light."""
    dice = wall.spot.dice
    width = dice.uniform(0.8, min(2.4, max(0.9, wall.length - 1.2)))
    tall = dice.chance(0.15)
    low = 0.05 if tall else dice.uniform(0.8, 1.0)
    high = min(wall.height - 0.12, dice.uniform(2.0, 2.3))
    x = wall.find(width + 0.3)
    if x is None:
        return False
    wall.take(x, width + 0.3, low=tall)
    wall.openings.append((x - 0.5 * width, x + 0.5 * width, low, high))
    spot, size = wall.spot.at(x, 0.0), high - low
    outdoor = Material(
        kind=tx.OUTDOOR, color=(0.75, 0.85, 1.0), color2=(1.0, 1.0, 1.0), emission=daylight[1],
        params=(dice.uniform(-0.4, 0.3),), seed=dice.integer(0, 1 << 20),
    )  # fmt: skip
    spot.box(0.0, -THICKNESS + 0.01, low, (width, 0.02, size), outdoor)
    paint = mt.white_lacquer(dice) if dice.chance(0.8) else mt.wood(dice)
    _window_frame(spot, width, low, size, paint)
    if not tall:
        spot.box(0.0, 0.02, low - 0.04, (width + 0.12, 0.28, 0.035), paint)
        if dice.chance(0.6):
            radiator(spot, width=min(width, dice.uniform(0.8, 1.6)))
            wall.take(x, width, high=False)
    if dice.chance(0.5):
        curtains(spot, width, 0.03 if dice.chance(0.6) else low - 0.1, high)
    strength = daylight[1] * width * size * 0.35
    red, blue = strength * daylight[0] / daylight[1], strength * daylight[2] / daylight[1]
    u, v = wall.spot.world(x + 0.45 * width, 0, 0), wall.spot.world(x, 0, 0)
    n = wall.spot.world(x, 1.0, 0.0)
    wall.spot.scene.lights.append(Light(
        position=spot.world(0.0, -0.1, low + 0.5 * size),
        half_u=(u[0] - v[0], u[1] - v[1], 0.0), half_v=(0.0, 0.0, 0.45 * size),
        normal=(n[0] - v[0], n[1] - v[1], 0.0),
        intensity=(red, strength, blue),
    ))  # fmt: skip
    return True


def _window_frame(spot: Spot, width: float, low: float, size: float, paint: Material) -> None:
    y, bar, glass = -THICKNESS + 0.05, 0.06, paint
    for z in (low, low + size - bar):
        spot.box(0.0, y, z, (width, 0.05, bar), glass)
    columns = max(1, round(width / 0.8))
    for i in range(columns + 1):
        x = -0.5 * width + i * width / columns
        x += 0.5 * bar if i == 0 else (-0.5 * bar if i == columns else 0.0)
        spot.box(x, y, low, (bar if i in (0, columns) else 0.1, 0.05, size), glass)
    if spot.dice.chance(0.25):
        spot.box(0.0, y, low + 0.6 * size, (width, 0.04, 0.05), glass)


def radiator(spot: Spot, *, width: float) -> None:
    """Add a radiator, 0.5 m high, under a window."""
    paint = mt.white_lacquer(spot.dice)
    count = max(4, int(width / 0.1))
    spot.box(0.0, 0.05, 0.15, (width, 0.04, 0.5), paint)
    for i in range(count):
        x = -0.5 * width + (i + 0.5) * width / count
        spot.box(x, 0.085, 0.16, (0.6 * width / count, 0.03, 0.48), paint)


def curtains(spot: Spot, width: float, low: float, high: float) -> None:
    """Add folded curtains on both sides and their rail."""
    dice, cloth = spot.dice, mt.fabric(spot.dice)
    drop = dice.uniform(0.18, 0.45)
    for side in (-1, 1):
        count = max(2, round(drop / 0.09))
        for k in range(count):
            x = side * (0.5 * width + 0.15 - (k + 0.5) * drop / count)
            spot.rod(x, 0.1 + 0.02 * (k & 1), low, 1.15 * drop / count, high + 0.06 - low, cloth,
                     depth=0.08)  # fmt: skip
    spot.bar(0.0, 0.1, high + 0.08, 0.025, width + 0.5, mt.metal(dice))


def picture_on(wall: Wall) -> None:
    """Hang a picture, a mirror or a clock at eye height."""
    dice = wall.spot.dice
    width, height = dice.uniform(0.25, 1.0), dice.uniform(0.25, 0.8)
    x = wall.find(width + 0.1, low=False)
    if x is None:
        return
    wall.take(x, width + 0.1, low=False)
    z = 1.55 - 0.5 * height + dice.uniform(-0.1, 0.15)
    spot, kind = wall.spot.at(x, 0.0), dice.unit()
    if kind < 0.12:
        spot.at(0.0, 0.02, 1.75).bar(0.0, 0.0, 0.15, 0.3, 0.04, mt.plastic(dice), yaw=math.pi / 2)
        spot.at(0.0, 0.03, 1.75).bar(
            0.0, 0.0, 0.15, 0.27, 0.03, mt.white_lacquer(dice), yaw=math.pi / 2
        )
        return
    spot.box(0.0, 0.012, z, (width, 0.024, height), mt.wood(dice))
    inner = (width - 0.05, 0.03, height - 0.05)
    if kind < 0.2:
        mirror = Material(color=(0.02, 0.02, 0.02), mirror=0.85)
        spot.box(0.0, 0.013, z + 0.025, inner, mirror)
    else:
        spot.box(0.0, 0.013, z + 0.025, inner, mt.picture(dice, width=inner[0], height=inner[2]))


def socket_on(wall: Wall) -> None:
    """Add a socket at 0.3 m or a switch at 1.05 m."""
    x = wall.find(0.1)
    if x is None:
        return
    plate = mt.white_lacquer(wall.spot.dice)
    z = 0.3 if wall.spot.dice.chance(0.6) else 1.05
    wall.spot.box(x, 0.006, z - 0.04, (0.08, 0.012, 0.08), plate)
