"""depth-estimation train: train DenseDepth."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields, replace
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.cli.options.arguments import key_and_value, positive_float
from depth_estimation_ros.training.config import CHOICES, TrainConfig
from depth_estimation_ros.training.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from depth_estimation_ros.training.run import TrainingData

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'train DenseDepth on NYU Depth v2, your own recordings or synthetic rooms'
_INTERRUPTED = 130
_logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class DataRequest:
    """One --data with the options that follow it.

    Attributes:
        kind: A key of DATASET_KINDS.
        path: Its file or folder; None = none was given.
        weight: How often it is drawn from, in relation to the others.
        options: What `open_dataset` takes besides.
    """

    kind: str
    path: str | None = None
    weight: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)


class _AddData(argparse.Action):
    """--data KIND [PATH]: a data set more."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        words = [str(word) for word in values or []]
        if len(words) > 2:
            parser.error(f'{option_string} takes a kind and a path, not {" ".join(words)}')
        request = DataRequest(kind=words[0], path=words[1] if len(words) == 2 else None)
        namespace.data = [*(namespace.data or []), request]


class _DescribeData(argparse.Action):
    """--data-option and --data-weight: of the --data before them, or of the rooms."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        del parser, option_string
        namespace.data = namespace.data or [DataRequest(kind='rooms')]
        if self.dest == 'data_weight':
            namespace.data[-1].weight = values
        else:
            namespace.data[-1].options[values[0]] = values[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        '--preset',
        choices=list(PRESETS),
        default='modern',
        help='settings to start from (%(default)s)',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('runs/train'),
        metavar='DIR',
        help='folder of the run (%(default)s)',
    )
    parser.add_argument(
        '--resume', action='store_true', help='go on from last.pt in the folder of the run'
    )
    parser.add_argument(
        '--max-minutes', type=positive_float, metavar='MIN', help='stop and save after this time'
    )
    parser.add_argument(
        '--device',
        default='auto',
        help='cpu, cuda, cuda:1, ...; auto takes a GPU if there is one (%(default)s)',
    )
    data = parser.add_argument_group('data')
    data.add_argument(
        '--data',
        nargs='+',
        action=_AddData,
        metavar=('KIND', 'PATH'),
        help='rooms (synthetic; the path is a folder that keeps them), or nyu-densedepth, '
        'nyu-labeled, rgbd-folder or rosbag with its path (rooms). Given several times, all are '
        'learnt together, and the validation split of the first chooses the best checkpoint',
    )
    data.add_argument(
        '--data-option',
        action=_DescribeData,
        type=key_and_value,
        default=argparse.SUPPRESS,
        metavar='KEY=VALUE',
        help='what the --data before takes besides its path, such as depth_scale=0.001',
    )
    data.add_argument(
        '--data-weight',
        action=_DescribeData,
        type=positive_float,
        default=argparse.SUPPRESS,
        metavar='W',
        help='how often the --data before is drawn from, in relation to the others (1)',
    )
    data.add_argument(
        '--data-name', metavar='TEXT', help='what the model card shall call the data (its kind)'
    )
    data.add_argument('--licence', default='unknown', metavar='TEXT', help='of the weights')
    settings = parser.add_argument_group('settings', "each replaces the preset's")
    for setting in fields(TrainConfig):
        _add_setting(settings, setting.name, str(setting.type), setting.metadata['help'])


def _add_setting(group: Any, name: str, kind: str, words: str) -> None:
    """Declare the option of one field of the configuration."""
    options: dict[str, Any] = {'default': argparse.SUPPRESS, 'dest': f'setting:{name}'}
    flag = f'--{name.replace("_", "-")}'
    words = words.replace('%', '%%')
    if kind.startswith('bool'):
        action = argparse.BooleanOptionalAction
        group.add_argument(flag, action=action, help=words, **options)
    elif name in CHOICES:
        group.add_argument(flag, choices=CHOICES[name], help=words, **options)
    else:
        parse = {'int': int, 'float': float, 'str': str}[kind.split(' ')[0]]
        group.add_argument(flag, type=parse, metavar=parse.__name__.upper(), help=words, **options)


def run(args: argparse.Namespace) -> int:
    """Train.

    Raises:
        DepthEstimationError: The settings, the data or a checkpoint cannot be used.
    """
    from depth_estimation_ros.training.distributed import process_group
    from depth_estimation_ros.training.run import train

    config = _config(args)
    with process_group(args.device) as group:
        data = _open_data(args, config)
        if group.is_main:
            _render_rooms(data)
        result = train(
            config,
            data,
            folder=args.output,
            group=group,
            resume=args.resume,
            max_minutes=args.max_minutes,
        )
        if result.stop_reason and group.is_main:
            _logger.info('step %d: %s; go on with --resume', result.step, result.stop_reason)
    return _INTERRUPTED if 'SIGINT' in result.stop_reason else 0


def _config(args: argparse.Namespace) -> TrainConfig:
    """Return the preset with the settings of the command line."""
    prefix = 'setting:'
    given = {k.removeprefix(prefix): v for k, v in vars(args).items() if k.startswith(prefix)}
    path = given.pop('initial_checkpoint', None)
    if path is None:
        return replace(PRESETS[args.preset], **given)
    from depth_estimation_ros.training.fine_tuning import start_from

    return start_from(path, PRESETS[args.preset], given)


def _open_data(args: argparse.Namespace, config: TrainConfig) -> TrainingData:
    """Open the training and the validation split."""
    from depth_estimation_ros.training.data.datasets import open_dataset
    from depth_estimation_ros.training.data.mixture import DataSource, Mixture
    from depth_estimation_ros.training.run import TrainingData

    requests: list[DataRequest] = args.data or [DataRequest(kind='rooms')]

    def opened(split: str) -> Mixture:
        return Mixture(
            [
                DataSource(
                    name=name,
                    dataset=open_dataset(
                        one.kind, one.path, split=split, size=config.load_size, **one.options
                    ),
                    weight=one.weight,
                )
                for name, one in zip(_names(requests), requests, strict=True)
            ]
        )

    return TrainingData(
        train=opened('train'),
        validation=opened('validation'),
        name=args.data_name or ' and '.join(_names(requests)),
        licence=args.licence,
    )


def _names(requests: Sequence[DataRequest]) -> list[str]:
    """Name data sets by their kind; several of a kind are numbered."""
    kinds = [request.kind for request in requests]
    return [
        kind if kinds.count(kind) == 1 else f'{kind}-{kinds[:index].count(kind) + 1}'
        for index, kind in enumerate(kinds)
    ]


def _render_rooms(data: TrainingData) -> None:
    """Fill the cache of synthetic rooms, if that is what the data is and it has one.

    Rendered while training they would be rendered again in every epoch.
    """
    from depth_estimation_ros.training.data.mixture import Mixture
    from depth_estimation_ros.training.data.synthetic_rooms import SyntheticRooms

    splits = [split for split in (data.train, data.validation) if split is not None]
    for rooms in (one.dataset for split in splits for one in Mixture.of(split).sources):
        if isinstance(rooms, SyntheticRooms) and rooms.has_cache:
            rooms.prefill_with_bar()
