"""What `save` on the page writes: a picture, a cloud and the parameters of the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.files.atomic import atomic_path, atomic_write_text
from depth_estimation_ros.files.ply import write_ply
from depth_estimation_ros.ros.demo.pictures import Scene, draw_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from depth_estimation_ros.ros.live.frame import Frame

__all__ = ['parameter_file_text', 'save']


def parameter_file_text(values: Mapping[str, Any], comment: str) -> str:
    """Write parameters as a file for `--params-file`, whatever the name of the node.

    Args:
        values: by name; bool, int, float, text or a list of texts.
        comment: first line.
    """
    import yaml

    tree = {'/**': {'ros__parameters': dict(values)}}
    return f'# {comment}\n{yaml.safe_dump(tree, sort_keys=False)}'


def save(folder: Path, stamp: str, frame: Frame, values: Mapping[str, Any], node: str) -> str:
    """Write live_<stamp>.png, .ply and .yaml, each complete or not at all.

    Args:
        folder: where to.
        stamp: makes the names different from those saved before.
        frame: what is shown.
        values: parameters of the node.
        node: its full name.

    Returns:
        What was written, in words.

    Raises:
        DataError: There is no depth to save.
        OSError: A file cannot be written.
    """
    if frame.depth is None or frame.rgb is None:
        raise DataError('nothing saved: no camera image or no depth has come yet')
    base = folder / f'live_{stamp}'
    written = [base.with_suffix('.yaml')]
    atomic_write_text(written[0], parameter_file_text(values, f'Parameters of {node}.'))
    if frame.points is not None and frame.colors is not None:
        ply, png = base.with_suffix('.ply'), base.with_suffix('.png')
        write_ply(ply, frame.points, frame.colors)
        scene = Scene(rgb=frame.rgb, depth=frame.depth, points=frame.points, colors=frame.colors)
        with atomic_path(png) as unfinished:
            draw_snapshot(
                unfinished,
                scene,
                title='Depth from one camera image',
                notes=f'{node}, {len(frame.points)} points, {stamp}',
            )
        written += [ply, png]
    names = ', '.join(path.name for path in written)
    missing = '' if len(written) > 1 else '; no cloud is shown, so no picture and no .ply'
    return f'wrote {names} to {folder}{missing}'
