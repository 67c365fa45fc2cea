"""The state of a build: nested phases, time, and the wish to stop."""

from __future__ import annotations

import pytest

from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
from depth_estimation_ros.errors import BuildCancelledError


def test_nested_phases_make_one_fraction() -> None:
    progress = BuildProgress()
    progress.start_phase('engine', None, 4)
    assert progress.fraction == 0.0
    progress.complete_step('engine', 0)
    assert progress.fraction == 0.25
    progress.start_phase('tactics', 'engine', 2)
    progress.complete_step('tactics', 0)
    assert progress.fraction == (1 + 0.5) / 4
    assert progress.phase == 'tactics'
    progress.finish_phase('tactics')
    progress.complete_step('engine', 3)
    assert progress.fraction == 1.0


def test_a_phase_without_steps_and_an_unknown_one_do_no_harm() -> None:
    progress = BuildProgress()
    progress.start_phase('nothing', 'unknown parent', 0)
    assert progress.complete_step('unheard of', 7)
    progress.finish_phase('unheard of')
    assert progress.fraction == 0.0


def test_the_description_names_task_phase_share_and_time() -> None:
    progress = BuildProgress()
    assert progress.description == ''
    with progress.working_on('building'):
        assert progress.description == 'building: 0 s so far'
        progress.start_phase('tactics', None, 8)
        progress.complete_step('tactics', 1)
        assert progress.description == 'building: tactics, 25 %, 0 s so far'
    assert progress.description == ''


def test_a_cancelled_build_is_told_to_stop() -> None:
    progress = BuildProgress()
    progress.check()
    progress.wait(0.0)
    progress.start_phase('tactics', None, 8)
    assert progress.complete_step('tactics', 0)
    progress.cancel()
    assert not progress.complete_step('tactics', 1)
    with progress.working_on('building'), pytest.raises(BuildCancelledError, match='building: c'):
        progress.check()
    with pytest.raises(BuildCancelledError, match='loading the model: cancelled'):
        progress.wait(60.0)
