"""Small things of everyday size on tables, shelves and floors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.furnishings import materials as mt

if TYPE_CHECKING:
    from collections.abc import Callable

    from depth_estimation_ros.rooms.furnishings.spot import Spot


def mug(spot: Spot) -> None:
    """A mug, 8 cm."""
    spot.rod(0.0, 0.0, 0.0, 0.08, 0.095, mt.plastic(spot.dice))
    spot.box(0.05, 0.0, 0.02, (0.03, 0.012, 0.055), mt.plastic(spot.dice))


def bottle(spot: Spot) -> None:
    """A bottle, 25 to 32 cm."""
    material = mt.plastic(spot.dice)
    height = spot.dice.uniform(0.25, 0.32)
    spot.rod(0.0, 0.0, 0.0, 0.075, 0.65 * height, material)
    spot.rod(0.0, 0.0, 0.65 * height, 0.075, 0.15 * height, material, taper=0.4)
    spot.rod(0.0, 0.0, 0.8 * height, 0.03, 0.2 * height, material)


def book_pile(spot: Spot) -> None:
    """Two to five books lying."""
    z = 0.0
    for _ in range(spot.dice.integer(2, 5)):
        thick = spot.dice.uniform(0.015, 0.04)
        size = (spot.dice.uniform(0.13, 0.2), spot.dice.uniform(0.19, 0.28), thick)
        spot.box(0.0, 0.0, z, size, mt.plastic(spot.dice), yaw=spot.dice.uniform(-0.3, 0.3))
        z += thick


def bowl(spot: Spot) -> None:
    """A bowl with fruit."""
    spot.rod(0.0, 0.0, 0.0, 0.14, 0.07, mt.plastic(spot.dice), taper=1.8)
    for dx, dy in ((-0.05, 0.0), (0.04, 0.04), (0.03, -0.05)):
        spot.ball(dx, dy, 0.045, (0.08, 0.08, 0.075), mt.plastic(spot.dice))


def vase(spot: Spot) -> None:
    """A vase with leaves."""
    height = spot.dice.uniform(0.15, 0.28)
    spot.rod(0.0, 0.0, 0.0, 0.1, height, mt.plastic(spot.dice), taper=0.75)
    green = mt.leaves(spot.dice)
    for _ in range(3):
        d = spot.dice
        x, y, size = d.uniform(-0.06, 0.06), d.uniform(-0.06, 0.06), d.uniform(0.1, 0.18)
        spot.ball(x, y, height - 0.02, (size, size, size * 1.2), green)


def carton(spot: Spot) -> None:
    """A small box."""
    d = spot.dice
    size = (d.uniform(0.08, 0.3), d.uniform(0.06, 0.22), d.uniform(0.05, 0.25))
    material = mt.cardboard(d) if d.chance(0.4) else mt.plastic(d)
    spot.box(0.0, 0.0, 0.0, size, material, yaw=d.uniform(-0.5, 0.5))


def laptop(spot: Spot) -> None:
    """An open laptop, 33 x 23 cm, screen to the front."""
    case = mt.metal(spot.dice)
    spot.box(0.0, 0.0, 0.0, (0.33, 0.23, 0.018), case)
    spot.box(0.0, -0.14, 0.015, (0.33, 0.012, 0.215), case, tilt=0.25)
    shown = mt.screen(spot.dice, width=0.3, height=0.19)
    spot.box(0.0, -0.133, 0.025, (0.3, 0.012, 0.19), shown, tilt=0.25)


def table_lamp(spot: Spot) -> None:
    """A lamp with a shade, 45 cm."""
    spot.rod(0.0, 0.0, 0.0, 0.14, 0.02, mt.metal(spot.dice))
    spot.rod(0.0, 0.0, 0.02, 0.03, 0.24, mt.plastic(spot.dice))
    spot.rod(0.0, 0.0, 0.25, 0.26, 0.18, mt.fabric(spot.dice), taper=0.7)


def toy_ball(spot: Spot) -> None:
    """A ball, 7 to 24 cm."""
    size = spot.dice.pick((0.07, 0.15, 0.22, 0.24))
    spot.ball(0.0, 0.0, 0.0, (size, size, size), mt.plastic(spot.dice))


def picture_frame(spot: Spot) -> None:
    """A framed photograph that stands."""
    d = spot.dice
    w, h = d.uniform(0.1, 0.2), d.uniform(0.13, 0.25)
    spot.box(0.0, 0.0, 0.0, (w, 0.02, h), mt.wood(d), tilt=0.15)
    spot.box(
        0.0, 0.008, 0.01, (w - 0.03, 0.02, h - 0.03), mt.picture(d, width=w, height=h), tilt=0.15
    )


ON_TABLES: tuple[Callable[[Spot], None], ...] = (
    mug, bottle, book_pile, bowl, vase, carton, laptop, table_lamp, picture_frame
)  # fmt: skip
ON_SHELVES: tuple[Callable[[Spot], None], ...] = (book_pile, vase, carton, bottle, picture_frame)


def scatter(
    spot: Spot, things: tuple[Callable[[Spot], None], ...], *, width: float, depth: float,
    z: float, count: int,
) -> None:  # fmt: skip
    """Spread things along x over a surface of a width and depth at height z."""
    if count <= 0:
        return
    cell = width / count
    for i in range(count):
        x = -0.5 * width + (i + 0.5) * cell + spot.dice.uniform(-0.2, 0.2) * cell
        y = depth * spot.dice.uniform(0.35, 0.65)
        spot.dice.pick(things)(spot.at(x, y, z, yaw=spot.dice.uniform(-0.4, 0.4)))
