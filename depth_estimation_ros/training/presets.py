"""Settings by name: the paper's recipe, the blog's, and our own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.config import TrainConfig

_BLOG = TrainConfig(variant='blog', batch_size=5)
_MODERN = TrainConfig(
    encoder='densenet121',
    variant='blog',
    decoder_width=256,
    imagenet_normalization=True,
    positive_output=True,
    align_corners=False,
    photometric=0.5,
    channel_swap_probability=0.0,
    min_crop_scale=0.6,
    loss_domain='log',
    ssim_weight=0.0,
    edge_weight=0.5,
    l1_weight=1.0,
    edge_scales=4,
    batch_size=16,
    epochs=15,
    optimizer='adamw',
    learning_rate=4e-4,
    weight_decay=0.01,
    schedule='cosine',
    warmup_fraction=0.03,
    gradient_clip=5.0,
    ema_decay=0.999,
    precision='auto',
    channels_last=True,
    num_workers=4,
)
PRESETS: Final[dict[str, TrainConfig]] = {
    'paper': TrainConfig(),
    'blog-densenet169': replace(_BLOG, epochs=8),
    'blog-densenet121': replace(_BLOG, encoder='densenet121', epochs=6),
    'blog-resnet50': replace(_BLOG, encoder='resnet50', epochs=5),
    'modern': _MODERN,
    'small-rooms': replace(
        _MODERN,
        encoder='small',
        decoder_width=None,
        encoder_weights='none',
        imagenet_normalization=False,
        positive_output=None,
        image_height=192,
        image_width=256,
        training_fx=220.16,  # 0.86 of the width: about 60 degrees
        min_depth=0.2,
        photometric=0.25,  # the rooms bring their own exposure, noise and blur
        min_crop_scale=0.85,
        batch_size=16,
        steps=16000,
        learning_rate=2e-3,
        coarse_fraction=0.5,
        precision='fp32',
        num_workers=1,
    ),
    'real-rooms': replace(
        _MODERN,
        encoder='efficientnet_lite0',
        decoder_width=128,
        positive_output=None,
        image_height=192,
        image_width=256,
        training_fx=220.16,  # as small-rooms: NYU's Kinect has 215.6 without its frame
        min_depth=0.2,
        load_scale=1.25,
        min_crop_scale=0.67,
        shape_fraction=0.3,
        max_roll_deg=4.0,
        photometric=0.5,
        border_probability=0.5,
        jpeg_probability=0.2,
        edge_scales=3,
        forgive_depth_steps=True,
        batch_size=8,
        steps=4500,
        learning_rate=2e-3,
        encoder_rate=0.2,
        coarse_fraction=0.4,
        num_workers=1,
    ),
}


def preset(name: str) -> TrainConfig:
    """Return a preset by its name.

    Raises:
        ConfigError: No preset has this name.
    """
    if name not in PRESETS:
        raise ConfigError(f'unknown preset {name!r}: use one of {", ".join(PRESETS)}')
    return PRESETS[name]
