from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from depth_estimation_ros.training.step.augmentation import (
    Augmentation,
    ImageBatch,
    add_border,
    add_noise,
    change_light,
    compress,
    crop,
    flip,
    permute_channels,
)

WHOLE = slice(0, 2)


def _batch(num: int = 2, height: int = 6, width: int = 8) -> ImageBatch:
    generator = torch.Generator().manual_seed(3)
    return ImageBatch(
        image=torch.rand(num, 3, height, width, generator=generator),
        depth=1 + torch.rand(num, 1, height, width, generator=generator),
        fx=torch.full((num,), 10.0),
        zoom=torch.ones(num),
    )


def test_without_any_change_a_batch_stays_what_it_is() -> None:
    batch = _batch()
    result = Augmentation().apply(batch, seed=5, own=WHOLE, num_drawn=2)
    assert torch.equal(result.image, batch.image)
    assert torch.equal(result.depth, batch.depth)
    assert torch.equal(result.fx, batch.fx)


def test_flip_mirrors_the_chosen_image_with_its_depth() -> None:
    batch = _batch()
    result = flip(batch, torch.tensor([True, False]))
    assert torch.equal(result.image[0], batch.image[0].flip(-1))
    assert torch.equal(result.depth[0], batch.depth[0].flip(-1))
    assert torch.equal(result.image[1], batch.image[1])


def test_the_channels_of_36_percent_of_the_images_are_permuted() -> None:
    num = 20000
    image = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(num, 3, 1, 1)
    batch = ImageBatch(
        image=image, depth=torch.ones(num, 1, 1, 1), fx=torch.ones(num), zoom=torch.ones(num)
    )
    augmentation = Augmentation(channel_swap_probability=0.5)
    result = augmentation.apply(batch, seed=1, own=slice(0, num), num_drawn=num)
    changed = (result.image != image).flatten(1).any(1).float().mean().item()
    assert changed == pytest.approx(0.5 * 5 / 7, abs=0.01)
    assert torch.equal(result.image.sum(1), image.sum(1))


def test_half_of_the_images_are_mirrored() -> None:
    num = 20000
    image = torch.tensor([0.0, 1.0]).expand(num, 3, 1, 2)
    batch = ImageBatch(image=image, depth=image[:, :1], fx=torch.ones(num), zoom=torch.ones(num))
    result = Augmentation(flip_probability=0.5).apply(
        batch, seed=1, own=slice(0, num), num_drawn=num
    )
    assert result.image[:, 0, 0, 0].mean().item() == pytest.approx(0.5, abs=0.015)
    assert torch.equal(result.image[:, :1], result.depth)


def test_channels_are_put_in_the_order_given() -> None:
    image = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1, 1)
    result = permute_channels(image, torch.tensor([[2, 0, 1]]))
    assert result.flatten().tolist() == [3.0, 1.0, 2.0]


def test_a_crop_lengthens_the_lens_and_leaves_depth_alone() -> None:
    # The right lower quarter: each of its pixels twice in each direction.
    depth = torch.tensor([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]).view(1, 1, 2, 4)
    batch = ImageBatch(
        image=depth.expand(1, 3, 2, 4), depth=depth, fx=torch.tensor([10.0]), zoom=torch.ones(1)
    )
    result = crop(batch, torch.tensor([0.5]), torch.tensor([[1.0, 1.0]]))
    assert result.depth[0, 0].tolist() == [[7.0, 7.0, 8.0, 8.0], [7.0, 7.0, 8.0, 8.0]]
    assert result.fx.item() == 20.0
    assert result.zoom.item() == 2.0


def test_a_crop_keeps_the_angle_between_two_points() -> None:
    # A point 4 m away and 1 m right of another is 0.25 * fx pixels from it in any crop.
    columns = torch.arange(64.0)
    image = torch.zeros(1, 3, 32, 64)
    image[..., 30], image[..., 40] = 1.0, 1.0
    batch = ImageBatch(
        image=image,
        depth=torch.full((1, 1, 32, 64), 4.0),
        fx=torch.tensor([40.0]),
        zoom=torch.ones(1),
    )
    result = crop(batch, torch.tensor([0.5]), torch.tensor([[0.5, 0.5]]))
    line = result.image[0, 0, 16]
    left, right = line[:34].clone(), line[34:].clone()
    distance = (right * columns[34:]).sum() / right.sum() - (
        left * columns[:34]
    ).sum() / left.sum()
    assert distance.item() == pytest.approx(0.25 * result.fx.item(), abs=1e-3)


def test_cropped_depth_holds_no_value_that_was_not_there() -> None:
    batch = _batch()
    depth = batch.depth.clone()
    depth[0, 0, 1] = 0
    depth[1, 0, 2] = float('nan')
    result = crop(replace(batch, depth=depth), torch.tensor([0.7, 0.8]), torch.rand(2, 2))
    for after, before in zip(result.depth, depth, strict=True):
        known = {round(value, 6) for value in before.nan_to_num(-1).flatten().tolist()}
        assert {round(value, 6) for value in after.nan_to_num(-1).flatten().tolist()} <= known


def test_light_and_noise_stay_within_range_and_change_no_depth() -> None:
    batch = _batch()
    result = Augmentation(photometric=1.0).apply(batch, seed=2, own=WHOLE, num_drawn=2)
    assert result.image.min() >= 0
    assert result.image.max() <= 1
    assert not torch.equal(result.image, batch.image)
    assert torch.equal(result.depth, batch.depth)


def test_no_draw_of_light_leaves_the_image_alone() -> None:
    image = 0.1 + 0.8 * _batch().image
    assert torch.allclose(change_light(image, torch.zeros(2, 8), strength=1.0), image, atol=1e-6)


