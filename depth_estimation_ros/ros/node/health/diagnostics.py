"""What the node tells on /diagnostics (REP 107)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builtin_interfaces.msg import Time

    from depth_estimation_ros.ros.node.health.doctor import Diagnosis
    from depth_estimation_ros.ros.node.health.stream_state import StreamState

HARDWARE_ID = 'depth_estimation_ros'
# A fault may pass; so many frames in a row with one are an ERROR.
ERROR_AFTER_FAULTS = 5


class RateMeter:
    """Turns a stream's counters into rates between two looks at them."""

    def __init__(self) -> None:
        self._last: tuple[float, int, int] | None = None

    def rates_hz(self, now_sec: float, state: StreamState) -> tuple[float, float]:
        """Tell images in and depths out a second since the last call, 0 at the first."""
        counted = (now_sec, state.received, state.processed)
        last, self._last = self._last, counted
        if last is None or now_sec <= last[0] or state.received < last[1]:
            return 0.0, 0.0
        elapsed = now_sec - last[0]
        return (counted[1] - last[1]) / elapsed, (counted[2] - last[2]) / elapsed


def model_status(
    node_name: str,
    *,
    state_label: str,
    trouble: str,
    values: Mapping[str, str],
    shortcoming: str = '',
) -> DiagnosticStatus:
    """Tell how the model is: ERROR when it could not be loaded, WARN when it lacks something.

    Args:
        node_name: full name of the node.
        state_label: of its lifecycle.
        trouble: why the model could not be loaded, empty if it could.
        values: facts of the model and its backend.
        shortcoming: what it lacks though it runs, empty if nothing.
    """
    level = DiagnosticStatus.WARN if shortcoming else DiagnosticStatus.OK
    level = DiagnosticStatus.ERROR if trouble else level
    message = trouble or shortcoming or state_label
    return _status(f'{node_name}: model', level, message, values)


def stream_status(
    node_name: str,
    *,
    camera: str,
    state: StreamState,
    rates_hz: tuple[float, float],
    diagnosis: Diagnosis | None,
    degraded: Sequence[str] = (),
) -> DiagnosticStatus:
    """Tell how the frames of a camera fare: WARN when depth does not come or is degraded.

    ERROR when several frames in a row met with a fault of the node itself.

    Args:
        node_name: full name of the node.
        camera: its name, empty for the only one.
        state: its counters.
        rates_hz: images in, depths out.
        diagnosis: why there is no depth, None if there is.
        degraded: in what way depth that comes is worse than it could be.
    """
    part = f'frames of {camera}' if camera else 'frames'
    values = {
        'images received': str(state.received),
        'images processed': str(state.processed),
        'images dropped': str(state.dropped),
        'images skipped': str(state.skipped),
        'images failed': str(state.failed),
        'failures in a row': str(state.faults_in_row),
        'image rate [Hz]': f'{rates_hz[0]:.1f}',
        'depth rate [Hz]': f'{rates_hz[1]:.1f}',
    }
    cost = state.cost
    if cost is not None:
        values |= {
            'age [ms]': f'{1e3 * cost.age:.1f}',
            'decode [ms]': f'{1e3 * cost.decode:.1f}',
            'preprocess [ms]': f'{1e3 * cost.preprocess:.1f}',
            'inference [ms]': f'{1e3 * cost.inference:.1f}',
            'postprocess [ms]': f'{1e3 * cost.postprocess:.1f}',
            'publish [ms]': f'{1e3 * cost.publish:.1f}',
            'total [ms]': f'{1e3 * cost.total:.1f}',
            'valid fraction': f'{cost.valid_fraction:.3f}',
            "fraction within the model's range": f'{cost.measured_fraction:.3f}',
            'white fraction': f'{cost.white_fraction:.3f}',
            'black fraction': f'{cost.black_fraction:.3f}',
        }
    if state.trouble:
        values['last trouble'] = state.trouble
    level, message = _verdict(state, rates_hz[1], diagnosis, degraded)
    return _status(f'{node_name}: {part}', level, message, values)


def _verdict(
    state: StreamState,
    depth_rate_hz: float,
    diagnosis: Diagnosis | None,
    degraded: Sequence[str],
) -> tuple[bytes, str]:
    """Choose the level and the message: what is worst comes first."""
    is_idle = diagnosis is not None and diagnosis.is_idle
    if state.faults_in_row >= ERROR_AFTER_FAULTS and not is_idle:
        return DiagnosticStatus.ERROR, _failing(state, diagnosis)
    if diagnosis is not None and not diagnosis.is_partial:
        return DiagnosticStatus.OK if is_idle else DiagnosticStatus.WARN, diagnosis.reason
    if state.trouble:
        return DiagnosticStatus.WARN, state.trouble
    lacking = [*([diagnosis.reason] if diagnosis else []), *degraded]
    if lacking:
        return DiagnosticStatus.WARN, '; '.join(lacking)
    return DiagnosticStatus.OK, f'{depth_rate_hz:.1f} depth images a second'


def _failing(state: StreamState, diagnosis: Diagnosis | None) -> str:
    """Name the faults of the node, after what has come since and hides whether they are over."""
    failed = f'{state.faults_in_row} frames in a row failed: {state.fault}'
    if diagnosis is not None and diagnosis.no_images:
        return f'{diagnosis.reason}; before that, {failed}'
    if state.trouble != state.fault:
        return f'{state.trouble}; before that, {failed}'
    return failed


def _status(name: str, level: bytes, message: str, values: Mapping[str, str]) -> DiagnosticStatus:
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=HARDWARE_ID,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )


def diagnostic_array(stamp: Time, statuses: Sequence[DiagnosticStatus]) -> DiagnosticArray:
    """Put statuses into one message."""
    message = DiagnosticArray(status=list(statuses))
    message.header.stamp = stamp
    return message
