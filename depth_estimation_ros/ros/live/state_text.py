"""What the page says in words: the node's figures, and why there is no depth."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FRESH_SEC = 2.0  # a depth image younger than this means that depth comes
SILENCE_SEC = 4.0  # the node speaks once a second on /diagnostics
RATE_SPAN_SEC = 2.0
WARN = 1  # diagnostic_msgs' levels: 0 is OK, 1 WARN, 2 ERROR


@dataclass(frozen=True, kw_only=True)
class Status:
    """A status on /diagnostics.

    Attributes:
        name: `<node>: model`, `<node>: frames` or `<node>: frames of <camera>`.
        level: 0 OK, 1 WARN, 2 ERROR, 3 STALE.
        message: in words.
    """

    name: str
    level: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the last depth/stats said.

    Attributes:
        latency_ms: from taking the image to the last output [ms].
        age_ms: from the image's stamp to the last output [ms].
        num_received: images since the node was activated.
        num_dropped: of them not processed.
        valid_fraction: share of the pixels with depth, 0 to 1.
        backend: what runs the network.
        model: file name.
    """

    latency_ms: float
    age_ms: float
    num_received: int
    num_dropped: int
    valid_fraction: float
    backend: str
    model: str


class Rate:
    """Frames a second from a counter that is looked at now and then."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def update(self, now_sec: float, count: int) -> float:
        """Return the mean rate [Hz] of about the last two seconds; 0 at first."""
        looks = self._looks
        if looks and (count < looks[-1][1] or now_sec <= looks[-1][0]):
            looks.clear()  # the node began anew
        looks.append((now_sec, count))
        while len(looks) > 2 and now_sec - looks[1][0] >= RATE_SPAN_SEC:
            looks.popleft()
        (first_sec, first_count), (last_sec, last_count) = looks[0], looks[-1]
        return (last_count - first_count) / (last_sec - first_sec) if len(looks) > 1 else 0.0


def rows_of(figures: Figures | None, rate_hz: float) -> list[tuple[str, str]]:
    """List what the page shows of the node, as name and value; dashes before the first frame."""
    if figures is None:
        names = ('rate', 'latency', 'age', 'drops', 'depth in', 'backend', 'model')
        return [(name, '-') for name in names]
    return [
        ('rate', f'{rate_hz:.1f} Hz'),
        ('latency', f'{figures.latency_ms:.1f} ms'),
        ('age', f'{figures.age_ms:.1f} ms'),
        ('drops', f'{figures.num_dropped} of {figures.num_received}'),
        ('depth in', f'{100.0 * figures.valid_fraction:.0f} % of the pixels'),
        ('backend', figures.backend),
        ('model', figures.model),
    ]


def why_no_depth(
    statuses: Sequence[Status],
    *,
    node: str,
    camera: str,
    depth_age_sec: float,
    silence_sec: float,
) -> str:
    """Give the node's own sentence on why there is no depth, or not all that is asked for.

    Args:
        statuses: what the node said last on /diagnostics.
        node: its full name.
        camera: the one that is shown, empty for the only one.
        depth_age_sec: since the last depth image came, infinite if none did.
        silence_sec: since the node spoke, or since it was first waited for.

    Returns:
        Empty when all is well.
    """
    name = node.lstrip('/')
    own = {item.name: item for item in statuses if item.name.startswith(f'{name}: ')}
    if not own or silence_sec > SILENCE_SEC:
        if silence_sec < SILENCE_SEC:
            return f'waiting for a word from {node} ...'
        return (
            f'{node} is not heard on /diagnostics: is it running, under that name, and in the '
            'same ROS_DOMAIN_ID?'
        )
    model = own.get(f'{name}: model')
    if model is not None and model.level > WARN:
        return model.message
    if model is not None and model.message != 'active':
        return f'{node} is {model.message}'
    frames = own.get(f'{name}: frames of {camera}' if camera else f'{name}: frames')
    if frames is None:
        return f'{node} says nothing of a camera {camera!r}'
    if frames.level >= WARN or frames.message.startswith('paused'):
        return frames.message
    if depth_age_sec <= FRESH_SEC:
        return ''
    return f'waiting for the next depth image ({frames.message})'
