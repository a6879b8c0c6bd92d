"""The figure of a patient's course for mails and for the board: one drawing process, begun when needed."""

from __future__ import annotations

import atexit
import logging
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from monitor.clinical.findings import Finding
from monitor.clinical.history import History
from monitor.clinical.policy import Policy
from monitor.clinical.trend import trend_of
from monitor.delivery.figure.drawer import Drawer
from monitor.delivery.figure.making import sheet_of
from monitor.delivery.figure.sheet import sheet_hash, sheet_json
from monitor.delivery.language import Language
from monitor.service import clock
from monitor.store import drawn

log = logging.getLogger(__name__)

WIDTH = 600  # pixels of the page that shows it
PAGES_KEPT = 32
"""Figures of the board that are not drawn again (J): a page is opened, acknowledged on, and shown again."""

_pages: dict[str, str] = {}
_pages_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Kept:
    """A figure that a mail shows: the hash of its data, and what it says in words."""

    sha256: str
    alt: str


def keep_figure(
    connection: Connection, policy: Policy, history: History, findings: Iterable[Finding], language: Language, now: datetime
) -> Kept | None:
    """Keep what the figure of a mail shows, to be drawn when it leaves. ``history`` is as known at ``now``.

    None where it cannot be made: that is a defect, and no reason to hold back what the mail says in words.
    """
    sheet = _sheet(policy, history, findings, language, now)
    if sheet is None:
        return None
    data, alt = sheet
    return Kept(drawn.keep(connection, data), alt)


def figure_svg(policy: Policy, history: History, findings: Iterable[Finding], language: Language, now: datetime) -> str | None:
    """The figure as an ``svg`` element to stand in a page as it is, or None. ``history`` is as known at ``now``.

    Everything in it is escaped; it has no style attribute, no style element, and refers to nothing outside.
    """
    sheet = _sheet(policy, history, findings, language, now)
    if sheet is None:
        return None
    data, _ = sheet
    name = sheet_hash(data)
    with _pages_lock:
        known = _pages.get(name)
    if known is not None:
        return known
    svg = drawer().draw(data, "svg")
    if svg is None:
        return None
    with _pages_lock:
        _pages[name] = page = svg.decode()
        while len(_pages) > PAGES_KEPT:
            del _pages[next(iter(_pages))]
    return page


@cache
def drawer() -> Drawer:
    """This program's drawing process. It ends when nobody has asked for a minute, and with this program."""
    found = Drawer(Path(tempfile.gettempdir()), seconds_now=clock.monotonic_seconds)
    atexit.register(found.close)
    return found


def _sheet(
    policy: Policy, history: History, findings: Iterable[Finding], language: Language, now: datetime
) -> tuple[str, str] | None:
    try:
        sheet = sheet_of(trend_of(history, policy, now, findings), language)
        return sheet_json(sheet), sheet.description
    except Exception as error:  # whatever it is, the alert is told
        log.error("a figure could not be made", extra={"error": type(error).__name__})
        return None
