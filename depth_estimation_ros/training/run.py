"""A whole training run: from settings to a folder with checkpoints and a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
import logging
from typing import TYPE_CHECKING, Any

import torch
import yaml

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.files.atomic import atomic_write_text
from depth_estimation_ros.training.data.mixture import Mixture
from depth_estimation_ros.training.fine_tuning import initial_network, words_for
from depth_estimation_ros.training.model.checkpoint import NetworkInfo, load_checkpoint
from depth_estimation_ros.training.model.network import DenseDepthNet, build_densedepth
from depth_estimation_ros.training.model.pretrained import load_encoder_weights
from depth_estimation_ros.training.reports.run_report import RunReport
from depth_estimation_ros.training.trainer import Trainer, TrainingResult

if TYPE_CHECKING:
    from pathlib import Path

    from torch.utils.data import Dataset

    from depth_estimation_ros.training.config import TrainConfig
    from depth_estimation_ros.training.distributed import ProcessGroup

NUM_ASKED = 20
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What a run trains on.

    Attributes:
        train: Items as `Trainer` takes them; a `Mixture` of several data sets.
        validation: Same, never the test set; of a mixture the first data set chooses the best
            checkpoint. None = none is chosen.
        name: What it is, in words.
        licence: Licence of weights that come of it, in words.
    """

    train: Dataset[Any]
    validation: Dataset[Any] | None
    name: str
    licence: str = 'unknown'


def new_network(config: TrainConfig) -> DenseDepthNet:
    """Build the network of a run as it is before the first step.

    Raises:
        ConfigError: Settings that do not go together.
        CheckpointError: The weights that it starts from cannot be had.
    """
    torch.manual_seed(config.seed)
    if config.initial_checkpoint is not None:
        return initial_network(config.initial_checkpoint, config)
    network = build_densedepth(
        config.encoder,
        variant=config.variant,
        decoder_width=config.decoder_width,
        positive_output=config.positive_output,
        align_corners=config.align_corners,
        normalized=config.imagenet_normalization,
    )
    load_encoder_weights(network, config.encoder_weights)
    return network


def train(
    config: TrainConfig,
    data: TrainingData,
    *,
    folder: Path,
    group: ProcessGroup,
    resume: bool = False,
    max_minutes: float | None = None,
) -> TrainingResult:
    """Train a network, or go on with it.

    Args:
        config: The settings.
        data: The data.
        folder: Where everything goes.
        group: This process among others.
        resume: Go on from `last.pt` in the folder.
        max_minutes: Stop and save after this time.

    Raises:
        ConfigError: There is a run in the folder already, or none to resume.
        DepthEstimationError: As `Trainer.run`.
    """
    last = folder / 'last.pt'
    if resume and not last.is_file():
        raise ConfigError(f'there is no {last} to resume from')
    if last.exists() and not resume:
        raise ConfigError(f'{last} exists: add --resume to go on, or give another --output')
    network = load_checkpoint(last).info.build() if resume else new_network(config)
    words = words_for(config, data_name=data.name, licence=data.licence)
    info = NetworkInfo.of(network, config, **words)
    if info.training_fx is None:
        info = replace(info, training_fx=common_focal_length(data.train, width=config.image_width))
    trainer = Trainer(
        network,
        config,
        train_data=data.train,
        validation_data=data.validation,
        folder=folder,
        info=info,
        group=group,
    )
    if resume:
        trainer.resume(last)
    if group.is_main:
        settings = yaml.safe_dump(config.to_dict(), sort_keys=False)
        atomic_write_text(folder / 'config.yaml', settings)
    result = trainer.run(max_minutes=max_minutes)
    if group.is_main and not result.stop_reason:
        report = RunReport(folder=folder, config=config, info=trainer.info)
        path = report.write(_chooser(data.validation), device=group.device)
        _logger.info('report in %s', path)
    return result


def _chooser(validation: Dataset[Any] | None) -> Dataset[Any] | None:
    """Return the data set that chooses the best checkpoint."""
    if validation is None:
        return None
    return Mixture.of(Mixture.of(validation).sources[0].dataset)


def common_focal_length(dataset: Dataset[Any], *, width: int) -> float | None:
    """Return the focal length that all images of a data set share [px at width].

    Depth that is learned from one camera is right for that camera: whoever uses the network has
    to know which it was. A few images, evenly spread, are asked.

    Returns:
        None when it is not known, or differs by more than a hundredth.
    """
    num_samples = len(dataset)  # type: ignore[arg-type]
    count = min(num_samples, NUM_ASKED)
    lengths: list[float] = []
    for index in range(count):
        item = dataset[index * num_samples // count]
        lengths.append(float(item['intrinsics'][0]) * width / item['image'].shape[-1])
    if not lengths or min(lengths) <= 0 or max(lengths) > 1.01 * min(lengths):
        return None
    return float(sum(lengths)) / len(lengths)