def test_one_stop_of_exposure_is_a_factor() -> None:
    draws = torch.zeros(1, 8)
    draws[0, 0] = 1.0
    image = torch.full((1, 3, 2, 4), 0.25)
    result = change_light(image, draws, strength=1.0)
    assert result.mean().item() == pytest.approx(0.25 * 2**0.7, rel=1e-5)


def test_noise_has_the_deviation_asked_for() -> None:
    image = torch.full((1, 3, 100, 120), 0.5)
    noisy = add_noise(image, torch.tensor([0.02]), seed=1, first=0)
    assert (noisy - image).std().item() == pytest.approx(0.02, rel=0.02)


def test_two_processes_draw_what_one_would_have() -> None:
    batch = _batch(num=4, height=32, width=64)
    augmentation = Augmentation(
        flip_probability=0.5, channel_swap_probability=0.5, photometric=0.5, min_crop_scale=0.6
    )
    whole = augmentation.apply(batch, seed=9, own=slice(0, 4), num_drawn=4)
    share = ImageBatch(
        image=batch.image[2:], depth=batch.depth[2:], fx=batch.fx[2:], zoom=batch.zoom[2:]
    )
    part = augmentation.apply(share, seed=9, own=slice(2, 4), num_drawn=4)
    assert torch.equal(part.image, whole.image[2:])
    assert torch.equal(part.depth, whole.depth[2:])
    assert torch.equal(part.fx, whole.fx[2:])


def test_a_wider_part_is_cut_from_the_middle_and_has_the_lens_of_its_pixels() -> None:
    # 8x8 to 4x8: the largest part of that aspect is rows 2 to 5, pixel for pixel
    batch = _batch(1, height=8, width=8)
    part = crop(batch, torch.ones(1), torch.full((1, 2), 0.5), size=(4, 8))
    torch.testing.assert_close(part.image, batch.image[..., 2:6, :])
    assert torch.equal(part.depth, batch.depth[..., 2:6, :])
    assert part.fx.tolist() == [10.0]
    # 4x4 of it is the whole of it at half the size, with half the focal length in pixels
    small = crop(batch, torch.ones(1), torch.full((1, 2), 0.5), size=(4, 4))
    assert small.fx.tolist() == [5.0]
    assert small.zoom.tolist() == [1.0]


def test_half_of_a_smaller_size_is_cut_at_the_place_asked_for() -> None:
    # 8x8 to 4x4 at half the scale: the part is the lower right quarter, its pixels as they are
    batch = _batch(1, height=8, width=8)
    part = crop(batch, torch.full((1,), 0.5), torch.ones(1, 2), size=(4, 4))
    torch.testing.assert_close(part.image, batch.image[..., 4:, 4:])
    assert (part.fx.item(), part.zoom.item()) == (10.0, 2.0)


def test_a_turned_camera_turns_image_and_depth_alike_and_knows_nothing_beyond() -> None:
    batch = _batch(1, height=8, width=8)
    middle = torch.full((1, 2), 0.5)
    turned = crop(batch, torch.ones(1), middle, roll_deg=torch.tensor([90.0]))
    torch.testing.assert_close(turned.image, batch.image.rot90(1, (-2, -1)), atol=1e-5, rtol=0)
    assert torch.equal(turned.depth, batch.depth.rot90(1, (-2, -1)))
    tilted = crop(batch, torch.ones(1), middle, roll_deg=torch.tensor([45.0]))
    assert tilted.depth[0, 0, 0, 0].item() == 0.0  # 4.95 px from the centre, which ends at 4
    assert tilted.depth[0, 0, 3, 3].item() > 0.0
    assert torch.equal(tilted.fx, batch.fx)


def test_a_border_covers_the_edges_by_parts_of_pixels_and_leaves_the_rest() -> None:
    # 3 % of 100 rows are 3 rows at width 1; 3 % of 50 columns 1.5, 0.75 at width 0.5
    image = torch.full((2, 3, 100, 50), 0.2)
    widths = torch.tensor([[0.5, 0.0, 1.0, 0.5]]).expand(2, 4)
    bordered = add_border(image, torch.tensor([True, False]), widths, torch.tensor([0.1, 0.1]))
    assert torch.equal(bordered[1], image[1])
    middle_row, middle_column = bordered[0, 0, 50], bordered[0, 0, :, 25]
    assert middle_row[:3].tolist() == pytest.approx([0.75 + 0.25 * 0.2, 0.2, 0.2])
    assert middle_row[-1] == pytest.approx(0.2)
    assert middle_column[:4].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.2])
    assert middle_column[-3:].tolist() == pytest.approx([0.2, 0.5 + 0.5 * 0.2, 1.0])


@pytest.mark.parametrize(('level', 'grey'), [(0.49, 1.0), (0.74, 0.0), (0.8, 0.2)])
def test_a_border_is_white_black_or_grey(level: float, grey: float) -> None:
    image = torch.full((1, 3, 100, 100), 0.6)
    bordered = add_border(image, torch.tensor([True]), torch.ones(1, 4), torch.tensor([level]))
    assert bordered[0, :, 0, 0].tolist() == pytest.approx([grey] * 3)
    assert bordered[0, :, 50, 50].tolist() == pytest.approx([0.6] * 3)


def test_compression_changes_the_chosen_images_a_little() -> None:
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    result = compress(image, torch.tensor([True, False]), torch.tensor([90.0, 90.0]))
    assert torch.equal(result[1], image[1])
    assert 0.001 < (result[0] - image[0]).abs().mean().item() < 0.2
    flat = torch.full((1, 3, 16, 16), 0.5)
    kept = compress(flat, torch.tensor([True]), torch.tensor([90.0]))
    assert (kept - flat).abs().max().item() < 3 / 255
