"""What is left of a run for people: a page, numbers, learning curves, a sheet of predictions."""

from __future__ import annotations

from dataclasses import dataclass
import json
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use('Agg')
from matplotlib import pyplot as plt
import numpy as np
from torch.utils.data import default_collate

from depth_estimation_ros.files.atomic import atomic_path, atomic_write_text
from depth_estimation_ros.training.evaluation.validation import predict_depth
from depth_estimation_ros.training.model.checkpoint import load_network
from depth_estimation_ros.training.model.network import num_trainable_parameters
from depth_estimation_ros.training.progress import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    import torch
    from torch.utils.data import Dataset

    from depth_estimation_ros.training.config import TrainConfig
    from depth_estimation_ros.training.model.checkpoint import NetworkInfo

NUM_SHEET_ROWS = 6
_METRICS = ('a1', 'a2', 'a3', 'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10')


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """Writes `report/` in the folder of a run.

    Attributes:
        folder: Folder of the run, with `log.jsonl` and, after a validation, `best.pt`.
        config: Settings of the run.
        info: What the network is.
    """

    folder: Path
    config: TrainConfig
    info: NetworkInfo

    def write(self, validation_data: Dataset[Any] | None, *, device: torch.device) -> Path:
        """Write report.md, metrics.json, learning_curves.png and predictions.png.

        Returns:
            The folder of the report.
        """
        report = self.folder / 'report'
        report.mkdir(exist_ok=True)
        log = read_log(self.folder / 'log.jsonl')
        best = self.folder / 'best.pt'
        summary = self._summary(log)
        atomic_write_text(report / 'metrics.json', json.dumps(summary, indent=2) + '\n')
        draw_curves(log, report / 'learning_curves.png')
        has_sheet = best.is_file() and validation_data is not None
        if has_sheet and validation_data is not None:
            self._draw_sheet(report / 'predictions.png', validation_data, device=device)
        text = self._page(summary, has_sheet=has_sheet)
        atomic_write_text(report / 'report.md', text)
        return report

    def _summary(self, log: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the contents of metrics.json."""
        metrics = self.info.metrics
        losses = [record for record in log if 'loss' in record]
        return {
            **{name: metrics[name] for name in _METRICS if name in metrics},
            'steps': losses[-1]['step'] if losses else 0,
            'images': losses[-1]['step'] * self.config.batch_size if losses else 0,
            'training_sec': sum(_durations(log)),
            'final_loss': losses[-1]['loss'] if losses else None,
            'parameters': num_trainable_parameters(self.info.build()),
            'training_data': self.info.training_data,
            'config': self.config.to_dict(),
        }

    def _draw_sheet(self, path: Path, data: Dataset[Any], *, device: torch.device) -> None:
        """Draw predictions of the best weights beside the truth."""
        network = load_network(self.folder / 'best.pt')[0].to(device)
        count = len(data)  # type: ignore[arg-type]
        chosen = sorted({row * count // NUM_SHEET_ROWS for row in range(NUM_SHEET_ROWS)})
        items = default_collate([data[index] for index in chosen])
        predicted = predict_depth(network, items, self.config, device, size=self.config.image_size)
        draw_predictions(
            items['image'].permute(0, 2, 3, 1).numpy(),
            items['depth'].numpy(),
            predicted,
            path,
            max_depth=self.config.max_depth,
        )

    def _page(self, summary: dict[str, Any], *, has_sheet: bool) -> str:
        """Return report.md."""
        config = self.config
        lines = [
            f'# Training of {config.encoder} ({config.variant} decoder)',
            '',
            f'- Data: {self.info.training_data}',
            f'- {summary["parameters"]:,} parameters, images {config.image_height}x'
            f'{config.image_width}, depth {config.min_depth:g} to {config.max_depth:g} m',
            f'- {summary["steps"]} steps of {config.batch_size} images in '
            f'{summary["training_sec"] / 60:.1f} minutes',
            '',
        ]
        if 'abs_rel' in summary:
            lines += ['## Validation split, best checkpoint', '']
            lines += ['| ' + ' | '.join(_METRICS) + ' |', '|' + ' --- |' * len(_METRICS)]
            lines += ['| ' + ' | '.join(f'{summary[name]:.4f}' for name in _METRICS) + ' |', '']
            lines += [
                'Mean over images; rmse and sq_rel in metres. This split chose the checkpoint:',
                'for numbers to compare with others run `depth-estimation evaluate`.',
                '',
            ]
        lines += ['## Learning curves', '', '![learning curves](learning_curves.png)', '']
        if has_sheet:
            lines += ['## Predictions on the validation split', '']
            lines += ['![predictions](predictions.png)', '']
        lines += ['## Settings', '']
        lines += [f'    {name}: {value}' for name, value in config.to_dict().items()]
        return '\n'.join(lines) + '\n'


def _durations(log: list[dict[str, Any]]) -> list[float]:
    """Return the time between records [s], without the pauses between a stop and a resume."""
    return [record['seconds'] for record in log if 'seconds' in record]


def draw_curves(log: list[dict[str, Any]], path: Path) -> None:
    """Draw loss and validation metrics over steps, from the records of a run."""
    losses = [(record['step'], record['loss']) for record in log if 'loss' in record]
    checks = [record for record in log if 'val/abs_rel' in record]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout='constrained')
    if losses:
        steps, values = np.array(losses).T
        left.plot(steps, values, color='tab:blue', alpha=0.3, linewidth=0.8, label='logged step')
        left.plot(steps, _smooth(values), color='tab:blue', label='mean of its neighbours')
        left.legend()
    left.set(xlabel='step', ylabel='training loss', ylim=(0, None))
    steps = np.array([record['step'] for record in checks])
    for name, label in (('abs_rel', 'AbsRel'), ('a1', 'a1')):
        values = np.array([record[f'val/{name}'] for record in checks])
        right.plot(steps, values, marker='o', markersize=3, label=label)
    right.set(xlabel='step', ylabel='validation', ylim=(0, 1))
    right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    _save(figure, path)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return running means over about a twentieth of the values."""
    width = max(1, len(values) // 20) | 1
    padded = np.pad(values, width // 2, mode='edge')
    result: NDArray[np.float64] = np.convolve(padded, np.full(width, 1 / width), mode='valid')
    return result


def draw_predictions(
    images_nhwc: NDArray[np.uint8],
    truths: NDArray[np.float32],
    predictions: NDArray[np.float32],
    path: Path,
    *,
    max_depth: float,
) -> None:
    """Draw images, true depth, predicted depth and their ratio, a row each.

    Args:
        images_nhwc: (N, H, W, 3) RGB.
        truths: (N, H, W) depth [m], 0 or NaN = missing (white).
        predictions: (N, H, W) depth [m], 0 = invalid (white).
        path: The PNG to write.
        max_depth: No colour is for more than this [m].
    """
    rows, (height, width) = len(images_nhwc), images_nhwc.shape[1:3]
    figure, grid = plt.subplots(
        rows,
        4,
        figsize=(12, 12 / 4 * rows * height / width + 0.9),
        layout='constrained',
        squeeze=False,
    )
    known = np.where(truths > 0, truths, np.nan)
    guessed = np.where(predictions > 0, predictions, np.nan)
    furthest = float(min(max_depth, np.nanpercentile(known, 99.5))) if (truths > 0).any() else 1.0
    near_far = {'cmap': 'turbo_r', 'vmin': 0, 'vmax': furthest}
    with np.errstate(invalid='ignore'):
        ratio = np.log2(guessed / known)
    for axes, image, truth, guess, error in zip(
        grid, images_nhwc, known, guessed, ratio, strict=True
    ):
        axes[0].imshow(image)
        depth = axes[1].imshow(truth, **near_far)
        axes[2].imshow(guess, **near_far)
        wrong = axes[3].imshow(error, cmap='RdBu_r', vmin=-1, vmax=1)
        for axis in axes:
            axis.set(xticks=[], yticks=[])
    titles = ('image', 'true depth', 'predicted depth', 'predicted / true')
    for axis, title in zip(grid[0], titles, strict=True):
        axis.set_title(title)
    options: dict[str, Any] = {'orientation': 'horizontal', 'shrink': 0.8, 'aspect': 40}
    figure.colorbar(depth, ax=grid[:, 1:3], label='depth [m]', **options)
    bar = figure.colorbar(wrong, ax=grid[:, 3], ticks=[-1, 0, 1], **{**options, 'aspect': 20})
    bar.ax.set_xticklabels(['half', 'equal', 'double'])
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    """Write a figure and forget it."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
