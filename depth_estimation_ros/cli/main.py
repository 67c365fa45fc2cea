"""Entry point of the depth-estimation command.

A sub-command is a module of this package with HELP, add_arguments(parser) and run(args) -> exit
code. It imports nothing heavy at its top, so that --help answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from typing import TYPE_CHECKING, Protocol, cast

from depth_estimation_ros.errors import DepthEstimationError
from depth_estimation_ros.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ['SUB_COMMANDS', 'main', 'print_error']

# Name on the command line -> module of depth_estimation_ros.cli, in the order of --help.
SUB_COMMANDS = {
    'predict': 'predict',
    'download': 'download',
    'train': 'train',
    'import-keras': 'import_keras',
    'evaluate': 'evaluate',
    'export': 'export',
    'build-engine': 'build_engine',
    'info': 'info',
    'benchmark': 'benchmark',
    'calibrate-scale': 'calibrate_scale',
}

# Packages that only some commands need -> the extra of pip that brings them.
_EXTRAS = {
    'h5py': 'nyu',
    'matplotlib': 'train',
    'numba': 'rooms',
    'onnx': 'train',
    'openvino': 'openvino',
    'rosbags': 'bags',
    'tensorboard': 'train',
    'tensorrt': 'tensorrt',
    'torch': 'train',
    'torchvision': 'train',
}
_INTERRUPTED = 130
_VERBOSE = 'say more, such as why a backend was passed over'


class _SubCommand(Protocol):
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments without the program's name; None = those of the process.

    Returns:
        0 when all was done, 1 after an error (one line on stderr), 130 after Ctrl-C.

    Raises:
        SystemExit: With 2 for wrong usage, with 0 after --help and --version.
    """
    try:
        logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stderr)
        args = make_parser().parse_args(argv)
        level = logging.DEBUG if args.verbose else logging.NOTSET
        logging.getLogger('depth_estimation_ros').setLevel(level)
        return cast('_SubCommand', args.command).run(args)
    except DepthEstimationError as err:
        print_error(str(err))
    except ModuleNotFoundError as err:
        package = (err.name or '').partition('.')[0]
        if package not in _EXTRAS:
            raise
        print_error(
            f'this command needs {package}: pip install depth-estimation-ros[{_EXTRAS[package]}]'
        )
    except OSError as err:
        if err.errno is None:
            raise
        where = f'{err.filename}: ' if err.filename else ''
        print_error(f'{where}{err.strerror}')
    except KeyboardInterrupt:
        print_error('interrupted')
        return _INTERRUPTED
    return 1


def print_error(text: str) -> None:
    """Write one line on stderr, in the form of all errors of this command."""
    print(f'depth-estimation: error: {" ".join(text.split())}', file=sys.stderr, flush=True)


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line; each sub-command declares its own part."""
    parser = argparse.ArgumentParser(
        prog='depth-estimation',
        description='Metric depth from one camera image: use, make and measure model files.',
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {VERSION}')
    parser.add_argument('--verbose', action='store_true', help=_VERBOSE)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name, module_name in SUB_COMMANDS.items():
        module = importlib.import_module(f'depth_estimation_ros.cli.{module_name}')
        command = cast('_SubCommand', module)
        sub_parser = commands.add_parser(name, help=command.HELP, description=command.HELP)
        sub_parser.set_defaults(command=command, usage_error=sub_parser.error)
        sub_parser.add_argument(
            '--verbose', action='store_true', default=argparse.SUPPRESS, help=_VERBOSE
        )
        command.add_arguments(sub_parser)
    return parser
