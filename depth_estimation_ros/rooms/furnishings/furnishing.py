"""Furniture along the walls, in the middle and on the floor."""

from __future__ import annotations

from collections.abc import Callable
import math
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.furnishings import clutter
from depth_estimation_ros.rooms.furnishings import furniture as fu
from depth_estimation_ros.rooms.furnishings import household as hh
from depth_estimation_ros.rooms.furnishings import materials as mt
from depth_estimation_ros.rooms.furnishings.spot import Spot
from depth_estimation_ros.rooms.room import Room, footprint

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice
    from depth_estimation_ros.rooms.furnishings import shell

Build = Callable[[Spot, fu.Size], None]
Ranges = tuple[float, float, float, float, float, float]

# name: (builder, width, depth and height ranges [m], may stand under a window, frequency)
AGAINST_WALLS: tuple[tuple[Build, Ranges, int], ...] = (
    (fu.sofa, (1.5, 2.3, 0.82, 0.95, 0.78, 0.9), 6),
    (fu.sofa, (0.8, 0.95, 0.8, 0.9, 0.78, 0.95), 3),
    (fu.bed, (0.9, 1.8, 1.98, 2.06, 0.8, 1.1), 5),
    (fu.bookshelf, (0.6, 1.2, 0.26, 0.36, 1.75, 2.05), 8),
    (fu.bookshelf, (0.7, 1.4, 0.28, 0.38, 0.75, 1.15), 4),
    (fu.cabinet, (0.8, 1.8, 0.38, 0.48, 0.72, 0.95), 7),
    (fu.cabinet, (0.9, 2.0, 0.56, 0.62, 1.95, 2.2), 5),
    (fu.desk, (1.1, 1.6, 0.6, 0.8, 0.72, 0.75), 8),
    (hh.kitchen, (1.8, 3.4, 0.6, 0.62, 0.88, 0.92), 5),
    (hh.appliance, (0.58, 0.62, 0.6, 0.65, 1.7, 1.9), 3),
    (hh.appliance, (0.59, 0.61, 0.56, 0.6, 0.84, 0.86), 2),
    (hh.television, (1.2, 2.0, 0.38, 0.45, 0.4, 0.55), 5),
    (hh.plant, (0.35, 0.7, 0.4, 0.6, 0.7, 1.7), 5),
    (hh.floor_lamp, (0.36, 0.36, 0.38, 0.38, 1.5, 1.75), 4),
    (hh.trash_bin, (0.3, 0.3, 0.3, 0.3, 0.3, 0.6), 4),
    (hh.box_stack, (0.6, 0.6, 0.5, 0.5, 0.35, 1.1), 4),
    (hh.person, (0.55, 0.6, 0.5, 0.5, 1.6, 1.88), 1),
)
_DEAL = tuple(entry for entry in AGAINST_WALLS for _ in range(entry[2]))


def _draw_size(dice: Dice, ranges: Ranges) -> fu.Size:
    a, b, c, d, e, f = ranges
    return (dice.uniform(a, b), dice.uniform(c, d), dice.uniform(e, f))


def draw_piece(dice: Dice) -> tuple[Build, fu.Size]:
    """Draw a piece of furniture and its size."""
    build, ranges, _ = dice.pick(_DEAL)
    return build, _draw_size(dice, ranges)


def place_on(
    room: Room, wall: shell.Wall, entry: tuple[Build, fu.Size], *, inside: bool = True
) -> bool:
    """Put a piece at a free place of a wall; inside: mind what stands on the room's floor.

    Returns:
        Whether there was a place.
    """
    build, size = entry
    high = size[2] > 0.95 or build is hh.kitchen
    x = wall.find(size[0], high=high)
    if x is None:
        return False
    gap = 0.02 + (room.dice.uniform(0.0, 0.06) if build is not hh.kitchen else 0.0)
    spot = wall.spot.at(x, gap)
    if inside:
        reach = 0.75 if build is fu.desk else 0.0
        rect = footprint(spot, (size[0], size[1] + reach, size[2]))
        if not room.is_free(rect):
            return False
        room.blocked.append(rect)
    wall.take(x, size[0] + 0.04, high=high or build is hh.television)
    build(spot, size)
    return True


