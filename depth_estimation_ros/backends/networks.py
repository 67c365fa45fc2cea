"""The networks of one model file: one for each input size, loaded when an image first needs it."""

from __future__ import annotations

from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.backends.base import Releasable
from depth_estimation_ros.errors import DepthEstimationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import Backend
    from depth_estimation_ros.depth.image_transform import Size
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['MAX_NETWORKS', 'Network', 'NetworkPool']

_logger = logging.getLogger(__name__)
MAX_NETWORKS = 4  # kept at a time: as many shapes of cameras as one node is likely to have


@dataclass(frozen=True, kw_only=True)
class Network:
    """A model loaded at one size.

    Attributes:
        backend: Runs it.
        spec: Facts of the model file at this size.
        images: (N, H, W, 3) uint8 buffer for its input.
    """

    backend: Backend
    spec: ModelSpec
    images: NDArray[np.uint8]


class NetworkPool:
    """Loads networks and keeps the last used ones. For use by one thread, but for `sizes`.

    Args:
        spec: Facts of the model file.
        open_at: Loads it at the size of the facts given, with the backend named.
        backend: Name for the first network, such as 'auto'; the others take the same as it.
    """

    def __init__(
        self,
        spec: ModelSpec,
        open_at: Callable[[str, ModelSpec], Backend],
        *,
        backend: str = 'auto',
    ) -> None:
        self._spec = spec
        self._open_at = open_at
        self._backend = backend
        self._networks: dict[Size, Network] = {}  # the last used one last
        self._refused: dict[Size, DepthEstimationError] = {}
        self._on_trial: Size | None = None

    @property
    def sizes(self) -> tuple[Size, ...]:
        """(height, width) of the networks loaded [px], the last used one last."""
        return tuple(self._networks)

    @property
    def newest(self) -> Network | None:
        """The network used last, None before the first."""
        networks = tuple(self._networks.values())
        return networks[-1] if networks else None

    def try_out(self, size: Size) -> Network:
        """Load a network before any image needs it, to learn whether it can be.

        It makes room for the first other one, if no image came for it meanwhile.

        Raises:
            DepthEstimationError: See `get`.
        """
        network = self.get(size)
        self._on_trial = size
        return network

    def get(self, size: Size) -> Network:
        """Return the network of a size; the first time it is loaded.

        Args:
            size: (height, width) of the input [px].

        Raises:
            ModelFileError: The graph is not what the facts say.
            BackendError: The backend cannot run it at this size; it is not tried again.
            ConfigError: The file cannot have this size.
        """
        network = self._networks.pop(size, None) or self._load(size)
        self._networks[size] = network
        if self._on_trial == size:
            self._on_trial = None
        return network

    def release(self) -> None:
        """Free device memory that is not needed until the next image."""
        for network in self._networks.values():
            if isinstance(network.backend, Releasable):
                network.backend.release()

    def close(self) -> None:
        """Free all networks."""
        for size in self.sizes:
            self._drop(size)

    def _load(self, size: Size) -> Network:
        if size in self._refused:  # an engine would be built for minutes, only to fail again
            raise self._refused[size].with_traceback(None)
        spec = self._spec.resized(size)
        self._make_room()
        try:
            backend = self._open_at(self._backend, spec)
        except DepthEstimationError as err:
            self._refused[size] = err
            raise
        self._backend = str(backend.name)
        return Network(
            backend=backend, spec=spec, images=np.zeros(spec.input_shape, dtype=np.uint8)
        )

    def _make_room(self) -> None:
        if self._on_trial is not None:
            self._drop(self._on_trial)
            self._on_trial = None
        while len(self._networks) >= MAX_NETWORKS:
            _logger.warning(
                'images need more than %d sizes of the network: the one for %dx%d is let go and '
                'would have to be loaded again; set network_size to have one for all',
                MAX_NETWORKS,
                *self.sizes[0],
            )
            self._drop(self.sizes[0])

    def _drop(self, size: Size) -> None:
        self._networks.pop(size).backend.close()
