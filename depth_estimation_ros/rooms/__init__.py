"""Seeded synthetic rooms: images with exact depth, from a ray caster on analytic primitives."""

from depth_estimation_ros.rooms.render import (
    HELD_OUT_SEED,
    RoomView,
    held_out_seeds,
    is_held_out,
    render_room,
)
from depth_estimation_ros.rooms.walk import RoomWalk

__all__ = [
    'HELD_OUT_SEED',
    'RoomView',
    'RoomWalk',
    'held_out_seeds',
    'is_held_out',
    'render_room',
]
