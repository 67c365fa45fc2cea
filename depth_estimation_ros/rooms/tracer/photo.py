"""From linear radiance to a photograph: exposure, white balance, tone curve, optics, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from depth_estimation_ros.rooms.dice import Dice
    from depth_estimation_ros.rooms.tracer.arrays import Array

_GAMMA_STEPS = 4096


def _blur(image: Array, amount: float) -> Array:
    """Blur with the separable kernel (amount, 1 - 2 amount, amount)."""
    if amount <= 0.0:
        return image
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode='edge')
    rows = (1 - 2 * amount) * padded[1:-1] + amount * (padded[:-2] + padded[2:])
    mixed: Array = (1 - 2 * amount) * rows[:, 1:-1] + amount * (rows[:, :-2] + rows[:, 2:])
    return mixed


def _vignette(shape: tuple[int, ...], strength: float) -> Array:
    y = np.linspace(-1.0, 1.0, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1.0, 1.0, shape[1], dtype=np.float32)[None, :]
    shading: Array = 1.0 - strength * (0.5 * x * x + 0.4 * y * y)
    return shading[..., None]


def _tone_curve(toe: float, shoulder: float) -> Array:
    """Return sRGB gamma after a shoulder for highlights, as a table over [0, 4)."""
    x = np.arange(_GAMMA_STEPS, dtype=np.float32) * (4.0 / _GAMMA_STEPS)
    x = x * (1.0 + x * shoulder / 16.0) / (1.0 + x * shoulder)
    x = np.clip(x * (1.0 + shoulder) / (1.0 + shoulder / 16.0), 0.0, 1.0)
    y = np.where(x < 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)
    y = y + toe * (y * y * (3.0 - 2.0 * y) - y)
    table: Array = (255.0 * y).astype(np.float32)
    return table


def develop(radiance: Array, dice: Dice, *, grain: np.random.Generator | None = None) -> Array:
    """Take the photograph.

    Args:
        radiance: (H, W, 3) float32 linear light.
        dice: Decides exposure, colour and noise.
        grain: Draws the noise; None = from the dice's own stream.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    luminance = radiance @ np.array([0.25, 0.6, 0.15], dtype=np.float32)
    key = float(np.minimum(luminance, 4.0 * np.median(luminance) + 1e-4).mean()) + 1e-5
    gain = 0.22 * 2.0 ** dice.bell(0.0, 0.4) / key
    means = radiance.reshape(-1, 3).mean(axis=0) + 1e-6
    balance = (means[1] / means) ** dice.uniform(0.4, 1.0)  # a camera's own, imperfect
    error = np.array([1.0 + dice.bell(0.0, 0.05), 1.0, 1.0 + dice.bell(0.0, 0.06)])
    image = radiance * (gain * balance * error).astype(np.float32)
    image = image * _vignette(image.shape, dice.uniform(0.0, 0.35))
    image = _blur(image, dice.uniform(0.0, 0.22))
    noise = dice.uniform(0.0, 1.0) ** 2
    rng = grain or dice.generator
    speckle = rng.standard_normal(image.shape, dtype=np.float32)
    image = image + speckle * np.sqrt(np.maximum(image, 0.0) * (0.0016 * noise) + 2e-5 * noise)
    table = _tone_curve(dice.uniform(0.0, 0.5), dice.uniform(0.2, 1.2))
    index = np.clip(image * (_GAMMA_STEPS / 4.0), 0, _GAMMA_STEPS - 1).astype(np.int32)
    values = table[index]
    if dice.chance(0.5):
        values = _blur(values, dice.uniform(0.0, 0.08))
    return np.clip(values + 0.5, 0.0, 255.0).astype(np.uint8)
