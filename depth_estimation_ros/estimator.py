"""DepthEstimator: camera image in, metric depth out.

Example:
    with DepthEstimator.from_file('model.onnx') as estimator:
        prediction = estimator.estimate(rgb_hwc)
    prediction.depth  # (H, W) float32 [m], NaN = invalid
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import logging
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np

from depth_estimation_ros.backends.base import BackendName, BackendOptions
from depth_estimation_ros.backends.networks import NetworkPool
from depth_estimation_ros.backends.selection import open_backend, waits_for_size
from depth_estimation_ros.depth.depth_grid import DepthGrid
from depth_estimation_ros.depth.focal_normalization import focal_factor
from depth_estimation_ros.depth.prediction import DepthPrediction, GridPrediction, StageTimings
from depth_estimation_ros.errors import ImageError
from depth_estimation_ros.model_file.default_model import default_model_path
from depth_estimation_ros.model_file.model_spec import ModelSpec, read_model_spec
from depth_estimation_ros.model_file.network_size import AUTO, ImageFitter, parse_network_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    import os

    from numpy.typing import NDArray

    from depth_estimation_ros.backends.base import Backend
    from depth_estimation_ros.backends.networks import Network
    from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
    from depth_estimation_ros.depth.image_transform import ImageTransform, Size

__all__ = ['DepthEstimator', 'DepthPrediction', 'StageTimings', 'default_model_path']

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    """An image of a batch and what is to be done with it."""

    index: int
    image: NDArray[np.uint8]
    transform: ImageTransform
    focal_factor: float


class DepthEstimator:
    """Runs a model file on camera images of any size.

    One call at a time: the buffers inside are reused. Predictions are the caller's to keep.

    Attributes:
        spec: Facts of the model file.
    """

    def __init__(
        self,
        networks: NetworkPool,
        fitter: ImageFitter,
        *,
        focal_normalization: bool = True,
    ) -> None:
        """Use networks; most callers want `from_file`.

        Args:
            networks: Of the model, loaded or not; closed with the estimator.
            fitter: Decides which of them an image goes to, and how.
            focal_normalization: Scale depth by the ratio of the camera's focal length to the
                training camera's, when both are known.
        """
        self.spec = fitter.spec
        self._networks = networks
        self._fitter = fitter
        self._focal_normalization = focal_normalization

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        backend: str = 'auto',
        *,
        network_size: str = AUTO,
        resize_mode: str = 'letterbox',
        focal_normalization: bool = True,
        self_check: bool = True,
        num_threads: int | None = None,
        options: BackendOptions | None = None,
    ) -> DepthEstimator:
        """Load a model file.

        Args:
            path: A model file written by `depth-estimation export`.
            backend: 'auto', 'tensorrt', 'onnxruntime-cuda', 'openvino' or 'onnxruntime'. A named
                one is used or the call fails; 'auto' takes the first that works, in this order.
            network_size: 'auto' or HEIGHTxWIDTH [px]. If the file's height and width are free,
                auto takes the size of the file's pixel budget that fits each image's shape
                (network_size.fitting_size), and the image fills it; tensorrt then waits for the
                first image before it builds an engine. A file of one size has that.
            resize_mode: For a size that is given or fixed: 'letterbox' keeps the aspect and
                pads, 'resize' stretches.
            focal_normalization: See __init__.
            self_check: Run the model's probe for each size once and refuse wrong numbers.
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
        fitter = ImageFitter(
            spec=spec, network_size=parse_network_size(network_size), resize_mode=resize_mode
        )
        networks = _open_networks(Path(path), fitter, backend, options, self_check=self_check)
        return cls(networks, fitter, focal_normalization=focal_normalization)

    @property
    def backend_name(self) -> BackendName:
        """The backend in use, or that will be once an image has told the size."""
        newest = self._networks.newest
        return newest.backend.name if newest else BackendName.TENSORRT

    @property
    def backend_description(self) -> str:
        """Backend, device and precision, for people."""
        newest = self._networks.newest
        if newest is None:
            return f'{BackendName.TENSORRT}, whose engine waits for the size of the first image'
        return newest.backend.description

    @property
    def network_sizes(self) -> tuple[Size, ...]:
        """(height, width) [px] of the networks that are loaded, the last used one last."""
        return self._networks.sizes

    def transform_for(self, image_size: Size) -> ImageTransform:
        """How an image of this size (height, width) [px] gets into the network.

        Raises:
            ImageError: It has no pixels.
        """
        return self._fitter.transform_for(image_size)

    def reduction_for(self, image_size: Size) -> int:
        """By what factor an image may be made smaller on its way here, see ImageFitter.

        Raises:
            ImageError: It has no pixels.
        """
        return self._fitter.reduction_for(image_size)

    def prepare(self, image_size: Size) -> None:
        """Load the network for images of this size (height, width) [px], if it is not yet.

        Raises:
            BackendError: It cannot be loaded, or gives wrong numbers.
        """
        self._networks.get(self._fitter.size_for(image_size))

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
        """Predict the depth of up to spec.batch_size images of any sizes.

        Args:
            images: Each (H, W, 3) uint8 RGB.
            intrinsics: One entry an image, None = all unknown.

        Raises:
            ImageError: See `estimate`; or there are more images than the model takes.
            BackendError: The backend failed.
        """
        predictions = self.estimate_grids(images, intrinsics)
        started = time.perf_counter()
        depths = [
            prediction.grid.enlarged((image.shape[0], image.shape[1]))
            for prediction, image in zip(predictions, images, strict=True)
        ]
        enlarging_ms = 1e3 * (time.perf_counter() - started)
        timings = predictions[0].timings
        timings = replace(timings, postprocess_ms=timings.postprocess_ms + enlarging_ms)
        return [DepthPrediction(depth=depth, timings=timings) for depth in depths]

    def estimate_grids(
        self,
        images: Sequence[NDArray[np.uint8]],
        intrinsics: Sequence[CameraIntrinsics | None] | None = None,
        *,
        image_sizes: Sequence[Size] | None = None,
    ) -> list[GridPrediction]:
        """Predict as `estimate_batch`, but leave the depth on the network's own grid.

        The images take one run of the network, or, if their shapes need networks of several
        sizes, one each of these. A network is loaded when the first image needs it, which is not
        part of the timings.

        Args:
            images: Each (H, W, 3) uint8 RGB.
            intrinsics: One entry an image, for its size in image_sizes; None = all unknown.
            image_sizes: (height, width) [px] that each image had before it was made smaller for
                the network, see `reduction_for`; None = that of the arrays.

        Raises:
            ImageError: See `estimate_batch`.
            BackendError: The backend failed.
        """
        cameras = [None] * len(images) if intrinsics is None else list(intrinsics)
        self._check_count(len(images), len(cameras))
        sizes = [np.shape(image)[:2] for image in images] if image_sizes is None else image_sizes
        groups: dict[Size, list[_Job]] = {}
        for index, (image, camera, size) in enumerate(zip(images, cameras, sizes, strict=True)):
            job = self._plan(index, image, camera, size)
            groups.setdefault(job.transform.network_size, []).append(job)
        grids: dict[int, DepthGrid] = {}
        timings = StageTimings(preprocess_ms=0.0, inference_ms=0.0, postprocess_ms=0.0)
        for size, jobs in groups.items():
            network = self._networks.get(size)
            found, spent = self._run(network, jobs)
            grids.update(found)
            timings += spent
        return [GridPrediction(grid=grids[index], timings=timings) for index in range(len(images))]

    def release(self) -> None:
        """Free device memory that is not needed until the next image."""
        self._networks.release()

    def close(self) -> None:
        """Free the model; the estimator is of no use afterwards."""
        self._networks.close()

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

    def _plan(
        self,
        index: int,
        rgb_hwc: NDArray[np.uint8],
        intrinsics: CameraIntrinsics | None,
        image_size: Size,
    ) -> _Job:
        """Check an image and decide how it gets into which network."""
        shape, dtype = np.shape(rgb_hwc), getattr(rgb_hwc, 'dtype', type(rgb_hwc).__name__)
        if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8 or 0 in shape:
            raise ImageError(
                f'image of shape {shape} and type {dtype}: '
                'must be (height, width, 3) uint8 RGB with at least one pixel'
            )
        transform = self.transform_for(image_size)
        training_fx = self.spec.training_fx if self._focal_normalization else None
        factor = focal_factor(transform, intrinsics, training_fx)
        return _Job(index=index, image=rgb_hwc, transform=transform, focal_factor=factor)

    def _run(
        self, network: Network, jobs: Sequence[_Job]
    ) -> tuple[dict[int, DepthGrid], StageTimings]:
        """Run one network once; return depth by the image's index, and what it took."""
        started = time.perf_counter()
        for place, job in enumerate(jobs):
            job.transform.apply_image(job.image, out=network.images[place])
        prepared = time.perf_counter()
        raw = network.backend.infer(network.images)
        inferred = time.perf_counter()
        grids = {
            job.index: self._grid(job.transform.content_of(raw[place]), job.focal_factor)
            for place, job in enumerate(jobs)
        }
        return grids, StageTimings(
            preprocess_ms=1e3 * (prepared - started),
            inference_ms=1e3 * (inferred - prepared),
            postprocess_ms=1e3 * (time.perf_counter() - inferred),
        )

    def _grid(self, raw: NDArray[np.float32], focal_factor: float) -> DepthGrid:
        """Depth outside the range that the model was trained for is no measurement: NaN."""
        inside = (raw >= self.spec.min_depth) & (raw <= self.spec.max_depth)
        scaled = raw * np.float32(focal_factor)
        return DepthGrid(samples=np.where(inside, scaled, np.float32(np.nan)))


def _open_networks(
    path: Path, fitter: ImageFitter, backend: str, options: BackendOptions, *, self_check: bool
) -> NetworkPool:
    """Load the network whose size is known, or try one out, or wait for the first image."""

    def open_at(name: str, spec: ModelSpec) -> Backend:
        return open_backend(name, path, spec, options=options, check_numbers=self_check)

    networks = NetworkPool(fitter.spec, open_at, backend=backend)
    if fitter.fixed_size is not None:
        networks.get(fitter.fixed_size)
    elif not waits_for_size(backend, fitter.spec, options=options):
        networks.try_out(fitter.spec.input_size)
    else:
        _logger.info('%s: the engine waits for the size of the first image', path.name)
    return networks
