"""Whether a topic's name says that its images are rectified: whole words of it decide."""

from __future__ import annotations

import re

_WORD = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+')
_RECTIFIED = ('rect', 'rectified', 'undistorted')
_NOT = ('no', 'non', 'not', 'un')


def word_for_rectified(image_topic: str) -> str:
    """Find the word that says so: 'rect' in /cam/image_rect_color, and in /rect/image.

    image_direct and image_unrectified have no such word, nor has image_not_rectified.

    Returns:
        The word, empty if there is none.
    """
    words = _WORD.findall(image_topic)
    for before, word in zip(['', *words], words, strict=False):
        if word.lower() in _RECTIFIED and before.lower() not in _NOT:
            return str(word)
    return ''
