"""Which figures of a long run keep the promises, and which cannot be judged."""

from __future__ import annotations

from dataclasses import replace
import json
from typing import TYPE_CHECKING

import pytest
from soak_promises import Activation, Run, Sample, draw, judge, report

if TYPE_CHECKING:
    from pathlib import Path

# 10,000 frames from the first sample to the second, 0.5 MB more then and 10 MB more after the 50
# cycles, p99 of 10 and 11 ms.
EARLY = Sample(time_sec=0.0, rss_mb=300.0, num_descriptors=26, num_frames=0, busy_by_others=0.0)
CALM = Sample(
    time_sec=50.0, rss_mb=300.5, num_descriptors=26, num_frames=10_000, busy_by_others=0.0
)
LATE = replace(CALM, time_sec=100.0, rss_mb=310.5, num_frames=11_000, busy_by_others=0.05)
GOOD = Activation(
    num_sent=100, received=99, processed=60, dropped=38, received_in_all=100, heard=60
)
RUN = Run(
    first=(0.0, 10.0),
    calm=(40.0, 50.0),
    last=(90.0, 100.0),
    samples=(EARLY, CALM, LATE),
    latencies=((5.0, 0.010), (95.0, 0.011)),
    activations=(GOOD,),
    num_cycles=50,
    num_changes=500,
    failures=(),
)

PER_FRAME = 'memory growth [MB/10,000 frames]'


def verdicts(run: Run) -> dict[str, bool | None]:
    return {verdict.promise: verdict.kept for verdict in judge(run)}


def test_a_good_run_keeps_every_promise() -> None:
    assert set(verdicts(RUN).values()) == {True}
    by_name = {verdict.promise: verdict.value for verdict in judge(RUN)}
    assert by_name[PER_FRAME] == pytest.approx(0.5)
    assert by_name['memory growth [MB/lifecycle cycle]'] == pytest.approx(0.2)
    assert by_name['p99 of a frame, last span to first'] == pytest.approx(1.1)
    assert by_name['share lost on the way to the node'] == pytest.approx(0.01)


@pytest.mark.parametrize(
    ('run', 'broken'),
    [
        (replace(RUN, samples=(EARLY, replace(CALM, rss_mb=302.0), LATE)), PER_FRAME),
        (
            replace(RUN, samples=(EARLY, CALM, replace(LATE, rss_mb=327.0))),
            'memory growth [MB/lifecycle cycle]',
        ),
        (
            replace(RUN, samples=(EARLY, CALM, replace(LATE, num_descriptors=27))),
            'descriptors gained',
        ),
        (
            replace(RUN, latencies=((5.0, 0.010), (95.0, 0.013))),
            'p99 of a frame, last span to first',
        ),
        (
            replace(RUN, activations=(replace(GOOD, dropped=30),)),  # 100 - 60 - 30: 8 too many
            'frames neither delivered nor counted',
        ),
        (
            replace(RUN, activations=(replace(GOOD, heard=59),)),  # a depth that never came
            'frames neither delivered nor counted',
        ),
        (
            replace(RUN, activations=(replace(GOOD, received=90),)),
            'share lost on the way to the node',
        ),
        (replace(RUN, failures=('transition 1 refused',)), 'requests refused'),
    ],
)
def test_each_promise_can_be_broken(run: Run, broken: str) -> None:
    assert [name for name, kept in verdicts(run).items() if kept is False] == [broken]


def test_what_a_busy_machine_or_a_short_run_explains_is_not_judged() -> None:
    busy = replace(RUN, samples=(EARLY, CALM, replace(LATE, busy_by_others=0.5)))
    slower = verdicts(replace(busy, latencies=((5.0, 0.010), (95.0, 0.013))))
    assert slower['p99 of a frame, last span to first'] is None
    short = (EARLY, replace(CALM, num_frames=100, rss_mb=302.0), LATE)
    assert verdicts(replace(RUN, samples=short))[PER_FRAME] is None


def test_times_and_losses_can_be_left_out() -> None:
    late = replace(RUN, latencies=((5.0, 0.010), (95.0, 0.013)))
    lossy = replace(late, activations=(replace(GOOD, received=90),))
    kept = {verdict.promise: verdict.kept for verdict in judge(lossy, is_timed=False)}
    assert kept['p99 of a frame, last span to first'] is None
    assert kept['share lost on the way to the node'] is None
    assert list(kept.values()).count(True) == 5


def test_the_report_is_json_and_the_curve_a_picture(tmp_path: Path) -> None:
    values = json.loads(json.dumps(report(RUN, judge(RUN))))
    assert values['frames'] == 11_000
    assert values['p99_ms'] == {'first': pytest.approx(10.0), 'last': pytest.approx(11.0)}
    draw(RUN, tmp_path / 'soak.png')
    assert (tmp_path / 'soak.png').read_bytes().startswith(b'\x89PNG')
