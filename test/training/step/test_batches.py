from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from depth_estimation_ros.training.config import TrainConfig
from depth_estimation_ros.training.model.depth_coding import decode_depth, encode_depth
from depth_estimation_ros.training.step.augmentation import ImageBatch
from depth_estimation_ros.training.step.batches import (
    coded_target,
    relative_step,
    resized,
    to_device,
)

CONFIG = TrainConfig(image_height=32, image_width=64, min_depth=0.5, max_depth=10.0)
CPU = torch.device('cpu')


def _batch(depth: float, *, fx: float = 0.0, zoom: float = 1.0) -> ImageBatch:
    return ImageBatch(
        image=torch.zeros(1, 3, 32, 64),
        depth=torch.full((1, 1, 32, 64), depth),
        fx=torch.tensor([fx]),
        zoom=torch.tensor([zoom]),
    )


def test_bytes_become_numbers_up_to_1() -> None:
    items = {
        'image': torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1),
        'depth': torch.ones(1, 1, 1),
        'intrinsics': torch.tensor([[7.0, 8.0, 0.0, 0.0]]),
    }
    batch = to_device(items, CPU)
    assert batch.image.flatten().tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert batch.depth.shape == (1, 1, 1, 1)
    assert (batch.fx.item(), batch.zoom.item()) == (7.0, 1.0)


def test_half_the_size_is_the_mean_of_four_pixels_and_half_the_focal_length() -> None:
    image = torch.tensor([[1.0, 2.0, 5.0, 5.0], [3.0, 6.0, 5.0, 5.0]]).expand(1, 3, 2, 4)
    depth = torch.tensor([[1.0, 2.0, 0.0, 5.0], [3.0, 6.0, 5.0, 5.0]]).view(1, 1, 2, 4)
    batch = ImageBatch(image=image, depth=depth, fx=torch.tensor([8.0]), zoom=torch.ones(1))
    half = resized(batch, (1, 2))
    assert half.image[0, 1].tolist() == [[3.0, 5.0]]
    assert half.depth.flatten().tolist() == [1.0, 0.0]  # picked, never blended with missing depth
    assert half.fx.item() == 4.0


def test_any_size_keeps_a_constant_image_and_its_own_size_keeps_the_batch() -> None:
    batch = replace(_batch(2.0, fx=10.0), image=torch.full((1, 3, 32, 64), 0.3))
    other = resized(batch, (24, 40))
    assert torch.allclose(other.image, torch.tensor(0.3))
    assert other.image.shape == (1, 3, 24, 40)
    assert other.fx.item() == 10.0 * 40 / 64
    assert resized(batch, (32, 64)) is batch


def test_a_target_is_coded_depth_within_the_limits() -> None:
    depth = torch.tensor([0.0, float('nan'), float('inf'), -1.0, 0.1, 2.0, 50.0])
    batch = replace(_batch(1.0), depth=depth.view(1, 1, 1, 7))
    expected = [0.0, 0.0, 0.0, 0.0, 20.0, 5.0, 1.0]
    assert coded_target(batch, CONFIG, None).flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ('training_fx', 'fx', 'zoom', 'expected'),
    [
        (None, 40.0, 1.0, 4.0),  # as the data has it
        (None, 0.0, 2.0, 2.0),  # a crop that enlarges twice looks half as far
        (80.0, 40.0, 1.0, 8.0),  # 4 m at 40 px look like 8 m at 80 px
        (80.0, 80.0, 2.0, 4.0),  # fx already holds the zoom
        (80.0, 0.0, 1.0, 4.0),  # not known: as the data has it
    ],
)
def test_depth_is_learned_as_the_training_camera_sees_it(
    training_fx: float | None, fx: float, zoom: float, expected: float
) -> None:
    target = coded_target(_batch(4.0, fx=fx, zoom=zoom), CONFIG, training_fx)
    assert decode_depth(target, 10.0)[0, 0, 3, 5].item() == pytest.approx(expected)


def test_half_the_size_has_the_same_target() -> None:
    batch = _batch(4.0, fx=50.0)
    full = coded_target(batch, CONFIG, 80.0)
    half = coded_target(resized(batch, (16, 32)), CONFIG, 40.0)
    assert half.mean().item() == pytest.approx(full.mean().item())


def test_coding_is_undone_by_decoding() -> None:
    depth = torch.tensor([0.1, 1.0, 2.5, 10.0])
    assert encode_depth(depth, 10.0).tolist() == pytest.approx([100.0, 10.0, 4.0, 1.0])
    assert decode_depth(encode_depth(depth, 10.0), 10.0).tolist() == pytest.approx(depth.tolist())


def test_decoding_gives_no_depth_outside_the_range() -> None:
    raw = torch.tensor([1.0, 100.0, 0.5, 200.0, 0.0, -3.0, float('nan'), 1e-30, float('inf')])
    expected = [10.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert decode_depth(raw, 10.0, 0.1).tolist() == pytest.approx(expected)


def test_steps_of_recorded_depth_are_a_share_of_it() -> None:
    # 40 mm at 4 m, seen by a lens of half the training's length: 80 mm of 8 m, a hundredth
    batch = replace(_batch(4.0, fx=40.0), depth_step=torch.tensor([0.04]))
    target = coded_target(batch, CONFIG, 80.0)
    share = relative_step(batch, target, CONFIG, 80.0)
    assert share is not None
    assert share.shape == target.shape
    assert share[0, 0, 3, 5].item() == pytest.approx(0.01)


@pytest.mark.parametrize('step', [None, 0.0])
def test_depth_without_steps_has_no_share(step: float | None) -> None:
    batch = replace(_batch(4.0), depth_step=None if step is None else torch.tensor([step]))
    assert relative_step(batch, coded_target(batch, CONFIG, None), CONFIG, None) is None
