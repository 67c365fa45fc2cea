"""Words and HTML of the page: figures, the node's sentence, nothing that is evaluated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depth_estimation_ros.ros.live.page_text import (
    Figures,
    Rate,
    Status,
    jpeg_source,
    metres,
    pictures_html,
    rows_of,
    said_html,
    state_html,
    why_no_depth,
)

NODE = '/robot/depth_estimation'
FIGURES = Figures(
    latency_ms=12.34,
    age_ms=45.67,
    num_received=100,
    num_dropped=7,
    valid_fraction=0.256,
    backend='openvino',
    model='default.onnx',
)


def status(part: str, level: int, message: str) -> Status:
    return Status(name=f'robot/depth_estimation: {part}', level=level, message=message)


ACTIVE = status('model', 0, 'active')


def why(*statuses: Status, camera: str = '', depth_age: float = 0.1, silence: float = 0.5) -> str:
    return why_no_depth(
        statuses, node=NODE, camera=camera, depth_age_sec=depth_age, silence_sec=silence
    )


def test_the_figures_are_told_with_their_units() -> None:
    assert dict(rows_of(FIGURES, 9.96)) == {
        'rate': '10.0 Hz',
        'latency': '12.3 ms',
        'age': '45.7 ms',
        'drops': '7 of 100',
        'depth in': '26 % of the pixels',
        'backend': 'openvino',
        'model': 'default.onnx',
    }


def test_before_the_first_frame_every_figure_is_a_dash() -> None:
    rows = rows_of(None, 0.0)
    assert [name for name, _ in rows] == [name for name, _ in rows_of(FIGURES, 1.0)]
    assert {value for _, value in rows} == {'-'}


def test_the_rate_is_the_mean_of_about_two_seconds() -> None:
    rate = Rate()
    assert rate.update(10.0, 100) == 0.0
    assert rate.update(11.0, 110) == pytest.approx(10.0)
    assert rate.update(12.0, 140) == pytest.approx(20.0)  # 40 in 2 s
    assert rate.update(13.0, 170) == pytest.approx(30.0)  # 60 in 2 s
    assert rate.update(14.0, 3) == 0.0  # the node was started anew


def test_the_node_says_itself_why_there_is_no_depth() -> None:
    reason = 'nobody publishes /image; topics of type sensor_msgs/msg/Image are: /cam'
    assert why(ACTIVE, status('frames', 1, reason)) == reason
    assert why(status('model', 2, 'nowhere.onnx: no such file')) == 'nowhere.onnx: no such file'
    assert why(ACTIVE, status('frames', 0, 'paused by ~/enable')) == 'paused by ~/enable'


def test_nothing_is_said_while_depth_comes() -> None:
    assert why(ACTIVE, status('frames', 0, '10.2 depth images a second')) == ''


def test_a_state_without_frames_is_named() -> None:
    assert why(status('model', 0, 'loading the model')) == f'{NODE} is loading the model'


def test_each_camera_has_a_sentence_of_its_own() -> None:
    statuses = (
        ACTIVE,
        status('frames of front', 0, '5.0 depth images a second'),
        status('frames of rear', 1, 'nobody publishes /rear/image'),
    )
    assert why(*statuses, camera='front') == ''
    assert why(*statuses, camera='rear') == 'nobody publishes /rear/image'
    assert why(*statuses, camera='side') == f"{NODE} says nothing of a camera 'side'"


def test_depth_that_does_not_arrive_is_waited_for_with_the_nodes_words() -> None:
    frames = status('frames', 0, '0.0 depth images a second')
    assert why(ACTIVE, frames, depth_age=math.inf) == (
        'waiting for the next depth image (0.0 depth images a second)'
    )


def test_a_node_that_is_not_heard_is_named_with_what_to_look_at() -> None:
    other = Status(name='other: model', level=0, message='active')
    assert why(other, silence=1.0) == f'waiting for a word from {NODE} ...'
    assert 'ROS_DOMAIN_ID' in why(other, silence=9.0)
    assert NODE in why(ACTIVE, silence=9.0)


def test_metres_are_told_to_the_centimetre_and_none_as_none() -> None:
    assert metres(2.306) == '2.31 m'
    assert metres(math.nan) == metres(math.inf) == 'no depth'


def test_pictures_carry_their_jpegs_the_metres_and_the_chosen_pixel() -> None:
    html = pictures_html(
        camera=b'\xff\xd8a',
        depth=b'\xff\xd8b',
        scale=b'\xff\xd8c',
        readings=np.array([[1.0, math.nan]], np.float32),
        pick=(0.25, 0.5),
    )
    assert jpeg_source(b'\xff\xd8a') == 'data:image/jpeg;base64,/9hh'
    assert [html.count(f'src="{jpeg_source(jpeg)}"') for jpeg in (b'\xff\xd8a', b'\xff\xd8c')] == [
        1,
        1,
    ]
    assert '<i><b>1.00 m</b></i><i><b>no depth</b></i>' in html
    assert 'grid-template:repeat(1,1fr)/repeat(2,1fr)' in html
    assert 'left:25.00%;top:50.00%' in html


def test_a_picture_that_has_not_come_is_left_out() -> None:
    html = pictures_html(camera=None, depth=b'x', scale=None, readings=None)
    assert 'live-camera' not in html
    assert 'live-depth' in html


@pytest.mark.parametrize(
    'html',
    [
        state_html([('model', '<img src=x onerror=alert(1)>')], '<script>alert(2)</script>'),
        said_html('<script>alert(3)</script>', is_refusal=True),
    ],
)
def test_text_from_outside_is_shown_and_not_evaluated(html: str) -> None:
    assert '<script>' not in html
    assert '<img' not in html
    assert '&lt;' in html


def test_a_refusal_looks_different_from_an_answer_and_silence_takes_no_room() -> None:
    assert 'said refused' in said_html('no', is_refusal=True)
    assert 'said refused' not in said_html('yes', is_refusal=False).partition('</style>')[2]
    assert said_html('', is_refusal=False) == ''
    assert 'live-why' not in state_html([], '')
