"""depth-estimation predict: depth of images, folders and videos as files."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import (
    add_model_arguments,
    open_estimator,
    positive_int,
)
from depth_estimation_ros.cli.options.camera import NamedCamera, add_camera_arguments
from depth_estimation_ros.cli.options.depth import add_depth_arguments, depth_settings

if TYPE_CHECKING:
    import argparse

    from tqdm import tqdm

    from depth_estimation_ros.depth.finished_depth import FinishedDepth
    from depth_estimation_ros.depth.settings import DepthSettings
    from depth_estimation_ros.estimator import DepthEstimator
    from depth_estimation_ros.files.image import Frame
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'write the depth of images, folders and videos: 16-bit and coloured PNG, .npy, .ply'
_logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'inputs', type=Path, nargs='+', metavar='INPUT', help='image, video or folder of them'
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('depth_output'),
        metavar='DIR',
        help='folder for NAME_depth.png (uint16 millimetres, 0 = invalid) and NAME_color.png '
        '(%(default)s)',
    )
    parser.add_argument(
        '--npy', action='store_true', help='also NAME_depth.npy: float32 metres, NaN = invalid'
    )
    parser.add_argument(
        '--ply', action='store_true', help='also NAME_cloud.ply: coloured points; needs a camera'
    )
    parser.add_argument(
        '--frame-step', type=positive_int, default=1, metavar='N', help='every Nth video frame'
    )
    parser.add_argument(
        '--max-image-pixels',
        type=positive_int,
        default=2**26,
        metavar='N',
        help='refuse images and videos whose header claims more pixels (%(default)s)',
    )
    add_depth_arguments(parser)
    add_camera_arguments(parser)
    add_model_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Predict every input; a bad one is reported and the others are still done.

    Raises:
        DepthEstimationError: The model, the camera or a folder cannot be used.
    """
    from tqdm import tqdm

    from depth_estimation_ros.files.image import count_frames, expand_folders

    settings = depth_settings(args)
    camera = NamedCamera.from_arguments(args)
    if args.ply and not camera.is_known:
        args.usage_error('--ply needs a camera: --hfov DEG, --fx PX or --camera-info YAML')
    if args.output.resolve() in [path.resolve() for path in args.inputs]:
        args.usage_error(f'--output {args.output}: results would mix with the input there')
    files = expand_folders(args.inputs)
    with open_estimator(args) as estimator:
        _logger.info(camera.describe(estimator.spec))
        writer = _Writer(estimator, camera, settings, args)
        total = sum(count_frames(path, frame_step=args.frame_step) for path in files)
        with tqdm(total=total, unit='image', disable=None) as progress:
            for path in files:
                writer.predict_file(path, progress)
    _logger.info('%d images done, %d files failed: %s', *writer.counts, args.output)
    return 1 if writer.counts[1] else 0


class _Writer:
    """Predicts frames and writes their files."""

    def __init__(
        self,
        estimator: DepthEstimator,
        camera: NamedCamera,
        settings: DepthSettings,
        args: argparse.Namespace,
    ) -> None:
        from depth_estimation_ros.depth.point_cloud import PointCloudBuilder
        from depth_estimation_ros.pipeline import DepthPipeline

        self.counts = (0, 0)  # images written, files that failed
        self._camera, self._settings, self._args = camera, settings, args
        self._pipeline = DepthPipeline(estimator)
        self._color_limits = _color_limits(args, estimator.spec)
        self._cloud_builder = PointCloudBuilder()
        self._names: set[str] = set()

    def predict_file(self, path: Path, progress: tqdm[None]) -> None:
        """Write the depth of a file's frames; report it when it cannot be read."""
        from depth_estimation_ros.cli.main import print_error
        from depth_estimation_ros.errors import ImageError
        from depth_estimation_ros.files.image import read_frames
        from depth_estimation_ros.files.reading import printable

        written, failed = self.counts
        try:
            frames = read_frames(
                path,
                frame_step=self._args.frame_step,
                max_pixels=self._args.max_image_pixels,
            )
            for frame in frames:
                depth = self._predict(frame, path)
                self._write(depth, self._unused_name(frame.name, path))
                written += 1
                progress.update()
        except ImageError as err:
            failed += 1
            progress.clear()
            print_error(str(err) if printable(path) in str(err) else f'{printable(path)}: {err}')
        self._pipeline.forget(str(path))
        self.counts = (written, failed)

    def _predict(self, frame: Frame, path: Path) -> FinishedDepth:
        """Finish the depth of a frame; those of one file follow each other."""
        from depth_estimation_ros.pipeline import DepthRequest

        height, width, _ = frame.rgb_hwc.shape
        request = DepthRequest(
            rgb_hwc=frame.rgb_hwc,
            camera=str(path),
            intrinsics=self._camera.intrinsics_for(height=height, width=width),
            rectifier=self._camera.rectifier_for(height=height, width=width),
        )
        self._pipeline.check(request, self._settings)
        return self._pipeline.run([request], self._settings)[0]

    def _write(self, depth: FinishedDepth, name: str) -> None:
        import numpy as np

        from depth_estimation_ros.depth.depth_image import to_16uc1
        from depth_estimation_ros.files.atomic import atomic_write_array
        from depth_estimation_ros.files.image import write_png
        from depth_estimation_ros.files.ply import write_ply

        nearest, farthest = self._color_limits
        folder = self._args.output
        write_png(folder / f'{name}_depth.png', to_16uc1(depth.image))
        write_png(
            folder / f'{name}_color.png', depth.painted(min_depth=nearest, max_depth=farthest)
        )
        if depth.confidence is not None:
            levels = np.rint(255.0 * depth.confidence).astype(np.uint8)
            write_png(folder / f'{name}_confidence.png', levels)
        if self._args.npy:
            atomic_write_array(folder / f'{name}_depth.npy', depth.image)
        if self._args.ply and depth.intrinsics is not None:
            everything = (slice(None), slice(None))
            points = self._cloud_builder.build(
                depth.sampled(*everything), depth.intrinsics, depth.colors(*everything)
            )
            write_ply(folder / f'{name}_cloud.ply', points)

    def _unused_name(self, name: str, path: Path) -> str:
        """Keep photo.jpg and photo.png, or two folders with the same names, apart."""
        unused, number = name, 1
        while unused in self._names:
            number += 1
            unused = f'{name}_{path.suffix[1:]}' if number == 2 else f'{name}_{number}'
        self._names.add(unused)
        return unused


def _color_limits(args: argparse.Namespace, spec: ModelSpec) -> tuple[float, float]:
    """The colour limits [m]; says what the 16-bit PNG cannot hold."""
    from depth_estimation_ros.depth.depth_image import MAX_16UC1_DEPTH

    if spec.max_depth > MAX_16UC1_DEPTH:
        _logger.warning(
            'depth above %g m is 0 in 16-bit millimetres; --npy keeps it', MAX_16UC1_DEPTH
        )
    nearest = spec.min_depth if args.min_depth is None else args.min_depth
    farthest = spec.max_depth if args.max_depth is None else args.max_depth
    if not nearest < farthest:
        args.usage_error(f'--min-depth {nearest:g} is not below --max-depth {farthest:g}')
    return nearest, farthest
