"""The paper's loss: structural similarity, edges and absolute difference of coded depth.

Tensors are (N, 1, h, w). Every term leaves missing pixels out and is a mean over the pixels of
an image, then over images, so that it equals the paper's when nothing is missing, and does not
depend on how a batch is split between processes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
SSIM_K1 = 0.01
SSIM_K2 = 0.03


@dataclass(frozen=True, kw_only=True)
class DepthLoss:
    """A weighted sum of three terms.

    Attributes:
        domain: 'raw' compares max_depth / depth, as the paper does; 'log' its logarithm, where
            the same relative error costs the same at any depth.
        ssim_weight: Weight of the structural dissimilarity.
        edge_weight: Weight of the difference of image gradients.
        l1_weight: Weight of the absolute difference.
        max_value: The range that the similarity assumes; the paper's is max_depth / min_depth.
        edge_scales: Gradients are compared at so many scales, each half the one before.
    """

    domain: str = 'raw'
    ssim_weight: float = 1.0
    edge_weight: float = 1.0
    l1_weight: float = 0.1
    max_value: float = 100.0
    edge_scales: int = 1

    def __call__(
        self, raw: torch.Tensor, target: torch.Tensor, step: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Compare a network's output with what it should have been.

        Args:
            raw: (N, 1, h, w) float, the network's raw output.
            target: (N, 1, h, w) float, coded depth; 0 where it is missing.
            step: (N, 1, h, w) float, the steps that the true depth was recorded in, as a share
                of it: half of one is no error, and a whole one no edge. None = it has none.

        Returns:
            A scalar. An image without any depth counts as 0.
        """
        mask = target > 0
        if step is not None and self.domain == 'raw':
            step = step * target
        if self.domain == 'log':
            raw = raw.clamp_min(1e-6).log()
            target = torch.where(mask, target, 1.0).log()
        target = torch.where(mask, target, raw.detach())
        total = raw.new_zeros(())
        if self.ssim_weight:
            similarity = ssim(raw, target, mask, max_value=self.max_value)
            total = total + self.ssim_weight * ((1 - similarity) * 0.5).clamp(0, 1).mean()
        if self.edge_weight:
            total = total + self.edge_weight * self._edges(raw - target, mask, step)
        if self.l1_weight:
            error = beyond(raw - target, None if step is None else step / 2)
            total = total + self.l1_weight * masked_mean(error, mask).mean()
        return total

    def _edges(
        self, error: torch.Tensor, mask: torch.Tensor, step: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the mean gradient of an error, added over scales."""
        total = error.new_zeros(())
        for scale in range(self.edge_scales):
            every = (..., slice(None, None, 2**scale), slice(None, None, 2**scale))
            known = None if step is None else step[every]
            total = total + edge_error(error[every], mask[every], known).mean()
        return total


def beyond(error: torch.Tensor, tolerance: torch.Tensor | None) -> torch.Tensor:
    """Return the absolute error less what is tolerated, at least 0."""
    return error.abs() if tolerance is None else (error.abs() - tolerance).clamp_min(0)


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean of each image's valid pixels, (N,); 0 for an image without any."""
    count = mask.flatten(1).sum(1).clamp_min(1)
    return (values * mask).flatten(1).sum(1) / count


def edge_error(
    error: torch.Tensor, mask: torch.Tensor, step: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the mean absolute forward differences of an error, both directions added, (N,).

    The last row and column have no next one and count as zero, as in TensorFlow. A difference
    with a missing pixel counts as zero too, and so does one of at most a `step`.
    """
    down = beyond(
        error[..., 1:, :] - error[..., :-1, :], None if step is None else step[..., 1:, :]
    )
    right = beyond(error[..., 1:] - error[..., :-1], None if step is None else step[..., 1:])
    down = down * (mask[..., 1:, :] & mask[..., :-1, :])
    right = right * (mask[..., 1:] & mask[..., :-1])
    count = mask.flatten(1).sum(1).clamp_min(1)
    return (down.flatten(1).sum(1) + right.flatten(1).sum(1)) / count


def ssim(
    first: torch.Tensor, second: torch.Tensor, mask: torch.Tensor, *, max_value: float
) -> torch.Tensor:
    """Return the structural similarity of each pair of images, (N,), 1 = equal.

    Gaussian windows of 11x11, sigma 1.5, wholly inside the image. A window weighs its valid
    pixels only and counts when its centre is valid. An image without such a window gets 1.

    Args:
        first: (N, 1, h, w) float, both sides at least 11.
        second: Same.
        mask: (N, 1, h, w) bool, True = valid. Invalid pixels must still be finite.
        max_value: The range of the values.
    """
    weight = mask.to(first.dtype)
    total = _blur(weight).clamp_min(1e-6)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return _blur(values * weight) / total

    mean_first, mean_second = mean(first), mean(second)
    product, squares = mean_first * mean_second, mean_first**2 + mean_second**2
    c1, c2 = (SSIM_K1 * max_value) ** 2, (SSIM_K2 * max_value) ** 2
    luminance = (2 * product + c1) / (squares + c1)
    covariance = mean(first * second) - product
    variances = mean(first**2 + second**2) - squares
    similarity = luminance * (2 * covariance + c2) / (variances + c2)
    border = SSIM_WINDOW // 2
    centre = mask[..., border:-border, border:-border]
    return 1 - masked_mean(1 - similarity, centre)


def _blur(values: torch.Tensor) -> torch.Tensor:
    """Convolve with the window; the result is smaller by a window less one."""
    offset = torch.arange(SSIM_WINDOW, dtype=values.dtype, device=values.device)
    window = torch.exp(-((offset - SSIM_WINDOW // 2) ** 2) / (2 * SSIM_SIGMA**2))
    window = window / window.sum()
    rows = F.conv2d(values, window.view(1, 1, -1, 1))
    return F.conv2d(rows, window.view(1, 1, 1, -1))


def shrink_target(target: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Average coded depth down to the size of the network's output, valid pixels only.

    Args:
        target: (N, 1, H, W) float, coded depth; 0 where missing.
        size: (h, w) of the result.

    Returns:
        (N, 1, h, w) float; 0 where no pixel underneath is valid.
    """
    mean = F.adaptive_avg_pool2d(target, size)
    share = F.adaptive_avg_pool2d((target > 0).to(target.dtype), size)
    return mean / share.clamp_min(1e-6)
