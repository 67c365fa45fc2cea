"""Where the page listens, and what it says when it cannot."""

from __future__ import annotations

import http.client
import signal
import socket
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('domain_coordinator')
pytest.importorskip('depth_estimation_ros.msg', reason='needs the colcon install')
pytest.importorskip('viser')

from ros_session import RosSession

from depth_estimation_ros.errors import ConfigError
from depth_estimation_ros.ros.live.server import (
    address_of,
    check_viser,
    close_server,
    open_server,
    refusal_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from viser import ViserServer

pytestmark = pytest.mark.ros


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def server() -> Iterator[ViserServer]:
    server = open_server('127.0.0.1', 0)
    yield server
    close_server(server)


def test_a_port_that_is_taken_is_named_and_no_other_is_taken_instead(taken_port: int) -> None:
    with pytest.raises(ConfigError, match=f'port {taken_port} of 127.0.0.1 is taken .* port:='):
        open_server('127.0.0.1', taken_port)


def test_a_host_that_is_no_address_of_this_machine_is_named() -> None:
    with pytest.raises(ConfigError, match="'203.0.113.7'"):
        open_server('203.0.113.7', 0)
    with pytest.raises(ConfigError, match="'no such host' is no address"):
        open_server('no such host', 0)


def test_without_viser_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'viser', None)  # as Python marks what cannot be imported
    with pytest.raises(ConfigError, match=r"needs viser.*pip install 'viser>=1.0'"):
        check_viser()


def test_the_page_is_served_and_no_file_of_the_machine(server: ViserServer) -> None:
    host, port = address_of(server).removeprefix('http://').split(':')
    statuses = {}
    for path in ('/', '/../__init__.py', '/%2e%2e/%2e%2e/__init__.py', '//etc/passwd'):
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request('GET', path)
        statuses[path] = connection.getresponse().status
        connection.close()
    assert statuses.pop('/') == 200
    assert set(statuses.values()) == {404}


def test_a_browser_is_told_not_to_keep_the_page(server: ViserServer) -> None:
    host, port = address_of(server).removeprefix('http://').split(':')
    for path in ('/', '/index.html'):
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request('GET', path)
        assert connection.getresponse().getheader('Cache-Control') == 'no-store'
        connection.close()


def asked(server: ViserServer, **headers: str) -> tuple[int, str]:
    """Ask for a WebSocket as a browser does; returns status and text of the answer."""
    address = address_of(server).removeprefix('http://')
    upgrade = {
        'Host': address,
        'Connection': 'Upgrade',
        'Upgrade': 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol': 'viser-v0.0.0',
    }
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request('GET', '/', headers=upgrade | headers)
        response = connection.getresponse()
        return response.status, '' if response.status == 101 else response.read().decode()
    finally:
        connection.close()


def test_the_page_of_another_web_site_gets_no_connection(server: ViserServer) -> None:
    own = address_of(server)
    assert asked(server, Origin=own)[0] == 101
    assert asked(server)[0] == 101  # no page: a program of somebody on this machine
    status, text = asked(server, Origin='http://evil.example')
    assert (status, text) == (403, "a page of 'http://evil.example' may not use this one\n")
    assert (
        asked(server, Origin=own.replace(':', ':1', 2))[0] == 403
    )  # another port of this machine


def test_a_name_that_a_web_site_points_to_this_machine_is_not_the_pages(
    server: ViserServer,
) -> None:
    name = f'evil.example:{server.get_port()}'
    status, text = asked(server, Host=name, Origin=f'http://{name}')
    assert status == 403
    assert text.startswith("this page is not 'evil.example'")


@pytest.mark.parametrize(
    ('listening_host', 'host', 'origin'),
    [
        ('127.0.0.1', 'localhost:9000', 'http://localhost:9000'),  # ssh -L 9000:127.0.0.1:8080
        ('::1', '[::1]:8080', 'http://[::1]:8080'),
        ('0.0.0.0', 'robot.local:8080', 'http://robot.local:8080'),  # noqa: S104
        ('0.0.0.0', 'robot.example', 'https://robot.example'),  # noqa: S104 - behind a proxy
        ('192.0.2.7', '192.0.2.7:8080', None),
    ],
)
def test_the_page_itself_is_welcome(listening_host: str, host: str, origin: str | None) -> None:
    assert refusal_of(listening_host, host, origin) == ''


@pytest.mark.parametrize('origin', ['null', 'http://robot.local', 'file://', ''])
def test_an_origin_that_is_not_the_page_is_refused_everywhere(origin: str) -> None:
    assert repr(origin) in refusal_of('0.0.0.0', 'robot.local:8080', origin)  # noqa: S104


def test_a_viser_that_cannot_be_guarded_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    from viser.infra import _infra
    from websockets.asyncio import server as websockets_server
    import websockets.datastructures
    import websockets.exceptions

    # As a viser that keeps a name of its own for what it calls to listen.
    own = SimpleNamespace(
        exceptions=websockets.exceptions,
        datastructures=websockets.datastructures,
        asyncio=SimpleNamespace(
            server=SimpleNamespace(
                serve=websockets_server.serve,
                ServerConnection=websockets_server.ServerConnection,
            )
        ),
    )
    monkeypatch.setattr(_infra, 'websockets', own)
    with pytest.raises(ConfigError, match=r'viser \S+ cannot be kept from answering other'):
        open_server('127.0.0.1', 0)


def test_no_browser_can_have_the_page_sent_to_the_internet(server: ViserServer) -> None:
    assert server.request_share_url() is None


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'host': 'no.such.host.invalid'}, "host 'no.such.host.invalid' is no address"),
        ({'port': 70000}, 'port: Invalid parameter value (70000)'),
        ({'max_rate_hz': 0.0}, 'max_rate_hz: Invalid parameter value (0.0'),
    ],
)
def test_a_value_that_cannot_be_used_is_one_line(
    tmp_path: Path, parameters: dict[str, object], words: str
) -> None:
    with RosSession(tmp_path) as session:
        process = session.start_node('live.live_view', **parameters)
        output = session.spin_until_ended(process)
    assert process.returncode == 1
    assert f'live_view: error: {words}' in output
    assert len(output.splitlines()) == 1


def test_a_host_that_everybody_reaches_is_warned_of_and_ctrl_c_ends_the_page(
    tmp_path: Path,
) -> None:
    with RosSession(tmp_path) as session:
        process = session.start_node('live.live_view', host='0.0.0.0', port=0)  # noqa: S104
        log = session.listen_to_log()
        # What is heard has been said: a signal in the midst of it would be told of.
        session.spin_until(lambda: len(log) == 2)
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert 'everybody who reaches this machine can change' in lines[0]
        assert 'the page is at http://localhost:' in lines[1]
        process.send_signal(signal.SIGINT)
        assert session.spin_until_ended(process) == ''
    assert process.returncode == 0
