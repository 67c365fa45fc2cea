"""The parts of the page that are HTML. Every text from outside is escaped, none evaluated."""

from __future__ import annotations

from base64 import b64encode
from html import escape
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

STYLE = """<style>
.live{font:13px/1.4 system-ui,sans-serif;color:#d5d8dc;margin:4px 12px}
.live img{display:block;width:100%;border-radius:4px;background:#1a1b1e}
.live .title{color:#9aa0a6;font-size:11px;margin:6px 0 2px}
.live .depth{position:relative}
.live .depth img{border-radius:4px}
.live .cells{position:absolute;inset:0;display:grid;cursor:crosshair}
.live .cells i{font-style:normal}
.live .cells i b{display:none}
.live .cells i:hover{outline:1px solid #fff}
.live .cells i:hover b{display:block;position:absolute;left:6px;top:6px;padding:1px 8px;
background:#000c;color:#fff;border-radius:4px;font-size:15px}
.live .pick{position:absolute;width:13px;height:13px;margin:-7px 0 0 -7px;border-radius:50%;
border:2px solid #fff;box-shadow:0 0 2px #000;pointer-events:none}
.live .why{background:#5c3b00;color:#ffe0a3;padding:6px 10px;border-radius:4px;margin:2px 0 6px}
.live .said{background:#24303d;padding:6px 10px;border-radius:4px;overflow-wrap:anywhere}
.live .said.refused{background:#5a1f1f;color:#ffd0d0}
.live table{width:100%;border-spacing:0}
.live td{padding:0;overflow-wrap:anywhere}
.live td:first-child{color:#9aa0a6;width:30%}
</style>"""


def jpeg_source(jpeg: bytes) -> str:
    """Return a JPEG as the text of an image's `src`."""
    return 'data:image/jpeg;base64,' + b64encode(jpeg).decode('ascii')


def metres(depth: float) -> str:
    """Say a depth [m], `no depth` for what is not finite."""
    return f'{depth:.2f} m' if math.isfinite(depth) else 'no depth'


def pictures_html(
    *,
    camera: bytes | None,
    depth: bytes | None,
    scale: bytes | None,
    readings: NDArray[np.float32] | None,
    pick: tuple[float, float] | None = None,
) -> str:
    """Lay out camera, depth and scale.

    Args:
        camera: JPEG, None: has not come.
        depth: JPEG.
        scale: JPEG of the metres that the colours mean.
        readings: (rows, columns) float32 [m], shown under the mouse; NaN = none.
        pick: the chosen pixel, (column, row) as shares of the picture.
    """
    parts = [STYLE, '<div class="live">']
    if camera is not None:
        parts += ['<div class="title">camera</div>', _image('live-camera', camera)]
    if depth is not None:
        parts += [
            '<div class="title">depth - point at it for metres</div>',
            '<div class="depth">',
            _image('live-depth', depth),
            _cells(readings) if readings is not None else '',
            _pick(pick) if pick is not None else '',
            '</div>',
        ]
    if scale is not None:
        parts.append(_image('live-scale', scale))
    parts.append('</div>')
    return ''.join(parts)


def state_html(rows: Sequence[tuple[str, str]], why: str) -> str:
    """Lay out what the node says: why there is no depth, then its figures.

    Args:
        rows: name and value.
        why: empty when all is well.
    """
    warning = f'<div class="why" id="live-why">{escape(why)}</div>' if why else ''
    cells = ''.join(
        f'<tr><td>{escape(name)}</td><td id="live-{escape(name.replace(" ", "-"))}">'
        f'{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'{STYLE}<div class="live">{warning}<table>{cells}</table></div>'


def said_html(text: str, *, is_refusal: bool) -> str:
    """Lay out the answer to what was last asked for; nothing if there is none."""
    if not text:
        return ''
    kind = 'said refused' if is_refusal else 'said'
    return (
        f'{STYLE}<div class="live"><div class="{kind}" id="live-said">{escape(text)}</div></div>'
    )


def _image(name: str, jpeg: bytes) -> str:
    # decoding=sync: the old picture stays until the new one can be drawn.
    return f'<img id="{name}" alt="{name}" decoding="sync" src="{jpeg_source(jpeg)}">'


def _cells(readings: NDArray[np.float32]) -> str:
    rows, columns = readings.shape
    grid = f'grid-template:repeat({rows},1fr)/repeat({columns},1fr)'
    cells = ''.join(f'<i><b>{metres(float(depth))}</b></i>' for depth in readings.ravel())
    return f'<div class="cells" id="live-cells" style="{grid}">{cells}</div>'


def _pick(pick: tuple[float, float]) -> str:
    column, row = (100.0 * min(max(share, 0.0), 1.0) for share in pick)
    return f'<div class="pick" style="left:{column:.2f}%;top:{row:.2f}%"></div>'
