"""Data sets by name: one function that opens any of them.

Every item is `{'image': uint8 (3, H, W) RGB, 'depth': float32 (H, W) along Z [m], 0 = missing,
'intrinsics': float32 (4,) fx, fy, cx, cy [px], all 0 = unknown}` of numpy arrays, of which torch's
DataLoader makes tensors; `read(index)` is the same as an `RgbdSample`, and `sample_name(index)`
says which one it is. No torch is needed to read.
"""

from __future__ import annotations

from dataclasses import dataclass
import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.splits import check_split

if TYPE_CHECKING:
    from collections.abc import Callable

    from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset

NUM_HELD_OUT_ROOMS: Final = 200
ROOMS_SIZE: Final = (192, 256)


@dataclass(frozen=True, kw_only=True)
class DatasetKind:
    """What opens a kind of data set, and what the kind is.

    Attributes:
        opener: 'module:name' of a callable (path, *, split, size, **options).
        description: What it reads, for --help.
        needs_path: Whether there is nothing without a path.
    """

    opener: str
    description: str
    needs_path: bool = True


# Annotation of an option -> the types that its value may have.
_OPTION_TYPES: Final[dict[str, tuple[type, ...]]] = {
    'bool': (bool,),
    'int': (int,),
    'float': (int, float),
    'int | None': (int,),
    'float | None': (int, float),
    'str | None': (str,),
    'str | Path | None': (str, Path),
    'CameraIntrinsics | None': (CameraIntrinsics,),
}
_SHARED: Final = ('path', 'split', 'size')
_PACKAGE: Final = 'depth_estimation_ros.training.data'
DATASET_KINDS: Final[dict[str, DatasetKind]] = {
    'rooms': DatasetKind(
        opener=f'{_PACKAGE}.datasets:open_rooms',
        description='synthetic rooms, rendered as needed; the path is a cache',
        needs_path=False,
    ),
    'nyu-densedepth': DatasetKind(
        opener=f'{_PACKAGE}.nyu.nyu_depth:NyuDenseDepth',
        description="DenseDepth's nyu_data.zip, or the folder it unpacks to",
    ),
    'nyu-labeled': DatasetKind(
        opener=f'{_PACKAGE}.nyu.nyu_labeled:NyuLabeled',
        description='nyu_depth_v2_labeled.mat, with splits.mat beside it',
    ),
    'rgbd-folder': DatasetKind(
        opener=f'{_PACKAGE}.rgbd_folder:RgbdFolder',
        description='a folder of images and 16-bit depth PNGs',
    ),
    'rosbag': DatasetKind(
        opener=f'{_PACKAGE}.bag.rosbag_depth:RosbagDepth',
        description='a rosbag2 with a colour topic and a depth topic aligned to it',
    ),
}


def open_dataset(
    kind: str,
    path: str | Path | None,
    *,
    split: str,
    size: tuple[int, int] | None = None,
    **options: Any,
) -> RgbdDataset:
    """Open one split of a data set.

    Args:
        kind: A key of DATASET_KINDS.
        path: Its file or folder; for rooms a cache, None = render each time.
        split: 'train', 'validation' (never part of the test set) or 'test'.
        size: (height, width) of the items [px]; None = as recorded.
        options: What this kind takes besides, such as depth_scale; see its class.

    Raises:
        DataError: No such kind, split or option, or the data is missing or damaged.
    """
    opener = _opener(kind)
    if path is None and DATASET_KINDS[kind].needs_path:
        raise DataError(f'data set {kind} needs a path: {DATASET_KINDS[kind].description}')
    for name, value in options.items():
        _check_option(kind, name, value, _options(opener))
    return opener(path, split=check_split(split), size=size, **options)


def _opener(kind: str) -> Callable[..., RgbdDataset]:
    """Return what opens a kind of data set."""
    if kind not in DATASET_KINDS:
        raise DataError(f'unknown data set {kind!r}: use one of {", ".join(DATASET_KINDS)}')
    module, _, name = DATASET_KINDS[kind].opener.partition(':')
    opener: Callable[..., RgbdDataset] = getattr(importlib.import_module(module), name)
    return opener


def _options(opener: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return what an opener takes that others do not."""
    parameters = inspect.signature(opener).parameters
    return {name: value for name, value in parameters.items() if name not in _SHARED}


def _check_option(
    kind: str, name: str, value: object, known: dict[str, inspect.Parameter]
) -> None:
    """Refuse an option that a kind does not take, or a value of another type."""
    if name not in known:
        raise DataError(
            f'data set {kind} has no option {name}: it takes {", ".join(known) or "none"}'
        )
    annotation = str(known[name].annotation)
    types = _OPTION_TYPES[annotation]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise DataError(f'data option {name}={value}: expected {annotation}')


def open_rooms(
    path: str | Path | None,
    *,
    split: str = 'train',
    size: tuple[int, int] | None = None,
    num_rooms: int = 30000,
    views_per_room: int = 1,
) -> RgbdDataset:
    """Open synthetic rooms; validation and test rooms are never trained on.

    Args:
        path: Folder for rendered rooms; None renders each time.
        split: 'train', 'validation' or 'test'.
        size: (height, width) [px]; None = 192x256.
        num_rooms: Rooms to train on.
        views_per_room: Cameras in each room.
    """
    from depth_estimation_ros.rooms.render import HELD_OUT_SEED
    from depth_estimation_ros.training.data.synthetic_rooms import SyntheticRooms

    first, count = {
        'train': (0, num_rooms),
        'validation': (HELD_OUT_SEED + NUM_HELD_OUT_ROOMS, NUM_HELD_OUT_ROOMS),
        'test': (HELD_OUT_SEED, NUM_HELD_OUT_ROOMS),
    }[split]
    return SyntheticRooms(
        count,
        first_seed=first,
        views_per_room=views_per_room,
        size=size or ROOMS_SIZE,
        cache_dir=path,
    )
