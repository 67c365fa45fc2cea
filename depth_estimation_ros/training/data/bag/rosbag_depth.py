"""A rosbag2 (mcap or db3) with a colour topic and a depth topic that is aligned to it.

Opening reads the stamps of all messages of both topics once, and keeps where each pair is; images
are read when they are asked for.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.camera.plausibility import implausible_camera
from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.reading import reading
from depth_estimation_ros.files.stamp import header_stamp
from depth_estimation_ros.training.data.bag.bounds import check_bag
from depth_estimation_ros.training.data.bag.messages import (
    CAMERA_INFO_TYPE,
    IMAGE_TYPE,
    colour_image,
    compressed_depth,
    raw_depth,
)
from depth_estimation_ros.training.data.bag.stamps import pair_messages
from depth_estimation_ros.training.data.bag.topics import choose_topics, info_topic
from depth_estimation_ros.training.data.rgbd_decoding import decode_sample, fit_sample
from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset, RgbdSample, SampleError
from depth_estimation_ros.training.data.splits import block_split, check_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

_logger = logging.getLogger(__name__)


class RosbagDepth(RgbdDataset):
    """Image and depth messages of a bag, paired by the stamps of their headers.

    Validation is the last part of the recording; 'test' is all of it.

    Attributes:
        num_skipped: Colour images without depth near enough in time.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        split: str = 'train',
        size: tuple[int, int] | None = None,
        image_topic: str | None = None,
        depth_topic: str | None = None,
        camera_info_topic: str | None = None,
        max_time_difference_sec: float = 0.02,
        depth_invalid: float | None = None,
        validation_fraction: float = 0.1,
    ) -> None:
        """Pair the messages; no image is decoded yet.

        Args:
            path: The bag's folder, or a single .mcap or .db3 file.
            split: 'train', 'validation' or 'test'.
            size: (height, width) of the items [px]; None = as recorded.
            image_topic: Image or CompressedImage; None = the only one that is not depth.
            depth_topic: Same, pixel on pixel with it; None = the only one with depth in its name.
            camera_info_topic: Of the colour camera; None = beside its topic, if it is there.
            max_time_difference_sec: Largest difference of stamps in a pair [s].
            depth_invalid: A value in the depth that means none; 0, NaN and in 16 bits 65535
                always do.
            validation_fraction: Share of the recording that validation gets.

        Raises:
            DataError: No such bag, damaged, or without such topics or pairs.
        """
        super().__init__(size)
        self.split = check_split(split)
        self.path = Path(path)
        self.depth_invalid = depth_invalid
        self._reader: AnyReader | None = None
        self._process = 0
        with reading(self.path, 'rosbag2', SampleError):
            reader = self._open()
            try:
                image, depth = choose_topics(reader.connections, image_topic, depth_topic)
                self._topics = (image, depth)
                self._camera = _camera(reader, camera_info_topic or info_topic(image))
                stamps = [_stamps(reader, topic) for topic in self._topics]
            finally:
                reader.close()
        slop = round(max_time_difference_sec * 1e9)
        paired = pair_messages(stamps[0], stamps[1], slop)
        if paired.notice:
            _logger.warning('%s: %s', self.path, paired.notice)
        stamps, pairs = [paired.images, paired.depths], paired.pairs
        self.num_skipped = len(stamps[0]) - len(pairs)
        if not len(pairs):
            raise DataError(
                f'{self.path}: {len(stamps[0])} messages on {image} and {len(stamps[1])} on '
                f'{depth}, none within {max_time_difference_sec:g} s of each other'
            )
        chosen = block_split(len(pairs), self.split, validation_fraction=validation_fraction)
        self._places = np.stack(
            [stamps[part][pairs[chosen.start : chosen.stop, part]] for part in (0, 1)], axis=1
        )

    def __len__(self) -> int:
        return len(self._places)

    def sample_name(self, index: int) -> str:
        """Return the topic and the time of the image [s]."""
        return f'{self._topics[0]} at {self._places[index, 0, 0] / 1e9:.3f}'

    def read(self, index: int) -> RgbdSample:
        """Read a sample at `size`.

        Raises:
            SampleError: A message is damaged, in another encoding or of another size.
        """
        image_place, depth_place = self._places[index].tolist()
        name = f'{self.path}: {self.sample_name(index)}'
        with reading(self.path, 'rosbag2', SampleError):
            depth_type, depth_message = self._message(self._topics[1], depth_place)
            image_type, image_message = self._message(self._topics[0], image_place)
        decode = raw_depth if depth_type == IMAGE_TYPE else compressed_depth
        depth, metres_per_unit = decode(depth_message, f'{name}: depth')
        camera = self._camera
        if camera is not None:
            camera = camera.scaled(height=depth.shape[0], width=depth.shape[1])
        if image_type == IMAGE_TYPE:
            sample = fit_sample(
                colour_image(image_message, name), depth, camera, size=self.size,
                metres_per_unit=metres_per_unit, depth_invalid=self.depth_invalid, name=name,
            )  # fmt: skip
        else:
            sample = decode_sample(
                bytes(image_message.data), depth, camera, size=self.size,
                metres_per_unit=metres_per_unit, depth_invalid=self.depth_invalid, name=name,
                format_text=image_message.format or 'jpeg',
            )  # fmt: skip
        return self.counted(sample, index)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, '_reader': None, '_process': 0}

    def _open(self) -> AnyReader:
        if not self.path.exists():
            raise DataError(f'{self.path}: no such bag')
        check_bag(self.path)
        reader = AnyReader([self.path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
        reader.open()
        if not reader.is2:
            reader.close()
            raise DataError(f'{self.path}: a ROS 1 bag; convert it with rosbags-convert')
        return reader

    def _message(self, topic: str, place: list[int]) -> tuple[str, Any]:
        """Return the type and the message of a place: time, stamp, time of recording [ns]."""
        if self._reader is None or self._process != os.getpid():
            self._reader, self._process = self._open(), os.getpid()
        _, stamp, recorded = place
        connections = _of_topic(self._reader, topic)
        for connection, _, data in self._reader.messages(
            connections, start=recorded, stop=recorded + 1
        ):
            if header_stamp(data) == stamp:
                return connection.msgtype, self._reader.deserialize(data, connection.msgtype)
        raise SampleError(f'{self.path}: {topic}: the message of {stamp} ns is no longer there')


def _of_topic(reader: AnyReader, topic: str) -> list[Any]:
    return [item for item in reader.connections if item.topic == topic]


def _stamps(reader: AnyReader, topic: str) -> NDArray[np.int64]:
    """Return (N, 2) stamp and time of recording [ns] of a topic's messages."""
    messages = reader.messages(_of_topic(reader, topic))
    places = [(header_stamp(data), recorded) for _, recorded, data in messages]
    return np.array(places, np.int64).reshape(-1, 2)


def _camera(reader: AnyReader, topic: str) -> CameraIntrinsics | None:
    """Return the camera of the first camera_info of a topic; None = unknown."""
    connections = [item for item in _of_topic(reader, topic) if item.msgtype == CAMERA_INFO_TYPE]
    for connection, _, data in reader.messages(connections) if connections else ():
        info: Any = reader.deserialize(data, connection.msgtype)
        fx, _, cx, _, fy, cy, *_ = (float(value) for value in info.k)
        camera = CameraIntrinsics(
            width=int(info.width), height=int(info.height), fx=fx, fy=fy, cx=cx, cy=cy
        )
        return None if implausible_camera(camera) else camera
    return None
