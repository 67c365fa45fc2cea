"""Checkpoints and model files behind one interface, for evaluation.

Evaluation wants the protocol's depth, not the robot's: depth, not inverse depth, is enlarged,
linearly. What lies outside the range is no depth, for both. Model files need no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from depth_estimation_ros.backends.networks import NetworkPool
from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.depth.focal_normalization import focal_factor
from depth_estimation_ros.model_file.model_spec import read_model_spec
from depth_estimation_ros.model_file.network_size import ImageFitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.depth.image_transform import ImageTransform

MIN_VALID_SHARE: Final = 0.5  # an enlarged pixel has depth if this much of its neighbours does


class DepthPredictor(Protocol):
    """Depth for images of any size.

    Attributes:
        backend: What computes, for the report.
        precision: In which number format.
        depth_range: Nearest and farthest depth that it can give [m], for its own camera.
    """

    backend: str
    precision: str
    depth_range: tuple[float, float]

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """Return (H, W) float32 depth [m], NaN = none, for each (H, W, 3) uint8 RGB image.

        Args:
            images: All of one size, from one camera.
            intrinsics: That camera's, None = unknown.
        """

    def close(self) -> None:
        """Free the model."""


class ModelFilePredictor:
    """A model file in a backend."""

    def __init__(
        self,
        path: str | Path,
        *,
        backend: str,
        options: BackendOptions,
        network_size: tuple[int, int] | None = None,
    ) -> None:
        """Load a file.

        Args:
            path: A model file.
            backend: 'auto' or a BackendName.
            options: Settings of the backends.
            network_size: (height, width) of the network's input [px], None = auto.

        Raises:
            ModelFileError: The file is missing, damaged or foreign.
            BackendError: The backend cannot run here or gives wrong numbers.
            ConfigError: The file has another size, which is fixed.
        """
        self.spec = read_model_spec(path)
        self._fitter = ImageFitter(spec=self.spec, network_size=network_size)
        self._networks = NetworkPool(
            self.spec,
            lambda name, spec: open_backend(name, Path(path), spec, options=options),
            backend=backend,
        )
        first = self._networks.try_out(self._fitter.fixed_size or self.spec.input_size)
        self.backend = str(first.backend.name)
        self.precision = str(self.spec.precision)
        self.depth_range = (self.spec.min_depth, self.spec.max_depth)

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """See DepthPredictor."""
        spec = self.spec
        height, width = images[0].shape[:2]
        transform = self._fitter.transform_for((height, width))
        network = self._networks.get(transform.network_size)
        factor = np.float32(focal_factor(transform, intrinsics, spec.training_fx))
        depths = []
        for image in images:
            transform.apply_image(image, out=network.images[0])
            depth = network.backend.infer(network.images)[0]
            valid = (depth >= spec.min_depth) & (depth <= spec.max_depth)
            depths.append(enlarge(np.where(valid, depth, np.float32(0.0)), transform) * factor)
        return depths

    def close(self) -> None:
        """Free the model."""
        self._networks.close()


def enlarge(depth: NDArray[np.float32], transform: ImageTransform) -> NDArray[np.float32]:
    """Cut a network's padding off and enlarge depth linearly to the image's size.

    Args:
        depth: (h, w) float32 of the network's output size [m], 0 = invalid.
        transform: How the image was put into the network's input.

    Returns:
        (H, W) float32 [m]: the mean of the neighbours that have depth, weighted by how near they
        are; NaN where those without have more than half the weight.
    """
    stride = transform.stride
    top, left = transform.top // stride, transform.left // stride
    height, width = (size // stride for size in transform.content_size)
    content = depth[top : top + height, left : left + width]
    valid = content > 0.0
    enlarged = _resize(content, transform.image_size)
    if valid.all():
        return enlarged
    share = _resize(valid.astype(np.float32), transform.image_size)
    result = np.full_like(enlarged, np.nan)
    return np.divide(enlarged, share, out=result, where=share >= MIN_VALID_SHARE)


def _resize(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Resize (h, w) to (height, width), linearly."""
    resized = cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)
