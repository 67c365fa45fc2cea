from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.ndimage import correlate
import torch

from depth_estimation_ros.training.step.losses import DepthLoss, edge_error, shrink_target, ssim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.float64]


def _window() -> Image:
    """The 11x11 Gaussian, written out."""
    weights = np.array(
        [
            [math.exp(-((x - 5) ** 2 + (y - 5) ** 2) / (2 * 1.5**2)) for x in range(11)]
            for y in range(11)
        ]
    )
    result: Image = weights / weights.sum()
    return result


def _reference_ssim(first: Image, second: Image, max_value: float) -> float:
    """Structural similarity of two images as Wang et al. define it."""

    def mean(image: Image) -> Image:
        full: Image = correlate(image, _window(), mode='constant')
        return full[5:-5, 5:-5]

    mu1, mu2 = mean(first), mean(second)
    var1 = mean(first * first) - mu1 * mu1
    var2 = mean(second * second) - mu2 * mu2
    cov = mean(first * second) - mu1 * mu2
    c1, c2 = (0.01 * max_value) ** 2, (0.03 * max_value) ** 2
    top = (2 * mu1 * mu2 + c1) * (2 * cov + c2)
    similarity: Image = top / ((mu1**2 + mu2**2 + c1) * (var1 + var2 + c2))
    return float(similarity.mean())


def _reference_loss(prediction: Image, truth: Image) -> float:
    """The paper's loss, pixel by pixel: (N, h, w) each."""
    num, height, width = truth.shape
    similar: float = 0
    edges: float = 0
    absolute: float = 0
    for p, t in zip(prediction, truth, strict=True):
        similar += min(max((1 - _reference_ssim(t, p, 100.0)) * 0.5, 0), 1)
        for v in range(height):
            for u in range(width):
                absolute += abs(p[v, u] - t[v, u])
                if v + 1 < height:
                    edges += abs((p[v + 1, u] - p[v, u]) - (t[v + 1, u] - t[v, u]))
                if u + 1 < width:
                    edges += abs((p[v, u + 1] - p[v, u]) - (t[v, u + 1] - t[v, u]))
    pixels = num * height * width
    total: float = similar / num + edges / pixels + 0.1 * absolute / pixels
    return total


