from __future__ import annotations

import pytest
from tiny_training import BrightIsFar, tiny_config
import torch

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.mixture import DataSource, Mixture
from depth_estimation_ros.training.step.optimization import WeightAverage, learning_rate
from depth_estimation_ros.training.step.sampling import ShuffledBatches


def _all(num_samples: int, steps: range, *, rank: int = 0, num_processes: int = 1) -> list[int]:
    batches = ShuffledBatches(
        num_samples, batch_size=4, steps=steps, seed=1, rank=rank, num_processes=num_processes
    )
    return [index for batch in batches for index in batch]


def test_every_sample_comes_once_before_any_comes_twice() -> None:
    stream = _all(10, range(5))
    assert sorted(stream[:10]) == list(range(10))
    assert sorted(stream[10:]) == list(range(10))
    assert stream[:10] != stream[10:]


def test_the_stream_can_be_entered_anywhere() -> None:
    assert _all(10, range(3, 9)) == _all(10, range(9))[12:]


def test_processes_share_each_batch_in_order() -> None:
    whole = _all(10, range(3))
    first, second = (_all(10, range(3), rank=rank, num_processes=2) for rank in (0, 1))
    shared = [first[i : i + 2] + second[i : i + 2] for i in range(0, 6, 2)]
    assert [index for batch in shared for index in batch] == whole


def test_a_batch_may_be_larger_than_the_data_set() -> None:
    assert sorted(_all(3, range(3))) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_a_sample_has_a_name() -> None:
    class Nameless(torch.utils.data.Dataset[int]):
        def __len__(self) -> int:
            return 5

    assert Mixture.of(BrightIsFar()).sample_name(3) == 'blob 3'
    assert Mixture.of(Nameless()).sample_name(3) == 'sample 3'
    assert Mixture.of(BrightIsFar())[3]['index'] == 3


def _three_to_one(steps: range, *, rank: int = 0, num_processes: int = 1) -> list[list[int]]:
    return list(
        ShuffledBatches(
            (5, 4),
            weights=(0.75, 0.25),
            batch_size=4,
            steps=steps,
            seed=1,
            rank=rank,
            num_processes=num_processes,
        )
    )


def test_every_batch_has_nearly_its_share_of_each_data_set() -> None:
    batches = _three_to_one(range(1000))
    from_second = [sum(index >= 5 for index in batch) for batch in batches]
    assert sum(from_second) == pytest.approx(1000, abs=3)  # a quarter of 4000
    assert set(from_second) <= {0, 1, 2}


def test_of_each_data_set_every_sample_comes_before_any_comes_again() -> None:
    stream = [index for batch in _three_to_one(range(40)) for index in batch]
    second = [index for index in stream if index >= 5]
    first = [index for index in stream if index < 5]
    assert sorted(second[:4]) == sorted(second[4:8]) == [5, 6, 7, 8]
    assert sorted(first[:5]) == sorted(first[5:10]) == [0, 1, 2, 3, 4]
    assert first[:5] != first[5:10]


def test_a_mixed_stream_can_be_entered_anywhere_and_shared() -> None:
    whole = _three_to_one(range(20))
    assert _three_to_one(range(7, 20)) == whole[7:]
    halves = [_three_to_one(range(20), rank=rank, num_processes=2) for rank in (0, 1)]
    assert [one + other for one, other in zip(*halves, strict=True)] == whole


def test_a_mixture_names_the_data_set_of_a_sample() -> None:
    mixture = Mixture(
        [
            DataSource(name='kitchen', dataset=BrightIsFar(3), weight=2),
            DataSource(name='rooms', dataset=BrightIsFar(4, first_seed=50)),
        ]
    )
    assert len(mixture) == 7
    assert mixture.weights == pytest.approx((2 / 3, 1 / 3))
    assert mixture.sample_name(2) == 'kitchen: blob 2'
    assert mixture.sample_name(3) == 'rooms: blob 0'
    assert torch.equal(mixture[3]['image'], BrightIsFar(4, first_seed=50)[0]['image'])
    with pytest.raises(IndexError, match='item 7 of 7'):
        mixture[7]


@pytest.mark.parametrize('weight', [0.0, -2.0, float('inf'), float('nan')])
def test_a_weight_that_is_not_above_0_is_refused(weight: float) -> None:
    with pytest.raises(DataError, match=f'data weight {weight:g} of rooms must be above 0'):
        Mixture([DataSource(name='rooms', dataset=BrightIsFar(), weight=weight)])


def test_a_data_set_without_samples_is_refused() -> None:
    with pytest.raises(DataError, match='the training data is empty'):
        Mixture.of(BrightIsFar(0))


def test_the_rate_rises_and_falls_along_a_cosine() -> None:
    config = tiny_config(learning_rate=1.0, warmup_fraction=0.2)
    rates = [learning_rate(step, num_steps=10, config=config) for step in range(10)]
    # 2 steps up, then (1 + cos(pi * k / 8)) / 2
    expected = [0.5, 1.0, 1.0, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381]
    assert rates == pytest.approx(expected, abs=1e-4)


def test_a_constant_rate_stays() -> None:
    config = tiny_config(learning_rate=0.25, warmup_fraction=0.0, schedule='constant')
    assert {learning_rate(step, num_steps=7, config=config) for step in range(7)} == {0.25}


def test_the_average_forgets_the_beginning_and_then_slows_down() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, 0.0)
    average = WeightAverage(network, decay=0.5)
    torch.nn.init.constant_(network.weight, 1.0)
    average.update(network, age=0)  # (1 + 0) / (10 + 0) of the old
    assert average.weights['weight'].item() == pytest.approx(0.9)
    torch.nn.init.constant_(network.weight, 2.0)
    average.update(network, age=1000)  # the decay asked for
    assert average.weights['weight'].item() == pytest.approx(0.5 * 0.9 + 0.5 * 2.0)


def test_the_average_copies_counters() -> None:
    network = torch.nn.BatchNorm2d(2)
    average = WeightAverage(network, decay=0.9)
    network(torch.rand(3, 2, 4, 5))
    average.update(network, age=100)
    assert average.weights['num_batches_tracked'].item() == 1
    assert torch.allclose(
        average.weights['running_var'],
        0.9 * torch.ones(2) + 0.1 * network.running_var,  # type: ignore[operator]
    )
