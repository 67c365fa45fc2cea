"""The training loop."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import TYPE_CHECKING, Any

from torch.utils.data import DataLoader, Dataset

from depth_estimation_ros.depth.metrics import DepthMetrics
from depth_estimation_ros.errors import CheckpointError
from depth_estimation_ros.files.reading import reading
from depth_estimation_ros.training.config import changed_settings
from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.distributed import ProcessGroup
from depth_estimation_ros.training.evaluation.validation import Validator
from depth_estimation_ros.training.interruption import (
    StopRequest,
    bad_loss,
    ignore_signals,
    out_of_memory,
)
from depth_estimation_ros.training.model.checkpoint import (
    Checkpoint,
    NetworkInfo,
    load_checkpoint,
    save_checkpoint,
)
from depth_estimation_ros.training.progress import RunLog
from depth_estimation_ros.training.random_state import rng_state, set_rng_state
from depth_estimation_ros.training.step.learner import Learner
from depth_estimation_ros.training.step.sampling import ShuffledBatches

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from depth_estimation_ros.training.config import TrainConfig
    from depth_estimation_ros.training.model.network import DenseDepthNet


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How a run ended.

    Attributes:
        step: Steps that are done.
        stop_reason: Why it ended before the last one; empty when it is finished.
        best: Metrics on the validation split of what is in `best.pt`; None without a split.
    """

    step: int
    stop_reason: str
    best: DepthMetrics | None


