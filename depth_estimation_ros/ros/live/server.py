"""The web server of the page: viser's, on one port, for nobody but the page itself."""

from __future__ import annotations

from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from importlib.util import find_spec
import io
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from viser import ViserServer

EVERYWHERE = ('0.0.0.0', '::', '')  # noqa: S104 - what the user's warning is about
THIS_MACHINE = ('127.0.0.1', '::1', 'localhost')


def check_viser() -> None:
    """Raises ConfigError when viser is not installed."""
    if find_spec('viser') is None:
        raise ConfigError(
            "the page needs viser, which is not installed: pip install 'viser>=1.0' "
            "(or pip install '.[live]' in the sources)"
        )


def open_server(host: str, port: int) -> ViserServer:
    """Listen.

    Args:
        host: Address.
        port: Port, 0: a free one.

    Raises:
        ConfigError: viser is not installed or cannot be guarded, or one cannot listen there.
    """
    check_viser()
    free_port = _free_port(host, port)
    server_class = _server_class()
    with _guarded(host) as checks:
        server = server_class(host=host, port=free_port, verbose=False)
    if not checks:
        server.stop()
        raise ConfigError(
            f'viser {version("viser")} cannot be kept from answering other web sites: '
            "pip install 'viser<1.2'"
        )
    if server.get_port() != free_port:  # viser goes on to the next port by itself
        server.stop()
        raise _port_taken(host, free_port)
    return server


def address_of(server: ViserServer) -> str:
    """Return what a browser on this machine opens."""
    host = server.get_host()
    return f'http://{"localhost" if host in EVERYWHERE else host}:{server.get_port()}'


def close_server(server: ViserServer) -> None:
    """Stop listening; viser says so on stdout, which is not its own."""
    with redirect_stdout(io.StringIO()):
        server.stop()


def refusal_of(listening_host: str, host: str, origin: str | None) -> str:
    """Tell why a request is refused: it comes from the page of another web site.

    A browser says in Origin whose page asks, and in Host whom it believes to ask. A site that has
    its own name point to 127.0.0.1 cannot hide that name.

    Args:
        listening_host: Address that the server listens on.
        host: The request's Host, name and port.
        origin: Its Origin, None: not from a page.

    Returns:
        The reason, empty when the request is welcome.
    """
    name = urlsplit(f'//{host}').hostname or ''
    if listening_host in THIS_MACHINE and name not in (*THIS_MACHINE, listening_host):
        return f'this page is not {name!r}: open http://127.0.0.1 with the port'
    if origin is not None and urlsplit(origin).netloc != host:
        return f'a page of {origin!r} may not use this one'
    return ''


@contextmanager
def _guarded(listening_host: str) -> Iterator[list[Any]]:
    """Have the server that is opened within refuse what `refusal_of` does.

    viser has no setting for it: what it calls to listen gets the check put before its own.

    Yields:
        The checks that were put there; empty if viser listens in some other way.
    """
    from websockets.asyncio import server as websockets_server

    serve = websockets_server.serve
    checks: list[Any] = []

    def guarded_serve(*args: Any, process_request: Any = None, **options: Any) -> Any:
        def check(connection: Any, request: Any) -> Any:
            headers = request.headers
            reason = refusal_of(listening_host, headers.get('Host', ''), headers.get('Origin'))
            if reason:
                return connection.respond(403, f'{reason}\n')
            return _not_kept(process_request(connection, request)) if process_request else None

        checks.append(check)
        return serve(*args, process_request=check, **options)

    websockets_server.serve = guarded_serve  # type: ignore[assignment, misc]
    try:
        yield checks
    finally:
        websockets_server.serve = serve  # type: ignore[misc]


def _not_kept(response: Any) -> Any:
    """Have the browser forget the page that it leaves.

    One that it keeps for its Back button neither closes its connection nor answers, so that the
    subscriptions last until two pings are missed, 40 s; and it comes back dead.
    """
    if response is not None and response.headers.get('Content-Type', '').startswith('text/html'):
        response.headers['Cache-Control'] = 'no-store'
    return response


def _server_class() -> type[ViserServer]:
    from viser import ViserServer

    class LocalServer(ViserServer):
        """A server without viser's tunnel to the internet, which any browser could ask for."""

        def __init__(self, **options: Any) -> None:
            with redirect_stdout(io.StringIO()):  # a table of addresses
                super().__init__(**options)

        def request_share_url(self, verbose: bool = True) -> str | None:
            del verbose
            return None

    return LocalServer


def _free_port(host: str, port: int) -> int:
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except socket.gaierror as err:
        raise ConfigError(f'host {host!r} is no address of this machine: {err.strerror}') from err
    except PermissionError as err:
        raise ConfigError(f'port {port}: not without root; choose one from 1024 on') from err
    except OSError as err:
        if err.errno is not None and err.strerror and 'in use' in err.strerror:
            raise _port_taken(host, port) from err
        raise ConfigError(f'host {host!r}, port {port}: {err.strerror}') from err


def _port_taken(host: str, port: int) -> ConfigError:
    return ConfigError(
        f'port {port} of {host} is taken by another program: choose another, as in '
        f'port:={port + 1 if port < 65535 else 8080}'
    )
