"""Recorded messages as one MCAP file: Foxglove opens it, `ros2 bag play` plays it.

`rosbags` writes a folder with the MCAP file and a metadata.yaml. The file alone is kept: it
carries the message definitions and the metadata itself, Foxglove wants a file, and `ros2 bag`
(Humble and newer) takes one too.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ament_index_python.packages import get_package_share_directory
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from depth_estimation_ros.files.atomic import naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rosbags.typesys.store import Typestore

    from depth_estimation_ros.ros.demo.recording import Message

# Version 9 writes QoS in words, which Humble cannot read back; 8 is read by all.
BAG_VERSION = 8
OWN_MESSAGE = 'depth_estimation_ros/msg/DepthStats'
_FOREVER = QosTime(9223372036, 854775807)
_QOS = Qos(
    QosHistory.KEEP_LAST,
    10,
    QosReliability.RELIABLE,
    QosDurability.VOLATILE,
    _FOREVER,
    _FOREVER,
    QosLiveliness.AUTOMATIC,
    _FOREVER,
    avoid_ros_namespace_conventions=False,
)


def write_mcap(path: Path, messages: Iterable[Message], types: Mapping[str, str]) -> int:
    """Write messages in the order in which they came.

    Args:
        path: File to write; replaced if it is there.
        messages: Serialised messages.
        types: Topic as in the messages -> message type, such as sensor_msgs/msg/Image.

    Returns:
        How many messages were written.

    Raises:
        OSError: The file cannot be written.
    """
    typestore = message_types()
    in_order = sorted(messages, key=lambda message: message.received_ns)
    beside = path.with_name('.mcap_')
    with naming(path, beside), TemporaryDirectory(dir=path.parent, prefix=beside.name) as folder:
        # The writer names the file after its folder.
        writer = Writer(
            Path(folder) / path.stem, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP
        )
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        with writer:
            connections = {
                topic: writer.add_connection(
                    f'/{topic}', types[topic], typestore=typestore, offered_qos_profiles=[_QOS]
                )
                for topic in dict.fromkeys(message.topic.value for message in in_order)
            }
            for message in in_order:
                connection = connections[message.topic.value]
                writer.write(connection, message.received_ns, message.data)
        (Path(folder) / path.stem / f'{path.stem}.mcap').replace(path)
    return len(in_order)


def message_types() -> Typestore:
    """Return ROS's own message definitions and this package's."""
    typestore = get_typestore(Stores.ROS2_JAZZY)
    package, _, name = OWN_MESSAGE.split('/')
    path = Path(get_package_share_directory(package)) / 'msg' / f'{name}.msg'
    typestore.register(get_types_from_msg(path.read_text(encoding='utf-8'), OWN_MESSAGE))
    return typestore
