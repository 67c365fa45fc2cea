"""Checkpoints and model files behind one interface, for evaluation.

Evaluation wants the protocol's depth, not the robot's: what lies outside the range is clipped to
it (a robot's depth would be invalid there), and depth, not inverse depth, is enlarged, linearly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import torch

from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.image_transform import ImageTransform
from depth_estimation_ros.model_spec import read_model_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import BackendOptions
    from depth_estimation_ros.camera import CameraIntrinsics
    from depth_estimation_ros.training.model import DenseDepthNet

SIZE_MULTIPLE = 32


class DepthPredictor(Protocol):
    """Depth for images of any size.

    Attributes:
        backend: What computes, for the report.
        precision: In which number format.
    """

    backend: str
    precision: str

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """Return (H, W) float32 depth [m], no gaps, for each (H, W, 3) uint8 RGB image.

        Args:
            images: All of one size, from one camera.
            intrinsics: That camera's, None = unknown.
        """

    def close(self) -> None:
        """Free the model."""


class NetworkPredictor:
    """A network in PyTorch."""

    precision = 'fp32'

    def __init__(
        self,
        network: DenseDepthNet,
        *,
        min_depth: float,
        max_depth: float,
        training_fx: float | None = None,
        input_size: tuple[int, int] | None = None,
        device: str = 'cpu',
    ) -> None:
        """Use a network.

        Args:
            network: It is put into evaluation mode.
            min_depth: Nearer depths are cut to it [m].
            max_depth: Depth that is coded as 1; farther ones are cut to it [m].
            training_fx: See ModelSpec; for the width of `input_size`.
            input_size: (height, width) the images are scaled to, multiples of 32; None = as they
                are.
            device: 'cpu', 'cuda', ...
        """
        self.backend = f'torch-{device}'
        self._network = network.eval().to(device)
        self._limits = (min_depth, max_depth)
        self._training_fx = training_fx
        self._input_size = input_size
        self._device = device

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """See DepthPredictor; a raw output below 0 is the nearest depth, as in DenseDepth."""
        transform = self._transform_for(images[0].shape[:2])
        batch_nhwc = np.stack([transform.apply_image(image) for image in images])
        batch_nchw = torch.from_numpy(batch_nhwc).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode():
            raw = self._network(batch_nchw.float() / 255.0)[:, 0].float().cpu().numpy()
        with np.errstate(divide='ignore'):
            depths = np.clip(self._limits[1] / raw, *self._limits)
        factor = focal_factor(transform, intrinsics, self._training_fx)
        return [enlarge(depth, transform) * np.float32(factor) for depth in depths]

    def close(self) -> None:
        """Nothing to free."""

    def _transform_for(self, image_size: tuple[int, ...]) -> ImageTransform:
        height, width = image_size
        size = self._input_size or (height, width)
        if size[0] % SIZE_MULTIPLE or size[1] % SIZE_MULTIPLE:
            raise ConfigError(
                f'images of {height}x{width} (height x width) are no multiples of '
                f'{SIZE_MULTIPLE}: give --height and --width'
            )
        return ImageTransform.letterbox(
            image_size=(height, width),
            network_size=size,
            output_size=(size[0] // 2, size[1] // 2),
        )


class ModelFilePredictor:
    """A model file in a backend.

    Attributes:
        num_pixels: Output pixels seen so far.
        num_pixels_without_depth: How many of them the file said to be invalid. They count as
            max_depth: a network's far pixels end there.
    """

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
        self.num_pixels = 0
        self.num_pixels_without_depth = 0

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
            self.num_pixels += valid.size
            self.num_pixels_without_depth += valid.size - int(valid.sum())
            filled = np.where(valid, depth, np.float32(spec.max_depth))
            depths.append(enlarge(filled, transform) * factor)
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
        depth: (h, w) float32 of the network's output size [m], without gaps.
        transform: How the image was put into the network's input.

    Returns:
        (H, W) float32 [m].
    """
    stride = transform.stride
    top, left = transform.top // stride, transform.left // stride
    height, width = (size // stride for size in transform.content_size)
    content = depth[top : top + height, left : left + width]
    size = (transform.image_size[1], transform.image_size[0])
    enlarged = cv2.resize(content, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(enlarged, dtype=np.float32)
