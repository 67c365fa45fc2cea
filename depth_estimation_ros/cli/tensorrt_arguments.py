"""Arguments of the backend tensorrt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.backends.options import HARDWARE_COMPATIBILITIES

if TYPE_CHECKING:
    import argparse

__all__ = ['add_tensorrt_arguments', 'tensorrt_options']


def add_tensorrt_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what decides how an engine is built, and where it is kept."""
    group = parser.add_argument_group('backend tensorrt')
    group.add_argument(
        '--engine-cache-dir',
        type=Path,
        metavar='FOLDER',
        help='where engines are kept ($XDG_CACHE_HOME or ~/.cache, /depth_estimation_ros)',
    )
    group.add_argument(
        '--max-workspace-mb',
        type=int,
        default=0,
        metavar='MB',
        help='GPU memory that one layer may use, for small Jetsons; 0 = no limit (%(default)s)',
    )
    group.add_argument(
        '--dla-core',
        type=int,
        default=-1,
        metavar='N',
        help='DLA core of a Jetson, what it lacks runs on the GPU; -1 = the GPU (%(default)s)',
    )
    group.add_argument(
        '--hardware-compatibility',
        choices=HARDWARE_COMPATIBILITIES,
        default='none',
        help='other GPUs that the engine shall run on as well, at some cost (%(default)s)',
    )
    group.add_argument(
        '--no-tf32',
        dest='tf32',
        action='store_false',
        help='compute fp32 models in fp32: slower, and as exact as on a CPU',
    )
    group.add_argument(
        '--no-cuda-graph',
        dest='cuda_graph',
        action='store_false',
        help='launch every run layer by layer',
    )


def tensorrt_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the arguments say, for BackendOptions."""
    folder = args.engine_cache_dir
    return {
        'engine_cache_dir': folder.expanduser() if folder else None,
        'max_workspace_mb': args.max_workspace_mb,
        'dla_core': args.dla_core,
        'hardware_compatibility': args.hardware_compatibility,
        'tf32': args.tf32,
        'cuda_graph': args.cuda_graph,
    }
