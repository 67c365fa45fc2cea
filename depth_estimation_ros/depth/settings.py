"""What a user can ask of finished depth; names are those of the parameters and the options."""

from __future__ import annotations

from dataclasses import dataclass
import math

from depth_estimation_ros.depth.depth_image import RangePolicy
from depth_estimation_ros.depth.depth_size import CAMERA, check_size
from depth_estimation_ros.errors import ConfigError

__all__ = ['SAME_AS_DEPTH', 'DepthSettings']

SAME_AS_DEPTH = 'depth'


@dataclass(frozen=True, kw_only=True)
class DepthSettings:
    """Everything between the network's answer and depth that is finished.

    Attributes:
        depth_size: Of the depth image, and what is made of it: 'camera', 'network' (the network's
            own grid) or WIDTHxHEIGHT [px].
        color_size: Of the picture in colours: 'depth' (that of the depth image), or as depth_size.
        min_depth: Depth below this is reported by range_policy [m]; 0 = no limit.
        max_depth: Depth above this is reported by range_policy [m]; 0 = no limit.
        range_policy: What stands for depth beyond the limits; see RangePolicy.
        depth_scale: Depth is multiplied by this.
        depth_offset: Added to the scaled depth [m].
        temporal_filter: Share of the frames before in a pixel that has not moved; 0 = off.
        confidence: Compare with the depth of the mirrored image; runs the network twice.
        edge_filter_threshold: A sample of the network's grid that is farther than a neighbour by
            more than this share of the depth makes an edge, which is left out of clouds; 0 = off.
        edge_filter_image: Leave edges out of the depth image too.
    """

    depth_size: str = CAMERA
    color_size: str = SAME_AS_DEPTH
    min_depth: float = 0.0
    max_depth: float = 0.0
    range_policy: str = RangePolicy.REP117.value
    depth_scale: float = 1.0
    depth_offset: float = 0.0
    temporal_filter: float = 0.0
    confidence: bool = False
    edge_filter_threshold: float = 0.1
    edge_filter_image: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: One of them is not accepted.
        """
        check_size('depth_size', self.depth_size)
        check_size('color_size', self.color_size, others=(SAME_AS_DEPTH,))
        if self.range_policy not in list(RangePolicy):
            policies = ', '.join(RangePolicy)
            raise ConfigError(f'range_policy {self.range_policy!r}: must be one of {policies}')
        for name in ('min_depth', 'max_depth', 'edge_filter_threshold'):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ConfigError(f'{name} {value:g}: must be 0 or more')
        if 0.0 < self.max_depth <= self.min_depth:
            raise ConfigError(
                f'min_depth is {self.min_depth:g} m, but it must be below max_depth, '
                f'which is {self.max_depth:g} m'
            )
        if not 0.0 < self.depth_scale < math.inf:
            raise ConfigError(f'depth_scale {self.depth_scale:g}: must be above 0')
        if not math.isfinite(self.depth_offset):
            raise ConfigError(f'depth_offset {self.depth_offset:g}: must be a finite number')
        if not 0.0 <= self.temporal_filter < 1.0:
            raise ConfigError(
                f'temporal_filter {self.temporal_filter:g}: must be from 0 to below 1'
            )

    @property
    def has_limits(self) -> bool:
        """Whether min_depth or max_depth is set."""
        return bool(self.min_depth or self.max_depth)
