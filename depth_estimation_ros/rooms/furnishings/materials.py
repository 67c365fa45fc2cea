"""Random materials as rooms have them."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

from depth_estimation_ros.rooms.tracer import textures as tx
from depth_estimation_ros.rooms.tracer.scene import Material, Vector

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice


def linear(red: float, green: float, blue: float) -> Vector:
    """Return the linear reflectance of an sRGB colour given in 0..1."""
    return (red**2.2, green**2.2, blue**2.2)


def shade(color: Vector, gain: float) -> Vector:
    """Return a colour made darker or lighter."""
    return (min(0.95, color[0] * gain), min(0.95, color[1] * gain), min(0.95, color[2] * gain))


def hued(dice: Dice, *, value: tuple[float, float], saturation: tuple[float, float]) -> Vector:
    """Return a random hue with brightness and saturation (sRGB) in ranges."""
    low, high = saturation
    strength = low + (high - low) * dice.unit() ** 1.8  # most things are not colourful
    rgb = colorsys.hsv_to_rgb(dice.unit(), strength, dice.uniform(*value))
    return linear(*rgb)


def _seed(dice: Dice) -> int:
    return dice.integer(0, 1 << 20)


def wall_paint(dice: Dice) -> Vector:
    """Return a wall colour: mostly off-white, sometimes a tint."""
    if dice.chance(0.65):
        v = dice.uniform(0.72, 0.95)
        return linear(v, v * dice.uniform(0.94, 1.0), v * dice.uniform(0.82, 0.99))
    return hued(dice, value=(0.5, 0.88), saturation=(0.05, 0.4))


def wall(dice: Dice) -> Material:
    """Return plaster, wallpaper or brick."""
    color, seed, kind = wall_paint(dice), _seed(dice), dice.unit()
    if kind < 0.68:
        return Material(
            color=color, params=(dice.uniform(0.3, 1.5), 0.035, dice.uniform(0.0, 0.12)),
            seed=seed, world=True,
        )  # fmt: skip
    if kind < 0.80:
        stripes = (dice.uniform(0.08, 0.3), 0.5, 0.03)
        return Material(
            kind=tx.STRIPES, color=color, color2=shade(color, dice.uniform(0.7, 0.9)),
            params=stripes, seed=seed, world=True,
        )  # fmt: skip
    if kind < 0.88:
        return Material(
            kind=tx.MOTIF, color=color, color2=shade(color, dice.uniform(0.55, 0.85)),
            params=(dice.uniform(0.07, 0.2), 0.3), seed=seed, world=True,
        )  # fmt: skip
    brick = linear(dice.uniform(0.5, 0.75), dice.uniform(0.3, 0.45), dice.uniform(0.22, 0.36))
    if dice.chance(0.4):
        brick = color
    return Material(
        kind=tx.TILES, color=brick, color2=linear(0.62, 0.6, 0.56),
        params=(0.21, 0.065, 0.01, 0.45, 0.0, 0.5), seed=seed, world=True,
    )  # fmt: skip


def wall_tiles(dice: Dice) -> Material:
    """Return bathroom or kitchen tiles."""
    side = dice.pick((0.1, 0.15, 0.2, 0.3))
    return Material(
        kind=tx.TILES, color=hued(dice, value=(0.7, 0.95), saturation=(0.0, 0.25)),
        color2=linear(0.6, 0.6, 0.58), params=(side, side, 0.004, 0.1, 0.0, 0.0), mirror=0.03,
        specular=0.1, seed=_seed(dice), world=True,
    )  # fmt: skip


def wood_colors(dice: Dice) -> tuple[Vector, Vector]:
    """Return the light and the dark tone of some wood."""
    red = dice.uniform(0.35, 0.82)
    green = red * dice.uniform(0.68, 0.84)
    blue = green * dice.uniform(0.55, 0.8)
    light = linear(red, green, blue)
    return light, shade(light, dice.uniform(0.45, 0.75))


def floor(dice: Dice) -> Material:
    """Return planks, tiles, carpet, plain or marble."""
    kind, seed = dice.unit(), _seed(dice)
    if kind < 0.45:
        light, dark = wood_colors(dice)
        return Material(
            kind=tx.PLANKS, color=light, color2=dark, mirror=dice.uniform(0.0, 0.08), params=(
                dice.uniform(0.09, 0.2), dice.uniform(0.8, 1.8), 0.003, dice.uniform(0.3, 0.9)
            ), seed=seed, world=True,
        )  # fmt: skip
    if kind < 0.72:
        side = dice.pick((0.3, 0.3, 0.45, 0.6))
        tile = hued(dice, value=(0.4, 0.9), saturation=(0.0, 0.3))
        checker = dice.uniform(0.4, 0.8) if dice.chance(0.2) else 0.0
        return Material(
            kind=tx.TILES, color=tile,
            color2=shade(linear(0.5, 0.5, 0.48), dice.uniform(0.3, 1.3)),
            params=(side, side, 0.006, dice.uniform(0.05, 0.3), checker, 0.0),
            mirror=dice.uniform(0.0, 0.12), seed=seed, world=True,
        )  # fmt: skip
    if kind < 0.92:
        color = hued(dice, value=(0.25, 0.75), saturation=(0.0, 0.4))
        return Material(
            kind=tx.FABRIC, color=color, color2=shade(color, dice.uniform(0.5, 0.8)),
            params=(0.012, 0.9, dice.uniform(0.1, 0.4)), seed=seed, world=True,
        )  # fmt: skip
    color = hued(dice, value=(0.4, 0.85), saturation=(0.0, 0.2))
    return Material(
        kind=tx.MARBLE, color=color, color2=shade(color, 0.6), params=(0.8, 0.8),
        mirror=0.06, seed=seed, world=True,
    )  # fmt: skip


def wood(dice: Dice) -> Material:
    """Return furniture wood, veneer or lacquer."""
    if dice.chance(0.3):
        v = dice.uniform(0.75, 0.95) if dice.chance(0.7) else dice.uniform(0.05, 0.3)
        return Material(color=linear(v, v, v * 0.97), params=(0.5, 0.04, 0.0), specular=0.06)
    light, dark = wood_colors(dice)
    return Material(
        kind=tx.GRAIN, color=light, color2=dark, params=(dice.uniform(0.02, 0.06), 0.6, 1.0),
        specular=0.05, seed=_seed(dice),
    )  # fmt: skip


def fabric(dice: Dice) -> Material:
    """Return cloth: plain, striped or checked."""
    color = hued(dice, value=(0.15, 0.85), saturation=(0.0, 0.6))
    kind, seed, other = dice.unit(), _seed(dice), shade(color, dice.uniform(0.4, 0.75))
    if kind < 0.75:
        return Material(
            kind=tx.FABRIC, color=color, color2=other, params=(0.008, 0.7, 0.2), seed=seed
        )
    if kind < 0.88:
        return Material(
            kind=tx.STRIPES, color=color, color2=other, params=(0.08, 0.5, 0.1), seed=seed
        )
    return Material(kind=tx.PLAID, color=color, color2=other, params=(0.1,), seed=seed)


def rug(dice: Dice) -> Material:
    """Return a rug of some pattern."""
    color = hued(dice, value=(0.25, 0.8), saturation=(0.1, 0.7))
    other = hued(dice, value=(0.25, 0.8), saturation=(0.1, 0.6))
    kind = dice.pick((tx.FABRIC, tx.STRIPES, tx.PLAID, tx.MOTIF))
    params = {
        tx.FABRIC: (0.02, 0.5, 0.6), tx.STRIPES: (0.2, 0.4, 0.1), tx.PLAID: (0.25,),
        tx.MOTIF: (0.22, 0.35),
    }[kind]  # fmt: skip
    return Material(kind=kind, color=color, color2=other, params=params, seed=_seed(dice))


def plastic(dice: Dice) -> Material:
    """Return a plain, slightly shiny colour."""
    color = hued(dice, value=(0.1, 0.95), saturation=(0.0, 0.9))
    return Material(color=color, params=(0.3, 0.03, 0.0), specular=0.15, shininess=60.0)


def metal(dice: Dice) -> Material:
    """Return brushed or painted metal."""
    v = dice.pick((0.06, 0.3, 0.55, 0.7))
    return Material(color=linear(v, v, v), mirror=0.12, specular=0.3, shininess=80.0)


def books(dice: Dice, *, height: float) -> Material:
    """Return a row of book spines of a height [m]."""
    return Material(
        kind=tx.BOOKS, color=linear(0.7, 0.45, 0.35), color2=linear(0.35, 0.4, 0.6),
        params=(dice.uniform(0.02, 0.045), height), seed=_seed(dice),
    )  # fmt: skip


def picture(dice: Dice, *, width: float, height: float) -> Material:
    """Return a picture that fills a width and height [m]."""
    return Material(
        kind=tx.PICTURE, color=hued(dice, value=(0.2, 0.95), saturation=(0.1, 0.8)),
        color2=hued(dice, value=(0.2, 0.95), saturation=(0.0, 0.7)),
        params=(0.5 * width, 0.5 * height), seed=_seed(dice),
    )  # fmt: skip


def screen(dice: Dice, *, width: float, height: float) -> Material:
    """Return a screen, off (dark and glossy) or on."""
    on = dice.chance(0.45)
    return Material(
        kind=tx.SCREEN, color=hued(dice, value=(0.2, 0.9), saturation=(0.2, 0.8)),
        color2=hued(dice, value=(0.2, 0.9), saturation=(0.0, 0.7)),
        params=(0.5 * width, 0.5 * height, 1.0 if on else 0.0), mirror=0.06,
        emission=dice.uniform(0.5, 1.4) if on else 0.0, seed=_seed(dice),
    )  # fmt: skip


def leaves(dice: Dice) -> Material:
    """Return foliage."""
    green = linear(dice.uniform(0.15, 0.35), dice.uniform(0.32, 0.55), dice.uniform(0.1, 0.25))
    return Material(
        kind=tx.LEAVES, color=green, color2=shade(green, 0.35), params=(0.05,), seed=_seed(dice)
    )


def cardboard(dice: Dice) -> Material:
    """Return cardboard."""
    gain = dice.uniform(0.75, 1.1)
    return Material(
        kind=tx.STRIPES, color=shade(linear(0.72, 0.57, 0.41), gain), seed=_seed(dice),
        color2=shade(linear(0.66, 0.52, 0.37), gain), params=(0.5, 0.12, 0.08),
    )  # fmt: skip


def white_lacquer(dice: Dice) -> Material:
    """Return the paint of doors, frames, skirting and radiators."""
    v = dice.uniform(0.78, 0.95)
    return Material(color=linear(v, v, v * dice.uniform(0.93, 1.0)), specular=0.08)


def glow(color: Vector, strength: float) -> Material:
    """Return something that shines."""
    return Material(color=color, emission=strength)
