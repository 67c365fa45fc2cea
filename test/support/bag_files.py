"""Bags as a robot records them: colour, aligned depth and camera_info, written by rosbags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

STORE = get_typestore(Stores.ROS2_HUMBLE)
IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
COLOUR_TOPIC = '/camera/color/image_raw'
DEPTH_TOPIC = '/camera/aligned_depth_to_color/image_raw'
INFO_TOPIC = '/camera/color/camera_info'
START_NS = 1_700_000_000_000_000_000
PLUGINS = {'mcap': StoragePlugin.MCAP, 'db3': StoragePlugin.SQLITE3}


def header(stamp_ns: int) -> Any:
    time = STORE.types['builtin_interfaces/msg/Time'](
        sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return STORE.types['std_msgs/msg/Header'](stamp=time, frame_id='camera')


def image_message(
    stamp_ns: int,
    pixels: NDArray[Any],
    encoding: str,
    *,
    padding: int = 0,
    bigendian: bool = False,
) -> Any:
    """Return an Image; its rows end with `padding` bytes of 0xEE."""
    if bigendian:
        pixels = pixels.astype(pixels.dtype.newbyteorder('>'))
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xEE)
    return STORE.types[IMAGE](
        header=header(stamp_ns), height=pixels.shape[0], width=pixels.shape[1], encoding=encoding,
        is_bigendian=int(bigendian), step=rows.shape[1], data=rows.reshape(-1),
    )  # fmt: skip


def compressed_message(stamp_ns: int, data: bytes, text: str) -> Any:
    return STORE.types[COMPRESSED](
        header=header(stamp_ns), format=text, data=np.frombuffer(data, np.uint8)
    )


def camera_info(stamp_ns: int, *, width: int, height: int, k: list[float]) -> Any:
    region = STORE.types['sensor_msgs/msg/RegionOfInterest'](
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
    )
    return STORE.types[CAMERA_INFO](
        header=header(stamp_ns), height=height, width=width, distortion_model='plumb_bob',
        d=np.zeros(5), k=np.array(k, np.float64), r=np.eye(3).reshape(-1), p=np.zeros(12),
        binning_x=0, binning_y=0, roi=region,
    )  # fmt: skip


def write_bag(
    path: Path,
    messages: list[tuple[str, str, Any]],
    *,
    storage: str = 'mcap',
    delay_ns: int = 10**6,
    recorded: list[int] | None = None,
) -> None:
    """Write (topic, type, message), each recorded `delay_ns` after its stamp, or when it says."""
    with Writer(path, version=9, storage_plugin=PLUGINS[storage]) as writer:
        connections: dict[str, Any] = {}
        for index, (topic, kind, message) in enumerate(messages):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            stamp = message.header.stamp
            time = stamp.sec * 10**9 + stamp.nanosec + delay_ns
            if recorded is not None:
                time = recorded[index]
            writer.write(connections[topic], time, STORE.serialize_cdr(message, kind))


def recording(num_frames: int, *, height: int = 12, width: int = 16) -> list[tuple[str, str, Any]]:
    """Return frames 0.1 s apart: red = 10 * frame, depth = 1000 + frame mm, (0, 0) missing.

    Depth is stamped 5 ms later.
    """
    k = [20.0, 0, 8, 0, 21.0, 6, 0, 0, 1]
    messages: list[tuple[str, str, Any]] = []
    for frame in range(num_frames):
        stamp = START_NS + frame * 10**8
        colour = np.full((height, width, 3), (10 * frame, 1, 2), np.uint8)
        depth = np.full((height, width), 1000 + frame, np.uint16)
        depth[0, 0] = 0
        info = camera_info(stamp, width=width, height=height, k=k)
        messages += [
            (INFO_TOPIC, CAMERA_INFO, info),
            (COLOUR_TOPIC, IMAGE, image_message(stamp, colour, 'rgb8', padding=3)),
            (DEPTH_TOPIC, IMAGE, image_message(stamp + 5_000_000, depth, '16UC1', padding=2)),
        ]
    return messages
