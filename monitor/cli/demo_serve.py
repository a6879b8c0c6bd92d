"""The demo's end with ``--serve``: the board open on this machine, and a page of its mails, until Ctrl-C.

The clock goes on from where the story ended, so the board stands in the story's spring and its links are still valid.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from monitor.cli.demo_mails import unpack, write_index
from monitor.service import clock
from monitor.service.opening import Site
from monitor.service.post import send_due
from monitor.service.sign_ins import queue_link
from monitor.web.server import start_board
from monitor.web.viewer import viewer_of

LOOPBACK = "127.0.0.1"
VISITORS = ("north@demo.example", "nord@demo.example", "south@demo.example", "audit@demo.example", "it@demo.example")
"""Who gets a link to the board when the demo ends: two nurses of one ward, one of the other, an auditor, an administrator."""


class MailFolder(SimpleHTTPRequestHandler):
    """The demo's mails. A mail that came since is unpacked and listed when the list is asked for."""

    def __init__(self, *args: object, about: Mapping[str, str], **kwargs: object) -> None:
        self._about = about
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        """A file of the folder, the list always anew."""
        if self.path in ("/", "/index.html"):
            list_mails(Path(self.directory), self._about)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who reads the demo's mails is no news."""


def list_mails(folder: Path, about: Mapping[str, str]) -> None:
    """Unpack every mail of the folder and write the page that lists them."""
    write_index(folder, [unpack(mail) for mail in sorted(folder.glob("*.eml"))], about, newest_first=True)


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as channel:
        channel.bind((LOOPBACK, 0))
        return int(channel.getsockname()[1])


def story_clock(ended_at: datetime) -> Callable[[], datetime]:
    """The time in the story: its end, and what has gone by since."""
    began = clock.monotonic_seconds()
    return lambda: ended_at + timedelta(seconds=clock.monotonic_seconds() - began)


def serve(site: Site, folder: Path, about: Mapping[str, str], ended_at: datetime) -> tuple[str, str, Callable[[], None]]:
    """Serve the board and the mails of ``folder``; their addresses, and what ends both. Raises ConfigError for a taken port."""
    now = story_clock(ended_at)
    sending = threading.Lock()

    def wake(_: str) -> None:
        with sending:
            send_due(site, now(), recorded_at=now)

    for address in VISITORS:
        _invite(site, address, now())
    wake("post")
    list_mails(folder, about)
    stop_board = start_board(lambda: site, now, wake)
    mails = ThreadingHTTPServer((LOOPBACK, 0), partial(MailFolder, directory=str(folder), about=about))
    threading.Thread(target=mails.serve_forever, name="mails", daemon=True).start()

    def stop() -> None:
        stop_board()
        mails.shutdown()
        mails.server_close()

    board = site.settings.board
    return (board.address if board is not None else ""), f"http://{LOOPBACK}:{mails.server_port}/", stop


def _invite(site: Site, address: str, now: datetime) -> None:
    viewer, board = viewer_of(site.settings, address), site.settings.board
    if viewer is not None and board is not None:
        queue_link(site, board, viewer.name, viewer.address, viewer.language, now)
