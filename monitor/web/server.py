"""The board's server: uvicorn in a thread and a loop of its own, so that what it does never holds up the daemon's."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_address

import uvicorn

from monitor.config.settings import Board
from monitor.errors import ConfigError
from monitor.service.opening import Site
from monitor.web.app import board_app
from monitor.web.patience import MOST_CONNECTIONS, PatientProtocol
from monitor.web.routes import Route

log = logging.getLogger(__name__)

STOPS_WITHIN_SECONDS = 5.0
FINISHES_WITHIN_SECONDS = 3  # of those for answers that are under way
LARGEST_HEAD = 32 * 1024  # bytes; a hospital's sign-on sets large cookies
WAITING = 64  # connections that the system keeps until they are taken up


def start_board(
    site: Callable[[], Site],
    now: Callable[[], datetime],
    wake: Callable[[str], None],
    more_routes: Sequence[Route] = (),
    *,
    protocol: type[PatientProtocol] = PatientProtocol,
    ended: Callable[[], None] = lambda: None,
) -> Callable[[], None]:
    """Serve the board of a site that has one, until the function that this returns is called; that takes 5 s at most.

    ``site`` gives the one in force: a reload exchanges it, the port stays. ``ended`` is called where it ends by itself, which
    is a defect. Raises ConfigError where the port is taken.
    """
    board = site().settings.board
    if board is None:
        raise ConfigError("there is no `board:` in the configuration")
    channel = _listening(board)
    server = uvicorn.Server(
        uvicorn.Config(
            board_app(site, now, wake, more_routes),
            http=protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # a path may hold a link that signs in
            proxy_headers=False,  # the door itself knows whom it believes
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=FINISHES_WITHIN_SECONDS,
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # whatever a scanner sends would be a line of ours
    thread = threading.Thread(target=_served, args=(server, channel, ended), name="board", daemon=True)
    thread.start()
    log.info("the board", extra={"port": board.port})

    def stop() -> None:
        server.should_exit = True
        thread.join(STOPS_WITHIN_SECONDS)
        channel.close()

    return stop


def _listening(board: Board) -> socket.socket:
    family = socket.AF_INET6 if ip_address(board.listen).version == 6 else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: asyncio sets TCP_NODELAY only then
    try:
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        channel.bind((board.listen, board.port))
        channel.listen(WAITING)
    except OSError as error:
        channel.close()
        raise ConfigError(
            f"`board:` cannot listen on {board.listen}:{board.port} ({error.strerror}): change `port` or `listen`"
        ) from None
    return channel


def _served(server: uvicorn.Server, channel: socket.socket, ended: Callable[[], None]) -> None:
    try:
        asyncio.run(server.serve(sockets=[channel]))
    except Exception:  # whatever it was, patients are watched on
        log.exception("a defect of ours: the board ended; please report the lines below")
    if not server.should_exit:
        ended()
