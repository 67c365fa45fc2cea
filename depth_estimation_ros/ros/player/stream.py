"""The camera player's source as messages that are ready to be sent."""

from __future__ import annotations

from itertools import takewhile
import sys
from typing import TYPE_CHECKING

from depth_estimation_ros.ros.player.camera_messages import CameraMessages, build_messages
from depth_estimation_ros.ros.player.frame_stream import FrameStream, ReadAhead, open_stream
from depth_estimation_ros.ros.player.image_sources import SourceKind, read_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from depth_estimation_ros.ros.player.image_sources import SourceFrame
    from depth_estimation_ros.ros.player.parameters import PlayerParameters

MAX_BYTES_AHEAD = 256 * 1024 * 1024  # of photos and video held ready


def open_messages(
    parameters: PlayerParameters, *, say: Callable[[str], None], goes_on: Callable[[], bool]
) -> FrameStream[CameraMessages]:
    """Make the first frames ready, which takes a while for rooms.

    Args:
        parameters: What is played and how.
        say: Takes the progress of rendering, one line a frame.
        goes_on: Asked before each frame; the source ends when it says no.

    Raises:
        DepthEstimationError: The source cannot be read.
    """
    kind = parameters.source_options().kind
    is_rooms = kind is SourceKind.ROOMS

    def read() -> Iterator[CameraMessages]:
        """Begin the source anew; a source that cannot be opened raises here."""
        frames = read_frames(parameters.source_options())
        return map(build, takewhile(lambda _: goes_on(), enumerate(frames, 1)))

    def build(numbered: tuple[int, SourceFrame]) -> CameraMessages:
        number, frame = numbered
        if is_rooms:
            say(f'rendered {number} of {parameters.num_frames_ahead} frames of the room')
        return build_messages(
            frame,
            encoding=parameters.encoding,
            frame_id=parameters.frame_id,
            compress=parameters.publish_compressed,
        )

    if kind is SourceKind.WEBCAM:
        return ReadAhead(read(), num_ahead=1, newest_only=True)
    return open_stream(
        read,
        num_ahead=parameters.num_frames_ahead,
        loop=parameters.loop,
        there_and_back=is_rooms,
        num_bytes=lambda messages: messages.num_bytes,
        # A room is rendered once, and all of its walk is held.
        max_bytes=sys.maxsize if is_rooms else MAX_BYTES_AHEAD,
    )
