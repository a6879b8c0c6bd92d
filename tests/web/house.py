"""A clinic with a board: its configuration, a clock that is moved, and browsers of the people who use it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from starlette.testclient import TestClient

from monitor.config.settings import Board, Settings
from monitor.store import journal, keys
from monitor.store.fact_tables import Stored
from monitor.web import sessions
from monitor.web.app import board_app
from monitor.web.patience import PatientProtocol
from monitor.web.routes import Route
from monitor.web.server import start_board
from tests.service.clinic import Clinic, on
from tests.smtp_server import ReceivedMail

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

    @property
    def board(self) -> Board:
        board = self.clinic.site.settings.board
        assert board is not None
        return board

    def reconfigure(self, board: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """A reload: other values for some settings of the board, and for some of the whole."""
        changed: Settings = self.clinic.site.settings
        if board is not None:
            changed = replace(changed, board=replace(self.board, **board))
        self.clinic.site = replace(self.clinic.site, settings=replace(changed, **settings))

    def later(self, **by: float) -> None:
        """Move the clock."""
        self.now += timedelta(**by)

    def worse(self, *patients: str, **patient: Any) -> list[ReceivedMail]:
        """Patients who walked on day 28 and are in a wheelchair on day 35; the mails that went out about them on day 36."""
        self.clinic.on_bortezomib(*patients, **patient)
        for name in patients:
            self.clinic.assess(name, 28, motor_grade=0, walking="unaided")
            self.clinic.assess(name, 35, motor_grade=3, walking="wheelchair")
        return list(self.clinic.poll(on(36, 8)).mails)

    def browser(self, *, peer: str = "192.0.2.10", headers: Mapping[str, str] | None = None) -> TestClient:
        """A browser of nobody. Its POSTs say what a browser's form on our own page says."""
        mine = {"Sec-Fetch-Site": "same-origin"} | dict(headers or {})
        return TestClient(self.app, ADDRESS, headers=mine, client=(peer, 50000), follow_redirects=False)

    def browser_of(self, address: str, *, peer: str = "192.0.2.10", headers: Mapping[str, str] | None = None) -> TestClient:
        """The browser of somebody who is signed in."""
        browser = self.browser(peer=peer, headers=headers)
        browser.cookies.set(sessions.cookie_name(self.board), self.session_of(address))
        return browser

    def session_of(self, address: str) -> str:
        """The value of the cookie of somebody who signs in now."""
        with self.clinic.site.database.write() as connection:
            signing = keys.keys_for(connection, keys.BOARD_SESSIONS, self.now)
        return sessions.written(address, signing, self.now)

    def journaled(self, event: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Subject and body of the journal's entries of one event."""
        with self.clinic.site.database.read() as connection:
            return [(entry.subject, entry.body) for entry in journal.of_event(connection, event)]

    def rows_but_the_journal(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that is stored, but for the journal."""
        with self.clinic.site.database.read() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table))]
                for table in Stored.metadata.sorted_tables
                if table.name != "journal"
            }


def link_in(mails: Sequence[ReceivedMail], recipient: str) -> str:
    """The path of the board's link in the newest mail to a recipient."""
    mine = [mail for mail in mails if mail.recipient == recipient][-1]
    text = mine.message.get_body(("plain",))
    assert text is not None
    found = re.search(r"https?://\S+?(/in/\S+)", text.get_content())
    assert found is not None
    return found[1]


@contextmanager
def served(house: House, *, protocol: type[PatientProtocol] = PatientProtocol) -> Iterator[str]:
    """The board behind a real socket on a free port of loopback, and its address. ``house.now`` is its clock."""
    with socket.socket() as channel:
        channel.bind(("127.0.0.1", 0))
        port = int(channel.getsockname()[1])
    house.reconfigure({"port": port, "address": f"http://127.0.0.1:{port}"})
    stop = start_board(lambda: house.clinic.site, lambda: house.now, house.woken.append, house.more_routes, protocol=protocol)
    try:
        yield house.board.address
    finally:
        stop()
