"""What a demo run recorded: when every frame was sent and came back, and some frames whole.

No ROS here: messages stay serialised, only their stamp is read, so that recording is cheap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
import time

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.stamp import header_stamp

# Frames under way between the first and the last message of the same stamp.
NUM_RECENT = 12
# The first frames pay for caches, memory and connections: they count as received, not in latency.
NUM_WARM_UP_FRAMES = 5


class Topic(str, Enum):
    """Topics that a recording holds, by the names that the node and the player give them."""

    IMAGE = 'image'
    CAMERA_INFO = 'camera_info'
    TRUTH = 'truth/depth/image_rect'
    DEPTH = 'depth/image_rect'
    DEPTH_INFO = 'depth/camera_info'
    POINTS = 'depth/points'
    COLOR = 'depth/image_color'
    STATS = 'depth/stats'

    @property
    def is_small(self) -> bool:
        """True for messages that are kept for every frame."""
        return self in (Topic.CAMERA_INFO, Topic.DEPTH_INFO, Topic.STATS)


@dataclass(frozen=True)
class Message:
    """One serialised message.

    Attributes:
        topic: It came on.
        stamp_ns: Of its header.
        received_ns: System time when it came.
        data: CDR bytes.
    """

    topic: Topic
    stamp_ns: int
    received_ns: int
    data: bytes


@dataclass(kw_only=True)
class Recording:
    """Messages of one run; large ones are kept whole for a few frames a second.

    Attributes:
        keep_period_sec: Time between two frames whose large messages are kept.
        arrivals: For each topic: stamp -> system time when it came [ns].
        kept: Messages kept whole, in the order in which they came.
    """

    keep_period_sec: float
    arrivals: dict[Topic, dict[int, int]] = field(
        default_factory=lambda: {topic: {} for topic in Topic}
    )
    kept: list[Message] = field(default_factory=list)
    _kept_stamps: set[int] = field(default_factory=set)
    _last_kept_ns: int | None = None
    _recent: dict[Topic, deque[Message]] = field(
        default_factory=lambda: {topic: deque(maxlen=NUM_RECENT) for topic in Topic}
    )

    def add(self, topic: Topic, data: bytes) -> None:
        """Take a message as it comes from the middleware."""
        message = Message(topic, header_stamp(data), time.time_ns(), data)
        self.arrivals[topic][message.stamp_ns] = message.received_ns
        if topic is Topic.DEPTH and self._is_due(message.stamp_ns):
            self._keep_frame(message.stamp_ns)
        if topic.is_small or message.stamp_ns in self._kept_stamps:
            self.kept.append(message)
        else:
            self._recent[topic].append(message)

    def _is_due(self, stamp_ns: int) -> bool:
        if self._last_kept_ns is None:
            return True
        return stamp_ns - self._last_kept_ns >= self.keep_period_sec * 1e9

    def _keep_frame(self, stamp_ns: int) -> None:
        """Keep what has come of this frame; what is still to come is known by its stamp."""
        self._kept_stamps.add(stamp_ns)
        self._last_kept_ns = stamp_ns
        for messages in self._recent.values():
            self.kept.extend(message for message in messages if message.stamp_ns == stamp_ns)

    def kept_of(self, topic: Topic) -> dict[int, Message]:
        """Return stamp -> message of the messages kept whole."""
        return {message.stamp_ns: message for message in self.kept if message.topic is topic}

    @property
    def has_started(self) -> bool:
        """True once a frame came back that was seen to be sent."""
        return self._start_ns() is not None

    def window(self, duration_sec: float) -> Window:
        """Return the measured span, which begins with the first depth received.

        Before that, processes were finding each other.

        Raises:
            DataError: No depth was received.
        """
        start_ns = self._start_ns()
        if start_ns is None:
            raise DataError('the recording holds no depth image of a camera image that was seen')
        return Window(start_ns=start_ns, end_ns=start_ns + round(duration_sec * 1e9))

    def _start_ns(self) -> int | None:
        sent = self.arrivals[Topic.CAMERA_INFO]
        return next((stamp for stamp in self.arrivals[Topic.DEPTH] if stamp in sent), None)


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of stamps, its end not included [ns]."""

    start_ns: int
    end_ns: int

    def __contains__(self, stamp_ns: int) -> bool:
        return self.start_ns <= stamp_ns < self.end_ns

    @property
    def duration_sec(self) -> float:
        """Length [s]."""
        return (self.end_ns - self.start_ns) * 1e-9


def latencies_ms(recording: Recording, window: Window) -> list[float]:
    """Return image stamp to depth received of the window's frames, all but the first few [ms]."""
    arrivals = recording.arrivals[Topic.DEPTH]
    latencies = [
        (received_ns - stamp_ns) * 1e-6
        for stamp_ns, received_ns in arrivals.items()
        if stamp_ns in window
    ]
    return latencies[NUM_WARM_UP_FRAMES:] or latencies
