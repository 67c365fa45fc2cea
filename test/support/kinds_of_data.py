"""A small data set of every kind that comes from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bag_files import recording, write_bag
import numpy as np
from rgbd_files import HEIGHT, WIDTH, encode, flat_image, write_nyu_labeled, write_nyu_zip

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ('nyu-densedepth', 'nyu-labeled', 'rgbd-folder', 'rosbag')


def write_data(kind: str, folder: Path, *, num_frames: int) -> Path:
    """Write one into a folder and return its path.

    Args:
        kind: Of KINDS.
        folder: Empty.
        num_frames: Images of a recording, of which a folder or a bag is one.
    """
    if kind == 'nyu-densedepth':
        write_nyu_zip(folder / 'nyu_data.zip')
        return folder / 'nyu_data.zip'
    if kind == 'nyu-labeled':
        write_nyu_labeled(folder)
        return folder
    if kind == 'rosbag':
        write_bag(folder / 'bag', recording(num_frames, height=HEIGHT, width=WIDTH))
        return folder / 'bag'
    for number in range(num_frames):
        depth = np.full((HEIGHT, WIDTH), 1000, np.uint16)
        (folder / f'{number:03d}_rgb.png').write_bytes(encode(flat_image(9), '.png'))
        (folder / f'{number:03d}_depth.png').write_bytes(encode(depth, '.png'))
    return folder
