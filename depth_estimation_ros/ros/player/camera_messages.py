"""Messages of a camera stand-in, built before they are due; only the stamp is set when sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.messages.conversions import compressed_message, image_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.ros.player.image_sources import SourceFrame

JPEG_QUALITY = 90

# ROS encoding -> what makes it of an RGB picture.
_ENCODERS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8] | NDArray[np.uint16]]] = {
    'rgb8': lambda rgb: rgb,
    'bgr8': lambda rgb: _converted(rgb, cv2.COLOR_RGB2BGR),
    'rgba8': lambda rgb: _converted(rgb, cv2.COLOR_RGB2RGBA),
    'bgra8': lambda rgb: _converted(rgb, cv2.COLOR_RGB2BGRA),
    'mono8': lambda rgb: _converted(rgb, cv2.COLOR_RGB2GRAY),
    'mono16': lambda rgb: _converted(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint16) * np.uint16(257),
}
ENCODINGS = tuple(_ENCODERS)


@dataclass(frozen=True, kw_only=True)
class CameraMessages:
    """What a camera sends for one picture; `truth` only where true depth is known.

    All of them share one header.
    """

    image: Image
    camera_info: CameraInfo
    compressed: CompressedImage | None
    truth: Image | None

    @property
    def num_bytes(self) -> int:
        """Size of the picture data, for bounding what is held ready."""
        held = (self.image, self.compressed, self.truth)
        return sum(len(message.data) for message in held if message is not None)


def build_messages(
    frame: SourceFrame, *, encoding: str, frame_id: str, compress: bool
) -> CameraMessages:
    """Build everything that is sent for a picture, all but the stamp.

    Args:
        frame: The picture.
        encoding: One of `ENCODINGS`.
        frame_id: Of the camera's optical frame.
        compress: Make the JPEG too.

    Raises:
        ConfigError: The encoding is not one of `ENCODINGS`.
    """
    encode = _ENCODERS.get(encoding)
    if encode is None:
        raise ConfigError(f"encoding '{encoding}' is not one of {', '.join(ENCODINGS)}")
    header = Header(frame_id=frame_id)
    return CameraMessages(
        image=image_message(header, encode(frame.rgb), encoding),
        camera_info=camera_info_message(header, frame.intrinsics),
        compressed=_compressed_message(header, frame.rgb) if compress else None,
        truth=None if frame.depth is None else image_message(header, frame.depth, '32FC1'),
    )


def camera_info_message(header: Header, intrinsics: CameraIntrinsics) -> CameraInfo:
    """Describe an ideal camera: no distortion, no rotation."""
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy
    message = CameraInfo(header=header)
    message.height, message.width = intrinsics.height, intrinsics.width
    message.distortion_model = 'plumb_bob'
    message.d = [0.0] * 5
    message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def _converted(rgb: NDArray[np.uint8], code: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(rgb, code), dtype=np.uint8)


def _compressed_message(header: Header, rgb: NDArray[np.uint8]) -> CompressedImage:
    bgr = _converted(rgb, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    # The format as image_transport writes it.
    text = 'rgb8; jpeg compressed bgr8'
    return compressed_message(header, np.asarray(jpeg, np.uint8), text)
