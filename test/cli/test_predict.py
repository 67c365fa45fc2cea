"""depth-estimation predict: images, folders, videos; cameras; bad files beside good ones."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from depth_estimation_ros.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GREY_OF_TWO_METRES = 51
CAMERA_INFO = """
image_width: 64
image_height: 48
camera_name: test
camera_matrix: {rows: 3, cols: 3, data: [32.0, 0.0, 31.5, 0.0, 32.0, 23.5, 0.0, 0.0, 1.0]}
distortion_model: plumb_bob
"""


def _write_grey(path: Path, *, height: int = 48, width: int = 64) -> Path:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), GREY_OF_TWO_METRES, dtype=np.uint8))
    return path


def _write_video(path: Path, *, num_frames: int = 5) -> Path:
    fourcc = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), fourcc, 10.0, (64, 48))
    assert writer.isOpened()
    for _ in range(num_frames):
        writer.write(np.full((48, 64, 3), GREY_OF_TWO_METRES, dtype=np.uint8))
    writer.release()
    return path


def _read_depth(path: Path) -> NDArray[np.uint16]:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image.dtype == np.uint16
    return np.asarray(image, dtype=np.uint16)


def _predict(model: Path, output: Path, *arguments: object) -> int:
    words = ['--model', model, '--output', output, '--backend', 'onnxruntime', *arguments]
    return main(['predict', *(str(word) for word in words)])


def test_an_image_becomes_millimetres_and_colours(tiny_model_path: Path, tmp_path: Path) -> None:
    photo = _write_grey(tmp_path / 'photo.png', height=30, width=50)
    assert _predict(tiny_model_path, tmp_path / 'out', photo) == 0
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['photo_color.png', 'photo_depth.png']
    depth = _read_depth(tmp_path / 'out' / 'photo_depth.png')
    assert depth.shape == (30, 50)
    assert (depth == 2000).all()
    colors = cv2.imread(str(tmp_path / 'out' / 'photo_color.png'))
    assert colors is not None
    assert colors.shape == (30, 50, 3)


def test_the_float_depth_and_the_cloud_are_written_when_asked(
    tiny_model_path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level('INFO')
    photo = _write_grey(tmp_path / 'photo.png')
    arguments = (photo, '--npy', '--ply', '--hfov', '90')
    assert _predict(tiny_model_path, tmp_path / 'out', *arguments) == 0
    depth = np.load(tmp_path / 'out' / 'photo_depth.npy')
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, 2.0, rtol=1e-5)
    header, _, body = (
        (tmp_path / 'out' / 'photo_cloud.ply').read_bytes().partition(b'end_header\n')
    )
    assert b'element vertex 3072\n' in header
    first = np.frombuffer(body[:12], dtype='<f4')  # fx = 32, u = v = 0
    np.testing.assert_allclose(first, [-31.5 * 2 / 32, -23.5 * 2 / 32, 2.0], rtol=1e-5)
    assert body[12:15] == bytes([GREY_OF_TWO_METRES] * 3)
    assert len(body) == 3072 * 15
    assert 'camera: 90 deg horizontally' in caplog.text


@pytest.mark.parametrize('camera', [['--fx', '32'], ['--hfov', '90']])
def test_equal_cameras_give_equal_clouds(
    tiny_model_path: Path, tmp_path: Path, camera: list[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    calibration = tmp_path / 'camera.yaml'
    calibration.write_text(CAMERA_INFO)
    named, calibrated = tmp_path / 'named', tmp_path / 'calibrated'
    assert _predict(tiny_model_path, named, photo, '--ply', *camera) == 0
    assert _predict(tiny_model_path, calibrated, photo, '--ply', '--camera-info', calibration) == 0
    clouds = [(folder / 'photo_cloud.ply').read_bytes() for folder in (named, calibrated)]
    assert clouds[0] == clouds[1]


def test_a_cloud_needs_a_camera(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    with pytest.raises(SystemExit) as caught:
        _predict(tiny_model_path, tmp_path / 'out', photo, '--ply')
    assert caught.value.code == 2
    assert '--ply needs a camera: --hfov' in capsys.readouterr().err


def test_a_calibration_of_another_aspect_is_an_error(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png', height=36, width=64)
    calibration = tmp_path / 'camera.yaml'
    calibration.write_text(CAMERA_INFO)
    output = tmp_path / 'out'
    assert _predict(tiny_model_path, output, photo, '--camera-info', calibration) == 1
    assert 'image of 64x36, but the camera was calibrated at 64x48' in capsys.readouterr().err


def test_a_video_gives_every_nth_frame(tiny_model_path: Path, tmp_path: Path) -> None:
    video = _write_video(tmp_path / 'walk.avi')
    assert _predict(tiny_model_path, tmp_path / 'out', video, '--frame-step', '2') == 0
    names = sorted(path.name for path in (tmp_path / 'out').glob('*_depth.png'))
    assert names == [f'walk_00000{index}_depth.png' for index in (0, 2, 4)]
    depth = _read_depth(tmp_path / 'out' / names[0])
    assert abs(int(depth[24, 32]) - 2000) < 100


def test_a_folder_is_done_and_a_bad_file_is_named(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'photos'
    _write_grey(folder / 'a.png')
    _write_grey(folder / 'z.jpg')
    _write_video(folder / 'film.avi', num_frames=1)
    (folder / 'broken.jpg').write_bytes(b'not a jpeg')
    (folder / 'empty.png').touch()
    (folder / 'broken.mp4').write_bytes(b'not a film')
    (folder / 'notes.txt').write_text('not a picture at all')
    assert _predict(tiny_model_path, tmp_path / 'out', folder) == 1
    names = sorted(path.name for path in (tmp_path / 'out').glob('*_depth.png'))
    assert names == ['a_depth.png', 'film_000000_depth.png', 'z_depth.png']
    errors = [line for line in capsys.readouterr().err.splitlines() if 'error: ' in line]
    assert errors == [
        f'depth-estimation: error: {folder}/broken.jpg: not an image that OpenCV can read',
        f'depth-estimation: error: {folder}/broken.mp4: not a video that OpenCV can read',
        f'depth-estimation: error: {folder}/empty.png: not an image that OpenCV can read',
    ]


def test_equal_names_do_not_overwrite_each_other(tiny_model_path: Path, tmp_path: Path) -> None:
    files = [
        _write_grey(tmp_path / 'one' / 'x.png'),
        _write_grey(tmp_path / 'one' / 'x.jpg'),
        _write_grey(tmp_path / 'two' / 'x.jpg'),
    ]
    assert _predict(tiny_model_path, tmp_path / 'out', *files) == 0
    names = sorted(path.name for path in (tmp_path / 'out').glob('*_depth.png'))
    assert names == ['x_3_depth.png', 'x_depth.png', 'x_jpg_depth.png']


def test_files_that_cannot_be_used_are_named(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / 'missing.png'
    assert _predict(tiny_model_path, tmp_path / 'out', missing) == 1
    assert f'{missing}: cannot be read: No such file' in capsys.readouterr().err
    empty = tmp_path / 'empty'
    empty.mkdir()
    assert _predict(tiny_model_path, tmp_path / 'out', empty) == 1
    assert f'{empty}: no image or video in this folder' in capsys.readouterr().err


def test_results_may_not_mix_with_the_input_folder(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'photos'
    _write_grey(folder / 'a.png')
    with pytest.raises(SystemExit):
        _predict(tiny_model_path, folder, folder)
    assert f'--output {folder}' in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_line(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    (tmp_path / 'file').touch()
    assert _predict(tiny_model_path, tmp_path / 'file' / 'out', photo) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith('depth-estimation: error: ')
    assert error.endswith('Not a directory')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--backend', 'abacus'], "invalid choice: 'abacus'"),
        (['--hfov', '-5'], '-5 is not a number above 0'),
        (['--hfov', '60', '--fx', '500'], 'not allowed with argument'),
        (['--min-depth', '5', '--max-depth', '5'], '--min-depth 5 is not below --max-depth 5'),
        (['--frame-step', '0'], '0 is not above 0'),
        (['--num-threads', '-1'], '-1 is below 0'),
        (['--edge-filter-threshold', 'nan'], 'nan is not a number of 0 or more'),
    ],
)
def test_wrong_values_are_wrong_usage(
    tiny_model_path: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    words = ['predict', str(photo), '--model', str(tiny_model_path), *arguments]
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_gpu_that_is_not_there_is_one_line(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    assert _predict(tiny_model_path, tmp_path / 'out', photo, '--device', 'cuda') == 1
    assert 'onnxruntime: runs on cpu, asked for is cuda' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_depth_is_corrected_limited_and_of_the_size_asked_for(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    arguments = ('--depth-scale', '1.5', '--depth-offset', '-0.5', '--depth-size', '32x24')
    assert _predict(tiny_model_path, tmp_path / 'out', photo, *arguments, '--confidence') == 0
    assert (_read_depth(tmp_path / 'out' / 'photo_depth.png') == np.full((24, 32), 2500)).all()
    confidence = cv2.imread(str(tmp_path / 'out' / 'photo_confidence.png'), cv2.IMREAD_UNCHANGED)
    assert confidence is not None
    assert confidence.shape == (24, 32)
    assert confidence.min() == 255
    assert _predict(tiny_model_path, tmp_path / 'near', photo, '--max-depth', '1.9') == 0
    assert not _read_depth(tmp_path / 'near' / 'photo_depth.png').any()


def test_a_depth_size_of_another_aspect_is_an_error_of_the_image(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    assert _predict(tiny_model_path, tmp_path / 'out', photo, '--depth-size', '64x40') == 1
    assert 'depth_size 64x40 has another aspect than the camera' in capsys.readouterr().err


def test_a_video_is_steadied_and_a_second_one_begins_anew(
    tiny_model_path: Path, tmp_path: Path
) -> None:
    for name in ('a', 'b'):
        fourcc = cv2.VideoWriter.fourcc(*'MJPG')
        writer = cv2.VideoWriter(str(tmp_path / f'{name}.avi'), fourcc, 10.0, (64, 48))
        for grey in (51, 53):
            writer.write(np.full((48, 64, 3), grey, dtype=np.uint8))
        writer.release()
    videos = (tmp_path / 'a.avi', tmp_path / 'b.avi')
    raw, steady = tmp_path / 'raw', tmp_path / 'steady'
    assert _predict(tiny_model_path, raw, *videos, '--npy') == 0
    assert _predict(tiny_model_path, steady, *videos, '--npy', '--temporal-filter', '0.5') == 0
    for name in ('a', 'b'):
        plain = [np.load(raw / f'{name}_00000{index}_depth.npy') for index in (0, 1)]
        found = [np.load(steady / f'{name}_00000{index}_depth.npy') for index in (0, 1)]
        np.testing.assert_array_equal(found[0], plain[0])
        np.testing.assert_allclose(found[1], (plain[0] + plain[1]) / 2, rtol=1e-5)


DISTORTED = """
distortion_coefficients: {rows: 1, cols: 5, data: [0.0, 0.1, 0.0, 0.0, 0.0]}
projection_matrix: {rows: 3, cols: 4, data: [16.0, 0.0, 31.5, 0.0, 0.0, 16.0, 23.5, 0.0,
  0.0, 0.0, 1.0, 0.0]}
