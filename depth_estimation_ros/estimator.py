"""DepthEstimator: camera image in, metric depth out.

Example:
    with DepthEstimator.from_file('model.onnx') as estimator:
        prediction = estimator.estimate(rgb_hwc)
    prediction.depth  # (H, W) float32 [m], NaN = invalid
"""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.backends.base import BackendOptions, Releasable
from depth_estimation_ros.backends.selection import open_backend
from depth_estimation_ros.depth.depth_image import edge_mask
from depth_estimation_ros.depth.image_transform import ImageTransform
from depth_estimation_ros.depth.prediction import DepthPrediction, StageTimings
from depth_estimation_ros.errors import ConfigError, ImageError
from depth_estimation_ros.model_file.default_model import default_model_path
from depth_estimation_ros.model_file.model_spec import ModelSpec, read_model_spec

if TYPE_CHECKING:
    from collections.abc import Sequence
    import os

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import Backend, BackendName
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics

__all__ = ['DepthEstimator', 'DepthPrediction', 'StageTimings', 'default_model_path']


class DepthEstimator:
    """Runs a model file on camera images of any size.

    One call at a time: the buffers inside are reused. Predictions are the caller's to keep.

    Attributes:
        spec: Facts of the model file.
        edge_filter_threshold: Depth samples that differ from a neighbour by more than this share
            of the nearer one become invalid (flying pixels); 0 = off. Works at the network's
            resolution, where an edge is one step and not a ramp. May be changed between calls.
    """

    def __init__(
        self,
        backend: Backend,
        spec: ModelSpec,
        *,
        resize_mode: str = 'letterbox',
        focal_normalization: bool = True,
        edge_filter_threshold: float = 0.0,
    ) -> None:
        """Use a loaded backend; most callers want `from_file`.

        Args:
            backend: A loaded model; closed with the estimator.
            spec: Its facts.
            resize_mode: 'letterbox' keeps the aspect and pads, 'resize' stretches.
            focal_normalization: Scale depth by the ratio of the camera's focal length to the
                training camera's, when both are known.
            edge_filter_threshold: See the attribute.

        Raises:
            ConfigError: A setting has a value that is not accepted.
        """
        if not 0.0 <= edge_filter_threshold < math.inf:
            raise ConfigError(f'edge_filter_threshold {edge_filter_threshold}: must be 0 or more')
        self.spec = spec
        self.edge_filter_threshold = edge_filter_threshold
        self._backend = backend
        self._resize_mode = resize_mode
        self._focal_normalization = focal_normalization
        self._input = np.zeros(spec.input_shape, dtype=np.uint8)
        self._transform_for(spec.input_size)  # refuses an unknown resize_mode now

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        backend: str = 'auto',
        *,
        resize_mode: str = 'letterbox',
        focal_normalization: bool = True,
        edge_filter_threshold: float = 0.0,
        self_check: bool = True,
        num_threads: int | None = None,
        options: BackendOptions | None = None,
    ) -> DepthEstimator:
        """Load a model file.

        Args:
            path: A model file written by `depth-estimation export`.
            backend: 'auto', 'tensorrt', 'onnxruntime-cuda', 'openvino' or 'onnxruntime'. A named
                one is used or the call fails; 'auto' takes the first that works, in this order.
            resize_mode: 'letterbox' keeps the aspect and pads, 'resize' stretches.
            focal_normalization: See __init__.
            edge_filter_threshold: See the class.
            self_check: Run the model's probe once and refuse wrong numbers.
            num_threads: Short for options.num_threads, settings of the backends.
            options: All of them.

        Raises:
            ModelFileError: The file is missing, damaged or foreign.
            BackendError: The backend cannot run here or gives wrong numbers.
            ConfigError: A setting has a value that is not accepted.
        """
        options = options or BackendOptions()
        if num_threads is not None:
            options = replace(options, num_threads=num_threads)
        spec = read_model_spec(path)
        return cls(
            open_backend(backend, Path(path), spec, options=options, check_numbers=self_check),
            spec,
            resize_mode=resize_mode,
            focal_normalization=focal_normalization,
            edge_filter_threshold=edge_filter_threshold,
        )

    @property
    def backend_name(self) -> BackendName:
        """The backend in use."""
        return self._backend.name

    @property
    def backend_description(self) -> str:
        """Backend, device and precision, for people."""
        return self._backend.description

    def estimate(
        self, rgb_hwc: NDArray[np.uint8], intrinsics: CameraIntrinsics | None = None
    ) -> DepthPrediction:
        """Predict the depth of one image.

        A model made for several images runs with the other places left as they were.

        Args:
            rgb_hwc: (H, W, 3) uint8 RGB, any size, may be a strided view; not changed.
            intrinsics: The camera's, for this image size; None or uncalibrated = unknown.

        Raises:
            ImageError: The image is not (H, W, 3) uint8 or the intrinsics are of another size.
            BackendError: The backend failed.
        """
        return self.estimate_batch([rgb_hwc], [intrinsics])[0]

    def estimate_batch(
        self,
        images: Sequence[NDArray[np.uint8]],
        intrinsics: Sequence[CameraIntrinsics | None] | None = None,
    ) -> list[DepthPrediction]:
        """Predict the depth of up to spec.batch_size images (of any sizes) in one run.

        Args:
            images: Each (H, W, 3) uint8 RGB.
            intrinsics: One entry an image, None = all unknown.

        Raises:
            ImageError: See `estimate`; or there are more images than the model takes.
            BackendError: The backend failed.
        """
        started = time.perf_counter()
        cameras = [None] * len(images) if intrinsics is None else list(intrinsics)
        self._check_count(len(images), len(cameras))
        transforms = [self._preprocess(index, image) for index, image in enumerate(images)]
        factors = [self._focal_factor(*pair) for pair in zip(transforms, cameras, strict=True)]
        prepared = time.perf_counter()
        raw = self._backend.infer(self._input)
        inferred = time.perf_counter()
        depths = [
            transform.restore_depth(self._valid_depth(raw[index], factors[index]))
            for index, transform in enumerate(transforms)
        ]
        timings = StageTimings(
            preprocess_ms=1e3 * (prepared - started),
            inference_ms=1e3 * (inferred - prepared),
            postprocess_ms=1e3 * (time.perf_counter() - inferred),
        )
        return [DepthPrediction(depth=depth, timings=timings) for depth in depths]

    def release(self) -> None:
        """Free device memory that is not needed until the next image."""
        if isinstance(self._backend, Releasable):
            self._backend.release()

    def close(self) -> None:
        """Free the model; the estimator is of no use afterwards."""
        self._backend.close()

    def __enter__(self) -> DepthEstimator:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _check_count(self, num_images: int, num_cameras: int) -> None:
        if not 1 <= num_images <= self.spec.batch_size:
            raise ImageError(
                f'{num_images} images for a model that takes {self.spec.batch_size} at once; '
                f'export it with --batch {num_images}'
            )
        if num_cameras != num_images:
            raise ImageError(f'{num_cameras} intrinsics for {num_images} images')

    def _transform_for(self, image_size: tuple[int, int]) -> ImageTransform:
        return ImageTransform.by_mode(
            self._resize_mode,
            image_size=image_size,
            network_size=self.spec.input_size,
            output_size=self.spec.output_size,
        )

    def _preprocess(self, index: int, rgb_hwc: NDArray[np.uint8]) -> ImageTransform:
        """Check an image and put it at its place of the input."""
        shape, dtype = np.shape(rgb_hwc), getattr(rgb_hwc, 'dtype', type(rgb_hwc).__name__)
        if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8 or 0 in shape:
            raise ImageError(
                f'image of shape {shape} and type {dtype}: '
                'must be (height, width, 3) uint8 RGB with at least one pixel'
            )
        transform = self._transform_for((shape[0], shape[1]))
        transform.apply_image(rgb_hwc, out=self._input[index])
        return transform

    def _focal_factor(
        self, transform: ImageTransform, intrinsics: CameraIntrinsics | None
    ) -> float:
        """True depth / depth for the training camera."""
        if intrinsics is None or not intrinsics.is_calibrated:
            return 1.0
        seen = transform.apply_intrinsics(intrinsics)
        if self.spec.training_fx is None or not self._focal_normalization:
            return 1.0
        return seen.fx / self.spec.training_fx

    def _valid_depth(self, raw: NDArray[np.float32], focal_factor: float) -> NDArray[np.float32]:
        """Depth outside the range that the model was trained for is no measurement: NaN."""
        inside = (raw >= self.spec.min_depth) & (raw <= self.spec.max_depth)
        scaled = raw * np.float32(focal_factor)
        depth: NDArray[np.float32] = np.where(inside, scaled, np.float32(np.nan))
        if self.edge_filter_threshold > 0.0:
            depth[edge_mask(depth, self.edge_filter_threshold)] = np.nan
        return depth
