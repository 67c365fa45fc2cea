"""Downloads from a real HTTP server that drops connections and sends half a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from file_server import CONTENT, Behaviour, serve
import pytest

from depth_estimation_ros.cli import main as command
from depth_estimation_ros.errors import DataError
from depth_estimation_ros.training.data.download import DownloadOptions, download
from depth_estimation_ros.training.data.partial_file import partial_file

if TYPE_CHECKING:
    from pathlib import Path

FAST = DownloadOptions(max_attempts=3, wait_sec=0.0, timeout_sec=10.0)


def test_a_file_arrives_whole_and_alone(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    options = DownloadOptions(progress=lambda done, total: seen.append((done, total)))
    with serve(Behaviour()) as url:
        target = download(url, tmp_path / 'new' / 'file.bin', options=options)
    assert target.read_bytes() == CONTENT
    assert [item.name for item in target.parent.iterdir()] == ['file.bin']
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_dropped_connection_is_gone_on_with(tmp_path: Path) -> None:
    behaviour = Behaviour(sent=[300_000, 200_000])
    with serve(behaviour) as url:
        target = download(url, tmp_path / 'file.bin', size=len(CONTENT), options=FAST)
    assert target.read_bytes() == CONTENT
    assert behaviour.asked == [None, 'bytes=300000-', 'bytes=500000-']


def test_a_server_without_ranges_sends_all_of_it_again(tmp_path: Path) -> None:
    behaviour = Behaviour(sent=[300_000], ranges=False)
    with serve(behaviour) as url:
        assert download(url, tmp_path / 'file.bin', options=FAST).read_bytes() == CONTENT
    assert behaviour.asked == [None, 'bytes=300000-']


def test_a_second_run_goes_on_where_the_first_gave_up(tmp_path: Path) -> None:
    behaviour = Behaviour(sent=[400_000, 0, 0])
    target = tmp_path / 'file.bin'
    with serve(behaviour) as url:
        with pytest.raises(
            DataError, match=r'3 attempts in a row failed .* 400000 bytes are kept'
        ):
            download(url, target, options=FAST)
        assert not target.exists()
        assert download(url, target, options=FAST).read_bytes() == CONTENT
    assert behaviour.asked[-1] == 'bytes=400000-'


def test_a_file_that_changed_on_the_server_is_begun_anew(tmp_path: Path) -> None:
    behaviour = Behaviour(sent=[400_000, 0, 0])
    with serve(behaviour) as url:
        with pytest.raises(DataError, match='400000 bytes are kept'):
            download(url, tmp_path / 'file.bin', options=FAST)
        behaviour.content, behaviour.etag = CONTENT[::-1], '"two"'
        target = download(url, tmp_path / 'file.bin', options=FAST)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_file_that_is_cut_short_on_the_server_never_appears(tmp_path: Path) -> None:
    behaviour = Behaviour(sent=[500_000] * 20, ranges=False)
    with serve(behaviour) as url, pytest.raises(DataError, match=r'500000 of 1000003 bytes'):
        download(url, tmp_path / 'file.bin', options=FAST)
    assert not (tmp_path / 'file.bin').exists()
    assert len(behaviour.asked) == 3


def test_another_size_than_published_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    with (
        serve(Behaviour()) as url,
        pytest.raises(DataError, match='has 1000003 bytes, expected 7'),
    ):
        download(url, tmp_path / 'file.bin', size=7, options=FAST)
    assert not list(tmp_path.iterdir())


def test_a_whole_part_that_was_not_renamed_is_recognised(tmp_path: Path) -> None:
    (tmp_path / '.file.bin.part').write_bytes(CONTENT)
    behaviour = Behaviour()
    with serve(behaviour) as url:
        assert download(url, tmp_path / 'file.bin', options=FAST).read_bytes() == CONTENT
    assert behaviour.asked == [f'bytes={len(CONTENT)}-']


def test_a_part_longer_than_the_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / '.file.bin.part').write_bytes(CONTENT + b'x')
    with serve(Behaviour()) as url:
        assert download(url, tmp_path / 'file.bin', options=FAST).read_bytes() == CONTENT


def test_a_server_that_does_not_say_how_much_is_believed(tmp_path: Path) -> None:
    with serve(Behaviour(say_length=False)) as url:
        assert download(url, tmp_path / 'file.bin', options=FAST).read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    behaviour = Behaviour(statuses=[503, 429])
    with serve(behaviour) as url:
        assert download(url, tmp_path / 'file.bin', options=FAST).read_bytes() == CONTENT
    assert len(behaviour.asked) == 3


@pytest.mark.parametrize(
    ('behaviour', 'message'),
    [
        (Behaviour(statuses=[404]), 'the server answers 404'),
        (Behaviour(content_type='text/html; charset=utf-8'), 'sent a web page'),
        (Behaviour(content=b'\n<!DOCTYPE html><title>Quota exceeded'), 'sent a web page'),
    ],
    ids=['not found', 'page by type', 'page by content'],
)
def test_what_no_retry_mends_is_said_at_once(
    tmp_path: Path, behaviour: Behaviour, message: str
) -> None:
    with serve(behaviour) as url, pytest.raises(DataError, match=message):
        download(url, tmp_path / 'file.bin', options=FAST)
    assert len(behaviour.asked) == 1
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    target = tmp_path / 'file.bin'
    target.write_bytes(b'1234567')
    assert download('http://127.0.0.1:9/', target, size=7) == target
    with pytest.raises(DataError, match=r'file\.bin has 7 bytes, expected 8'):
        download('http://127.0.0.1:9/', target, size=8)


def test_a_server_that_is_not_there_and_addresses_of_files_are_errors(tmp_path: Path) -> None:
    with serve(Behaviour()) as url:
        pass
    with pytest.raises(DataError, match='3 attempts in a row failed'):
        download(url, tmp_path / 'file.bin', options=FAST)
    with pytest.raises(DataError, match='only http:// and https://'):
        download('file:///etc/passwd', tmp_path / 'file.bin')


def test_two_downloads_of_one_file_do_not_mix(tmp_path: Path) -> None:
    with (
        partial_file(tmp_path / 'file.bin'),
        pytest.raises(DataError, match='another download of it is running'),
    ):
        download('http://127.0.0.1:9/', tmp_path / 'file.bin', options=FAST)


def test_the_command_fetches_says_whose_it_is_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ['download', 'nyu-labeled', '--output', str(tmp_path)]
    with serve(Behaviour(sent=[250_000])) as url:
        assert command.main([*words, '--url', url]) == 0
    assert (tmp_path / 'nyu_depth_v2_labeled.mat').read_bytes() == CONTENT
    written = capsys.readouterr()
    assert 'Silberman' in written.err
    assert 'not fetched: splits.mat' in written.out
    with serve(Behaviour(content=b'MATLAB 5.0')) as url:
        assert command.main([*words, '--url', url, '--splits-url', url]) == 0
    assert (tmp_path / 'splits.mat').read_bytes() == b'MATLAB 5.0'


def test_the_command_says_why_nyu_data_zip_needs_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(['download', 'nyu-densedepth', '--output', str(tmp_path)])
    assert caught.value.code == 2
    assert 'Google Drive' in capsys.readouterr().err


def test_the_command_ends_with_one_line_when_the_size_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve(Behaviour()) as url:
        words = ['download', 'nyu-densedepth', '--output', str(tmp_path), '--url', url]
        assert command.main([*words, '--size', '7']) == 1
    assert 'has 1000003 bytes, expected 7' in capsys.readouterr().err
