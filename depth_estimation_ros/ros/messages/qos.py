"""Quality of service of the node's topics."""

from __future__ import annotations

from enum import Enum
from inspect import signature
from typing import TYPE_CHECKING, Any

from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

try:
    from rclpy.event_handler import SubscriptionEventCallbacks as SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks as SubscriptionEventCallbacks

if TYPE_CHECKING:
    from collections.abc import Callable

_POLICIES = (
    QoSPolicyKind.HISTORY,
    QoSPolicyKind.DEPTH,
    QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
)


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


def latched(*, depth: int = 1) -> QoSProfile:
    """Make the profile that receives what was published before the subscription began."""
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=QoSReliabilityPolicy.RELIABLE,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL,
    )


def offers_latched(profile: QoSProfile) -> bool:
    """Tell whether a publisher of this profile serves a `latched` subscription."""
    offered = (profile.durability, profile.reliability)
    return offered == (QoSDurabilityPolicy.TRANSIENT_LOCAL, QoSReliabilityPolicy.RELIABLE)


def on_match(callback: Callable[[Any], None]) -> SubscriptionEventCallbacks:
    """Call back when a publisher comes or goes; never on Humble, which has no such event."""
    if 'matched' not in signature(SubscriptionEventCallbacks).parameters:
        return SubscriptionEventCallbacks()
    return SubscriptionEventCallbacks(matched=callback)


def overridable() -> QoSOverridingOptions:
    """Let `qos_overrides.<topic>.<publisher|subscription>.<policy>` change a profile."""
    return QoSOverridingOptions(_POLICIES)
