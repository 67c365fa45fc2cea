"""What the page says: the node's figures and why there is no depth, and the HTML of it.

Every text from outside is escaped, none evaluated.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from dataclasses import dataclass
from html import escape
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

FRESH_SEC = 2.0  # a depth image younger than this means that depth comes
SILENCE_SEC = 4.0  # the node speaks once a second on /diagnostics
RATE_SPAN_SEC = 2.0
WARN = 1  # diagnostic_msgs' levels: 0 is OK, 1 WARN, 2 ERROR
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


@dataclass(frozen=True, kw_only=True)
class Status:
    """A status on /diagnostics.

    Attributes:
        name: `<node>: model`, `<node>: frames` or `<node>: frames of <camera>`.
        level: 0 OK, 1 WARN, 2 ERROR, 3 STALE.
        message: in words.
    """

    name: str
    level: int
    message: str


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the last depth/stats said.

    Attributes:
        latency_ms: from taking the image to the last output [ms].
        age_ms: from the image's stamp to the last output [ms].
        num_received: images since the node was activated.
        num_dropped: of them not processed.
        valid_fraction: share of the pixels with depth, 0 to 1.
        backend: what runs the network.
        model: file name.
    """

    latency_ms: float
    age_ms: float
    num_received: int
    num_dropped: int
    valid_fraction: float
    backend: str
    model: str


class Rate:
    """Frames a second from a counter that is looked at now and then."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()

    def update(self, now_sec: float, count: int) -> float:
        """Return the mean rate [Hz] of about the last two seconds; 0 at first."""
        looks = self._looks
        if looks and (count < looks[-1][1] or now_sec <= looks[-1][0]):
            looks.clear()  # the node began anew
        looks.append((now_sec, count))
        while len(looks) > 2 and now_sec - looks[1][0] >= RATE_SPAN_SEC:
            looks.popleft()
        (first_sec, first_count), (last_sec, last_count) = looks[0], looks[-1]
        return (last_count - first_count) / (last_sec - first_sec) if len(looks) > 1 else 0.0


def rows_of(figures: Figures | None, rate_hz: float) -> list[tuple[str, str]]:
    """List what the page shows of the node, as name and value; dashes before the first frame."""
    if figures is None:
        names = ('rate', 'latency', 'age', 'drops', 'depth in', 'backend', 'model')
        return [(name, '-') for name in names]
    return [
        ('rate', f'{rate_hz:.1f} Hz'),
        ('latency', f'{figures.latency_ms:.1f} ms'),
        ('age', f'{figures.age_ms:.1f} ms'),
        ('drops', f'{figures.num_dropped} of {figures.num_received}'),
        ('depth in', f'{100.0 * figures.valid_fraction:.0f} % of the pixels'),
        ('backend', figures.backend),
        ('model', figures.model),
    ]


def why_no_depth(
    statuses: Sequence[Status],
    *,
    node: str,
    camera: str,
    depth_age_sec: float,
    silence_sec: float,
) -> str:
    """Give the node's own sentence on why there is no depth, or not all that is asked for.

    Args:
        statuses: what the node said last on /diagnostics.
        node: its full name.
        camera: the one that is shown, empty for the only one.
        depth_age_sec: since the last depth image came, infinite if none did.
        silence_sec: since the node spoke, or since it was first waited for.

    Returns:
        Empty when all is well.
    """
    name = node.lstrip('/')
    own = {item.name: item for item in statuses if item.name.startswith(f'{name}: ')}
    if not own or silence_sec > SILENCE_SEC:
        if silence_sec < SILENCE_SEC:
            return f'waiting for a word from {node} ...'
        return (
            f'{node} is not heard on /diagnostics: is it running, under that name, and in the '
            'same ROS_DOMAIN_ID?'
        )
    model = own.get(f'{name}: model')
    if model is not None and model.level > WARN:
        return model.message
    if model is not None and model.message != 'active':
        return f'{node} is {model.message}'
    frames = own.get(f'{name}: frames of {camera}' if camera else f'{name}: frames')
    if frames is None:
        return f'{node} says nothing of a camera {camera!r}'
    if frames.level >= WARN or frames.message.startswith('paused'):
        return frames.message
    if depth_age_sec <= FRESH_SEC:
        return ''
    return f'waiting for the next depth image ({frames.message})'


def jpeg_source(jpeg: bytes) -> str:
    """Return a JPEG as the text of an image's `src`."""
    return 'data:image/jpeg;base64,' + b64encode(jpeg).decode('ascii')


def metres(depth: float) -> str:
    """Say a depth [m], `no depth` for what is not finite."""
    return f'{depth:.2f} m' if math.isfinite(depth) else 'no depth'


def pictures_html(
    *,
    name: str = '',
    camera: bytes | None,
    depth: bytes | None,
    scale: bytes | None,
    readings: NDArray[np.float32] | None,
    pick: tuple[float, float] | None = None,
) -> str:
    """Lay out camera, depth and scale.

    Args:
        name: of the camera, empty for the only one.
        camera: JPEG, None: has not come.
        depth: JPEG.
        scale: JPEG of the metres that the colours mean.
        readings: (rows, columns) float32 [m], shown under the mouse; NaN = none.
        pick: the chosen pixel, (column, row) as shares of the picture.
    """
    parts = [STYLE, '<div class="live">']
    if camera is not None:
        title = f'camera {name}'.rstrip()
        parts.append(f'<div class="title" id="live-title">{escape(title)}</div>')
        parts.append(_image('live-camera', camera))
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
