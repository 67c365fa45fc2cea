"""ModelSpec: what a model file says of itself, stored in its ONNX metadata."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
import math
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import ConfigError, ModelFileError
from depth_estimation_ros.model_file.metadata_text import (
    FORMAT_VERSION,
    METADATA_PREFIX,
    PARSERS,
    probes_to_text,
    to_text,
    upgraded,
)
from depth_estimation_ros.model_file.onnx_metadata import read_onnx_metadata
from depth_estimation_ros.model_file.precision import Precision, Target
from depth_estimation_ros.model_file.probe import PROBE_TOLERANCE, Probe, probe_error, probe_image

if TYPE_CHECKING:
    from collections.abc import Mapping
    import os

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    'FORMAT_VERSION',
    'FREE_AXES',
    'METADATA_PREFIX',
    'SIZE_MULTIPLE',
    'ModelSpec',
    'Precision',
    'Probe',
    'Target',
    'check_probe',
    'probe_image',
    'read_model_spec',
]

MAX_INPUT_PIXELS = 2**26  # of a batch: as many as the largest image that is read
SIZE_MULTIPLE = 32  # of heights and widths: the encoders halve an image five times
FREE_AXES = ('height', 'width')  # names in the graph of what is free in the input
_HOW_TO_EXPORT = 'make a model file with `depth-estimation export CHECKPOINT --output model.onnx`'


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Facts that a consumer of a model file needs.

    The graph takes `image`, uint8 (N, H, W, 3) RGB, and gives `depth`, float32 (N, h, w) [m]
    along Z, 0 = invalid. Strings are accepted for the enums.

    Attributes:
        encoder: 'densenet169', 'densenet121', 'resnet50' or 'small'.
        variant: Decoder variant, 'paper' or 'blog'.
        decoder_width: Channels at the decoder's input.
        input_size: (height, width) of the image [px].
        output_size: (height, width) of the depth [px]; input_size is a whole multiple of it.
        batch_size: Number of images a call takes.
        min_depth: Lower end of the depths the model was trained for [m].
        max_depth: Upper end [m].
        training_fx: Focal length that depth is predicted for, in pixels at the input's width;
            None = unknown. The range limits hold at this focal length.
        precision: Number format.
        target: Backends it is meant for.
        training_data: What it was trained on, in words.
        metrics: Name -> value, measured on metrics_data.
        metrics_data: What the metrics were measured on, in words.
        licence: SPDX expression or words.
        created_by: Program and version.
        free_size: Whether height and width are free in the graph: any multiples of 32 will do,
            and input_size, at which it was exported, is the pixel budget.
        probes: (height, width) of an input -> seed and reference output of the self-check at
            that size; the first is that of the export.
        format_version: Version of these facts.
    """

    encoder: str
    variant: str
    decoder_width: int
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    batch_size: int = 1
    min_depth: float
    max_depth: float
    training_fx: float | None = None
    precision: Precision = Precision.FP32
    target: Target = Target.ANY
    training_data: str = ''
    metrics: Mapping[str, float] = field(default_factory=dict, hash=False)
    metrics_data: str = ''
    licence: str = ''
    created_by: str = ''
    free_size: bool = False
    probes: Mapping[tuple[int, int], Probe] = field(hash=False)
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        """Convert the enums and check the values.

        Raises:
            ValueError: A value is out of range.
        """
        object.__setattr__(self, 'precision', Precision(self.precision))
        object.__setattr__(self, 'target', Target(self.target))
        if not 0.0 < self.min_depth < self.max_depth < math.inf:
            raise ValueError(f'depth range {self.min_depth}..{self.max_depth} m')
        if self.training_fx is not None and not 0.0 < self.training_fx < math.inf:
            raise ValueError(f'training_fx {self.training_fx} px')
        if self.batch_size < 1:
            raise ValueError(f'batch_size {self.batch_size}')
        _check_sizes(self.input_size, self.output_size)
        if self.batch_size * self.input_size[0] * self.input_size[1] > MAX_INPUT_PIXELS:
            raise ValueError(
                f'batch_size {self.batch_size} of {self.input_size} is more than '
                f'{MAX_INPUT_PIXELS} pixels'
            )
        if not self.probes:
            raise ValueError('no probe')

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, 3)."""
        return (self.batch_size, *self.input_size, 3)

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """(N, h, w)."""
        return (self.batch_size, *self.output_size)

    def resized(self, input_size: tuple[int, int]) -> ModelSpec:
        """Facts of the same file run at another size.

        training_fx stays: a network sees pixels, so depth follows the focal length in pixels of
        its input, whatever the size of that input is.

        Args:
            input_size: (height, width) of the image [px].

        Raises:
            ConfigError: The file has one size only, or this is no size for a network.
        """
        if input_size == self.input_size:
            return self
        height, width = input_size
        if not self.free_size:
            own_height, own_width = self.input_size
            raise ConfigError(
                f'network_size {height}x{width}: the model file takes {own_height}x{own_width} '
                'only (height x width); use that or auto, or export the model again'
            )
        if min(input_size) < SIZE_MULTIPLE or height % SIZE_MULTIPLE or width % SIZE_MULTIPLE:
            raise ConfigError(
                f'network_size {height}x{width}: height and width must be multiples of '
                f'{SIZE_MULTIPLE}'
            )
        stride = self.input_size[0] // self.output_size[0]
        output_size = (height // stride, width // stride)
        return replace(self, input_size=input_size, output_size=output_size)

    def to_metadata(self) -> dict[str, str]:
        """ONNX metadata_props; every key starts with METADATA_PREFIX."""
        return {
            METADATA_PREFIX + item.name: to_text(getattr(self, item.name))
            for item in fields(self)
            if item.name != 'probes'
        } | {METADATA_PREFIX + 'probes': probes_to_text(self.probes)}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], *, source: str) -> ModelSpec:
        """Inverse of `to_metadata`; other keys are ignored.

        Args:
            metadata: The metadata_props of a model file.
            source: Path of the file, for messages.

        Raises:
            ModelFileError: The metadata is absent, of a newer format, incomplete or damaged.
        """
        version = metadata.get(METADATA_PREFIX + 'format_version')
        if version is None:
            raise ModelFileError(
                f'{source}: not a model file of this package (no {METADATA_PREFIX}* metadata); '
                + _HOW_TO_EXPORT
            )
        if version not in ('1', str(FORMAT_VERSION)):
            raise ModelFileError(
                f'{source}: model file format {version}, this version reads 1 to '
                f'{FORMAT_VERSION}; update depth_estimation_ros or export the model again'
            )
        if version == '1':
            metadata = upgraded(metadata)
        values: dict[str, Any] = {}
        for item in fields(cls):
            key = METADATA_PREFIX + item.name
            if key not in metadata:
                raise ModelFileError(f'{source}: metadata lacks {key}; {_HOW_TO_EXPORT}')
            try:
                values[item.name] = PARSERS.get(item.name, str)(metadata[key])
            except Exception as err:  # JSON may nest, overflow or be no object
                raise ModelFileError(
                    f'{source}: metadata {key}={metadata[key]!r:.80}: {err}'
                ) from err
        values['format_version'] = FORMAT_VERSION
        try:
            spec = cls(**values)
        except Exception as err:
            raise ModelFileError(f'{source}: impossible metadata: {err}') from err
        if spec.input_size not in spec.probes:
            raise ModelFileError(f'{source}: no probe for input size {spec.input_size}')
        return spec


def read_model_spec(path: str | os.PathLike[str]) -> ModelSpec:
    """Read the facts of a model file, without any ONNX library.

    Raises:
        ModelFileError: The file is missing, truncated, no ONNX file or none of this package.
    """
    return ModelSpec.from_metadata(read_onnx_metadata(path), source=str(path))


def check_probe(
    output: NDArray[np.float32], spec: ModelSpec, *, compute_precision: str | None = None
) -> tuple[float, float]:
    """Compare a backend's output for the probe image with the reference.

    Args:
        output: (N, h, w) float32 depth [m], 0 = invalid.
        spec: Facts of the model file, at a size that has a probe.
        compute_precision: A key of PROBE_TOLERANCE when the backend computes in another
            precision than the file's; the looser tolerance of the two holds.

    Returns:
        The relative RMS error (see probe.probe_error) and the tolerance for it.
    """
    probe = spec.probes[spec.input_size]
    error = probe_error(output, probe, min_depth=spec.min_depth, max_depth=spec.max_depth)
    names = {spec.precision.value, compute_precision or spec.precision.value}
    return error, max(PROBE_TOLERANCE[name] for name in names)


def _check_sizes(input_size: tuple[int, int], output_size: tuple[int, int]) -> None:
    stride = input_size[0] // max(1, output_size[0])
    if (
        min(*input_size, *output_size) < 1
        or stride < 1
        or (stride * output_size[0], stride * output_size[1]) != input_size
    ):
        raise ValueError(f'input size {input_size} is no whole multiple of {output_size}')
