"""The SROS 2 policy names what the node uses, no more and no less."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')

from depth_session import DepthSession, camera_info, grey_image

pytestmark = pytest.mark.ros

POLICY = Path(__file__).parents[3] / 'config' / 'sros2' / 'depth_estimation.policy.xml'
NODE = ('depth_estimation', '/')
OTHER_TRANSPORT = '/image/compressed'  # image_transport:=compressed subscribes to it instead


def allowed(kind: str, right: str) -> set[str]:
    """Names of topics or services with a right."""
    root = ElementTree.parse(POLICY).getroot()  # noqa: S314 - our own file
    groups = [group for group in root.iter(f'{kind}s') if group.get(right) == 'ALLOW']
    return {item.text or '' for group in groups for item in group.iter(kind)}


def test_the_policy_names_what_the_running_node_uses(
    tmp_path: Path, tiny_model_path: Path
) -> None:
    parameters = {'model_path': tiny_model_path, 'use_sim_time': True}
    with DepthSession(tmp_path, 'depth/image_rect', **parameters) as session:
        session.wait_ready()
        session.exchange(grey_image(51), camera_info())
        node = session.node
        published = node.get_publisher_names_and_types_by_node(*NODE)
        subscribed = node.get_subscriber_names_and_types_by_node(*NODE)
        served = node.get_service_names_and_types_by_node(*NODE)
        called = node.get_client_names_and_types_by_node(*NODE)
    assert {name for name, _ in published} == allowed('topic', 'publish')
    assert {name for name, _ in subscribed} | {OTHER_TRANSPORT} == allowed('topic', 'subscribe')
    assert {name for name, _ in served} == allowed('service', 'reply')
    assert called == []
