from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.training.config import TrainConfig
from depth_estimation_ros.training.presets import PRESETS, preset


def test_the_paper_preset_is_the_papers_recipe() -> None:
    paper = preset('paper')
    assert (paper.encoder, paper.variant, paper.image_size) == ('densenet169', 'paper', (480, 640))
    assert (paper.optimizer, paper.learning_rate, paper.batch_size) == ('adam-amsgrad', 1e-4, 8)
    assert (paper.ssim_weight, paper.edge_weight, paper.l1_weight) == (1, 1, 0.1)
    assert (paper.min_depth, paper.max_depth, paper.epochs) == (0.1, 10, 20)
    assert not paper.imagenet_normalization


@pytest.mark.parametrize(
    ('name', 'encoder', 'epochs'),
    [
        ('blog-densenet169', 'densenet169', 8),
        ('blog-densenet121', 'densenet121', 6),
        ('blog-resnet50', 'resnet50', 5),
    ],
)
def test_the_blogs_presets_have_its_encoders_and_epochs(
    name: str, encoder: str, epochs: int
) -> None:
    blog = preset(name)
    assert (blog.encoder, blog.epochs, blog.batch_size) == (encoder, epochs, 5)
    assert (blog.variant, blog.learning_rate) == ('blog', 1e-4)


@pytest.mark.parametrize('name', list(PRESETS))
def test_every_preset_survives_yaml(name: str) -> None:
    text = yaml.safe_dump(preset(name).to_dict())
    assert TrainConfig(**yaml.safe_load(text)) == preset(name)


def test_steps_follow_from_epochs_unless_they_are_given() -> None:
    config = TrainConfig(epochs=1.5, batch_size=8)
    assert config.num_steps(100) == 19  # 150 / 8 = 18.75
    assert config.num_steps(1) == 1
    assert replace(config, steps=7).num_steps(100) == 7


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'encoder': 'vgg'}, "encoder 'vgg' is unknown: use one of densenet169"),
        ({'precision': 'int8'}, "precision 'int8' is unknown: use one of auto, fp32"),
        ({'image_height': 100}, 'image_height 100 must be a multiple of 32'),
        ({'image_width': 0}, 'image_width 0 must be a multiple of 32'),
        (
            {'min_depth': 5.0, 'max_depth': 2.0},
            'min_depth 5.0 must be above 0 and below max_depth 2',
        ),
        ({'min_depth': 0.0}, 'min_depth 0.0 must be above 0'),
        ({'batch_size': 0}, 'batch_size 0 must be above 0'),
        ({'learning_rate': float('nan')}, 'learning_rate nan must be above 0'),
        ({'flip_probability': 1.5}, 'flip_probability 1.5 must be between 0 and 1'),
        ({'weight_decay': -1.0}, r'weight_decay -1.0 must not be negative'),
        ({'min_crop_scale': 0.0}, 'min_crop_scale 0.0 must be above 0'),
        ({'steps': 0}, 'steps 0 must be above 0'),
        ({'training_fx': -3.0}, r'training_fx -3.0 must be above 0'),
        ({'loss_domain': 'log'}, 'loss_domain log needs positive_output'),
        (
            {'ssim_weight': 0.0, 'edge_weight': 0.0, 'l1_weight': 0.0},
            'are all 0: nothing to learn',
        ),
        ({'coarse_fraction': 0.5, 'image_height': 96}, 'coarse_fraction 0.5 needs'),
        ({'load_scale': 0.5}, 'load_scale 0.5 must be 1 or more'),
        ({'shape_fraction': 1.5}, 'shape_fraction 1.5 must be between 0 and 1'),
        ({'border_probability': 1.1}, 'border_probability 1.1 must be between 0 and 1'),
        ({'jpeg_probability': -0.1}, 'jpeg_probability -0.1 must be between 0 and 1'),
        ({'teacher_weight': 2.0}, 'teacher_weight 2.0 must be between 0 and 1'),
        ({'max_roll_deg': -4.0}, 'max_roll_deg -4.0 must not be negative'),
        ({'encoder_rate': 0.0}, 'encoder_rate 0.0 must be above 0'),
        ({'image_width': 250}, 'image_width 250 must be a multiple of 32'),
    ],
)
def test_settings_that_no_run_could_use_are_refused(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**values)  # type: ignore[arg-type]


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ConfigError, match="unknown preset 'best': use one of paper"):
        preset('best')


def test_images_are_loaded_larger_than_the_network_sees_them() -> None:
    config = preset('real-rooms')
    assert (config.image_size, config.load_size) == ((192, 256), (240, 320))
    assert preset('paper').load_size == (480, 640)
