"""Parameters of the camera player: one dataclass is their single source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from depth_estimation_ros.files.image_codec import MAX_IMAGE_PIXELS
from depth_estimation_ros.ros.parameters.spec import Change, parameter
from depth_estimation_ros.ros.player.camera_messages import ENCODINGS
from depth_estimation_ros.ros.player.image_sources import ROOM_SEED, SourceOptions

_fixed = partial(parameter, change=Change.START)


@dataclass(frozen=True, kw_only=True)
class PlayerParameters:
    """What is played and how; names are those of the ROS parameters. None changes live."""

    source: str = _fixed(
        'rooms',
        'rooms (synthetic), webcam:0 or /dev/video0, or the path of a photo, a folder or a video.',
    )
    rate_hz: float = _fixed(30.0, 'Frames sent a second.', unit='[Hz]', limits=(0.1, 1000.0))
    loop: bool = _fixed(True, 'Begin again after the last frame; otherwise exit after it.')
    num_frames: int = _fixed(0, 'Exit after this many frames; 0: no limit.', limits=(0, 10**9))
    duration_sec: float = _fixed(
        0.0, 'Exit after playing this long; 0: no limit.', unit='[s]', limits=(0.0, 1e6)
    )
    wait_for_subscribers_sec: float = _fixed(
        0.0,
        'Send the first frame when somebody subscribes to it, or after this long; 0: at once.',
        unit='[s]',
        limits=(0.0, 3600.0),
    )
    seed: int = _fixed(
        ROOM_SEED,
        'Of the synthetic room and the walk in it; training uses none from 1000000000 on.',
        limits=(0, 2**31 - 1),
    )
    width: int = _fixed(
        0, "Width sent; 0: the source's own (640 for rooms).", unit='[px]', limits=(0, 16384)
    )
    height: int = _fixed(
        0, "Height sent; 0: the source's own (480 for rooms).", unit='[px]', limits=(0, 16384)
    )
    hfov_deg: float = _fixed(
        65.0,
        'Horizontal field of view: rooms are seen with it, and camera_info says it of the rest.',
        unit='[deg]',
        limits=(1.0, 179.0),
    )
    num_frames_ahead: int = _fixed(
        90,
        'Frames made ready before the first is sent; the length of the walk through a room.',
        limits=(1, 100000),
    )
    frame_id: str = _fixed('camera_optical_frame', 'Frame of the headers.')
    encoding: str = _fixed('rgb8', 'Encoding of image.', choices=ENCODINGS)
    publish_compressed: bool = _fixed(False, 'Send image/compressed (jpeg) too.')

    max_image_pixels: int = _fixed(
        MAX_IMAGE_PIXELS,
        'Pictures and videos whose header claims more are refused.',
        unit='[px]',
        limits=(1, 10**9),
    )

    def source_options(self) -> SourceOptions:
        """Return the part that concerns reading the source."""
        return SourceOptions(
            source=self.source,
            seed=self.seed,
            width=self.width,
            height=self.height,
            hfov_deg=self.hfov_deg,
            rate_hz=self.rate_hz,
            num_frames_ahead=self.num_frames_ahead,
            max_image_pixels=self.max_image_pixels,
        )
