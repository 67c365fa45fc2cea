"""Quality of service as a parameter may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy
from sensor_msgs.msg import CameraInfo

from depth_estimation_ros.ros.messages.qos import Reliability, newest_only, overridable

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.ros

OVERRIDES = 'qos_overrides./camera_info.subscription'


@pytest.fixture
def context() -> Iterator[Context]:
    made = Context()
    rclpy.init(context=made)
    yield made
    rclpy.try_shutdown(context=made)


def test_an_override_makes_a_subscription_durable_and_reliable(context: Context) -> None:
    given = {'durability': 'transient_local', 'reliability': 'reliable'}
    node = Node(
        'overridden',
        context=context,
        parameter_overrides=[
            Parameter(f'{OVERRIDES}.{policy}', value=value) for policy, value in given.items()
        ],
    )
    node.create_subscription(
        CameraInfo,
        'camera_info',
        lambda _: None,
        newest_only(Reliability.BEST_EFFORT, depth=10),
        qos_overriding_options=overridable(),
    )
    (found,) = [
        info.qos_profile
        for info in node.get_subscriptions_info_by_topic('/camera_info')
        if info.node_name == 'overridden'
    ]
    node.destroy_node()
    assert found.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL
    assert found.reliability == QoSReliabilityPolicy.RELIABLE
