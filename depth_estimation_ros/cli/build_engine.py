"""depth-estimation build-engine: build the TensorRT engine of a model before it is needed."""

from __future__ import annotations

from contextlib import contextmanager
import logging
import sys
import threading
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import add_network_size, width_x_height
from depth_estimation_ros.cli.options.backend import (
    TENSORRT_OPTIONS,
    add_tensorrt_options,
    option_values,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'build the TensorRT engine of a model for the GPU of this machine, and check it'

_logger = logging.getLogger(__name__)
_REDRAW_SEC = 0.2
_LINE_SEC = 10.0  # between two lines where no bar can be drawn


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'model', nargs='?', metavar='MODEL', help='model file (the one that comes along)'
    )
    parser.add_argument(
        '--image-size',
        type=width_x_height,
        metavar='WxH',
        help='of the camera, as 1280x720: build for the size that auto takes for it '
        "(default: the model's own size)",
    )
    add_network_size(parser)
    parser.add_argument(
        '--rebuild', action='store_true', help='build it even if there is one that fits'
    )
    add_tensorrt_options(parser)


def run(args: argparse.Namespace) -> int:
    """Build the engine, or find it, and run the model's self-check on it.

    Raises:
        BackendError: It cannot be built or kept, or gives wrong numbers.
        ConfigError: A setting is not accepted.
        ModelFileError: The model file is missing, damaged or foreign.
    """
    from depth_estimation_ros.backends.base import BackendName, BackendOptions, unavailable_reason
    from depth_estimation_ros.backends.selection import self_check
    from depth_estimation_ros.backends.tensorrt import backend as tensorrt_backend
    from depth_estimation_ros.backends.tensorrt.build_progress import BuildProgress
    from depth_estimation_ros.errors import BackendError
    from depth_estimation_ros.model_file.default_model import find_model
    from depth_estimation_ros.model_file.model_spec import read_model_spec
    from depth_estimation_ros.model_file.network_size import (
        ImageFitter,
        parse_network_size,
        size_text,
    )

    progress = BuildProgress()
    options = BackendOptions(
        rebuild_engine=args.rebuild, progress=progress, **option_values(args, *TENSORRT_OPTIONS)
    )
    path = find_model(args.model, backend='tensorrt')
    network_size = parse_network_size(args.network_size)
    fitter = ImageFitter(spec=read_model_spec(path), network_size=network_size)
    spec = fitter.spec.resized(fitter.size_for(args.image_size or fitter.spec.input_size))
    reason = unavailable_reason(BackendName.TENSORRT, spec, options=options)
    if reason is not None:
        raise BackendError(f'no engine can be built here: {reason}')
    with _shown(progress):
        backend = tensorrt_backend.load(path, spec, options)
    try:
        is_probed = spec.input_size in spec.probes
        error = f'{self_check(backend, spec):.1e}' if is_probed else 'no probe for this size'
    finally:
        backend.close()
    if backend.engine_path is None:
        raise BackendError('the engine works, but could not be kept: see the warning above')
    seconds = backend.build_sec
    how = 'was there already' if seconds is None else f'built in {seconds:.0f} s'
    print(f'{backend.engine_path}: {how}')
    print(f'  {backend.description}')
    print(f'  for images of {size_text(spec.input_size)} px (height x width)')
    print(f'  self-check: relative RMS error {error}')
    return 0


@contextmanager
def _shown(progress: BuildProgress) -> Iterator[None]:
    """Show the progress of what is done inside the block."""
    ended = threading.Event()
    show = _draw_bar if sys.stderr.isatty() else _write_lines
    thread = threading.Thread(target=show, args=(progress, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _draw_bar(progress: BuildProgress, ended: threading.Event) -> None:
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    # The share of the build is known, the time of what is left is not: phases differ much.
    form = '{desc}: {percentage:3.0f}%|{bar}| {elapsed}'
    with logging_redirect_tqdm(), tqdm(total=100, bar_format=form, leave=False) as bar:
        while not ended.wait(_REDRAW_SEC):
            doing = progress.phase or progress.task or 'loading'
            bar.set_description_str('stopping' if progress.is_cancelled else doing)
            bar.n = round(100 * progress.fraction)
            bar.refresh()


def _write_lines(progress: BuildProgress, ended: threading.Event) -> None:
    while not ended.wait(_LINE_SEC):
        if progress.description:
            _logger.info(progress.description)
