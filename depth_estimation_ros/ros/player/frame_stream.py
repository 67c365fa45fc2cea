"""Frames made ready before they are due, so that playing them costs next to nothing."""

from __future__ import annotations

from collections import deque
from itertools import chain, islice
import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from depth_estimation_ros.errors import DepthEstimationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A webcam that was pulled out lets a read wait for ten seconds.
CLOSE_TIMEOUT_SEC = 1.0

T = TypeVar('T')
T_co = TypeVar('T_co', covariant=True)


class FrameStream(Protocol[T_co]):
    """Frames to play, one a tick."""

    @property
    def is_finished(self) -> bool:
        """True once every frame was handed out."""

    def take(self) -> T_co | None:
        """Return the next frame; None when it is not ready yet or there is none left.

        Raises:
            DepthEstimationError: Reading ahead failed.
        """

    def close(self) -> bool:
        """Stop reading ahead; False if a read takes too long to wait for its end."""


class Clip(Generic[T]):
    """Frames that are all in memory, played once or over and over."""

    def __init__(self, frames: Sequence[T], *, loop: bool, there_and_back: bool = False) -> None:
        """Take the frames.

        Args:
            frames: At least one.
            loop: Begin again after the last frame.
            there_and_back: Play to the last frame and back to the first, so that a loop of a
                walk has no jump.
        """
        back = frames[-2:0:-1] if there_and_back and loop else frames[:0]
        self._frames = [*frames, *back]
        self._loop = loop
        self._next = 0

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_finished(self) -> bool:
        """True once every frame was handed out; never for a loop."""
        return self._next >= len(self._frames)

    def take(self) -> T | None:
        """Return the next frame; None after the last."""
        if self.is_finished:
            return None
        frame = self._frames[self._next]
        self._next += 1
        if self._loop:
            self._next %= len(self._frames)
        return frame

    def close(self) -> bool:
        """Nothing runs, so nothing stops."""
        return True


class ReadAhead(Generic[T]):
    """Frames read by a thread of its own into a bounded buffer.

    `newest_only` is for live cameras: a full buffer loses its oldest frame. Otherwise the thread
    waits for room, and no frame is lost.
    """

    def __init__(
        self, frames: Iterator[T], *, num_ahead: int, head: Sequence[T] = (), newest_only: bool
    ) -> None:
        self._frames = frames
        self._newest_only = newest_only
        self._ready: deque[T] = deque(head, maxlen=num_ahead)
        self._changed = threading.Condition()
        self._exhausted = False
        self._closed = False
        self._error: DepthEstimationError | None = None
        self._thread = threading.Thread(target=self._read, name='read_ahead', daemon=True)
        self._thread.start()

    @property
    def is_finished(self) -> bool:
        """True once the source ended and every frame was handed out."""
        with self._changed:
            return self._exhausted and not self._ready and self._error is None

    def take(self) -> T | None:
        """Return the next frame; None when it is not ready yet or there is none left.

        Raises:
            DepthEstimationError: The source failed and every frame before that was handed out.
        """
        with self._changed:
            if self._ready:
                frame = self._ready.popleft()
                self._changed.notify()
                return frame
            if self._error is not None:
                raise self._error
            return None

    def close(self) -> bool:
        """Stop the thread and wait for it; False if it is deep in a read."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT_SEC)
        return not self._thread.is_alive()

    def _read(self) -> None:
        try:
            for frame in self._frames:
                if not self._put(frame):
                    break
        except DepthEstimationError as error:
            self._error = error
        with self._changed:
            self._exhausted = True

    def _put(self, frame: T) -> bool:
        """Keep the frame, waiting for room if need be; False once closed."""
        with self._changed:
            if not self._newest_only:
                self._changed.wait_for(self._has_room)
            self._ready.append(frame)
            return not self._closed

    def _has_room(self) -> bool:
        return self._closed or len(self._ready) < (self._ready.maxlen or 1)


def open_stream(
    read: Callable[[], Iterator[T]],
    *,
    num_ahead: int,
    loop: bool,
    there_and_back: bool = False,
    num_bytes: Callable[[T], int] = lambda _: 0,
    max_bytes: int = 1,
) -> FrameStream[T]:
    """Read `num_ahead` frames now and the rest while they play.

    A source that fits is held and not read again; a longer one is read again for every loop.

    Args:
        read: Begins the source anew and yields its frames once through.
        num_ahead: Frames kept ready, at most.
        loop: Begin again after the last frame.
        there_and_back: See `Clip`; for sources that fit.
        num_bytes: Tells the memory that a frame takes.
        max_bytes: No more frames are kept ready once they take this much.

    Raises:
        DepthEstimationError: The source cannot be read.
    """
    frames = read()
    head: list[T] = []
    held = 0
    for frame in islice(frames, num_ahead):
        head.append(frame)
        held += num_bytes(frame)
        if held >= max_bytes:
            break
    following = list(islice(frames, 1))
    if not following:
        return Clip(head, loop=loop, there_and_back=there_and_back)
    rest = chain(following, frames)
    if loop:
        rest = chain(rest, _read_forever(read))
    return ReadAhead(rest, num_ahead=len(head), head=head, newest_only=False)


def _read_forever(read: Callable[[], Iterator[T]]) -> Iterator[T]:
    """Read the source over and over, until it has no frame any more."""
    has_frames = True
    while has_frames:
        has_frames = False
        for frame in read():
            has_frames = True
            yield frame
