"""depth-estimation download: fetch a public data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from depth_estimation_ros.cli.options.arguments import positive_int

if TYPE_CHECKING:
    import argparse

__all__ = ['HELP', 'add_arguments', 'run']

HELP = 'fetch a public data set, going on where an earlier try ended'

_NYU_NOTE = (
    'note: NYU Depth v2 is the work of N. Silberman, D. Hoiem, P. Kohli and R. Fergus (ECCV '
    '2012), put on the web for research. Its page names no licence for other uses: whether yours '
    'is covered is yours to judge. Cite their paper.'
)
_DENSEDEPTH_NOTE = (
    f'{_NYU_NOTE} nyu_data.zip is a selection of it, by J. Hu et al. (2018), that the authors of '
    'DenseDepth repacked.'
)


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file to fetch.

    Attributes:
        name: What it is called.
        url: Where it is, None = nowhere that a program can fetch it.
        size: Bytes it has, None = unknown.
    """

    name: str
    url: str | None
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class PublicData:
    """A data set.

    Attributes:
        main: Its main file.
        others: What belongs to it.
        note: Whose it is.
    """

    main: RemoteFile
    others: tuple[RemoteFile, ...] = ()
    note: str


_NYU = 'http://horatio.cs.nyu.edu/mit/silberman'
PUBLIC_DATA = {
    'nyu-labeled': PublicData(
        main=RemoteFile(
            name='nyu_depth_v2_labeled.mat',
            url=f'{_NYU}/nyu_depth_v2/nyu_depth_v2_labeled.mat',
            size=2_972_037_809,
        ),
        others=(RemoteFile(name='splits.mat', url=f'{_NYU}/indoor_seg_sup/splits.mat'),),
        note=_NYU_NOTE,
    ),
    'nyu-densedepth': PublicData(
        main=RemoteFile(name='nyu_data.zip', url=None), note=_DENSEDEPTH_NOTE
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        'data',
        choices=list(PUBLIC_DATA),
        help='nyu-labeled: 1449 images, 3.0 GB; nyu-densedepth: nyu_data.zip, 50,688 images, '
        '4.1 GB, needs --url',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('data'),
        metavar='DIR',
        help='folder to write to (%(default)s)',
    )
    parser.add_argument(
        '--url',
        metavar='URL',
        help='fetch the main file from here instead, and only it (add --splits-url for the other)',
    )
    parser.add_argument('--splits-url', metavar='URL', help='fetch splits.mat from here')
    parser.add_argument(
        '--size',
        type=positive_int,
        metavar='BYTES',
        help='bytes that the main file must have (as published; with --url, as its server says)',
    )


def run(args: argparse.Namespace) -> int:
    """Fetch the files of a data set.

    Raises:
        DataError: A file cannot be fetched; what has arrived of it is kept.
    """
    data = PUBLIC_DATA[args.data]
    files = _wanted(args, data)
    if data.main.url is None and args.url is None:
        args.usage_error(
            f'{data.main.name} is nowhere that a program can fetch it: the first links to it are '
            "dead and the authors' copies are on Google Drive (README of ialhashim/DenseDepth). "
            'Fetch it with a browser and train with `--data nyu-densedepth PATH`, or give the '
            'address of another copy as --url'
        )
    print(data.note, file=sys.stderr)
    for file in files:
        _fetch(file, args.output)
    missing = [file.name for file in data.others if file.name not in {f.name for f in files}]
    if missing:
        print(f'not fetched: {", ".join(missing)} (needed to train; see --splits-url)')
    return 0


def _wanted(args: argparse.Namespace, data: PublicData) -> list[RemoteFile]:
    """Return the files to fetch, with the addresses and sizes of the command line."""
    size = args.size or (None if args.url else data.main.size)
    main = RemoteFile(name=data.main.name, url=args.url or data.main.url, size=size)
    others = [
        RemoteFile(name=file.name, url=args.splits_url or file.url)
        for file in data.others
        if args.splits_url or not args.url
    ]
    return [main, *others]


def _fetch(file: RemoteFile, output: Path) -> None:
    """Fetch one file with a progress bar."""
    from tqdm import tqdm

    from depth_estimation_ros.training.data.download import DownloadOptions, download

    assert file.url is not None  # noqa: S101 - `run` refuses what has none
    target = output / file.name
    with tqdm(unit='B', unit_scale=True, unit_divisor=1000, desc=file.name) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            if bar.n == 0 or done < bar.n:  # resumed, or begun anew
                bar.reset(total=total)
                bar.initial = done
            bar.update(done - bar.n)

        download(file.url, target, size=file.size, options=DownloadOptions(progress=show))
    print(f'{target}: {target.stat().st_size} bytes')
