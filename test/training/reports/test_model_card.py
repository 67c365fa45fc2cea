"""The pictures and numbers of a model's card."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from small_checkpoint import make_small_checkpoint

from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.reports import model_card
from depth_estimation_ros.training.reports.prediction_sheet import (
    GAP,
    TITLE_HEIGHT,
    Row,
    draw_sheet,
    encode_sheet,
    paint_error,
)

if TYPE_CHECKING:
    from pathlib import Path


def _row(*, height: int = 60, width: int = 80, depth: float = 2.0, known: bool = True) -> Row:
    flat = np.full((height, width), depth, np.float32)
    image = np.full((height, width, 3), (200, 100, 50), np.uint8)
    return Row(image=image, prediction=flat, truth=flat if known else None)


def test_an_error_is_white_when_right_red_when_too_far_blue_when_too_near() -> None:
    truth = np.array([[2.0, 2.0, 2.0, 0.0, 2.0]], np.float32)
    prediction = np.array([[2.0, 3.0, 1.0, 2.0, np.nan]], np.float32)
    painted = paint_error(prediction, truth)
    # +50 % and -50 % are the ends of the scale; unknown truth and no prediction are black.
    expected = [[255, 255, 255], [40, 30, 200], [200, 80, 20], [0, 0, 0], [0, 0, 0]]
    assert painted[0].tolist() == expected


def test_a_row_with_truth_has_four_panels_and_a_photograph_two() -> None:
    assert draw_sheet([_row(), _row()]).shape == (TITLE_HEIGHT + 2 * (60 + GAP), 4 * 86 - GAP, 3)
    assert draw_sheet([_row(known=False)]).shape == (TITLE_HEIGHT + 60 + GAP, 2 * 86 - GAP, 3)


def test_images_of_other_shapes_keep_their_aspect_at_the_first_ones_height() -> None:
    # 120x320 becomes 60x160, twice the width of the first: panels are 160 wide.
    sheet = draw_sheet([_row(known=False), _row(height=120, width=320, known=False)])
    assert sheet.shape == (TITLE_HEIGHT + 2 * (60 + GAP), 2 * 166 - GAP, 3)
    assert sheet[TITLE_HEIGHT + 30, 40].tolist() == [50, 100, 200]  # BGR
    assert sheet[TITLE_HEIGHT + 30, 100].tolist() == [255, 255, 255]


def test_a_sheet_without_rows_is_an_error() -> None:
    with pytest.raises(DataError, match='no image to draw'):
        encode_sheet([])


def test_the_command_writes_numbers_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / 'small.pt'
    make_small_checkpoint(checkpoint, input_size=(64, 96))
    photo = tmp_path / 'photo.png'
    cv2.imwrite(str(photo), np.full((90, 120, 3), 128, np.uint8))
    arguments = [str(checkpoint), '--output', str(tmp_path), '--num-rooms', '6']
    assert model_card.main([*arguments, '--photo', str(photo)]) == 0
    report = json.loads((tmp_path / 'metrics.json').read_text())
    assert [report[name]['images'] for name in model_card.VARIANTS] == [6, 6, 6]
    assert report['flip_averaged']['flip']
    assert report['median_scaled']['abs_rel'] < report['metric']['abs_rel']
    for name, num_panels, height, num_rows in (('predictions', 4, 64, 5), ('photos', 2, 90, 1)):
        picture = cv2.imread(str(tmp_path / f'{name}.png'))
        assert picture is not None
        width = 96 if num_panels == 4 else 120
        assert picture.shape[:2] == (
            TITLE_HEIGHT + num_rows * (height + GAP),
            num_panels * (width + GAP) - GAP,
        )
    assert model_card.main([*arguments, '--photo', str(tmp_path / 'none.png')]) == 1
    assert 'model_card: error: ' in capsys.readouterr().err
