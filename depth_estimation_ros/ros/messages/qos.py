"""Quality of service of the node's topics."""

from __future__ import annotations

from enum import Enum

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

__all__ = ['Reliability', 'SubscriptionEventCallbacks', 'newest_only', 'overridable']


class Reliability(str, Enum):
    """What a topic does about a lost message."""

    BEST_EFFORT = 'best_effort'
    RELIABLE = 'reliable'

    @property
    def policy(self) -> QoSReliabilityPolicy:
        """The middleware's word for it."""
        return QoSReliabilityPolicy[self.name]


def newest_only(reliability: Reliability, *, depth: int = 1) -> QoSProfile:
    """Make a volatile profile that keeps the last `depth` messages."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability.policy,
        durability=QoSDurabilityPolicy.VOLATILE,
    )


def overridable() -> QoSOverridingOptions:
    """Let `qos_overrides.<topic>.<publisher|subscription>.<policy>` change a profile."""
    return QoSOverridingOptions.with_default_policies()
