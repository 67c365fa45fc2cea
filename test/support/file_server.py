"""An HTTP server on the loopback interface that drops connections and sends half a file."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = np.random.default_rng(5).integers(0, 256, 1_000_003, dtype=np.uint8).tobytes()


@dataclass
class Behaviour:
    """What the server does, and what it was asked."""

    content: bytes = CONTENT
    ranges: bool = True
    etag: str | None = '"one"'
    # Bytes that each answer sends before the connection ends; None and beyond the list = all.
    sent: list[int | None] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # answers that come before these
    content_type: str = 'application/octet-stream'
    say_length: bool = True
    asked: list[str | None] = field(default_factory=list)


@contextmanager
def serve(behaviour: Behaviour) -> Iterator[str]:
    """Serve one file on the loopback interface; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get('Range')
            behaviour.asked.append(asked)
            if behaviour.statuses:
                self.send_error(behaviour.statuses.pop(0))
                return
            content, first = behaviour.content, 0
            condition = self.headers.get('If-Range')
            if asked and behaviour.ranges and condition in (None, behaviour.etag):
                first = int(asked.removeprefix('bytes=').removesuffix('-'))
                if first >= len(content):
                    self.send_response(416)
                    self.send_header('Content-Range', f'bytes */{len(content)}')
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header(
                    'Content-Range', f'bytes {first}-{len(content) - 1}/{len(content)}'
                )
            else:
                self.send_response(200)
            if behaviour.etag:
                self.send_header('ETag', behaviour.etag)
            self.send_header('Content-Type', behaviour.content_type)
            if behaviour.say_length:
                self.send_header('Content-Length', str(len(content) - first))
            self.end_headers()
            limit = behaviour.sent.pop(0) if behaviour.sent else None
            with suppress(ConnectionError):  # the client may have seen enough
                self.wfile.write(content[first:][:limit])

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={'poll_interval': 0.01})
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_address[1]}/file.bin'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
