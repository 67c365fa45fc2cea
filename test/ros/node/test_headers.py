"""What a header says of an image's age and place, and what it cannot."""

from __future__ import annotations

import math

import pytest

pytest.importorskip('rclpy')

from std_msgs.msg import Header

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.ros.node.headers import (
    age_of,
    check_age,
    frame_trouble,
    same_but_for_figures,
    stamp_trouble,
)

pytestmark = pytest.mark.ros

NOW_SEC = 1.7e9


def header(sec: float, frame_id: str = 'camera') -> Header:
    made = Header(frame_id=frame_id)
    made.stamp.sec, made.stamp.nanosec = int(sec), 0
    return made


@pytest.mark.parametrize(
    ('sec', 'words'),
    [
        (0.0, 'not stamped (stamp 0)'),
        (NOW_SEC - 50 * 365 * 86400, 'stamped 18250 days ago'),
        (NOW_SEC + 3600, 'stamped 3600 s in the future'),
    ],
)
def test_a_stamp_of_another_time_gives_no_age(sec: float, words: str) -> None:
    assert words in stamp_trouble(header(sec), NOW_SEC)
    assert math.isnan(age_of(header(sec), NOW_SEC))
    with pytest.raises(ImageError, match=f'max_age_sec is 5 s, but images are {words[:8]}'):
        check_age(math.nan, stamp_trouble(header(sec), NOW_SEC), 5.0)


@pytest.mark.parametrize('lead', [-3600.0, -5.0, 0.0, 1.0])
def test_a_stamp_of_today_gives_one(lead: float) -> None:
    assert stamp_trouble(header(NOW_SEC + lead), NOW_SEC) == ''
    assert age_of(header(NOW_SEC + lead), NOW_SEC) == -lead


def test_an_old_image_is_refused_where_a_limit_is_set() -> None:
    check_age(100.0, '', 0.0)
    check_age(5.0, '', 5.0)
    with pytest.raises(ImageError, match='older than max_age_sec = 5 s'):
        check_age(5.1, '', 5.0)


def test_before_a_simulated_clock_begins_no_stamp_is_of_the_future() -> None:
    assert stamp_trouble(header(NOW_SEC), 0.0) == ''


def test_frames_that_tf2_refuses_are_told() -> None:
    assert 'empty frame_id' in frame_trouble(header(1, ''))
    assert "'/camera'" in frame_trouble(header(1, '/camera'))
    assert frame_trouble(header(1, 'camera')) == ''


def test_a_text_with_other_figures_says_the_same() -> None:
    assert same_but_for_figures('3599 s in the future', '3600 s in the future')
    assert not same_but_for_figures('3599 s in the future', '3599 days ago')
