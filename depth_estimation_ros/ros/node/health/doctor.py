"""Why is there no depth? One line that names the cause and, where there is one, the cure."""

from __future__ import annotations

from dataclasses import dataclass

# Without depth for this long, something is wrong or nobody is there.
SILENCE_SEC = 5.0
_NO_TIME = (
    'use_sim_time is true, but no time comes on /clock: the age of images cannot be told; play a '
    'bag with --clock, or set use_sim_time to false'
)

# image_transport, the node's own name of the topic, its type
_TRANSPORTS = (
    ('raw', 'image', 'sensor_msgs/msg/Image'),
    ('compressed', 'image/compressed', 'sensor_msgs/msg/CompressedImage'),
)


@dataclass(frozen=True, kw_only=True)
class StreamFacts:
    """What the doctor looks at, of one camera.

    Attributes:
        image_topic: full name.
        image_type: full name of its message type.
        num_publishers: of the image topic.
        published_types: of the messages that they send.
        similar_topics: topics of that message type that have a publisher.
        incompatible_publishers: of them cannot be heard for their quality of service.
        is_enabled: the node is not paused.
        num_listeners: subscribers of all outputs.
        received_age_sec: since the last image, None if none ever came.
        silence_sec: since the last depth, or since activation.
        trouble: why the last image gave no depth, empty if it did.
        shortcomings: what depth lacks though it comes, each with its cause.
        num_processed: images that became depth since the activation.
        has_time: the node's clock has a time; a simulated one has none before /clock.
    """

    image_topic: str
    image_type: str
    num_publishers: int
    similar_topics: tuple[str, ...]
    incompatible_publishers: int
    is_enabled: bool
    num_listeners: int
    received_age_sec: float | None
    silence_sec: float
    trouble: str
    published_types: tuple[str, ...] = ()
    shortcomings: tuple[str, ...] = ()
    num_processed: int = 0
    has_time: bool = True


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A reason.

    Attributes:
        reason: in words.
        is_idle: nothing is wrong, only nothing is asked for.
        is_partial: depth comes, but not everything that is asked for.
        parts: the reasons, if there are several.
        no_images: none comes, so nothing is known of the network.
    """

    reason: str
    parts: tuple[str, ...] = ()
    is_idle: bool = False
    is_partial: bool = False
    no_images: bool = False


def diagnose(facts: StreamFacts) -> Diagnosis | None:
    """Find the first reason on the way from the camera to the subscriber; None: all is well."""
    if not facts.is_enabled:
        return Diagnosis(reason='paused by ~/enable', is_idle=True)
    if facts.received_age_sec is not None and not facts.has_time:
        return Diagnosis(reason=_NO_TIME, is_partial=True)
    if facts.silence_sec < SILENCE_SEC:
        return _shortcomings(facts)
    if facts.received_age_sec is None or facts.received_age_sec > SILENCE_SEC:
        return Diagnosis(reason=_why_no_images(facts), no_images=True)
    if facts.num_listeners == 0:
        return Diagnosis(
            reason=f'images come on {facts.image_topic}, but nobody subscribes to an output',
            is_idle=True,
        )
    if facts.trouble:
        return Diagnosis(reason=f'no image of {facts.image_topic} can be used: {facts.trouble}')
    which = 'an image' if facts.num_processed else 'the first image'
    return Diagnosis(reason=f'the network is still busy with {which}')


def why_not_yet(status: str) -> str:
    """Say why there is no depth before the model is loaded.

    Args:
        status: what takes so long, and for how long already.
    """
    return f'no depth yet: {status}'


def _shortcomings(facts: StreamFacts) -> Diagnosis | None:
    if not facts.shortcomings:
        return None
    return Diagnosis(
        reason='; '.join(facts.shortcomings), parts=facts.shortcomings, is_partial=True
    )


def _why_no_images(facts: StreamFacts) -> str:
    topic = facts.image_topic
    if facts.incompatible_publishers:
        return (
            f'{facts.incompatible_publishers} publisher(s) of {topic} offer a quality of service '
            'that this node does not accept: set image_reliability to best_effort'
        )
    others = [kind for kind in facts.published_types if kind != facts.image_type]
    if others and facts.image_type not in facts.published_types:
        return _why_another_type(topic, others[0], facts.image_type)
    if facts.num_publishers:
        return f'{topic} has a publisher, but no image comes'
    if not facts.similar_topics:
        return f'nobody publishes {topic}, nor any other topic of type {facts.image_type}'
    names = ', '.join(facts.similar_topics)
    return f'nobody publishes {topic}; topics of type {facts.image_type} are: {names}'


def _why_another_type(topic: str, published: str, expected: str) -> str:
    cure = f'remap it to a topic of type {expected}'
    for transport, name, kind in _TRANSPORTS:
        if published == kind:
            cure = f'set image_transport to {transport} and remap {name} to {topic}'
    return f'{topic} carries {published}, but the node listens for {expected}: {cure}'