def furnish_wall(room: Room) -> None:
    """Put one piece of furniture at some wall, if it fits."""
    place_on(room, room.dice.pick(room.walls), draw_piece(room.dice))


def furnish_middle(room: Room) -> None:
    """Put a dining table, a seating group or nothing in the middle, and a rug."""
    dice = room.dice
    x, y = room.width * dice.uniform(0.35, 0.65), room.depth * dice.uniform(0.35, 0.65)
    yaw = 0.5 * math.pi * dice.integer(0, 3) + (dice.bell(0.0, 0.4) if dice.chance(0.25) else 0.0)
    spot = Spot(room.scene, dice, x=x, y=y, yaw=yaw)
    if dice.chance(0.35):
        wide, deep = dice.uniform(1.2, 2.6), dice.uniform(0.8, 1.8)
        if min(room.width, room.depth) > wide + 0.6:
            spot.at(0.0, -0.5 * deep).box(0.0, 0.5 * deep, 0.0, (wide, deep, 0.012), mt.rug(dice))
    kind = dice.unit()
    if kind < 0.4 and min(room.width, room.depth) > 3.2:
        _dining_group(room, spot)
    elif kind < 0.65 and min(room.width, room.depth) > 2.8:
        size = (dice.uniform(0.8, 1.2), dice.uniform(0.5, 0.7), dice.uniform(0.38, 0.46))
        here = spot.at(0.0, -0.5 * size[1])
        room.blocked.append(footprint(here, size))
        fu.table(here, size)
        clutter.scatter(here, clutter.ON_TABLES, width=size[0], depth=size[1], z=size[2],
                        count=dice.integer(0, 3))  # fmt: skip
    elif kind < 0.75 and min(room.width, room.depth) > 2.8:
        size = (0.6, 0.5, dice.uniform(1.58, 1.88))
        room.blocked.append(footprint(spot, size))
        hh.person(spot, size)


def _dining_group(room: Room, spot: Spot) -> None:
    dice = room.dice
    size = fu.dining(dice)
    here = spot.at(0.0, -0.5 * size[1])
    reach = footprint(spot.at(0.0, -0.5 * size[1] - 0.5), (size[0] + 0.1, size[1] + 1.0, size[2]))
    room.blocked.append(reach)
    fu.table(here, size)
    clutter.scatter(here, clutter.ON_TABLES, width=size[0], depth=size[1], z=size[2],
                    count=dice.integer(1, 4))  # fmt: skip
    count = 2 if size[0] > 1.3 else 1
    for side in (0, 1):
        for k in range(count):
            if dice.chance(0.15):
                continue
            x = (k - 0.5 * (count - 1)) * 0.65
            out = dice.uniform(-0.25, 0.12)
            y = -0.3 - out if side == 0 else size[1] + 0.3 + out
            yaw = (0.0 if side == 0 else math.pi) + dice.bell(0.0, 0.15)
            fu.chair(here.at(x, y, yaw=yaw))


def scatter_on_floor(room: Room) -> None:
    """Leave a few small things lying about."""
    dice = room.dice
    for _ in range(dice.integer(0, 4)):
        x, y = dice.uniform(0.3, room.width - 0.3), dice.uniform(0.3, room.depth - 0.3)
        rect = (x - 0.2, y - 0.2, x + 0.2, y + 0.2, 0.25)
        if not room.is_free(rect):
            continue
        room.blocked.append(rect)
        spot = Spot(room.scene, dice, x=x, y=y, yaw=dice.uniform(0.0, 6.28))
        thing = dice.pick((clutter.toy_ball, clutter.carton, clutter.book_pile, clutter.bottle))
        thing(spot)
        if dice.chance(0.1):
            fu.chair(spot.at(0.0, -0.2))
