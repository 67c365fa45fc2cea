"""A folder of images and depth PNGs: recordings of one's own RealSense, Kinect or the like.

Pairs are found by `associations.txt` (as the TUM RGB-D tools write it) if it is there, else by
name: what is left of a file's name without words such as rgb, color and depth must be equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from depth_estimation_ros.camera.camera_info_file import read_camera_info
from depth_estimation_ros.camera.intrinsics import CameraIntrinsics
from depth_estimation_ros.errors import ConfigError, DataError
from depth_estimation_ros.training.data.rgbd_decoding import decode_depth_png, decode_sample
from depth_estimation_ros.training.data.rgbd_pairs import Pair, find_pairs
from depth_estimation_ros.training.data.rgbd_sample import RgbdDataset, RgbdSample, SampleError
from depth_estimation_ros.training.data.splits import (
    block_split,
    check_split,
    number_runs,
    scene_split,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

INTRINSICS_NAMES: Final = ('intrinsics.json', 'intrinsics.yaml', 'intrinsics.yml')


class RgbdFolder(RgbdDataset):
    """Images with 16-bit depth PNGs of the same size, pixel on pixel.

    With folders `train`, `validation` (or `val`) and `test` inside, a split is the folder of its
    name; where validation is missing it is the last part of `train`. Without them, validation is
    the last part of the recording and 'test' is all of it.

    Attributes:
        num_skipped: Images without depth, and the reverse.
    """

    def __init__(  # noqa: PLR0913 - the options of this kind of data
        self,
        path: str | Path,
        *,
        split: str = 'train',
        size: tuple[int, int] | None = None,
        depth_scale: float = 0.001,
        depth_invalid: int | None = None,
        intrinsics: CameraIntrinsics | None = None,
        validation_fraction: float = 0.1,
        split_runs: bool = False,
        frame_px: int = 0,
        depth_step: float = 0.0,
    ) -> None:
        """Find the pairs; no image is read yet.

        Args:
            path: The folder.
            split: 'train', 'validation' or 'test'.
            size: (height, width) of the items [px]; None = as recorded.
            depth_scale: What 1 in a depth image stands for [m]: 0.001 for millimetres, 0.0002 for
                the TUM RGB-D sets.
            depth_invalid: A value in the depth images that means none; 0 and 65535 always do.
            intrinsics: Of all images; None = as intrinsics.json or .yaml in the folder says.
            validation_fraction: Share of the recording that validation gets.
            split_runs: Take runs of consecutive file numbers for scenes, and scenes for validation
                from all over the recording, instead of its end.
            frame_px: Rows and columns to cut off each side of every image first.
            depth_step: The steps that depth was recorded in [m], which are not to be learnt as
                edges; 0 = too fine to matter.

        Raises:
            DataError: There is no such folder, no pair in it, or a wrong file of intrinsics.
        """
        super().__init__(size, frame_px=frame_px)
        if not 0 <= depth_step < np.inf:
            raise DataError(f'depth_step {depth_step} must be 0 or more [m]')
        self.depth_step = depth_step
        if not 0 < depth_scale < np.inf:
            raise DataError(f'depth_scale {depth_scale} must be above 0 [m per unit]')
        self.split = check_split(split)
        self.depth_scale = depth_scale
        self.depth_invalid = depth_invalid
        root = Path(path)
        if not root.is_dir():
            raise DataError(f'{root}: no such folder')
        folder, whole = _split_folder(root, self.split)
        pairs, self.num_skipped = find_pairs(folder)
        if not whole:
            chosen = self._chosen(pairs, validation_fraction, by_runs=split_runs)
            pairs = [pairs[index] for index in chosen]
        self._pairs = pairs
        self._root = root
        self._intrinsics = intrinsics or _find_intrinsics(folder) or _find_intrinsics(root)

    def _chosen(
        self, pairs: Sequence[Pair], validation_fraction: float, *, by_runs: bool
    ) -> Sequence[int]:
        """Return which pairs of one recording the split has."""
        if not by_runs or self.split == 'test':
            return block_split(len(pairs), self.split, validation_fraction=validation_fraction)
        runs = number_runs([image.stem for image, _ in pairs])
        return scene_split(runs, self.split, validation_fraction=validation_fraction)

    def __len__(self) -> int:
        return len(self._pairs)

    def sample_name(self, index: int) -> str:
        """Return the path of the image in the folder."""
        return self._pairs[index][0].relative_to(self._root).as_posix()

    def read(self, index: int) -> RgbdSample:
        """Read a sample at `size`.

        Raises:
            SampleError: A file is damaged, or the depth is not 16-bit or of another size.
        """
        image_path, depth_path = self._pairs[index]
        raw = decode_depth_png(_read(depth_path), dtype=np.uint16, name=str(depth_path))
        height, width = raw.shape
        camera = self._intrinsics
        if camera is not None and camera.width == 0:  # the file gave no size: it is the images'
            camera = CameraIntrinsics(
                width=width, height=height, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy
            )
        elif camera is not None:
            camera = camera.scaled(height=height, width=width)
        sample = decode_sample(
            _read(image_path),
            raw,
            camera,
            size=self.size,
            metres_per_unit=self.depth_scale,
            frame_px=self.frame_px,
            depth_step=self.depth_step,
            depth_invalid=self.depth_invalid,
            name=str(image_path),
        )
        return self.counted(sample, index)


def _split_folder(root: Path, split: str) -> tuple[Path, bool]:
    """Return the folder that a split is in, and whether it is all of it."""
    folders = {'train': root / 'train', 'test': root / 'test', 'validation': root / 'validation'}
    if not folders['validation'].is_dir():
        folders['validation'] = root / 'val'
    there = {name for name, folder in folders.items() if folder.is_dir()}
    if not there:
        return root, False
    if split == 'test' or 'validation' in there:
        if split not in there:
            raise DataError(f'{root}: has no folder {split!r}, only {", ".join(sorted(there))}')
        return folders[split], True
    if 'train' not in there:
        raise DataError(f'{root}: has no folder train, only {", ".join(sorted(there))}')
    return folders['train'], False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise SampleError(f'{path}: cannot be read: {err.strerror}') from err


def _find_intrinsics(folder: Path) -> CameraIntrinsics | None:
    """Read the first file of intrinsics in a folder; None when it has none."""
    for name in INTRINSICS_NAMES:
        path = folder / name
        if path.is_file():
            return _read_json(path) if path.suffix == '.json' else _read_yaml(path)
    return None


def _read_yaml(path: Path) -> CameraIntrinsics:
    """Read a camera_info file as ROS's camera_calibration writes it."""
    try:
        return read_camera_info(path)
    except ConfigError as err:
        raise DataError(str(err)) from err


def _read_json(path: Path) -> CameraIntrinsics:
    """Read fx, fy, cx, cy [px] and, if they are there, width and height."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding='utf-8'))
        fx, fy, cx, cy = (float(values[key]) for key in ('fx', 'fy', 'cx', 'cy'))
        width, height = (int(values.get(key, 0)) for key in ('width', 'height'))
    except Exception as err:  # what is in a JSON file may nest, overflow or be no object
        raise DataError(
            f'{path}: expected {{"fx": .., "fy": .., "cx": .., "cy": .., "width": .., '
            f'"height": ..}} [px] ({err!r})'
        ) from err
    if not (0 < fx < np.inf and 0 < fy < np.inf):
        raise DataError(f'{path}: fx {fx} and fy {fy} must be above 0 [px]')
    if (width > 0) != (height > 0) or min(width, height) < 0:
        raise DataError(
            f'{path}: width {width} and height {height} must both be given, or neither'
        )
    return CameraIntrinsics(width=width, height=height, fx=fx, fy=fy, cx=cx, cy=cy)
