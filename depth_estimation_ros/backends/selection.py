"""Chooses a backend, loads a model into it and checks its numbers with the model's probe."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from depth_estimation_ros.backends.base import (
    AUTO_ORDER,
    BackendName,
    is_installed,
    load_backend,
    parse_backend_name,
    unavailable_reason,
    unsuitable_reason,
)
from depth_estimation_ros.errors import BackendError
from depth_estimation_ros.model_file.model_spec import check_probe, probe_image

if TYPE_CHECKING:
    from pathlib import Path

    from depth_estimation_ros.backends.base import Backend, BackendOptions
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['expected_backend', 'open_backend', 'self_check', 'waits_for_size']

_logger = logging.getLogger(__name__)
_REMEDIES = {
    BackendName.TENSORRT: 'update TensorRT, take an fp32 model, or build the engine anew with '
    '`depth-estimation build-engine --rebuild MODEL`; other backends may run it meanwhile',
}


def open_backend(
    name: str,
    model_path: Path,
    spec: ModelSpec,
    *,
    options: BackendOptions,
    check_numbers: bool = True,
) -> Backend:
    """Load a model file into the named backend, or into the first that works for 'auto'.

    Args:
        name: 'auto' or a BackendName.
        model_path: The model file.
        spec: Its facts, `resized` to the size that it shall run at.
        options: Settings of the backends.
        check_numbers: Run the probe once and refuse a backend that gives wrong numbers. At a
            size for which the file has no probe, the file is run at the size of its export too.

    Raises:
        BackendError: The named backend cannot run the file or gives wrong numbers; for 'auto',
            none can.
        ModelFileError: The graph is damaged or not what the facts say.
    """
    if name == 'auto':
        backend = _open_first(model_path, spec, options, check_numbers)
    else:
        backend = _open_one(parse_backend_name(name), model_path, spec, options, check_numbers)
    height, width = spec.input_size
    _logger.info(
        '%s (%s, %dx%d, %s) on %s',
        *(model_path.name, spec.encoder, width, height, spec.precision, backend.description),
    )
    return backend


def expected_backend(name: str, options: BackendOptions) -> BackendName | None:
    """Tell what `open_backend` will take for a file that any backend runs, if all goes well.

    Returns:
        None when no backend can run here.

    Raises:
        BackendError: There is no such backend.
    """
    if name != 'auto':
        return parse_backend_name(name)
    able = (item for item in AUTO_ORDER if unavailable_reason(item, options=options) is None)
    return next(able, None)


def waits_for_size(name: str, spec: ModelSpec, *, options: BackendOptions) -> bool:
    """Tell whether loading a file had better wait until an image tells the size.

    A TensorRT engine is built for one size, which takes minutes; other backends load in a second.

    Args:
        name: 'auto' or a BackendName.
        spec: Facts of the model file.
        options: Settings of the backends.

    Raises:
        BackendError: There is no such backend.
    """
    is_tensorrt = name == 'auto' or parse_backend_name(name) is BackendName.TENSORRT
    if not spec.free_size or not is_tensorrt:
        return False
    return unavailable_reason(BackendName.TENSORRT, spec, options=options) is None


def self_check(backend: Backend, spec: ModelSpec) -> float:
    """Run the model's probe for the size that the backend runs at.

    Args:
        backend: A loaded model.
        spec: Its facts, at a size that has a probe.

    Returns:
        The relative RMS error of the output (probe.probe_error).

    Raises:
        BackendError: The error is above the tolerance for the precision.
    """
    height, width = spec.input_size
    seed = spec.probes[spec.input_size].seed
    image = probe_image(seed, batch_size=spec.batch_size, height=height, width=width)
    error, tolerance = check_probe(
        backend.infer(image), spec, compute_precision=backend.compute_precision
    )
    if not error <= tolerance:
        raise BackendError(
            f'{backend.description} gives wrong numbers for this model: relative RMS error '
            f'{error:.2g} on its self-check, {tolerance:.2g} is allowed for {spec.precision}; '
            + _REMEDIES.get(backend.name, 'choose another backend')
        )
    _logger.debug('self-check of %s: relative RMS error %.2g', backend.description, error)
    return error


def _open_first(
    model_path: Path, spec: ModelSpec, options: BackendOptions, check_numbers: bool
) -> Backend:
    """Load a file into the first backend that works; warn of one that should have."""
    reasons: list[str] = []
    for candidate in AUTO_ORDER:
        reason = unavailable_reason(candidate, spec, options=options)
        is_expected = reason is None
        if reason is None:
            try:
                return _open_one(candidate, model_path, spec, options, check_numbers)
            except BackendError as err:
                reason = str(err)
        elif unsuitable_reason(candidate, spec, options=options) is None:
            is_expected = is_installed(candidate)
        level = logging.WARNING if is_expected else logging.DEBUG
        _logger.log(level, 'backend %s is passed over: %s', candidate, reason)
        reasons.append(f'{candidate}: {reason}')
    raise BackendError(f'no backend can run {model_path}: {"; ".join(reasons)}')


def _open_one(
    name: BackendName,
    model_path: Path,
    spec: ModelSpec,
    options: BackendOptions,
    check_numbers: bool,
) -> Backend:
    is_probed = spec.input_size in spec.probes
    if check_numbers and not is_probed:
        _logger.info(
            'the file has no probe for %dx%d (height x width): checked at the size of its export',
            *spec.input_size,
        )
        exported = spec.resized(next(iter(spec.probes)))
        _open_one(name, model_path, exported, options, check_numbers).close()
    backend = load_backend(name, model_path, spec, options=options)
    if check_numbers and is_probed:
        try:
            self_check(backend, spec)
        except BackendError:
            backend.close()
            raise
    return backend
