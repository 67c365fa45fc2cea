"""Which topics of a bag hold the images, the depth and the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.bag.messages import COMPRESSED_TYPE, IMAGE_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

_IMAGE_TYPES: Final = (IMAGE_TYPE, COMPRESSED_TYPE)


def choose_topics(
    connections: Iterable[Any], image_topic: str | None, depth_topic: str | None
) -> tuple[str, str]:
    """Return the topics of the images and the depth.

    Args:
        connections: The bag's, with `topic` and `msgtype`.
        image_topic: What the user says; None = the only one that is not depth.
        depth_topic: What the user says; None = the only one with depth in its name.

    Raises:
        DataError: A topic is not there, or it takes the user to choose.
    """
    topics = sorted({item.topic for item in connections if item.msgtype in _IMAGE_TYPES})
    depths = [topic for topic in topics if 'depth' in topic.lower()]
    aligned = [topic for topic in depths if 'aligned' in topic.lower()]
    colours = [topic for topic in topics if topic not in depths]
    image = _one('image', image_topic, topics, colours)
    return image, _one('depth', depth_topic, topics, aligned or depths)


def info_topic(image_topic: str) -> str:
    """Return the topic of the camera_info that belongs to a topic of images."""
    base = image_topic.removesuffix('/compressed')
    return f'{base.rpartition("/")[0]}/camera_info'


def _one(what: str, wanted: str | None, topics: list[str], candidates: list[str]) -> str:
    known = ', '.join(topics) or 'none'
    if wanted is not None:
        if wanted not in topics:
            raise DataError(f'the bag has no images on {wanted}; image topics: {known}')
        return wanted
    if len(candidates) != 1:
        raise DataError(
            f'{len(candidates)} topics could be the {what}: give {what}_topic; '
            f'image topics: {known}'
        )
    return candidates[0]
