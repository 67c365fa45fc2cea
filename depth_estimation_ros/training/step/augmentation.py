"""Random changes of a batch that keep its depth true.

Batches are (N, 3, H, W) float RGB in [0, 1], depth (N, 1, H, W) [m], 0 or NaN = missing, and fx
(N,) [px]. All draws are made for the whole batch of a step, from a generator that the step's
number seeds: a run can be resumed at any step, and processes that share a batch draw alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from depth_estimation_ros.training.config import TrainConfig

_MAX_BORDER = 0.03  # of a side; NYU's is 0.019 of the columns, 0.017 of the rows
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
        depth_step: (N,) float, the steps that depth was recorded in [m]; 0 = too fine to matter,
            None = in all of them.
    """

    image: torch.Tensor
    depth: torch.Tensor
    fx: torch.Tensor
    zoom: torch.Tensor
    depth_step: torch.Tensor | None = None


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
        max_roll_deg: The camera is turned about its axis by up to this [deg].
        border_probability: Probability of a plain border over the edges of an image.
        jpeg_probability: Probability of compression as JPEG.
    """

    flip_probability: float = 0.0
    channel_swap_probability: float = 0.0
    photometric: float = 0.0
    min_crop_scale: float = 1.0
    max_roll_deg: float = 0.0
    border_probability: float = 0.0
    jpeg_probability: float = 0.0

    @classmethod
    def from_config(cls, config: TrainConfig) -> Augmentation:
        """Take the settings of the same names from a run's configuration."""
        return cls(
            flip_probability=config.flip_probability,
            channel_swap_probability=config.channel_swap_probability,
            photometric=config.photometric,
            min_crop_scale=config.min_crop_scale,
            max_roll_deg=config.max_roll_deg,
            border_probability=config.border_probability,
            jpeg_probability=config.jpeg_probability,
        )

    def apply(
        self,
        batch: ImageBatch,
        *,
        seed: int,
        own: slice,
        num_drawn: int,
        size: tuple[int, int] | None = None,
    ) -> ImageBatch:
        """Change one process' share of a batch.

        Args:
            batch: The share.
            size: (height, width) of the result [px], a part of the images of that aspect; None =
                that of the images.
            seed: Seed of the step.
            own: Where the share lies in the whole batch.
            num_drawn: Size of the whole batch.
        """
        generator = torch.Generator().manual_seed(seed)
        device = batch.image.device

        def draw(*shape: int) -> torch.Tensor:
            return torch.rand(num_drawn, *shape, generator=generator)[own].to(device)

        batch = flip(batch, draw() < self.flip_probability)
        if self.min_crop_scale < 1 or self.max_roll_deg or size is not None:
            scale = self.min_crop_scale + (1 - self.min_crop_scale) * draw()
            place = draw(2)
            roll_deg = (draw() * 2 - 1) * self.max_roll_deg if self.max_roll_deg else None
            batch = crop(batch, scale, place, roll_deg=roll_deg, size=size)
        image = batch.image
        if self.channel_swap_probability:
            orders = torch.tensor(CHANNEL_ORDERS, device=device)
            chosen = (draw() * len(orders)).long()
            chosen[draw() >= self.channel_swap_probability] = 0
            image = permute_channels(image, orders[chosen])
        if self.photometric:
            image = change_light(image, draw(8) * 2 - 1, strength=self.photometric)
            image = add_noise(image, draw() * 0.04 * self.photometric, seed=seed, first=own.start)
        if self.border_probability:
            image = add_border(image, draw() < self.border_probability, draw(4), draw())
        if self.jpeg_probability:
            image = compress(image, draw() < self.jpeg_probability, draw() * 60 + 30)
        return replace(batch, image=image)


def flip(batch: ImageBatch, chosen: torch.Tensor) -> ImageBatch:
    """Mirror the chosen images, (N,) bool, and their depth left and right."""
    choice = chosen.view(-1, 1, 1, 1)
    return replace(
        batch,
        image=torch.where(choice, batch.image.flip(-1), batch.image),
        depth=torch.where(choice, batch.depth.flip(-1), batch.depth),
    )