def _pair(*, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    truth = 1 + 40 * torch.rand(3, 1, 17, 23, generator=generator, dtype=torch.float64)
    return truth + torch.randn(truth.shape, generator=generator, dtype=torch.float64) * 3, truth


def test_the_paper_loss_equals_a_plain_one() -> None:
    raw, truth = _pair()
    expected = _reference_loss(raw[:, 0].numpy(), truth[:, 0].numpy())
    assert DepthLoss()(raw, truth).item() == pytest.approx(expected, abs=1e-12)
    assert DepthLoss()(raw.float(), truth.float()).item() == pytest.approx(expected, rel=1e-6)


def test_a_perfect_prediction_costs_nothing() -> None:
    _, truth = _pair()
    assert DepthLoss()(truth, truth).item() == pytest.approx(0, abs=1e-12)
    log = DepthLoss(domain='log', ssim_weight=0, edge_scales=3)
    assert log(truth, truth).item() == pytest.approx(0, abs=1e-12)


def test_the_gradient_of_the_loss_is_its_slope() -> None:
    raw, truth = _pair(seed=1)
    raw, truth = raw[:1, :, :12, :13].requires_grad_(), truth[:1, :, :12, :13].clone()
    truth[0, 0, 4, 5] = 0
    assert torch.autograd.gradcheck(lambda x: DepthLoss()(x, truth), (raw,), eps=1e-6)


def test_edges_count_forward_differences_over_all_pixels() -> None:
    # Down: |3-1| + |3-2| + |7-4| = 6; right: |2-1| + |4-2| + |3-3| + |7-3| = 7; 6 pixels.
    error = torch.tensor([[[[1.0, 2.0, 4.0], [3.0, 3.0, 7.0]]]])
    assert edge_error(error, torch.ones_like(error).bool()).item() == pytest.approx(13 / 6)


def test_edges_at_a_missing_pixel_do_not_count() -> None:
    # Without the pixel (0, 1): down |3-1| + |7-4|, right |3-3| + |7-3|; 5 pixels.
    error = torch.tensor([[[[1.0, 2.0, 4.0], [3.0, 3.0, 7.0]]]])
    mask = torch.tensor([[[[True, False, True], [True, True, True]]]])
    assert edge_error(error, mask).item() == pytest.approx(9 / 5)


@pytest.mark.parametrize('domain', ['raw', 'log'])
def test_what_the_network_says_where_depth_is_missing_does_not_matter(domain: str) -> None:
    raw, truth = _pair()
    raw = raw.abs() + 1
    truth[0, 0, 3:9, 4:12] = 0
    loss = DepthLoss(domain=domain)
    other = raw.clone()
    other[0, 0, 3:9, 4:12] = 1e4
    other.requires_grad_()
    value = loss(other, truth)
    assert value.item() == pytest.approx(loss(raw, truth).item(), rel=1e-9)
    torch.autograd.backward(value)
    assert other.grad is not None
    assert other.grad[0, 0, 3:9, 4:12].abs().max() == 0


def test_an_image_without_any_depth_counts_as_zero() -> None:
    raw, truth = _pair()
    truth[1] = 0
    kept = DepthLoss()(raw[[0, 2]], truth[[0, 2]]).item()
    raw.requires_grad_()
    value = DepthLoss()(raw, truth)
    torch.autograd.backward(value)
    assert value.item() == pytest.approx(kept * 2 / 3)
    assert raw.grad is not None
    assert raw.grad.isfinite().all()


def test_a_batch_costs_the_mean_of_its_halves() -> None:
    raw, truth = _pair()
    raw, truth = torch.cat([raw, raw[:1] * 1.1]), torch.cat([truth, truth[:1]])
    truth[0, 0, 3:9, 4:12] = 0
    halves = (DepthLoss()(raw[:2], truth[:2]) + DepthLoss()(raw[2:], truth[2:])) / 2
    assert DepthLoss()(raw, truth).item() == pytest.approx(halves.item(), abs=1e-12)


def test_similarity_of_constant_images_is_the_luminance_term() -> None:
    # (2 * 2 * 4 + 1) / (2**2 + 4**2 + 1) with C1 = (0.01 * 100)**2 = 1.
    first, second = torch.full((1, 1, 12, 15), 2.0), torch.full((1, 1, 12, 15), 4.0)
    mask = torch.ones_like(first).bool()
    value = ssim(first.double(), second.double(), mask, max_value=100.0)
    assert value.item() == pytest.approx(17 / 21)


def test_the_log_loss_is_the_logarithm_of_the_ratio() -> None:
    truth = torch.full((1, 1, 4, 6), 2.0)
    loss = DepthLoss(domain='log', ssim_weight=0, edge_weight=0, l1_weight=1)
    assert loss(truth * 1.5, truth).item() == pytest.approx(math.log(1.5))


def test_edges_at_two_scales_add_up() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 4, 8)
    loss = DepthLoss(ssim_weight=0, edge_weight=1, l1_weight=0, edge_scales=2)
    # A slope of 1 a pixel: 7/8 of the pixels differ by 1, and 3/4 of every second one by 2.
    assert loss(ramp + 1, torch.ones_like(ramp)).item() == pytest.approx(7 / 8 + 2 * 3 / 4)


def test_a_target_is_averaged_over_its_valid_pixels() -> None:
    target = torch.tensor([[[[1.0, 2.0, 0.0, 0.0], [0.0, 6.0, 0.0, 0.0]]]])
    assert shrink_target(target, (1, 2)).flatten().tolist() == [3.0, 0.0]


def test_half_a_step_of_recorded_depth_is_no_error_and_a_whole_one_no_edge() -> None:
    # Steps of a tenth of the depth: of |log(4.2 / 4)| = 0.0488 nothing is left, of
    # |log(4.8 / 4)| = 0.1823 less 0.05 is, and of the edge between them less 0.1.
    raw = torch.tensor([4.2, 4.8]).view(1, 1, 1, 2)
    target = torch.full((1, 1, 1, 2), 4.0)
    step = torch.full((1, 1, 1, 2), 0.1)
    l1 = DepthLoss(domain='log', ssim_weight=0.0, edge_weight=0.0, l1_weight=1.0)
    edges = DepthLoss(domain='log', ssim_weight=0.0, edge_weight=1.0, l1_weight=0.0)
    error = math.log(1.2)
    assert l1(raw, target, step).item() == pytest.approx((error - 0.05) / 2, abs=1e-6)
    edge = error - math.log(1.05)
    assert edges(raw, target, step).item() == pytest.approx((edge - 0.1) / 2, abs=1e-6)


def test_steps_of_raw_output_are_those_of_depth_in_proportion() -> None:
    # A step of a tenth of the depth is 0.4 of a raw output of 4: half of it is forgiven.
    raw, target = torch.full((1, 1, 1, 1), 4.5), torch.full((1, 1, 1, 1), 4.0)
    l1 = DepthLoss(ssim_weight=0.0, edge_weight=0.0, l1_weight=1.0)
    step = torch.full((1, 1, 1, 1), 0.1)
    assert l1(raw, target, step).item() == pytest.approx(0.3, abs=1e-6)
