"""What the shape of the camera's image costs in accuracy: the same held-out rooms, five shapes.

    python benchmarks/camera_shapes.py [--num-rooms 100] [--model FILE]

Each room is rendered once in each shape, from the same place in the same direction, with the same
focal length in pixels and about as many pixels. The network takes the shape as the node's
`network_size: auto` does. AbsRel is the mean over rooms, beside it how many times that of 4:3.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

import numpy as np

from depth_estimation_ros.depth.metrics import depth_metrics, fill_missing
from depth_estimation_ros.estimator import DepthEstimator
from depth_estimation_ros.model_file.default_model import find_model
from depth_estimation_ros.rooms.render import held_out_seeds, render_room

SHAPES: Final = {  # (height, width) [px], about as many pixels each
    '4:3': (240, 320),
    '16:9': (208, 370),
    '1:1': (278, 278),
    '3:4': (320, 240),
    '9:16': (370, 208),
}


def main() -> int:
    """Print a row for each shape."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0] if __doc__ else None)
    parser.add_argument('--num-rooms', type=int, default=100, help='(%(default)s)')
    parser.add_argument('--model', default='', help='model file; the shipped one if empty')
    args = parser.parse_args()
    print('| shape | image [px] | network [px] | AbsRel | of 4:3 | a1 |')
    print('|---|---|---|---|---|---|')
    usual = None
    with DepthEstimator.from_file(find_model(args.model, backend='auto')) as estimator:
        for name, size in SHAPES.items():
            abs_rel, a1 = accuracy(estimator, size, args.num_rooms)
            usual = usual or abs_rel
            network = estimator.transform_for(size).network_size
            print(
                f'| {name} | {size[1]}x{size[0]} | {network[1]}x{network[0]} | {abs_rel:.3f} '
                f'| {abs_rel / usual:.2f} | {a1:.3f} |',
                flush=True,
            )
    return 0


def accuracy(
    estimator: DepthEstimator, size: tuple[int, int], num_rooms: int
) -> tuple[float, float]:
    """AbsRel and a1 of rooms rendered at (height, width) [px], means over rooms."""
    found = []
    for seed in held_out_seeds(num_rooms):
        shot = render_room(seed, size=SHAPES['4:3'], image_size=size)
        depth = estimator.estimate(shot.rgb, shot.intrinsics).depth
        filled = fill_missing(depth, max_depth=estimator.spec.max_depth)
        metrics = depth_metrics(filled, shot.depth)
        found.append((metrics.abs_rel, metrics.a1))
    abs_rel, a1 = np.mean(found, axis=0)
    return float(abs_rel), float(a1)


if __name__ == '__main__':
    sys.exit(main())
