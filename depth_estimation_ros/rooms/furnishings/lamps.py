"""Lamps and daylight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.furnishings import materials as mt
from depth_estimation_ros.rooms.furnishings.spot import Spot
from depth_estimation_ros.rooms.tracer.scene import Light, Vector

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice
    from depth_estimation_ros.rooms.room import Room


def light_color(kelvin: float) -> Vector:
    """Return the linear colour of a black body, green = 1 (a fit for 2500..8000 K)."""
    x = kelvin / 1000.0
    red = 1.0 + 0.75 * (6.0 / x - 1.0) * 0.62
    blue = max(0.2, 1.0 - 0.95 * (6.0 / x - 1.0) * 0.62)
    return (max(0.75, red), 1.0, min(1.35, blue))


def draw_daylight(dice: Dice) -> Vector:
    """Return the radiance outside: bright by day, dark now and then."""
    color = light_color(dice.uniform(5000, 7500))
    strength = 2.0 ** dice.uniform(1.0, 3.6) if dice.chance(0.8) else 0.15
    return (color[0] * strength, strength, color[2] * strength)


def light_room(room: Room) -> None:
    """Hang one or two lamps; switched off now and then."""
    dice, w, d, h = room.dice, room.width, room.depth, room.height
    color = light_color(dice.uniform(2700, 6000))
    strength = 2.0 ** dice.uniform(1.6, 3.0) if dice.chance(0.85) else 0.25
    count = 2 if max(w, d) > 5.5 else 1
    for k in range(count):
        share = (k + 0.5) / count
        x = w * (share if w > d else 0.5) + dice.uniform(-0.3, 0.3)
        y = d * (0.5 if w > d else share) + dice.uniform(-0.3, 0.3)
        add_lamp(room, x, y, h, color, strength / count**0.5)
    base = 0.05 + 0.08 * dice.unit()
    room.scene.ambient = (base * strength * color[0] / 2, base * strength / 2, base * strength / 2)


def add_lamp(room: Room, x: float, y: float, h: float, color: Vector, strength: float) -> None:
    """Put a flat lamp, a panel or a hanging globe under a ceiling at height h."""
    spot = Spot(room.scene, room.dice, x=x, y=y)
    glowing = mt.glow(color, max(0.3, 1.3 * strength))
    kind = room.dice.unit()
    down: Vector = (0.0, 0.0, -1.0)
    if kind < 0.4:  # a flat round lamp
        spot.rod(0.0, 0.0, h - 0.09, 0.4, 0.09, glowing)
        z, half, normal = h - 0.1, 0.18, down
    elif kind < 0.7:  # a panel
        spot.box(0.0, 0.0, h - 0.03, (0.6, 0.6, 0.03), glowing)
        z, half, normal = h - 0.04, 0.28, down
    else:  # a hanging globe
        drop = room.dice.uniform(0.35, 0.7)
        spot.rod(0.0, 0.0, h - drop, 0.012, drop, mt.metal(room.dice))
        spot.ball(0.0, 0.0, h - drop - 0.2, (0.28, 0.28, 0.26), glowing, shadow=False)
        z, half, normal = h - drop - 0.07, 0.1, (0.0, 0.0, 0.0)
    gains = (strength * color[0], strength * color[1], strength * color[2])
    room.scene.lights.append(Light(
        position=(x, y, z), half_u=(half, 0.0, 0.0), half_v=(0.0, half, 0.0), normal=normal,
        intensity=gains,
    ))  # fmt: skip
