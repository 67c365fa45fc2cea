"""How depth is worse than it could be though it comes: of what kind, how much, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from depth_estimation_ros.backends.base import BackendName

LEAST_SHARE_OF_CAMERA = 0.8  # of the images that come, or of max_rate_hz if that is less
LEAST_MISSING = 3  # frames; fewer are a matter of when one looks
MOST_REJECTED = 0.05  # of the images that come
LEAST_REJECTED = 2
STALE_SEC = 1.0
MOST_SATURATED = 0.5  # of the image
LEAST_VALID = 0.5  # of the depth image
LEAST_MEASURED = 0.5  # of the network's output
THROTTLED_FACTOR = 2.5  # a subscriber of depth/confidence alone doubles the network's time
THROTTLED_SEC = 0.005  # below it, such a factor is noise


@dataclass(frozen=True, kw_only=True)
class StreamWindow:
    """What happened to a camera's frames in the last seconds; figures of frames are medians.

    Attributes:
        seconds: length of the window.
        received: images that came.
        processed: of them became depth.
        rejected: of them could not be used, or were too old.
        skipped: of them nobody wanted.
        rejection: why the last one could not be used.
        inference_sec: time of the network; NaN if no frame became depth, as those below.
        best_inference_sec: the least that a window had since the activation.
        total_sec: from the start of a frame's work to its last output.
        age_sec: from the stamp to the last output; NaN if it is not known.
        valid_fraction: share of the depth image with a depth, 0..1.
        measured_fraction: share of the pixels that the network has a depth for, 0..1.
        white_fraction: share of the image that is white, 0..1.
        black_fraction: share of the image that is black, 0..1.
    """

    seconds: float
    received: int
    processed: int
    rejected: int
    skipped: int
    rejection: str
    inference_sec: float
    best_inference_sec: float
    total_sec: float
    age_sec: float
    valid_fraction: float
    measured_fraction: float
    white_fraction: float
    black_fraction: float


def degradations(window: StreamWindow, *, max_rate_hz: float = 0.0) -> tuple[str, ...]:
    """List in what way depth is degraded.

    Args:
        window: of one camera.
        max_rate_hz: parameter of the node, 0: as fast as it can.

    Returns:
        A text each that begins with its kind and a colon, then the value, then the cure.
    """
    found = [_slower(window, max_rate_hz), *(check(window) for check in _CHECKS)]
    return tuple(filter(None, found))


def kind_of(degradation: str) -> str:
    """The words before the value, which stay the same while the value changes."""
    return degradation.partition(':')[0]


def on_cpu_trouble(
    *, used: BackendName, description: str, dla_core: int, passed_over: Sequence[BackendName]
) -> str:
    """Say that the network runs on the CPU though a GPU was asked for; empty if not so.

    A backend that is asked for by its name is used or the model is not loaded: what remains is
    auto where a backend for GPUs is installed, or with a setting that only an engine has.

    Args:
        used: the backend that runs.
        description: of that backend.
        dla_core: parameter, -1: none.
        passed_over: backends for GPUs that are installed and that auto would have taken first.
    """
    if used.device != 'cpu':
        return ''
    if dla_core >= 0:
        reason = f'dla_core is {dla_core}'
    elif passed_over:
        reason = f'backend is auto and {", ".join(passed_over)} is installed'
    else:
        return ''
    return (
        f'on the CPU: {description} runs, though {reason}; the log says why the GPU was passed '
        f'over: mend that, or set backend to {used} and dla_core to -1 if the CPU is wanted'
    )


def _slower(window: StreamWindow, max_rate_hz: float) -> str:
    usable = window.received - window.rejected - window.skipped
    wanted = min(usable, max_rate_hz * window.seconds) if max_rate_hz else float(usable)
    missing = wanted - window.processed
    if missing < LEAST_MISSING or window.processed >= LEAST_SHARE_OF_CAMERA * wanted:
        return ''
    return (
        f'slower than the camera: {window.processed / window.seconds:.1f} depth images a second '
        f'of {wanted / window.seconds:.1f} that are wanted, each takes '
        f'{1e3 * window.total_sec:.0f} ms; take a faster backend or a smaller network_size, or '
        'set max_rate_hz to what is enough'
    )


def _dropping(window: StreamWindow) -> str:
    if window.rejected < max(LEAST_REJECTED, MOST_REJECTED * window.received):
        return ''
    return (
        f'dropping: {window.rejected} of {window.received} images in {window.seconds:.0f} s could '
        f'not be used, the last one since: {window.rejection}'
    )


def _stale(window: StreamWindow) -> str:
    if not window.age_sec > STALE_SEC:
        return ''
    return (
        f'stale: depth is {window.age_sec:.1f} s old when it is published, '
        f'{window.total_sec:.1f} s of it from the node; take a faster network, look at the '
        'way of the images to the node, keep the clocks in step, or set max_age_sec'
    )


def _saturated(window: StreamWindow) -> str:
    for share, color, cure in (
        (window.white_fraction, 'white', 'shorten the exposure or turn from the light'),
        (window.black_fraction, 'black', 'lengthen the exposure, light up, uncover the lens'),
    ):
        if share > MOST_SATURATED:
            return f'saturated: {100.0 * share:.0f} % of the image is {color}; {cure}'
    return ''


def _out_of_range(window: StreamWindow) -> str:
    if not window.measured_fraction < LEAST_MEASURED:
        return ''
    return (
        "out of the model's range: the network finds no depth within it for "
        f'{100.0 * (1.0 - window.measured_fraction):.0f} % of the pixels; take a model whose '
        'depth range fits the scene'
    )


def _mostly_invalid(window: StreamWindow) -> str:
    if not window.valid_fraction < LEAST_VALID <= window.measured_fraction:
        return ''
    return (
        f'mostly invalid: {100.0 * window.valid_fraction:.0f} % of the pixels have a depth; '
        'widen min_depth and max_depth, raise edge_filter_threshold, or check the calibration'
    )


def _throttled(window: StreamWindow) -> str:
    best, now = window.best_inference_sec, window.inference_sec
    if not (now >= THROTTLED_FACTOR * best and now - best >= THROTTLED_SEC):
        return ''
    return (
        f'throttled: the network takes {1e3 * now:.0f} ms, {now / best:.1f} times as long as at '
        f'its best ({1e3 * best:.0f} ms); cool the processor, raise its power mode, or take other '
        'work off it'
    )


_CHECKS: tuple[Callable[[StreamWindow], str], ...] = (
    _dropping,
    _stale,
    _saturated,
    _out_of_range,
    _mostly_invalid,
    _throttled,
)
