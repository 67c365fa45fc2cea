"""The web server of the page: viser's, on one port, with nothing sent to the outside."""

from __future__ import annotations

from contextlib import redirect_stdout
from importlib.util import find_spec
import io
import socket
from typing import TYPE_CHECKING, Any

from depth_estimation_ros.errors import ConfigError

if TYPE_CHECKING:
    from viser import ViserServer

EVERYWHERE = ('0.0.0.0', '::', '')  # noqa: S104 - what the user's warning is about


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
        ConfigError: viser is not installed, or one cannot listen there.
    """
    check_viser()
    free_port = _free_port(host, port)
    server = _server_class()(host=host, port=free_port, verbose=False)
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
