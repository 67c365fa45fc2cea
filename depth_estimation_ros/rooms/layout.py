"""Random rooms: walls, doors, windows, light and furniture."""

from __future__ import annotations

import math

from depth_estimation_ros.rooms.dice import Dice
from depth_estimation_ros.rooms.furnishings import materials as mt
from depth_estimation_ros.rooms.furnishings import shell
from depth_estimation_ros.rooms.furnishings.furnishing import (
    draw_piece,
    furnish_middle,
    furnish_wall,
    place_on,
    scatter_on_floor,
)
from depth_estimation_ros.rooms.furnishings.lamps import (
    add_lamp,
    draw_daylight,
    light_color,
    light_room,
)
from depth_estimation_ros.rooms.furnishings.spot import Spot
from depth_estimation_ros.rooms.room import Room
from depth_estimation_ros.rooms.tracer.scene import Material, Scene


def build_room(seed: int) -> Room:
    """Build the room that belongs to a seed."""
    dice = Dice(seed, 7)
    corridor = dice.chance(0.08)
    width = dice.uniform(1.2, 2.2) if corridor else dice.uniform(2.5, 6.0) + dice.unit() ** 3 * 3.0
    depth = dice.uniform(5.0, 9.0) if corridor else dice.uniform(2.8, 6.0) + dice.unit() ** 3 * 3.0
    height = dice.uniform(2.4, 2.7) if dice.chance(0.8) else dice.uniform(2.3, 3.0)
    room = Room(scene=Scene(), dice=dice, width=width, depth=depth, height=height)
    _add_walls(room, corridor=corridor)
    if corridor:
        pieces = dice.integer(0, 3)
    else:
        furnish_middle(room)
        pieces = dice.integer(3, 5 + int(width + depth) // 2)
    for _ in range(pieces):
        furnish_wall(room)
    for wall in room.walls:
        for _ in range(dice.integer(0, 3)):
            shell.picture_on(wall)
        shell.socket_on(wall)
    scatter_on_floor(room)
    return room


def _add_walls(room: Room, *, corridor: bool) -> None:
    dice, scene = room.dice, room.scene
    w, d, h = room.width, room.depth, room.height
    paint, accent = mt.wall(dice), mt.wall(dice)
    skirting = mt.white_lacquer(dice) if dice.chance(0.75) else None
    ends = ((0.5 * w, 0.0, w), (w, 0.5 * d, d), (0.5 * w, d, w), (0.0, 0.5 * d, d))
    for k, (x, y, length) in enumerate(ends):
        spot = Spot(scene, dice, x=x, y=y, yaw=0.5 * math.pi * k)
        room.walls.append(shell.Wall(spot=spot, length=length, height=h))
    light_room(room)
    daylight = draw_daylight(dice)
    order = sorted(range(4), key=lambda _: dice.unit())
    opened = open_neighbour(room, room.walls[order[0]], paint) if dice.chance(0.35) else False
    for _ in range(dice.integer(2, 5) if corridor else dice.integer(0 if opened else 1, 2)):
        shell.closed_door(room.walls[order[dice.integer(0, 3)]])
    for _ in range(0 if corridor and dice.chance(0.7) else dice.integer(0, 2)):
        shell.window(room.walls[order[dice.integer(1, 3)]], daylight)
    accented = dice.integer(0, 3) if dice.chance(0.25) else -1
    for k, wall in enumerate(room.walls):
        shell.build_wall(wall, accent if k == accented else paint, skirting)
    ceiling = mt.white_lacquer(dice)
    scene.box((0.5 * w, 0.5 * d, h + 0.1), (w + 0.3, d + 0.3, 0.2), ceiling)
    scene.box((0.5 * w, 0.5 * d, -0.1), (w + 0.36, d + 0.36, 0.2), mt.floor(dice))


def open_neighbour(room: Room, wall: shell.Wall, paint: Material) -> bool:
    """Open a doorway or a wide passage into a second room behind a wall."""
    dice = room.dice
    wide = dice.chance(0.4)
    gap = dice.uniform(1.4, 3.0) if wide else dice.uniform(0.8, 0.95)
    top = wall.height - dice.uniform(0.0, 0.3) if wide else 2.05
    x = wall.find(gap + 0.3)
    if x is None:
        return False
    wall.take(x, gap + 0.3)
    wall.openings.append((x - 0.5 * gap, x + 0.5 * gap, 0.0, top))
    spot = wall.spot.at(x, 0.0)
    if not wide:
        frame = mt.white_lacquer(dice)
        shell.door_frame(spot, width=gap, height=top, paint=frame)
        if dice.chance(0.6):
            leaf = spot.at(-0.5 * gap, -0.16, yaw=-dice.uniform(1.2, 1.9))
            shell.door_leaf(leaf, width=gap, height=top, paint=frame)
    far, across, t = dice.uniform(1.4, 4.5), gap + dice.uniform(0.6, 3.0), shell.THICKNESS
    shift = 0.4 * (across - gap) * dice.uniform(-1.0, 1.0)
    behind = spot.at(shift, -t - far)  # the far wall's foot, y towards the doorway
    size = (across + 0.4, far, 0.2)
    behind.box(0.0, 0.5 * far, -0.2, size, mt.floor(dice))
    behind.box(0.0, 0.5 * far, wall.height, (across + 0.4, far + 0.3, 0.2), mt.white_lacquer(dice))
    second = paint if dice.chance(0.6) else mt.wall(dice)
    behind.box(0.0, -0.1, 0.0, (across + 0.4, 0.2, wall.height), second)
    for side in (-1, 1):
        behind.box(side * (0.5 * across + 0.1), 0.5 * far, 0.0, (0.2, far, wall.height), second)
    back = shell.Wall(spot=behind, length=across, height=wall.height)
    if not shell.closed_door(back):
        shell.picture_on(back)
    lamp = behind.world(0.0, 0.5 * far, 0.0)
    strength = 2.0 ** dice.uniform(0.0, 2.5)
    add_lamp(room, lamp[0], lamp[1], wall.height, light_color(dice.uniform(2700, 6000)), strength)
    place_on(room, back, draw_piece(dice), inside=False)
    return True
