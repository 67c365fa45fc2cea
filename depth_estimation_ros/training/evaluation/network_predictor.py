"""A checkpoint's network in PyTorch, for evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from depth_estimation_ros.depth.focal_normalization import focal_factor
from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.model_file.model_spec import SIZE_MULTIPLE
from depth_estimation_ros.model_file.network_size import fitting_size
from depth_estimation_ros.training.evaluation.predictors import enlarge
from depth_estimation_ros.training.model.checkpoint import load_network
from depth_estimation_ros.training.model.depth_coding import decode_depth

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.training.model.network import DenseDepthNet


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
        budget: tuple[int, int] | None = None,
        device: str = 'cpu',
    ) -> None:
        """Use a network.

        Args:
            network: It is put into evaluation mode.
            min_depth: Nearer depths are none [m].
            max_depth: Depth that is coded as 1; farther ones are none [m].
            training_fx: See ModelSpec.
            input_size: (height, width) that images are letterboxed to, multiples of 32; None =
                see budget.
            budget: (height, width) whose pixels are spent in the shape of the image, which fills
                them (network_size.fitting_size); None = images stay as they are.
            device: 'cpu', 'cuda', ...
        """
        self.backend = f'torch-{device}'
        self._network = network.eval().to(device)
        self.depth_range = (min_depth, max_depth)
        self._training_fx = training_fx
        self._input_size = input_size
        self._budget = budget
        self._device = device

    def predict(
        self, images: Sequence[NDArray[np.uint8]], intrinsics: CameraIntrinsics | None
    ) -> list[NDArray[np.float32]]:
        """See DepthPredictor."""
        transform = self._transform_for(images[0].shape[:2])
        batch_nhwc = np.stack([transform.apply_image(image) for image in images])
        batch_nchw = torch.from_numpy(batch_nhwc).to(self._device).permute(0, 3, 1, 2)
        nearest, farthest = self.depth_range
        with torch.inference_mode():
            raw = self._network(batch_nchw.float() / 255.0)[:, 0].float()
            depths = decode_depth(raw, farthest, nearest).cpu().numpy()
        factor = focal_factor(transform, intrinsics, self._training_fx)
        return [enlarge(depth, transform) * np.float32(factor) for depth in depths]

    def close(self) -> None:
        """Nothing to free."""

    def _transform_for(self, image_size: tuple[int, ...]) -> ImageTransform:
        height, width = image_size
        auto = None if self._budget is None else fitting_size((height, width), self._budget)
        size = self._input_size or auto or (height, width)
        if size[0] % SIZE_MULTIPLE or size[1] % SIZE_MULTIPLE:
            raise ConfigError(
                f'images of {height}x{width} (height x width) are no multiples of '
                f'{SIZE_MULTIPLE}: give an input size'
            )
        return ImageTransform.by_mode(
            'letterbox' if self._input_size else 'resize',
            image_size=(height, width),
            network_size=size,
            output_size=(size[0] // 2, size[1] // 2),
        )


def open_network(
    path: Path, *, device: str, network_size: tuple[int, int] | None
) -> tuple[NetworkPredictor, tuple[int, int]]:
    """Open a checkpoint; see `open_predictor`.

    Args:
        path: The checkpoint.
        device: Of BackendOptions: all but 'cpu' take a GPU if there is one.
        network_size: (height, width), None = the size of training's pixel budget that fits.

    Raises:
        CheckpointError: It cannot be used.
    """
    network, info = load_network(path)
    predictor = NetworkPredictor(
        network,
        min_depth=info.min_depth,
        max_depth=info.max_depth,
        training_fx=info.training_fx,
        input_size=network_size,
        budget=info.input_size,
        device='cuda' if torch.cuda.is_available() and device != 'cpu' else 'cpu',
    )
    return predictor, network_size or info.input_size
