"""More furniture: kitchens, television, lamps, plants, boxes, people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.furnishings import clutter
from depth_estimation_ros.rooms.furnishings import materials as mt
from depth_estimation_ros.rooms.furnishings.furniture import fronts
from depth_estimation_ros.rooms.tracer.scene import Material

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.furnishings.furniture import Size
    from depth_estimation_ros.rooms.furnishings.spot import Spot

BLACK = Material(color=(0.012, 0.012, 0.013), specular=0.15, shininess=60.0)


def kitchen(spot: Spot, size: Size) -> None:
    """A counter of 0.9 m with fronts, wall cabinets above 1.45 m, sink and tiles between."""
    w, d, h = size
    dice, body = spot.dice, mt.wood(spot.dice)
    top = Material(color=mt.linear(*(dice.pick((0.2, 0.45, 0.75)),) * 3), mirror=0.05)
    columns = max(2, round(w / 0.6))
    spot.box(0.0, 0.5 * d - 0.03, 0.0, (w, d - 0.06, 0.1), BLACK)
    spot.box(0.0, 0.5 * d - 0.01, 0.1, (w, d - 0.04, h - 0.14), body)
    fronts(spot, (w, d - 0.04, h - 0.16), 0.11, body, columns=columns, rows=dice.integer(1, 2))
    spot.box(0.0, 0.5 * d, h - 0.04, (w + 0.01, d + 0.02, 0.04), top)
    if dice.chance(0.7):
        spot.box(0.0, 0.006, h, (w, 0.012, 0.55), mt.wall_tiles(dice))
    if dice.chance(0.75):
        spot.box(0.0, 0.175, 1.45, (w, 0.35, 0.7), body)
        fronts(spot, (w, 0.35, 0.68), 1.46, body, columns=columns, rows=1)
    steel = mt.metal(dice)
    sink = dice.uniform(-0.3, 0.3) * w
    spot.box(sink, 0.32, h, (0.5, 0.42, 0.006), steel)
    spot.rod(sink, 0.1, h, 0.03, 0.28, steel)
    spot.bar(sink, 0.2, h + 0.27, 0.025, 0.2, steel, yaw=1.5708)
    spot.box(-sink, 0.3, h, (0.56, 0.5, 0.008), BLACK)
    clutter.scatter(spot, clutter.ON_TABLES, width=w, depth=d, z=h, count=dice.integer(1, 4))


def appliance(spot: Spot, size: Size) -> None:
    """A fridge (tall) or a washing machine (0.85 m)."""
    w, d, h = size
    dice = spot.dice
    body = mt.white_lacquer(dice) if dice.chance(0.6) else mt.metal(dice)
    spot.box(0.0, 0.5 * d, 0.02, (w, d, h - 0.02), body)
    if h > 1.2:
        split = dice.uniform(0.55, 0.75)
        spot.box(0.0, d + 0.02, split + 0.01, (w, 0.04, h - split - 0.02), body)
        spot.box(0.0, d + 0.02, 0.06, (w, 0.04, split - 0.06), body)
        for z in (split + 0.1, split - 0.4):
            spot.box(0.5 * w - 0.05, d + 0.06, z, (0.02, 0.03, 0.3), mt.metal(dice))
    else:
        ring = spot.at(0.0, d)
        ring.bar(0.0, 0.0, 0.45, 0.34, 0.04, mt.metal(dice), yaw=1.5708)
        ring.bar(0.0, 0.01, 0.45, 0.27, 0.04, BLACK, yaw=1.5708)
        ring.box(0.0, 0.0, 0.72, (w - 0.04, 0.012, 0.1), mt.plastic(dice))


def television(spot: Spot, size: Size) -> None:
    """A low board with a television on it."""
    w, d, h = size
    dice, body = spot.dice, mt.wood(spot.dice)
    spot.box(0.0, 0.5 * d, 0.05, (w, d, h - 0.05), body)
    fronts(spot, (w, d, h - 0.08), 0.06, body, columns=max(2, round(w / 0.6)), rows=1)
    width = dice.uniform(0.75, min(1.25, w))
    tall = width * 0.5625
    spot.box(0.0, 0.5 * d, h, (0.4 * width, 0.2, 0.015), BLACK)
    spot.box(0.0, 0.5 * d - 0.02, h, (0.08, 0.03, 0.12), BLACK)
    spot.box(0.0, 0.5 * d, h + 0.06, (width + 0.03, 0.05, tall + 0.03), BLACK)
    shown = mt.screen(dice, width=width, height=tall)
    spot.box(0.0, 0.5 * d + 0.005, h + 0.075, (width, 0.05, tall), shown)


def plant(spot: Spot, size: Size) -> None:
    """A pot plant."""
    w, _, h = size
    dice, pot = spot.dice, mt.plastic(spot.dice)
    tall = dice.uniform(0.22, 0.35)
    spot.rod(0.0, 0.5 * w, 0.0, 0.55 * w, tall, pot, taper=1.3)
    spot.rod(0.0, 0.5 * w, tall, 0.03, 0.5 * (h - tall), mt.wood(dice))
    green = mt.leaves(dice)
    for k in range(dice.integer(5, 9)):
        angle = 2.4 * k
        reach = 0.22 * w * dice.uniform(0.3, 1.2)
        z = tall + (h - tall) * dice.uniform(0.1, 0.75)
        wide = w * dice.uniform(0.3, 0.5)
        x, y = reach * math.cos(angle), 0.5 * w + reach * math.sin(angle)
        spot.ball(x, y, z, (wide, wide * 0.8, 0.25 * (h - tall)), green)


def floor_lamp(spot: Spot, size: Size) -> None:
    """A floor lamp, 1.5 to 1.75 m, shade not lit."""
    h = size[2]
    spot.rod(0.0, 0.18, 0.0, 0.28, 0.025, mt.metal(spot.dice))
    spot.rod(0.0, 0.18, 0.025, 0.025, h - 0.2, mt.metal(spot.dice))
    shade = mt.fabric(spot.dice)
    spot.rod(0.0, 0.18, h - 0.28, 0.36, 0.28, shade, taper=0.7)


def trash_bin(spot: Spot, size: Size) -> None:
    """A waste bin, 0.3 to 0.6 m."""
    spot.rod(0.0, 0.15, 0.0, 0.24, size[2], mt.plastic(spot.dice), taper=1.2)


def box_stack(spot: Spot, size: Size) -> None:
    """Moving boxes, one to three, 0.3 to 0.4 m each."""
    z = 0.0
    dice = spot.dice
    for _ in range(max(1, round(size[2] / 0.35))):
        tall = dice.uniform(0.28, 0.4)
        box = (dice.uniform(0.4, 0.6), dice.uniform(0.3, 0.4), tall)
        spot.box(0.0, 0.25, z, box, mt.cardboard(dice), yaw=dice.uniform(-0.2, 0.2))
        z += tall


def person(spot: Spot, size: Size) -> None:
    """A standing person made of capsules."""
    h = size[2] / 1.75
    dice = spot.dice
    shirt, trousers, y = mt.fabric(dice), mt.fabric(dice), 0.25
    tone = dice.uniform(0.35, 0.9)
    skin = Material(color=mt.linear(tone, tone * 0.76, tone * 0.62))
    dark = dice.uniform(0.08, 0.5)
    hair = Material(color=mt.linear(dark, 0.75 * dark, 0.5 * dark))
    for x in (-0.1 * h, 0.1 * h):
        spot.rod(x, y, 0.06, 0.11 * h, 0.8 * h, trousers, taper=1.5)
        spot.ball(x, y + 0.06, 0.0, (0.1, 0.27, 0.11), BLACK)
        arm = 2.4 * x
        spot.rod(arm, y, 0.78 * h, 0.075 * h, 0.62 * h, shirt, taper=1.25)
        spot.ball(arm, y + 0.01, 0.68 * h, (0.08, 0.1, 0.16), skin)
        spot.ball(arm, y, 1.33 * h, (0.13, 0.15, 0.15), shirt)
    spot.rod(0.0, y, 0.82 * h, 0.34 * h, 0.6 * h, shirt, taper=1.15, depth=0.21 * h)
    spot.ball(0.0, y, 1.34 * h, (0.4 * h, 0.2 * h, 0.16 * h), shirt)
    spot.rod(0.0, y, 1.42 * h, 0.11 * h, 0.12 * h, skin)
    spot.ball(0.0, y + 0.01, 1.5 * h, (0.16 * h, 0.2 * h, 0.25 * h), skin)
    spot.ball(0.0, y - 0.015, 1.57 * h, (0.175 * h, 0.2 * h, 0.19 * h), hair)
