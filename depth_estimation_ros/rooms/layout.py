"""Random rooms: shell, light, furniture along the walls and in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import math

from . import clutter, furniture as fu, household as hh, materials as mt, shell
from .dice import Dice
from .scene import Light, Scene, Vector
from .spot import Spot

Rect = tuple[float, float, float, float, float]  # x low, y low, x high, y high, height [m]
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


@dataclass(kw_only=True)
class Room:
    """A furnished room: the scene, its extent and what stands on its floor."""

    scene: Scene
    dice: Dice
    width: float  # along x, 0..width [m]
    depth: float  # along y, 0..depth [m]
    height: float
    blocked: list[Rect] = field(default_factory=list)
    walls: list[shell.Wall] = field(default_factory=list)

    def is_free(self, rect: Rect, *, margin: float = 0.0) -> bool:
        """Tell whether a rectangle on the floor lies in the room and touches nothing."""
        x0, y0, x1, y1 = rect[0] - margin, rect[1] - margin, rect[2] + margin, rect[3] + margin
        if x0 < 0 or y0 < 0 or x1 > self.width or y1 > self.depth:
            return False
        return all(x1 < b[0] or x0 > b[2] or y1 < b[1] or y0 > b[3] for b in self.blocked)


def light_color(kelvin: float) -> Vector:
    """Return the linear colour of a black body, green = 1 (a fit for 2500..8000 K)."""
    x = kelvin / 1000.0
    red = 1.0 + 0.75 * (6.0 / x - 1.0) * 0.62
    blue = max(0.2, 1.0 - 0.95 * (6.0 / x - 1.0) * 0.62)
    return (max(0.75, red), 1.0, min(1.35, blue))


def footprint(spot: Spot, size: fu.Size) -> Rect:
    """Return the rectangle on the floor that furniture of a size at a spot takes."""
    w, d, h = size
    corners = [spot.world(x, y, 0.0) for x in (-0.5 * w, 0.5 * w) for y in (0.0, d)]
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    return (min(xs), min(ys), max(xs), max(ys), h)


def _draw_size(dice: Dice, ranges: Ranges) -> fu.Size:
    a, b, c, d, e, f = ranges
    return (dice.uniform(a, b), dice.uniform(c, d), dice.uniform(e, f))


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
        _furnish_middle(room)
        pieces = dice.integer(3, 5 + int(width + depth) // 2)
    for _ in range(pieces):
        _furnish_wall(room)
    for wall in room.walls:
        for _ in range(dice.integer(0, 3)):
            shell.picture_on(wall)
        shell.socket_on(wall)
    _floor_clutter(room)
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
    _light_room(room)
    daylight = _daylight(dice)
    order = sorted(range(4), key=lambda _: dice.unit())
    opened = _neighbour(room, room.walls[order[0]], paint) if dice.chance(0.35) else False
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


def _daylight(dice: Dice) -> Vector:
    color = light_color(dice.uniform(5000, 7500))
    strength = 2.0 ** dice.uniform(1.0, 3.6) if dice.chance(0.8) else 0.15
    return (color[0] * strength, strength, color[2] * strength)


def _light_room(room: Room) -> None:
    """Hang one or two lamps; switched off now and then."""
    dice, w, d, h = room.dice, room.width, room.depth, room.height
    color = light_color(dice.uniform(2700, 6000))
    strength = 2.0 ** dice.uniform(1.6, 3.0) if dice.chance(0.85) else 0.25
    count = 2 if max(w, d) > 5.5 else 1
    for k in range(count):
        share = (k + 0.5) / count
        x = w * (share if w > d else 0.5) + dice.uniform(-0.3, 0.3)
        y = d * (0.5 if w > d else share) + dice.uniform(-0.3, 0.3)
        _lamp(room, x, y, h, color, strength / count**0.5)
    base = 0.05 + 0.08 * dice.unit()
    room.scene.ambient = (base * strength * color[0] / 2, base * strength / 2, base * strength / 2)


def _lamp(room: Room, x: float, y: float, h: float, color: Vector, strength: float) -> None:
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


def _neighbour(room: Room, wall: shell.Wall, paint: mt.Material) -> bool:
    """Open a doorway or a wide passage into a second room behind a wall."""
    dice, scene = room.dice, room.scene
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
    _lamp(room, lamp[0], lamp[1], wall.height, light_color(dice.uniform(2700, 6000)), strength)
    _place_on(room, back, _draw_entry(dice), inside=False)
    return True


def _draw_entry(dice: Dice) -> tuple[Build, fu.Size]:
    build, ranges, _ = dice.pick(_DEAL)
    return build, _draw_size(dice, ranges)


def _place_on(
    room: Room, wall: shell.Wall, entry: tuple[Build, fu.Size], *, inside: bool = True
) -> bool:
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


def _furnish_wall(room: Room) -> None:
    _place_on(room, room.dice.pick(room.walls), _draw_entry(room.dice))


def _furnish_middle(room: Room) -> None:
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


def _floor_clutter(room: Room) -> None:
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