def crop(
    batch: ImageBatch,
    scale: torch.Tensor,
    place: torch.Tensor,
    *,
    roll_deg: torch.Tensor | None = None,
    size: tuple[int, int] | None = None,
) -> ImageBatch:
    """Cut a part out of each image and resize it.

    Depth along Z stays what it was, while the focal length in pixels changes as the part is
    resized: another lens. Where a turned part reaches over the border the image's last pixels
    are repeated, and depth is missing.

    Args:
        batch: The images.
        scale: (N,) share that is kept of the largest part of the aspect, in (0, 1].
        place: (N, 2) where the part lies, x and y, 0 = left or top, 1 = right or bottom.
        roll_deg: (N,) the part is turned about its centre by this [deg].
        size: (height, width) of the result [px]; None = that of the images.
    """
    height, width = batch.image.shape[-2:]
    out_height, out_width = size or (height, width)
    whole = min(height / out_height, width / out_width)
    # The part's sides as shares of the image's; both are 1 where the aspects are the same.
    share_x = out_width * whole / width * scale
    share_y = out_height * whole / height * scale
    theta = torch.zeros(len(scale), 2, 3, device=scale.device)
    angle = torch.deg2rad(torch.zeros_like(scale) if roll_deg is None else roll_deg)
    cosine, sine = angle.cos(), angle.sin()
    theta[:, 0, 0], theta[:, 1, 1] = share_x * cosine, share_y * cosine
    if roll_deg is not None:  # turned in pixels: grid coordinates are of the image's sides
        theta[:, 0, 1] = -share_y * sine * height / width
        theta[:, 1, 0] = share_x * sine * width / height
    theta[:, 0, 2] = (1 - share_x) * (2 * place[:, 0] - 1)
    theta[:, 1, 2] = (1 - share_y) * (2 * place[:, 1] - 1)
    grid = F.affine_grid(theta, [len(scale), 3, out_height, out_width], align_corners=False)
    outside = 'border' if roll_deg is None else 'zeros'
    return replace(
        batch,
        image=F.grid_sample(
            batch.image, grid, mode='bilinear', padding_mode='border', align_corners=False
        ),
        depth=F.grid_sample(
            batch.depth, grid, mode='nearest', padding_mode=outside, align_corners=False
        ),
        fx=batch.fx / (scale * whole),
        zoom=batch.zoom / scale,
    )


def add_border(
    image: torch.Tensor, chosen: torch.Tensor, widths: torch.Tensor, levels: torch.Tensor
) -> torch.Tensor:
    """Draw a plain border over the edges of the chosen images.

    A data set's images may have one, as NYU's are white for 8 rows and 12 columns on each side,
    and so may a camera's. The depth behind it stays what it is.

    Args:
        image: (N, 3, H, W) float RGB in [0, 1].
        chosen: (N,) bool.
        widths: (N, 4) in [0, 1] for left, right, top and bottom; 1 = 3 % of the side.
        levels: (N,) in [0, 1]: below 0.5 the border is white, below 0.75 black, above grey.
    """
    height, width = image.shape[-2:]
    shares = (_MAX_BORDER * widths * chosen.view(-1, 1)).view(-1, 4, 1)
    row = torch.arange(width, device=image.device)
    column = torch.arange(height, device=image.device)
    # How much of each pixel lies inside the border: its edges fall between pixels.
    left = (shares[:, 0] * width - row).clamp(0, 1)
    right = (shares[:, 1] * width - row.flip(0)).clamp(0, 1)
    top = (shares[:, 2] * height - column).clamp(0, 1)
    bottom = (shares[:, 3] * height - column.flip(0)).clamp(0, 1)
    seen = (1 - left - right)[:, None, None, :] * (1 - top - bottom)[:, None, :, None]
    grey = torch.where(levels < 0.75, (levels < 0.5).float(), (levels - 0.75) * 4)
    return torch.lerp(grey.view(-1, 1, 1, 1).expand_as(image), image, seen)


def compress(image: torch.Tensor, chosen: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """Pass the chosen images through JPEG.

    Args:
        image: (N, 3, H, W) float RGB in [0, 1].
        chosen: (N,) bool.
        quality: (N,) float, 1 to 100.
    """
    image = image.clone()
    for index in torch.nonzero(chosen).flatten().tolist():
        rgb = (image[index] * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        options = [cv2.IMWRITE_JPEG_QUALITY, round(float(quality[index]))]
        encoded = cv2.imencode('.jpg', rgb[..., ::-1], options)[1]
        bgr = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
        decoded = torch.from_numpy(np.ascontiguousarray(bgr[..., ::-1]))
        image[index] = decoded.permute(2, 0, 1).to(image.device) / 255
    return image


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
