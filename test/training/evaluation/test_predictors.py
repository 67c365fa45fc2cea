"""Predictions at the size of the image, and what counts where a network gives none."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_training import tiny_config
import torch

from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.training.evaluation.predictors import enlarge
from depth_estimation_ros.training.evaluation.validation import validate

NAN = float('nan')


def test_depth_is_enlarged_between_the_pixels_that_have_any() -> None:
    transform = ImageTransform.letterbox(
        image_size=(2, 8), network_size=(2, 8), output_size=(1, 4)
    )
    # New pixels lie 1/4 and 3/4 between old ones: 2 + 1/4 (6 - 2) = 3, and so on.
    depth = np.array([[2.0, 6.0, 0.0, 4.0]], np.float32)
    expected = [2.0, 3.0, 5.0, 6.0, NAN, NAN, 4.0, 4.0]
    np.testing.assert_allclose(enlarge(depth, transform), [expected] * 2, rtol=1e-6)
    depth[0, 2] = 8.0
    expected = [2.0, 3.0, 5.0, 6.5, 7.5, 7.0, 5.0, 4.0]
    np.testing.assert_allclose(enlarge(depth, transform), [expected] * 2, rtol=1e-6)


class Constant(torch.nn.Module):
    """A network whose raw output is always the same."""

    def __init__(self, raw: list[float]) -> None:
        super().__init__()
        self.raw = torch.tensor(raw).view(1, 1, 1, -1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.raw.expand(len(image), -1, -1, -1)


def test_validation_counts_what_is_left_out_as_evaluation_does() -> None:
    config = tiny_config(min_depth=0.5, max_depth=10.5, training_fx=None)
    items = {
        'image': torch.zeros(1, 3, 1, 4, dtype=torch.uint8),
        'depth': torch.tensor([[[5.0, 1.0, 8.0, 0.0]]]),
        'intrinsics': torch.zeros(1, 4),
    }
    # 10.5 / 2.1 is right, 10.5 / 0.9 and 10.5 / 22 lie outside the range, the last has no truth.
    metrics = validate(
        Constant([2.1, 0.9, 22.0, 1.0]), [items], config, torch.device('cpu'), size=(1, 4)
    )
    assert metrics.abs_rel == pytest.approx((0 + 9.5 / 1 + 2.5 / 8) / 3, rel=1e-5)
    # Twice as large, pixels 1/4 and 3/4 of the way: those nearer to the right one have its depth.
    items = {
        'image': torch.zeros(1, 3, 1, 4, dtype=torch.uint8),
        'depth': torch.tensor([[[5.0, 5.0, 1.0, 1.0]]]),
        'intrinsics': torch.zeros(1, 4),
    }
    metrics = validate(Constant([2.1, 0.9]), [items], config, torch.device('cpu'), size=(1, 4))
    assert metrics.abs_rel == pytest.approx((0 + 0 + 9.5 + 9.5) / 4, rel=1e-5)
