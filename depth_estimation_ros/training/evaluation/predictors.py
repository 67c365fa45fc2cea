"""Checkpoints and model files behind one interface, for evaluation.

Evaluation wants the protocol's depth, not the robot's: what lies outside the range is clipped to
it (a robot's depth would be invalid there), and depth, not inverse depth, is enlarged, linearly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np
import torch

from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.training.model.network import DenseDepthNet

SIZE_MULTIPLE: Final = 32


class DepthPredictor(Protocol):
    """Depth for images of any size.

    Attributes:
        backend: What computes, for the report.
        precision: In which number format.
        fraction_without_depth: Share of the output pixels so far that the model said to be
            invalid, 0..1; they count as the farthest depth.
    """

    backend: str
    precision: str

    @property
    def fraction_without_depth(self) -> float:
        """See the class."""

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
    fraction_without_depth = 0.0

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
