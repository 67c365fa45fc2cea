"""An evaluation as a table for people and as JSON for programs."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from depth_estimation_ros.training.evaluation.published import NYU_EIGEN

if TYPE_CHECKING:
    from depth_estimation_ros.training.evaluation.data import EvaluationData
    from depth_estimation_ros.training.evaluation.evaluate import Evaluation, EvaluationOptions
    from depth_estimation_ros.training.evaluation.predictors import DepthPredictor

METRIC_NAMES: Final = ('a1', 'a2', 'a3', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10')
_NAME_WIDTH: Final = 30
_NUM_WORST: Final = 3


def as_json(
    result: Evaluation,
    *,
    model: str,
    data: EvaluationData,
    options: EvaluationOptions,
    predictor: DepthPredictor,
) -> dict[str, Any]:
    """Return everything that is needed to measure the same again, as plain values."""
    values = result.metrics.as_dict()
    crop = options.crop
    return {
        **{name: values[name] for name in METRIC_NAMES},
        'images': result.num_images,
        'images_skipped': result.num_skipped,
        'convention': str(options.convention),
        'backend': predictor.backend,
        'precision': predictor.precision,
        'data': data.name,
        'model': model,
        'flip': options.flip,
        'median_scaling': options.median_scaling,
        'crop': None if crop is None else [crop.top, crop.bottom, crop.left, crop.right],
        'max_truth': options.max_truth,
        'pixels_without_depth': result.fraction_without_depth,
        'by_distance': [
            {
                'from': item.nearest,
                'to': item.farthest if math.isfinite(item.farthest) else None,
                'share': item.share,
                'abs_rel': item.abs_rel,
            }
            for item in result.by_distance
        ],
        'abs_rel_by_image': {
            data.samples.sample_name(index): abs_rel
            for index, abs_rel in enumerate(result.abs_rel_by_image)
        },
    }


def as_table(report: dict[str, Any], *, is_nyu_test: bool) -> str:
    """Return the measured row, and the published ones where they are of the same images."""
    how = [report['convention']]
    how += ['flip averaged'] if report['flip'] else []
    how += ['median scaled'] if report['median_scaling'] else []
    lines = [
        f'{report["data"]}, {report["images"]} images, {", ".join(how)}; '
        f'{report["backend"]}, {report["precision"]}',
        _line('', dict(zip(METRIC_NAMES, METRIC_NAMES, strict=True))),
        _line(report['model'], report),
    ]
    if report['pixels_without_depth']:
        share = 100.0 * report['pixels_without_depth']
        lines.append(f'{share:.2f} % of the pixels had no depth: they count as the far end')
    distances = [
        f'{item["from"]:g} to {item["to"]:g} m' if item['to'] else f'beyond {item["from"]:g} m'
        for item in report['by_distance']
    ]
    errors = [f'{item["abs_rel"]:.3f}' for item in report['by_distance']]
    by_distance = zip(distances, errors, strict=True)
    lines.append('AbsRel by distance: ' + ', '.join(' '.join(pair) for pair in by_distance))
    lines.append(_worst_images(report['abs_rel_by_image']))
    if is_nyu_test:
        lines += ['published']
        for row in NYU_EIGEN:
            if row.median_scaling == report['median_scaling']:
                lines.append(_line(row.name, row.metrics) + f'  {row.source}')
    return '\n'.join(lines)


def _worst_images(by_image: dict[str, float | None]) -> str:
    """Name the images to look at first, and the median of all, which they do not move."""
    known = [(abs_rel, name) for name, abs_rel in by_image.items() if abs_rel is not None]
    worst = sorted(known, reverse=True)[:_NUM_WORST]
    names = ', '.join(f'{name} {abs_rel:.3f}' for abs_rel, name in worst)
    return f'AbsRel of the median image {median(value for value, _ in known):.3f}; worst: {names}'


def _line(name: str, values: dict[str, Any]) -> str:
    cells = [values.get(key, '-') for key in METRIC_NAMES]
    texts = [f'{cell:.4f}' if isinstance(cell, float) else str(cell) for cell in cells]
    shown = name if len(name) <= _NAME_WIDTH else '...' + name[3 - _NAME_WIDTH :]
    return f'{shown:<{_NAME_WIDTH}}' + ''.join(f'{text:>9}' for text in texts)
