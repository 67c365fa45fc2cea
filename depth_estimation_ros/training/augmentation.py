"""Random changes of a batch that keep its depth true.

Batches are (N, 3, H, W) float RGB in [0, 1], depth (N, 1, H, W) [m], 0 or NaN = missing, and fx
(N,) [px]. All draws are made for the whole batch of a step, from a generator that the step's
number seeds: a run can be resumed at any step, and processes that share a batch draw alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from depth_estimation_ros.training.config import TrainConfig

# The paper's code draws from seven permutations of which two are the identity.
CHANNEL_ORDERS = ((0, 1, 2), (0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


@dataclass(frozen=True, kw_only=True)
class ImageBatch:
    """Images with what is known of them.

    Attributes:
        image: (N, 3, H, W) float RGB in [0, 1].
        depth: (N, 1, H, W) float depth along Z [m]; 0 or NaN = missing.
        fx: (N,) float focal length [px at width W]; 0 = unknown.
        zoom: (N,) float, how many times longer a crop has made the lens, whether fx is known or
            not.
    """

    image: torch.Tensor
    depth: torch.Tensor
    fx: torch.Tensor
    zoom: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """The changes of one training run.

    Attributes:
        flip_probability: Probability of mirroring left and right.
        channel_swap_probability: Probability of drawing a channel order; two of the seven that
            can be drawn are no change, so 0.5 permutes 0.5 * 5/7 = 36 % of the images.
        photometric: Strength of exposure, contrast, colour, blur and noise, 0 to 1.
        min_crop_scale: Crops keep at least this share of each side; 1 = no crop. A crop is
            enlarged to the full size, and its focal length with it.
    """

    flip_probability: float = 0.0
    channel_swap_probability: float = 0.0
    photometric: float = 0.0
    min_crop_scale: float = 1.0

    @classmethod
    def from_config(cls, config: TrainConfig) -> Augmentation:
        """Take the settings of the same names from a run's configuration."""
        return cls(
            flip_probability=config.flip_probability,
            channel_swap_probability=config.channel_swap_probability,
            photometric=config.photometric,
            min_crop_scale=config.min_crop_scale,
        )

    def apply(self, batch: ImageBatch, *, seed: int, own: slice, num_drawn: int) -> ImageBatch:
        """Change one process' share of a batch.

        Args:
            batch: The share.
            seed: Seed of the step.
            own: Where the share lies in the whole batch.
            num_drawn: Size of the whole batch.
        """
        generator = torch.Generator().manual_seed(seed)
        device = batch.image.device

        def draw(*shape: int) -> torch.Tensor:
            return torch.rand(num_drawn, *shape, generator=generator)[own].to(device)

        batch = flip(batch, draw() < self.flip_probability)
        if self.min_crop_scale < 1:
            scale = self.min_crop_scale + (1 - self.min_crop_scale) * draw()
            batch = crop(batch, scale, draw(2))
        image = batch.image
        if self.channel_swap_probability:
            orders = torch.tensor(CHANNEL_ORDERS, device=device)
            chosen = (draw() * len(orders)).long()
            chosen[draw() >= self.channel_swap_probability] = 0
            image = permute_channels(image, orders[chosen])
        if self.photometric:
            image = change_light(image, draw(8) * 2 - 1, strength=self.photometric)
            image = add_noise(image, draw() * 0.04 * self.photometric, seed=seed, first=own.start)
        return replace(batch, image=image)


def flip(batch: ImageBatch, chosen: torch.Tensor) -> ImageBatch:
    """Mirror the chosen images, (N,) bool, and their depth left and right."""
    choice = chosen.view(-1, 1, 1, 1)
    return replace(
        batch,
        image=torch.where(choice, batch.image.flip(-1), batch.image),
        depth=torch.where(choice, batch.depth.flip(-1), batch.depth),
    )


def crop(batch: ImageBatch, scale: torch.Tensor, place: torch.Tensor) -> ImageBatch:
    """Cut a part out of each image and enlarge it to the full size.

    Depth along Z stays what it was, while the focal length grows: the same as a longer lens.

    Args:
        batch: The images.
        scale: (N,) share of each side that is kept, in (0, 1].
        place: (N, 2) where the part lies, x and y, 0 = left or top, 1 = right or bottom.
    """
    theta = torch.zeros(len(scale), 2, 3, device=scale.device)
    theta[:, 0, 0] = theta[:, 1, 1] = scale
    theta[:, :, 2] = (1 - scale).unsqueeze(1) * (2 * place - 1)
    grid = F.affine_grid(theta, list(batch.image.shape), align_corners=False)
    return ImageBatch(
        image=F.grid_sample(
            batch.image, grid, mode='bilinear', padding_mode='border', align_corners=False
        ),
        depth=F.grid_sample(
            batch.depth, grid, mode='nearest', padding_mode='border', align_corners=False
        ),
        fx=batch.fx / scale,
        zoom=batch.zoom / scale,
    )


def permute_channels(image: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    """Put the channels of each image in an order of its own, (N, 3) int."""
    index = orders.view(-1, 3, 1, 1).expand_as(image)
    return image.gather(1, index)


def change_light(image: torch.Tensor, draws: torch.Tensor, *, strength: float) -> torch.Tensor:
    """Change exposure, contrast, saturation, white balance and sharpness.

    Args:
        image: (N, 3, H, W) float RGB in [0, 1].
        draws: (N, 8) in [-1, 1].
        strength: 0 = none, 1 = at most twofold exposure, gamma 0.5 to 2, ...
    """
    amount = (draws * strength).view(-1, 8, 1, 1)
    gain = 2.0 ** (0.7 * amount[:, 0:1] + 0.3 * amount[:, 1:4])
    image = (image * gain).clamp(1e-4, 1) ** (2.0 ** (0.7 * amount[:, 4:5]))
    mean = image.mean((1, 2, 3), keepdim=True)
    image = mean + (image - mean) * (1 + 0.4 * amount[:, 5:6])
    gray = image.mean(1, keepdim=True)
    image = gray + (image - gray) * (1 + 0.8 * amount[:, 6:7])
    blurred = _mean_of_neighbours(image)
    # Positive draws blur, negative ones sharpen (which cameras do too).
    return torch.lerp(image, blurred, amount[:, 7:8] * 1.5).clamp(0, 1)


def _mean_of_neighbours(image: torch.Tensor) -> torch.Tensor:
    """Return the means of 3x3 pixels; on a CPU eight times as fast as avg_pool2d."""
    padded = F.pad(image, (1, 1, 1, 1), mode='replicate')
    rows = padded[..., :-2, :] + padded[..., 1:-1, :] + padded[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def add_noise(
    image: torch.Tensor, deviation: torch.Tensor, *, seed: int, first: int
) -> torch.Tensor:
    """Add Gaussian noise, seeded by a sample's place in the whole batch."""
    generator = torch.Generator(device=image.device)
    noise = torch.empty_like(image)
    for index in range(len(image)):
        generator.manual_seed(seed * 4099 + first + index)
        noise[index].normal_(generator=generator)
    return (image + noise * deviation.view(-1, 1, 1, 1)).clamp(0, 1)
