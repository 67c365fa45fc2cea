"""Checkpoints and model files behind one interface, for evaluation.

Evaluation wants the protocol's depth, not the robot's: depth, not inverse depth, is enlarged,
linearly. What lies outside the range is no depth, for both. Model files need no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.model_file.model_spec import read_model_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

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

    def __init__(self, path: str | Path, *, backend: str, options: BackendOptions) -> None:
        """Load a file.

        Args:
            path: A model file.
            backend: 'auto' or a BackendName.
            options: Settings of the backends.

        Raises:
            ModelFileError: The file is missing, damaged or foreign.
            BackendError: The backend cannot run here or gives wrong numbers.
        """
        self.spec = read_model_spec(path)
        self._backend = open_backend(backend, Path(path), self.spec, options=options)
        self._input = np.zeros(self.spec.input_shape, dtype=np.uint8)
        self.backend = str(self._backend.name)
        self.precision = str(self.spec.precision)
        self.depth_range = (self.spec.min_depth, self.spec.max_depth)

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """See DepthPredictor."""
        spec = self.spec
        height, width = images[0].shape[:2]
        transform = ImageTransform.letterbox(
            image_size=(height, width),
            network_size=spec.input_size,
            output_size=spec.output_size,
        )
        factor = np.float32(focal_factor(transform, intrinsics, spec.training_fx))
        depths = []
        for image in images:
            transform.apply_image(image, out=self._input[0])
            depth = self._backend.infer(self._input)[0]
            valid = (depth >= spec.min_depth) & (depth <= spec.max_depth)
            depths.append(enlarge(np.where(valid, depth, np.float32(0.0)), transform) * factor)
        return depths

    def close(self) -> None:
        """Free the model."""
        self._backend.close()


def focal_factor(
    transform: ImageTransform, intrinsics: CameraIntrinsics | None, training_fx: float | None
) -> float:
    """Return true depth / depth for the camera of training; 1 where one of them is unknown."""
    if training_fx is None or intrinsics is None or not intrinsics.is_calibrated:
        return 1.0
    return transform.apply_intrinsics(intrinsics).fx / training_fx


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
