"""Figures as a table for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from depth_estimation_ros.benchmark.hardware import Hardware
    from depth_estimation_ros.benchmark.measure import BenchmarkCase, CaseResult, SizeResult
    from depth_estimation_ros.model_file.model_spec import ModelSpec

__all__ = ['ModelReport', 'Row', 'report_json']

_COLUMNS = ('p50', 'p95', 'p99', 'pre', 'network', 'post', 'img/s', 'CPU ms', 'RSS MB', 'GPU MB')


@dataclass(frozen=True, kw_only=True)
class Row:
    """A case and what came of it."""

    case: BenchmarkCase
    result: CaseResult | None = None
    reason: str = ''  # why there is no result

    @property
    def openvino_precision(self) -> str | None:
        """The arithmetic, where the user chooses it."""
        return self.case.openvino_precision if self.case.backend == 'openvino' else None

    @property
    def label(self) -> str:
        """Backend and arithmetic."""
        return ' '.join(filter(None, (self.case.backend, self.openvino_precision)))

    def lines(self) -> list[str]:
        """Write the lines of the table."""
        if self.result is None:
            return [f'{self.label:<18}{"not run":>10}: {self.reason}']
        lines = [_line(self.label, self.result, size) for size in self.result.sizes]
        calls = self.result.sizes[0].num_runs
        about = f'loaded in {self.result.load_sec:.1f} s, {calls} calls timed'
        return [*lines, f'{"":<18}{about}, {self.result.description}']

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            'backend': self.case.backend,
            'openvino_precision': self.openvino_precision,
            'num_threads': self.case.num_threads,
            'reason_not_run': self.reason or None,
            'result': None if self.result is None else asdict(self.result),
        }


@dataclass(frozen=True, kw_only=True)
class ModelReport:
    """Everything measured of one model file."""

    path: Path
    spec: ModelSpec
    rows: tuple[Row, ...]

    def table(self) -> str:
        """Write the table."""
        spec = self.spec
        height, width = spec.input_size
        batch = f', {spec.batch_size} images a call' if spec.batch_size > 1 else ''
        title = f'{self.path}: {spec.encoder}, {spec.precision}, input {width}x{height}{batch}'
        head = f'{"[ms]":<18}{"image":>10}' + ''.join(f'{name:>9}' for name in _COLUMNS)
        return '\n'.join([title, head, *(line for row in self.rows for line in row.lines())])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            'model': str(self.path),
            'encoder': self.spec.encoder,
            'precision': str(self.spec.precision),
            'input_size': self.spec.input_size,
            'batch_size': self.spec.batch_size,
            'backends': [row.as_dict() for row in self.rows],
        }


def report_json(hardware: Hardware, reports: Sequence[ModelReport]) -> str:
    """Write the text of the JSON file; sizes are (height, width)."""
    content = {
        'hardware': {**asdict(hardware), 'is_busy': hardware.is_busy},
        'models': [report.as_dict() for report in reports],
    }
    return json.dumps(content, indent=2) + '\n'


def _line(label: str, result: CaseResult, size: SizeResult) -> str:
    height, width = size.image_size
    times = (size.p50_ms, size.p95_ms, size.p99_ms)
    parts = (size.preprocess_ms, size.inference_ms, size.postprocess_ms)
    gpu = '-' if result.gpu_memory_mb is None else f'{result.gpu_memory_mb:.0f}'
    return (
        f'{label:<18}{f"{width}x{height}":>10}'
        + ''.join(f'{value:9.2f}' for value in (*times, *parts))
        + f'{size.images_per_sec:9.1f}{size.cpu_ms_per_image:9.1f}'
        + f'{result.peak_rss_mb:9.0f}{gpu:>9}'
    )
