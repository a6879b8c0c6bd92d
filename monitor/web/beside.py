"""The board beside the daemon: served where it is configured and can be, and no reason not to watch patients where it cannot."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from monitor.errors import ConfigError, MonitorError
from monitor.service import clock
from monitor.service.opening import Site
from monitor.service.own_troubles import clear_own, set_own

log = logging.getLogger(__name__)

TROUBLE = "board"


def board_if_possible(site: Callable[[], Site], now: Callable[[], datetime], wake: Callable[[str], None]) -> Callable[[], None]:
    """As ``start_board``; a port that is taken or an extra that is missing is a trouble for ``status``."""
    if site().settings.board is None:
        _tell(site(), None)
        return _nothing
    try:
        stop, problem = _start(site, now, wake), None
    except ConfigError as error:
        log.error("%s", error)
        stop, problem = _nothing, str(error)
    _tell(site(), problem)
    return stop


def _start(site: Callable[[], Site], now: Callable[[], datetime], wake: Callable[[str], None]) -> Callable[[], None]:
    try:
        from monitor.web.server import start_board
    except ModuleNotFoundError:
        raise ConfigError("`board:` needs an extra: run pip install 'bipn-monitor[web]'") from None
    words = "the board ended by itself, a defect of ours; patients are watched on: report it, and restart the daemon"
    return start_board(site, now, wake, ended=lambda: _tell(site(), words))


def _tell(site: Site, problem: str | None) -> None:
    try:
        with site.database.write("board") as connection:
            if problem is None:
                clear_own(site, connection, TROUBLE)
            else:
                set_own(site, connection, TROUBLE, problem, clock.now())
    except MonitorError as error:
        log.error("what became of the board is not on record: %s", error)


def _nothing() -> None:
    return None
