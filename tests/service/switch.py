"""A dead-man's switch on loopback: a real HTTP server that notes who called, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Switch:
    """What was called, and how it answers: the next codes in order, then 200."""

    port: int = 0
    called: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/6f1f-secret"


@contextmanager
def a_switch() -> Iterator[Switch]:
    """A switch that listens until the block ends."""
    found = Switch()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.called.append(self.path)
            code = found.codes.pop(0) if found.codes else 200
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"http://127.0.0.1:{found.port}/elsewhere")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