"""


def test_the_distortion_of_a_calibration_is_taken_out(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    calibration = tmp_path / 'camera.yaml'
    calibration.write_text(CAMERA_INFO + DISTORTED)
    rectify = ('--camera-info', calibration, '--rectify')
    assert _predict(tiny_model_path, tmp_path / 'out', photo, *rectify) == 0
    depth = _read_depth(tmp_path / 'out' / 'photo_depth.png')
    # The rectified camera sees twice as much: the raw image lies around its middle.
    assert not depth[:, :5].any()
    assert abs(int(depth[24, 32]) - 2000) < 20
    calibration.write_text(CAMERA_INFO)
    assert _predict(tiny_model_path, tmp_path / 'none', photo, *rectify) == 1
    assert 'no distortion_coefficients' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        _predict(tiny_model_path, tmp_path / 'none', photo, '--rectify')
    assert '--rectify needs --camera-info' in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_leaves_whole_files_only(
    tiny_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = _write_grey(tmp_path / 'photo.png')
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        code = _predict(tiny_model_path, tmp_path / 'out', photo, '--npy')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if 'error' in line]
    assert line.endswith('File too large')
    # The .npy has 128 + 48 x 64 x 4 = 12416 bytes, the pictures of one colour have few.
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['photo_color.png', 'photo_depth.png']
    assert (_read_depth(tmp_path / 'out' / 'photo_depth.png') == 2000).all()
