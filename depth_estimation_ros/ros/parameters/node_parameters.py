"""The node's parameters: one dataclass is their single source."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

from depth_estimation_ros.camera.plausibility import implausible_hfov
from depth_estimation_ros.depth.depth_image import RangePolicy
from depth_estimation_ros.depth.settings import DepthSettings
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.image_codec import MAX_IMAGE_PIXELS
from depth_estimation_ros.model_file.network_size import parse_network_size
from depth_estimation_ros.ros.parameters.backend_parameters import BackendParameters
from depth_estimation_ros.ros.parameters.camera_names import check_names
from depth_estimation_ros.ros.parameters.spec import Change, parameter

_LIVE = Change.LIVE
_START = Change.START


@dataclass(frozen=True, kw_only=True)
class NodeParameters(BackendParameters):
    """Everything a user can set; names are those of the ROS parameters and of the YAML keys.

    Raises:
        ConfigError: min_depth is not below max_depth, a size is none, no camera has
            fallback_hfov_deg, or a name of a camera is none for topics.
    """

    resize_mode: str = parameter(
        'letterbox',
        'How an image gets to a network size that is given or fixed: letterbox keeps the aspect, '
        'resize stretches.',
        choices=('letterbox', 'resize'),
    )
    cameras: tuple[str, ...] = parameter(
        ('',),
        'Names of the cameras, each put before its topics (front: front/image); one empty name: '
        'one camera on the plain topics.',
    )
    image_transport: str = parameter(
        'raw',
        'raw subscribes to image, compressed to image/compressed.',
        choices=('raw', 'compressed'),
    )
    image_reliability: str = parameter(
        'best_effort',
        'Reliability asked of the image publisher; reliable receives nothing from a best effort '
        'one.',
        choices=('best_effort', 'reliable'),
    )
    depth_size: str = parameter(
        DepthSettings.depth_size,
        "Size of the depth image and of what is made of it: camera, network (the network's own "
        'grid, the least work) or WIDTHxHEIGHT of the same aspect.',
        change=_LIVE,
    )
    color_size: str = parameter(
        DepthSettings.color_size,
        'Size of depth/image_color: depth (that of the depth image), camera, network or '
        'WIDTHxHEIGHT.',
        change=_LIVE,
    )
    min_depth: float = parameter(
        DepthSettings.min_depth,
        'Depth below this is reported by range_policy; 0: no limit but that of the model, below '
        'which depth is NaN.',
        unit='[m]',
        limits=(0.0, 1000.0),
        change=_LIVE,
    )
    max_depth: float = parameter(
        DepthSettings.max_depth,
        'Depth above this is reported by range_policy; 0: no limit but that of the model, above '
        'which depth is NaN.',
        unit='[m]',
        limits=(0.0, 1000.0),
        change=_LIVE,
    )
    range_policy: str = parameter(
        DepthSettings.range_policy,
        'What stands for depth below min_depth and above max_depth: rep117 is -Inf and +Inf, '
        'nan is NaN for both.',
        choices=tuple(policy.value for policy in RangePolicy),
        change=_LIVE,
    )
    depth_scale: float = parameter(
        DepthSettings.depth_scale,
        'Depth is multiplied by this; depth-estimation calibrate-scale finds it for a camera.',
        limits=(0.01, 100.0),
        change=_LIVE,
    )
    depth_offset: float = parameter(
        DepthSettings.depth_offset,
        'Added to the scaled depth.',
        unit='[m]',
        limits=(-100.0, 100.0),
        change=_LIVE,
    )
    focal_normalization: bool = parameter(
        True, "Correct depth for a focal length other than the model's, from camera_info."
    )
    fallback_hfov_deg: float = parameter(
        0.0,
        'Horizontal field of view of a camera without a usable camera_info, 1 to 175; 0: unknown, '
        'so no point cloud.',
        unit='[deg]',
        limits=(0.0, 175.0),
        change=_LIVE,
    )
    rectify: str = parameter(
        'auto',
        'Take the lens distortion out before the network: auto where camera_info has one and no '
        "word of the image topic's name is rect, on wherever camera_info has one, off never.",
        choices=('auto', 'on', 'off'),
        change=_LIVE,
    )
    temporal_filter: float = parameter(
        DepthSettings.temporal_filter,
        'Share of the frames before in a pixel that has not moved; 0: off.',
        limits=(0.0, 0.95),
        change=_LIVE,
    )
    confidence: bool = parameter(
        DepthSettings.confidence,
        'Publish depth/confidence: how well the depth of the mirrored image agrees. It runs the '
        'network twice.',
        change=_LIVE,
    )
    depth_encoding: str = parameter(
        '32FC1',
        'Encoding of depth/image_rect: 32FC1 is metres with NaN or Inf for no depth, 16UC1 is '
        'millimetres with 0 for no depth.',
        choices=('32FC1', '16UC1'),
        change=_LIVE,
    )
    point_cloud_color: bool = parameter(
        True, "Give the points the image's colour (XYZRGB instead of XYZ).", change=_LIVE
    )
    point_cloud_organized: bool = parameter(
        True,
        'Keep the rows and columns of the image, with NaN for no depth; otherwise such points are '
        'left out.',
        change=_LIVE,
    )
    decimation_x: int = parameter(
        2, 'Every this many columns make a point.', unit='[px]', limits=(1, 64), change=_LIVE
    )
    decimation_y: int = parameter(
        2, 'Every this many rows make a point.', unit='[px]', limits=(1, 64), change=_LIVE
    )
    edge_filter_threshold: float = parameter(
        DepthSettings.edge_filter_threshold,
        "Points at a depth edge are left out of the cloud: on the network's grid, a neighbour "
        'further away than this share of the depth makes one; 0: off.',
        limits=(0.0, 10.0),
        change=_LIVE,
    )
    edge_filter_image: bool = parameter(
        DepthSettings.edge_filter_image,
        'Leave the pixels at depth edges out of the depth image too.',
        change=_LIVE,
    )
    nav_max_points: int = parameter(
        5000, 'At most so many points in depth/points_nav.', limits=(1, 10_000_000), change=_LIVE
    )
    nav_max_range: float = parameter(
        5.0,
        'Points further away are left out of depth/points_nav, and Inf in depth/scan.',
        unit='[m]',
        limits=(0.1, 1000.0),
        change=_LIVE,
    )
    nav_min_height: float = parameter(
        -100.0,
        'Points lower than this over the camera are left out of depth/points_nav.',
        unit='[m]',
        limits=(-100.0, 100.0),
        change=_LIVE,
    )
    nav_max_height: float = parameter(
        100.0,
        'Points higher than this over the camera are left out of depth/points_nav.',
        unit='[m]',
        limits=(-100.0, 100.0),
        change=_LIVE,
    )
    scan_num_rows: int = parameter(
        10,
        'Rows of the camera image around the optical axis whose nearest depth makes depth/scan.',
        unit='[px]',
        limits=(1, 1000),
        change=_LIVE,
    )
    scan_frame: str = parameter(
        '{camera}_link',
        'Frame of depth/scan: x forward, y left, at the camera; {camera} stands for its name, the '
        'only camera without one is camera.',
        change=_LIVE,
    )
    max_age_sec: float = parameter(
        0.0,
        'Images older than this when their turn comes are dropped; 0: none are.',
        unit='[s]',
        limits=(0.0, 3600.0),
        change=_LIVE,
    )
    max_image_pixels: int = parameter(
        MAX_IMAGE_PIXELS,
        'Images that claim more pixels are refused before memory is taken for them.',
        unit='[px]',
        limits=(1, 10**9),
        change=_LIVE,
    )
    max_rate_hz: float = parameter(
        0.0,
        'At most this many images a second are processed; 0: as many as the machine can.',
        unit='[Hz]',
        limits=(0.0, 1000.0),
        change=_LIVE,
    )
    autostart: bool = parameter(
        True, 'Configure and activate at start, without a lifecycle manager.', change=_START
    )

    def __post_init__(self) -> None:
        parse_network_size(self.network_size)
        _ = self.depth_settings
        wrong = implausible_hfov(self.fallback_hfov_deg) if self.fallback_hfov_deg else ''
        if wrong:
            raise ConfigError(f'fallback_hfov_deg is {wrong}, or 0')
        check_names(self.cameras)

    @cached_property
    def depth_settings(self) -> DepthSettings:
        """Those of them that concern depth alone."""
        return DepthSettings(
            **{item.name: getattr(self, item.name) for item in fields(DepthSettings)}
        )

    @property
    def min_period_sec(self) -> float:
        """Least time from one processed image to the next [s]."""
        return 1.0 / self.max_rate_hz if self.max_rate_hz else 0.0
