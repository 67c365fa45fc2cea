"""Images and depth out of serialised ROS 2 messages, without ROS.

The encodings and formats are those of the node: `camera/encodings.py` and `camera/compressed.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from depth_estimation_ros.camera.compressed import decode_compressed_depth
from depth_estimation_ros.camera.encodings import DEPTH_UNITS, decode_depth, decode_image
from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.training.data.rgbd_sample import SampleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IMAGE_TYPE: Final = 'sensor_msgs/msg/Image'
COMPRESSED_TYPE: Final = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO_TYPE: Final = 'sensor_msgs/msg/CameraInfo'


def colour_image(message: Any, name: str) -> NDArray[np.uint8]:
    """Return a sensor_msgs/Image as (H, W, 3) uint8 RGB.

    Raises:
        SampleError: An encoding that the node does not read either, or less data than it says.
    """
    try:
        return decode_image(message.data, encoding=message.encoding, **_layout(message))
    except ImageError as err:
        raise SampleError(f'{name}: {err}') from err


def raw_depth(message: Any, name: str) -> tuple[NDArray[Any], float]:
    """Return a sensor_msgs/Image as (H, W) depth, and what 1 in it stands for [m].

    Raises:
        SampleError: Another encoding, or less data than it says.
    """
    try:
        depth = decode_depth(message.data, encoding=message.encoding, **_layout(message))
    except ImageError as err:
        raise SampleError(f'{name}: {err}') from err
    return depth, DEPTH_UNITS[message.encoding]


def compressed_depth(message: Any, name: str) -> tuple[NDArray[Any], float]:
    """Return a sensor_msgs/CompressedImage of depth, and what 1 in it stands for [m].

    Raises:
        SampleError: A format that cannot be read, or damaged.
    """
    try:
        return decode_compressed_depth(message.data, text=message.format)
    except ImageError as err:
        raise SampleError(f'{name}: {err}') from err


def _layout(message: Any) -> dict[str, Any]:
    return {
        'height': int(message.height),
        'width': int(message.width),
        'step': int(message.step),
        'is_bigendian': bool(message.is_bigendian),
    }
