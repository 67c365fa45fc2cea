"""What is wrong with an image's header: stamps that are no time, frames that tf2 refuses."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.ros.messages.conversions import seconds

if TYPE_CHECKING:
    from std_msgs.msg import Header

# An image older than this is of another time: a bag without its clock, a camera without one.
LONGEST_AGE_SEC = 86_400.0
# Clocks of two machines differ by less when they are kept in step.
LONGEST_LEAD_SEC = 1.0


def age_of(header: Header, now_sec: float) -> float:
    """Tell how old an image is by the node's clock [s]; NaN where its stamp does not tell."""
    return math.nan if stamp_trouble(header, now_sec) else now_sec - seconds(header.stamp)


def stamp_trouble(header: Header, now_sec: float) -> str:
    """Say why the age of an image cannot be told from its stamp; empty if it can.

    Args:
        header: of the image.
        now_sec: of the node's clock; 0 before a simulated one begins, which is said elsewhere.
    """
    stamp_sec = seconds(header.stamp)
    if stamp_sec == 0.0:
        return 'images are not stamped (stamp 0), so their age is not known'
    if now_sec == 0.0:
        return ''
    age = now_sec - stamp_sec
    if age > LONGEST_AGE_SEC:
        days = age / LONGEST_AGE_SEC
        return (
            f'images are stamped {days:.0f} days ago, so their age is not known: play a bag with '
            "--clock and set use_sim_time to true, or set the camera's clock"
        )
    if age < -LONGEST_LEAD_SEC:
        return (
            f"images are stamped {-age:.0f} s in the future by the node's clock, so their age is "
            'not known: set the clocks of camera and node alike, or use_sim_time to false'
        )
    return ''


def frame_trouble(header: Header) -> str:
    """Say why tf2 cannot place what is made of an image; empty if it can."""
    if not header.frame_id:
        return 'images have an empty frame_id: tf2 cannot tell where their points are'
    if header.frame_id.startswith('/'):
        return f'images have frame_id {header.frame_id!r}: tf2 takes none that begins with a slash'
    return ''


def same_but_for_figures(text: str, other: str) -> bool:
    """Tell whether two texts say the same of two images."""
    return re.sub(r'[0-9]+', '', text) == re.sub(r'[0-9]+', '', other)


def check_age(age: float, stamp_trouble: str, max_age_sec: float) -> None:
    """Check that an image is not too old.

    Args:
        age: see `age_of`.
        stamp_trouble: why it is not known, empty if it is.
        max_age_sec: parameter of the node, 0: nothing is too old.

    Raises:
        ImageError: It is, or its stamp does not tell.
    """
    if not max_age_sec:
        return
    if stamp_trouble:
        raise ImageError(f'max_age_sec is {max_age_sec:g} s, but {stamp_trouble}')
    if age > max_age_sec:
        raise ImageError(
            f'images are older than max_age_sec = {max_age_sec:g} s when their turn comes'
        )
