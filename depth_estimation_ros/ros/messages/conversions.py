"""ROS messages to arrays and back. The bytes are copied once, or not at all."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField

from depth_estimation_ros.camera.compressed import decode_compressed
from depth_estimation_ros.camera.encodings import PIXEL_FORMATS, decode_image
from depth_estimation_ros.camera.small_pixels import AVERAGERS
from depth_estimation_ros.depth.byte_array import bytes_of
from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.files.image_codec import MAX_IMAGE_PIXELS, check_pixels
from depth_estimation_ros.files.image_header import read_header

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time
    from numpy.typing import NDArray
    from std_msgs.msg import Header

    from depth_estimation_ros.depth.image_transform import Size

# Since Jazzy a message that does not check its fields copies an array when it is made and again
# when it is set; one that checks them takes it as it is, and has no argument for it on Humble.
_CHECKED: Final[dict[str, Any]] = (
    {'check_fields': True} if '_check_fields' in Image.__slots__ else {}
)
_IS_BIGENDIAN = sys.byteorder == 'big'
_XYZ = ('x', 'y', 'z')
_XYZRGB = ('x', 'y', 'z', 'rgb')


def rgb_from_message(
    message: Image | CompressedImage, *, max_pixels: int = MAX_IMAGE_PIXELS, reduced: int = 1
) -> NDArray[np.uint8]:
    """Read a camera image of either kind.

    Args:
        message: the image.
        max_pixels: refuse a larger one.
        reduced: make it smaller by 2, 4 or 8, which divide its size, if that is cheaper than to
            read it in full (JPEG, YUV, Bayer); others come in full.

    Returns:
        (H, W, 3) uint8 RGB, or reduced; it may share memory with the message.

    Raises:
        ImageError: the image cannot be read; the text names what is wrong with it.
    """
    if isinstance(message, CompressedImage):
        return decode_compressed(
            message.data, text=message.format, max_pixels=max_pixels, reduced=reduced
        )
    if message.encoding not in PIXEL_FORMATS:
        check_pixels(message.height, message.width, 'image', max_pixels)
        return _rgb_by_cv_bridge(message)
    return decode_image(
        message.data,
        encoding=message.encoding,
        height=message.height,
        width=message.width,
        step=message.step,
        is_bigendian=bool(message.is_bigendian),
        max_pixels=max_pixels,
        reduced=reduced,
    )


def reducible_size(message: Image | CompressedImage) -> Size | None:
    """Read (height, width) [px] of an image that is cheaper to read `reduced`; None of others."""
    if isinstance(message, CompressedImage):
        header = read_header(bytes(message.data))
        is_jpeg = header is not None and header.format == 'JPEG' and 'bayer' not in message.format
        return (header.height, header.width) if header is not None and is_jpeg else None
    is_reducible = message.encoding in AVERAGERS and min(message.height, message.width) > 0
    return (message.height, message.width) if is_reducible else None


def _rgb_by_cv_bridge(message: Image) -> NDArray[np.uint8]:
    """Leave a rare encoding to cv_bridge, where that is installed and works."""
    unsupported = (
        f'image encoding {message.encoding!r} is not supported; '
        f'supported: {", ".join(PIXEL_FORMATS)}'
    )
    try:
        from cv_bridge import CvBridge
    except Exception as err:  # built against another NumPy it raises what it likes
        raise ImageError(f'{unsupported}; cv_bridge could not help ({err})') from err
    try:
        rgb = CvBridge().imgmsg_to_cv2(message, desired_encoding='rgb8')
    except Exception as err:  # CvBridgeError, cv2.error, TypeError, ...
        raise ImageError(f'{unsupported}; cv_bridge: {err}') from err
    return np.asarray(rgb, np.uint8)


def image_message(header: Header, pixels: NDArray[Any], encoding: str) -> Image:
    """Wrap an image.

    Args:
        header: taken verbatim.
        pixels: (H, W) or (H, W, C) of the encoding's own type; the message may share its memory.
        encoding: its ROS name.
    """
    height, width = pixels.shape[:2]
    message = Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(_IS_BIGENDIAN),
        step=pixels[0].nbytes,
        **_CHECKED,
    )
    message.data = bytes_of(pixels)
    return message


def compressed_message(header: Header, encoded: NDArray[np.uint8], text: str) -> CompressedImage:
    """Wrap an encoded image.

    Args:
        header: taken verbatim.
        encoded: the file's bytes.
        text: the message's format, such as 'rgb8; jpeg compressed bgr8'.
    """
    message = CompressedImage(header=header, format=text, **_CHECKED)
    message.data = bytes_of(encoded)
    return message


def cloud_message(header: Header, points: NDArray[np.float32], *, is_dense: bool) -> PointCloud2:
    """Wrap a point cloud.

    Args:
        header: taken verbatim.
        points: (rows, columns, 3 or 4) float32: x, y, z [m] and, packed in a float, rgb. No
            columns make an empty cloud, width 0. The message may share its memory.
        is_dense: no point is NaN.
    """
    height, width, num_fields = points.shape
    names = _XYZ if num_fields == len(_XYZ) else _XYZRGB
    fields = [
        PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
        for index, name in enumerate(names)
    ]
    message = PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=fields,
        is_bigendian=_IS_BIGENDIAN,
        point_step=4 * num_fields,
        row_step=4 * num_fields * width,
        is_dense=is_dense,
        **_CHECKED,
    )
    message.data = bytes_of(points)
    return message


def seconds(stamp: Time) -> float:
    """Turn a stamp into seconds."""
    return float(stamp.sec) + float(stamp.nanosec) * 1e-9
