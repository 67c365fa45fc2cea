"""Parameters of live_view: one dataclass is their single source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from depth_estimation_ros.ros.parameters.spec import Change, parameter

_fixed = partial(parameter, change=Change.START)


@dataclass(frozen=True, kw_only=True)
class LiveParameters:
    """What is shown, where and how often. None changes live."""

    host: str = _fixed(
        '127.0.0.1',
        'Address to listen on; at 0.0.0.0 whoever reaches this machine can change parameters.',
    )
    port: int = _fixed(8080, 'Port to listen on; 0: a free one.', limits=(0, 65535))
    read_only: bool = _fixed(False, 'Show only: no parameter, no calibration, nothing saved.')
    node: str = _fixed('depth_estimation', 'Name of the node that is shown.')
    camera: str = _fixed('', "Camera shown first; empty: the first of the node's.")
    max_rate_hz: float = _fixed(
        10.0, 'At most this many pictures a second.', unit='[Hz]', limits=(0.5, 60.0)
    )
    max_points: int = _fixed(
        30_000, 'At most this many points of the cloud are sent.', limits=(100, 1_000_000)
    )
