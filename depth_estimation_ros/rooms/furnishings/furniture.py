"""Furniture of true dimensions that stands against walls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.furnishings import clutter
from depth_estimation_ros.rooms.furnishings import materials as mt
from depth_estimation_ros.rooms.tracer import textures as tx
from depth_estimation_ros.rooms.tracer.scene import Material

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice
    from depth_estimation_ros.rooms.furnishings.spot import Spot

Size = tuple[float, float, float]


def fronts(
    spot: Spot, size: Size, z: float, material: Material, *, columns: int, rows: int
) -> None:
    """Put doors or drawers with handles on the front of a cabinet."""
    w, d, h = size
    cell_w, cell_h = w / columns, h / rows
    handle = mt.metal(spot.dice)
    for i in range(columns):
        for j in range(rows):
            x = -0.5 * w + (i + 0.5) * cell_w
            low = z + j * cell_h
            front = (cell_w - 0.008, 0.018, cell_h - 0.008)
            spot.box(x, d + 0.009, low + 0.004, front, material)
            wide = cell_w > cell_h
            grip = (0.12, 0.02, 0.012) if wide else (0.012, 0.02, 0.12)
            gx = x if wide else x + (0.5 * cell_w - 0.04) * (1 if i % 2 == 0 else -1)
            spot.box(gx, d + 0.03, low + (0.75 if wide else 0.5) * cell_h, grip, handle)


def bookshelf(spot: Spot, size: Size) -> None:
    """Shelves every 30 to 36 cm with books, boxes and things."""
    w, d, h = size
    dice, body = spot.dice, mt.wood(spot.dice)
    for x in (-0.5 * w + 0.01, 0.5 * w - 0.01):
        spot.box(x, 0.5 * d, 0.0, (0.02, d, h), body)
    spot.box(0.0, 0.005, 0.0, (w, 0.01, h), body)
    count = max(2, round(h / 0.34))
    step = (h - 0.08) / count
    for i in range(count + 1):
        z = 0.06 + i * step
        spot.box(0.0, 0.5 * d, min(z, h - 0.02), (w - 0.04, d, 0.02), body)
        if i == count or dice.chance(0.12):
            continue
        if dice.chance(0.65):
            share = dice.uniform(0.4, 0.96)
            long, tall = (w - 0.05) * share, dice.uniform(0.2, min(0.3, step - 0.03))
            left = dice.chance(0.5)
            x = (0.5 * (w - 0.05) - 0.5 * long) * (-1 if left else 1)
            row = (long, 0.6 * d, tall)
            spot.box(x, 0.45 * d, z + 0.02, row, mt.books(dice, height=tall))
        else:
            clutter.scatter(
                spot, clutter.ON_SHELVES, width=w - 0.2, depth=d, z=z + 0.02,
                count=dice.integer(1, 2),
            )  # fmt: skip


def cabinet(spot: Spot, size: Size) -> None:
    """A chest, sideboard or wardrobe with fronts."""
    w, d, h = size
    body, legs = mt.wood(spot.dice), 0.08 if spot.dice.chance(0.5) else 0.0
    if legs:
        for x in (-0.45 * w, 0.45 * w):
            for y in (0.08 * d, 0.92 * d):
                spot.rod(x, y, 0.0, 0.03, legs, body)
    spot.box(0.0, 0.5 * d, legs, (w, d, h - legs), body)
    front = body if spot.dice.chance(0.7) else mt.wood(spot.dice)
    tall = h > 1.4
    columns = max(1, round(w / 0.5))
    rows = 1 if tall else spot.dice.integer(1, 3)
    fronts(spot, (w - 0.02, d, h - legs - 0.05), legs + 0.02, front, columns=columns, rows=rows)
    if not tall:
        count = spot.dice.integer(0, 3)
        clutter.scatter(spot, clutter.ON_TABLES, width=w * 0.9, depth=d, z=h, count=count)


def sofa(spot: Spot, size: Size) -> None:
    """A sofa or armchair: seat 0.43, arms 0.6."""
    w, d, h = size
    cloth, dice = mt.fabric(spot.dice), spot.dice
    arm = dice.uniform(0.12, 0.22)
    spot.box(0.0, 0.5 * d, 0.06, (w, d, 0.22), cloth)
    spot.box(0.0, 0.11, 0.28, (w, 0.22, h - 0.28), cloth)
    for x in (-0.5 * w + 0.5 * arm, 0.5 * w - 0.5 * arm):
        spot.box(x, 0.5 * d, 0.28, (arm, d, 0.32), cloth)
        spot.bar(x, 0.5 * d, 0.6, arm, d, cloth, yaw=1.5708)
    seats = max(1, round((w - 2 * arm) / 0.65))
    cell = (w - 2 * arm) / seats
    for i in range(seats):
        x = -0.5 * w + arm + (i + 0.5) * cell
        spot.box(x, 0.22 + 0.5 * (d - 0.24), 0.28, (cell - 0.01, d - 0.2, 0.16), cloth)
        spot.box(x, 0.27, 0.43, (cell - 0.02, 0.14, h - 0.45), cloth, tilt=0.2)
        if dice.chance(0.35):
            size_c = (0.4, 0.14, 0.38)
            spot.box(x + dice.uniform(-0.1, 0.1), 0.42, 0.44, size_c, mt.fabric(dice), tilt=0.4)


def bed(spot: Spot, size: Size) -> None:
    """A bed with head board, mattress at 0.5, pillows and a blanket."""
    w, d, h = size
    dice, frame, sheet = spot.dice, mt.wood(spot.dice), mt.white_lacquer(spot.dice)
    cover = mt.fabric(dice)
    spot.box(0.0, 0.03, 0.0, (w, 0.05, h), frame)
    spot.box(0.0, 0.5 * d, 0.1, (w, d, 0.2), frame)
    spot.box(0.0, 0.5 * d, 0.3, (w - 0.04, d - 0.08, 0.2), sheet)
    start = dice.uniform(0.45, 0.8)
    spot.box(0.0, start + 0.5 * (d - start), 0.26, (w + 0.02, d - start, 0.27), cover)
    count = 1 if w < 1.2 else 2
    for i in range(count):
        x = (i - 0.5 * (count - 1)) * 0.5 * w
        spot.ball(x, 0.28, 0.45, (0.68, 0.42, 0.2), sheet)


def desk(spot: Spot, size: Size) -> None:
    """A desk with monitor, keyboard or laptop, things, and a chair before it."""
    w, d, h = size
    dice = spot.dice
    table(spot, size)
    if dice.chance(0.65):
        diag = dice.uniform(0.48, 0.62)
        black = Material(color=(0.01, 0.01, 0.012), specular=0.1)
        spot.box(0.0, 0.22, h, (0.22, 0.18, 0.015), black)
        spot.box(0.0, 0.2, h, (0.05, 0.03, 0.2), black)
        spot.box(0.0, 0.22, h + 0.1, (diag, 0.04, 0.34), black)
        shown = mt.screen(dice, width=diag - 0.03, height=0.31)
        spot.box(0.0, 0.225, h + 0.115, (diag - 0.03, 0.04, 0.31), shown)
        keys = Material(
            kind=tx.TILES, color=(0.02, 0.02, 0.02), color2=(0.15, 0.15, 0.15),
            params=(0.019, 0.019, 0.003),
        )  # fmt: skip
        spot.box(0.0, 0.5, h, (0.44, 0.13, 0.02), keys)
        spot.ball(0.32, 0.5, h - 0.01, (0.06, 0.1, 0.05), black)
    else:
        clutter.laptop(spot.at(0.0, 0.45, h))
    side = 0.5 * w - 0.16
    clutter.scatter(spot.at(-side, 0.0), clutter.ON_TABLES, width=0.25, depth=d, z=h, count=1)
    if dice.chance(0.8):
        where = spot.at(dice.uniform(-0.2, 0.2), d + dice.uniform(0.0, 0.4), yaw=3.1416)
        (office_chair if dice.chance(0.6) else chair)(where.at(0.0, -0.45, yaw=dice.bell(0, 0.3)))


def table(spot: Spot, size: Size) -> None:
    """A table top on four legs or on panels."""
    w, d, h = size
    body = mt.wood(spot.dice)
    legs = body if spot.dice.chance(0.5) else mt.metal(spot.dice)
    spot.box(0.0, 0.5 * d, h - 0.035, (w, d, 0.035), body)
    thick = spot.dice.uniform(0.04, 0.07)
    round_leg = spot.dice.chance(0.4)
    for x in (-0.5 * w + 0.06, 0.5 * w - 0.06):
        for y in (0.06, d - 0.06):
            if round_leg:
                spot.rod(x, y, 0.0, thick, h - 0.035, legs)
            else:
                spot.box(x, y, 0.0, (thick, thick, h - 0.035), legs)


def chair(spot: Spot) -> None:
    """A dining chair: seat 0.45, back 0.83 to 0.96, at y = 0."""
    dice = spot.dice
    body = mt.wood(dice) if dice.chance(0.7) else mt.plastic(dice)
    seat = body if dice.chance(0.5) else mt.fabric(dice)
    top = dice.uniform(0.83, 0.96)
    spot.box(0.0, 0.22, 0.42, (0.43, 0.43, 0.035), seat)
    for x in (-0.19, 0.19):
        spot.box(x, 0.02, 0.0, (0.035, 0.035, top), body)
        spot.box(x, 0.41, 0.0, (0.035, 0.035, 0.42), body)
    if dice.chance(0.5):
        spot.box(0.0, 0.015, top - 0.2, (0.38, 0.02, 0.2), body)
        spot.box(0.0, 0.015, 0.55, (0.38, 0.02, 0.05), body)
    else:
        spot.box(0.0, 0.015, 0.52, (0.38, 0.025, top - 0.54), seat)


def office_chair(spot: Spot) -> None:
    """A swivel chair on five castors."""
    cloth, black = mt.fabric(spot.dice), Material(color=(0.015, 0.015, 0.016), specular=0.1)
    for k in range(5):
        spot.at(0.0, 0.25, yaw=1.2566 * k).box(0.0, 0.15, 0.05, (0.05, 0.3, 0.035), black)
    spot.rod(0.0, 0.25, 0.06, 0.06, 0.38, black)
    spot.box(0.0, 0.25, 0.43, (0.48, 0.47, 0.07), cloth)
    spot.box(0.0, 0.02, 0.55, (0.44, 0.06, 0.5), cloth, tilt=0.1)
    for x in (-0.27, 0.27):
        spot.box(x, 0.25, 0.64, (0.05, 0.26, 0.03), black)
        spot.box(x, 0.2, 0.45, (0.03, 0.04, 0.2), black)


def dining(dice: Dice) -> Size:
    """Return the size of a dining table."""
    return (dice.uniform(1.1, 2.0), dice.uniform(0.75, 0.95), dice.uniform(0.73, 0.76))