class Trainer:
    """Trains one network in one folder.

    The folder gets `log.jsonl`, `last.pt` (everything, to resume) and `best.pt` (the weights with
    the smallest AbsRel on the validation split).
    """

    def __init__(
        self,
        network: DenseDepthNet,
        config: TrainConfig,
        *,
        train_data: Dataset[Any],
        validation_data: Dataset[Any] | None,
        folder: Path,
        info: NetworkInfo,
        group: ProcessGroup | None = None,
    ) -> None:
        """Prepare a run; nothing is written yet.

        Args:
            network: What is trained.
            config: How.
            train_data: Items `image` (3, H, W) uint8 RGB, `depth` (H, W) float32 [m], 0 or NaN =
                missing, `intrinsics` (4,) float32 fx fy cx cy [px].
            validation_data: Same, never the test set; of a mixture, each data set is measured and
                the first chooses the best checkpoint.
            folder: Where files go.
            info: What the network is, for the checkpoints.
            group: This process among others.

        Raises:
            DataError: There is no training data, or none to validate on.
        """
        self.config = config
        self.folder = folder
        self.info = info
        self.group = group or ProcessGroup()
        self.train_data = Mixture.of(train_data)
        self.num_steps = config.num_steps(
            round(self.train_data.sizes[0] / self.train_data.weights[0])
        )
        self.learner = Learner(network, config, num_steps=self.num_steps, group=self.group)
        self.validators: dict[str, Validator] = {}
        if validation_data is not None and self.group.is_main:
            self.validators = {
                source.name: Validator(network, source.dataset, config, device=self.group.device)
                for source in Mixture.of(validation_data).sources
            }
        self.step = 0
        self.best: DepthMetrics | None = None

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: It is not one of a run with the same settings.
        """
        checkpoint = load_checkpoint(path)
        if not checkpoint.training:
            raise CheckpointError(f'{path} holds weights only: there is no run in it to resume')
        with reading(path, 'checkpoint of a run', CheckpointError):
            self._take_over(path, checkpoint)

    def _take_over(self, path: Path, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint that was read."""
        state = checkpoint.training
        changed = changed_settings(
            {**state['config'], **{k: state[k] for k in self._data_facts() if k in state}},
            {**self.config.to_dict(), **self._data_facts()},
        )
        if changed:
            raise CheckpointError(
                f'{path} cannot be resumed with other settings: {"; ".join(changed)}'
            )
        self.learner.load_state(state['learner'], checkpoint.weights)
        set_rng_state(state['rng'])
        self.step = state['step']
        self._note_metrics(checkpoint.info.metrics, checkpoint.info.metrics_data)
        self.best = DepthMetrics(**state['best']) if state['best'] else None

    def run(self, *, max_minutes: float | None = None, quiet: bool = False) -> TrainingResult:
        """Train until the last step, a time limit or Ctrl-C; then save.

        Raises:
            DataError: The loss became NaN or infinite; the message names the batch.
            ConfigError: Memory ran out.
            CheckpointError: A checkpoint cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        num_processes = self.group.num_processes
        with (
            StopRequest(max_minutes=max_minutes) as stop,
            RunLog(
                self.folder if self.group.is_main else None,
                first_step=self.step,
                num_steps=self.num_steps,
                work_done=self.learner.work_done,
                quiet=quiet,
            ) as log,
            out_of_memory(batch_size=self.config.batch_size, num_processes=num_processes),
        ):
            for items in self._batches():
                self._one_step(items, log)
                if self.group.any(stop.is_set()):
                    break
            if self.step % self.config.checkpoint_every:
                self._save_last()
            finished = self.step >= self.num_steps
            reason = '' if finished else (stop.reason or f'stopped at step {self.step}')
            return TrainingResult(step=self.step, stop_reason=reason, best=self.best)

    def _one_step(self, items: dict[str, Any], log: RunLog) -> None:
        """Learn from a batch; log, validate and save when it is time to."""
        config = self.config
        loss = self.learner.learn(items, self.step)
        if not math.isfinite(loss):
            names = [self.train_data.sample_name(int(index)) for index in items['index']]
            raise bad_loss(loss, step=self.step, names=names, network=self.learner.network)
        self.step += 1
        last = self.step == self.num_steps
        log.advance(loss=loss, num_images=config.batch_size)
        if self.step % config.log_every == 0 or last:
            rate = self.learner.optimizer.param_groups[0]['lr']
            log.record(self.step, loss=loss, learning_rate=rate, images_per_sec=log.images_per_sec)
        if self.step % config.validate_every == 0 or last:
            self._validate(log)
        if self.step % config.checkpoint_every == 0:
            self._save_last()

    def _data_facts(self) -> dict[str, Any]:
        """Return what a resumed run must find again: `changed_settings` compares it."""
        data = self.train_data
        pairs = zip(data.sizes, data.weights, strict=True)
        return {'num_samples': len(data), 'data': [list(pair) for pair in pairs]}

    def sampler(self) -> ShuffledBatches:
        """Return which samples this process learns from in the steps that are left."""
        return ShuffledBatches(
            self.train_data.sizes,
            weights=self.train_data.weights,
            batch_size=self.config.batch_size,
            steps=range(self.step, self.num_steps),
            seed=self.config.seed,
            rank=self.group.rank,
            num_processes=self.group.num_processes,
        )

    def _batches(self) -> DataLoader[Any]:
        """Load the samples of `sampler`."""
        return DataLoader(
            self.train_data,
            batch_sampler=self.sampler(),
            num_workers=self.config.num_workers,
            pin_memory=self.group.device.type == 'cuda',
            worker_init_fn=ignore_signals,
        )

    def _validate(self, log: RunLog) -> None:
        """Measure the weights to use on the validation split; keep the best of them.

        The main process does, the others wait.
        """
        if not self.validators:
            return
        size = self.learner.image_size(self.step - 1)
        weights = self.learner.weights()
        results = {
            name: validator.measure(weights, size=size)
            for name, validator in self.validators.items()
        }
        chooser, metrics = next(iter(results.items()))
        values = {f'val/{k}': v for k, v in metrics.as_dict().items()}
        for name, result in results.items():
            if name != chooser:
                values |= {f'val/{name}/{k}': v for k, v in result.as_dict().items()}
        log.record(self.step, **values)
        log.say(f'step {self.step}: validation ' + '; '.join(_sentences(results)))
        # A network that has only seen small images is no candidate: it is good at those alone.
        better = self.best is None or metrics.abs_rel < self.best.abs_rel
        if better and size == self.config.image_size:
            self.best = metrics
            images = f'{self.validators[chooser].num_images} images of the validation split'
            of = f' of {chooser}' if len(results) > 1 else ''
            self._note_metrics(metrics.as_dict(), images + of)
            self._save('best.pt', training={})

    def _note_metrics(self, metrics: dict[str, float], data: str) -> None:
        """Put metrics of the best weights into what checkpoints say of the network."""
        self.info = replace(self.info, metrics=metrics, metrics_data=data)

    def _save_last(self) -> None:
        """Save everything that a resumed run needs."""
        if not self.group.is_main:
            return
        training = {
            'step': self.step,
            **self._data_facts(),
            'config': self.config.to_dict(),
            'learner': self.learner.state(),
            'rng': rng_state(),
            'best': self.best.as_dict() if self.best else {},
        }
        self._save('last.pt', training=training)

    def _save(self, name: str, *, training: dict[str, Any]) -> None:
        """Write a checkpoint file."""
        weights: dict[str, torch.Tensor] = self.learner.weights()
        save_checkpoint(
            self.folder / name, Checkpoint(info=self.info, weights=weights, training=training)
        )


def _sentences(results: dict[str, DepthMetrics]) -> list[str]:
    """Say what was measured on each data set, the one that chooses first."""
    several = len(results) > 1
    return [
        (f'on {name}{"" if index else " (chooses)"}: ' if several else '')
        + f'AbsRel {metrics.abs_rel:.4f}, a1 {metrics.a1:.4f}, RMSE {metrics.rmse:.3f} m'
        for index, (name, metrics) in enumerate(results.items())
    ]
