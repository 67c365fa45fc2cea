"""A depth node as tutorials write it, to measure ours against; not for use.

It does what they do: cv_bridge's conversions (a copy as BGR, a copy as RGB), torch in eager mode,
a queue of ten, everything in the subscription's callback and published whether anybody listens or
not, the cloud from a loop over the pixels. The network is the default model's, its weights random.

    python benchmarks/tutorial_node.py --ros-args -r image:=/camera/image_raw
"""

from __future__ import annotations

from contextlib import suppress
import struct

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
import torch

from depth_estimation_ros.model_file.default_model import default_model_path
from depth_estimation_ros.model_file.model_spec import read_model_spec
from depth_estimation_ros.training.model.network import build_densedepth

QUEUE = 10
DECIMATION = 2  # as our node's default; most tutorials take every pixel


class TutorialNode(Node):
    """Image in; depth, camera_info, colours and points out."""

    def __init__(self) -> None:
        super().__init__('tutorial_depth')
        spec = read_model_spec(default_model_path())
        self._size = (spec.input_size[1], spec.input_size[0])
        self._network = build_densedepth(
            spec.encoder, variant=spec.variant, decoder_width=spec.decoder_width
        ).eval()
        self._info: CameraInfo | None = None
        self.create_subscription(Image, 'image', self._on_image, QUEUE)
        self.create_subscription(CameraInfo, 'camera_info', self._on_info, QUEUE)
        self._depth = self.create_publisher(Image, 'depth/image_rect', QUEUE)
        self._depth_info = self.create_publisher(CameraInfo, 'depth/camera_info', QUEUE)
        self._color = self.create_publisher(Image, 'depth/image_color', QUEUE)
        self._points = self.create_publisher(PointCloud2, 'depth/points', QUEUE)

    def _on_info(self, info: CameraInfo) -> None:
        self._info = info

    def _on_image(self, message: Image) -> None:
        rgb = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        small = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), self._size)
        batch = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255.0
        with torch.no_grad():
            output = self._network(batch)
        depth = cv2.resize(np.squeeze(output.numpy()), (message.width, message.height))
        self._publish(message, bgr, depth.astype(np.float32))

    def _publish(self, message: Image, bgr: np.ndarray, depth: np.ndarray) -> None:
        self._depth.publish(to_message(message, depth, '32FC1'))
        grey = cv2.normalize(depth, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
        self._color.publish(to_message(message, cv2.applyColorMap(grey, cv2.COLORMAP_JET), 'bgr8'))
        if self._info is not None:
            self._info.header = message.header
            self._depth_info.publish(self._info)
            self._points.publish(to_cloud(message, bgr, depth, self._info.k))


def to_message(source: Image, pixels: np.ndarray, encoding: str) -> Image:
    """Wrap an image as cv_bridge's Python does."""
    made = Image(header=source.header, height=source.height, width=source.width)
    made.encoding, made.step = encoding, pixels[0].nbytes
    made.data.frombytes(pixels.tobytes())
    return made


def to_cloud(source: Image, bgr: np.ndarray, depth: np.ndarray, k: np.ndarray) -> PointCloud2:
    """Make a point at a time."""
    fx, fy, cx, cy = k[0], k[4], k[2], k[5]
    points = []
    for v in range(0, source.height, DECIMATION):
        for u in range(0, source.width, DECIMATION):
            z = float(depth[v, u])
            b, g, r = bgr[v, u]
            color = int(r) << 16 | int(g) << 8 | int(b)
            points.append(struct.pack('<fffI', (u - cx) * z / fx, (v - cy) * z / fy, z, color))
    kinds = (PointField.FLOAT32,) * 3 + (PointField.UINT32,)
    fields = [
        PointField(name=name, offset=4 * index, datatype=kind, count=1)
        for index, (name, kind) in enumerate(zip(('x', 'y', 'z', 'rgb'), kinds, strict=True))
    ]
    cloud = PointCloud2(header=source.header, height=1, width=len(points), fields=fields)
    cloud.point_step, cloud.row_step = 16, 16 * len(points)
    cloud.data.frombytes(b''.join(points))
    return cloud


def main() -> None:
    """Run until interrupted."""
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(TutorialNode())


if __name__ == '__main__':
    main()
