"""A clinic with a board: its configuration, a clock that is moved, and browsers of the people who use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.testclient import TestClient

from monitor.store import keys
from monitor.web import sessions
from monitor.web.app import board_app
from monitor.web.routes import Route
from tests.service.clinic import Clinic, on

ADDRESS = "http://127.0.0.1:8931"
NURSE, FOREIGN_NURSE = "north-1@hospital.example", "south@hospital.example"
ADMIN, AUDITOR = "admin@hospital.example", "auditor@hospital.example"
BOARD = f"""\
board:
  port: 8931
  address: {ADDRESS}
  users:
    - {{name: Ada Admin, address: {ADMIN}, role: admin, user: ada}}
    - {{name: Otto Auditor, address: {AUDITOR}, role: auditor, user: otto}}
"""
"""What a board adds to the configuration of ``tests/service/clinic.py``."""


@dataclass
class House:
    """The board of a clinic. ``now`` is what its clock shows; ``woken`` the daemon's jobs that it wanted to run."""

    clinic: Clinic
    now: datetime = field(default_factory=lambda: on(36, 9))
    woken: list[str] = field(default_factory=list)
    more_routes: Sequence[Route] = ()

    def __post_init__(self) -> None:
        self.app = board_app(lambda: self.clinic.site, lambda: self.now, self.woken.append, self.more_routes)

    def later(self, **by: float) -> None:
        """Move the clock."""
        self.now += timedelta(**by)

    def browser(self, *, peer: str = "192.0.2.10", **headers: str) -> TestClient:
        """A browser of nobody. Its POSTs say what a browser's form on our own page says."""
        mine = {"Sec-Fetch-Site": "same-origin"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return TestClient(self.app, ADDRESS, headers=mine, client=(peer, 50000), follow_redirects=False)

    def browser_of(self, address: str, **given: Any) -> TestClient:
        """The browser of somebody who is signed in."""
        site = self.clinic.site
        board = site.settings.board
        assert board is not None
        with site.database.write() as connection:
            signing = keys.keys_for(connection, keys.BOARD_SESSIONS, self.now)
        browser = self.browser(**given)
        browser.cookies.set(sessions.cookie_name(board), sessions.written(address, signing, self.now))
        return browser
