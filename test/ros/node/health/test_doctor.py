"""Why is there no depth? Every reason, on the way from the camera to the subscriber."""

from __future__ import annotations

from dataclasses import replace

import pytest

from depth_estimation_ros.ros.node.health.doctor import StreamFacts, diagnose

WELL = StreamFacts(
    image_topic='/cam/image',
    image_type='sensor_msgs/msg/Image',
    num_publishers=1,
    similar_topics=(),
    incompatible_publishers=0,
    is_enabled=True,
    num_listeners=1,
    received_age_sec=0.1,
    silence_sec=0.1,
    trouble='',
)
SILENT = replace(WELL, silence_sec=6.0)


def test_depth_that_comes_needs_no_reason() -> None:
    assert diagnose(WELL) is None


def test_a_pause_of_less_than_five_seconds_needs_no_reason() -> None:
    assert diagnose(replace(WELL, silence_sec=4.9, trouble='unreadable')) is None


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'received_age_sec': None, 'num_publishers': 0}, 'nobody publishes /cam/image, nor any'),
        (
            {'received_age_sec': None, 'num_publishers': 0, 'similar_topics': ('/a', '/b')},
            'topics of type sensor_msgs/msg/Image are: /a, /b',
        ),
        (
            {'received_age_sec': None, 'incompatible_publishers': 1},
            'set image_reliability to best_effort',
        ),
        ({'received_age_sec': None}, '/cam/image has a publisher, but no image comes'),
        (
            {
                'received_age_sec': None,
                'published_types': ('sensor_msgs/msg/CompressedImage',),
            },
            '/cam/image carries sensor_msgs/msg/CompressedImage, but the node listens for '
            'sensor_msgs/msg/Image: set image_transport to compressed and remap image/compressed '
            'to /cam/image',
        ),
        (
            {
                'received_age_sec': None,
                'published_types': ('sensor_msgs/msg/Image',),
                'image_type': 'sensor_msgs/msg/CompressedImage',
            },
            'set image_transport to raw and remap image to /cam/image',
        ),
        (
            {'received_age_sec': None, 'published_types': ('std_msgs/msg/String',)},
            'carries std_msgs/msg/String, but the node listens for sensor_msgs/msg/Image: remap',
        ),
        ({'received_age_sec': 6.0}, '/cam/image has a publisher, but no image comes'),
        ({'trouble': 'bad step'}, 'no image of /cam/image can be used: bad step'),
        ({}, 'still busy with the first image'),
        ({'num_processed': 3}, 'still busy with an image'),
    ],
)
def test_silence_is_explained(changes: dict[str, object], words: str) -> None:
    diagnosis = diagnose(replace(SILENT, **changes))  # type: ignore[arg-type]
    assert diagnosis is not None
    assert words in diagnosis.reason
    assert not diagnosis.is_idle


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'num_listeners': 0}, 'nobody subscribes to an output'),
        ({'is_enabled': False}, 'paused by ~/enable'),
    ],
)
def test_silence_that_was_asked_for_is_no_trouble(changes: dict[str, object], words: str) -> None:
    diagnosis = diagnose(replace(SILENT, **changes))  # type: ignore[arg-type]
    assert diagnosis is not None
    assert words in diagnosis.reason
    assert diagnosis.is_idle


def test_depth_without_points_is_explained_by_the_camera() -> None:
    diagnosis = diagnose(replace(WELL, shortcomings=('no camera_info on /cam/camera_info',)))
    assert diagnosis is not None
    assert diagnosis.reason == 'no camera_info on /cam/camera_info'
    assert diagnosis.is_partial


def test_simulated_time_that_does_not_come_is_named_once_images_do() -> None:
    assert diagnose(replace(WELL, has_time=False, received_age_sec=None)) is None
    diagnosis = diagnose(replace(WELL, has_time=False))
    assert diagnosis is not None
    assert 'no time comes on /clock' in diagnosis.reason
    assert diagnosis.is_partial
