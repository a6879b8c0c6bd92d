"""B1: the board's first page with 100,000 patients stored, over the same page with 1,000; what is open is alike in both.

With every patient grow facts, closed alerts and their mails; the page reads none of those.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert
from starlette.testclient import TestClient

from bench.cohort import patient_name
from bench.measure import Ratio, medians
from monitor.service.opening import Site, open_site
from monitor.store import keys
from monitor.store.tables import ALERTS, ATTEMPTS, MESSAGES
from monitor.web import sessions
from monitor.web.app import board_app

NOW = datetime(2021, 12, 8, 12, tzinfo=UTC)
SMALL, LARGE = 1_000, 100_000
OPEN = 40
CLOSED_EVERY = 5  # patients
NURSE = "nurse@hospital.example"
CONFIG = """time_zone: Europe/Berlin
database: sqlite:///{name}.db
guideline: us-label
mail:
  sender: alerts@hospital.example
  relay: {{host: 127.0.0.1, port: 9, insecure: true}}
teams:
  all:
    sites: ["*"]
    recipients:
      - {{name: Nurse, address: nurse@hospital.example}}
board: {{port: 8931, address: "http://127.0.0.1:8931"}}
"""


def first_page(folder: Path, *, small: int = SMALL, large: int = LARGE) -> Iterator[Ratio]:
    """CPU of the whole answer, from the request to its last byte."""
    with _site(folder, "few", small) as few, _site(folder, "many", large) as many:
        asked = [_asking(site) for site in (few, many)]
        for work in asked:
            work()  # templates are compiled, the catalogue is read
        few_seconds, many_seconds = medians(*asked, rounds=9)
    yield Ratio(
        goal="B1",
        what=f"the list, {large} patients",
        seconds=many_seconds,
        against=f"{small} patients",
        against_seconds=few_seconds,
        gate=1.5,
    )


def _asking(site: Site) -> Callable[[], None]:
    board = site.settings.board
    if board is None:
        raise RuntimeError("the bench's configuration has a board")
    with site.database.write() as connection:
        signing = keys.keys_for(connection, keys.BOARD_SESSIONS, NOW)
    browser = TestClient(board_app(lambda: site, lambda: NOW, lambda _: None), board.address)
    browser.cookies.set(sessions.cookie_name(board), sessions.written(NURSE, signing, NOW))

    def ask() -> None:
        answer = browser.get("/")
        if answer.status_code != 200 or answer.text.count("<article") != OPEN:
            raise RuntimeError(f"the list was not answered as it should: {answer.status_code}")

    return ask


def _site(folder: Path, name: str, patients: int) -> Site:
    config = folder / f"{name}.yaml"
    config.write_text(CONFIG.format(name=name))
    site = open_site(config, create=True)
    _facts(folder / f"{name}.db", patients)
    _alerts(site, patients)
    return site


def _facts(path: Path, patients: int) -> None:
    """A record, three doses and three assessments of each patient."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN IMMEDIATE")
    at = NOW.isoformat()
    names = [patient_name(number) for number in range(patients)]
    connection.executemany("INSERT INTO patients (patient_id, site, stored_at) VALUES (?, 'North', ?)", [(n, at) for n in names])
    for week in range(3):
        day = (NOW - timedelta(weeks=week)).isoformat()
        doses = [(name, day, f"{name}-d{week}", day) for name in names]
        connection.executemany(
            "INSERT INTO doses (patient_id, given_at, dose_mg_per_m2, source_id, stored_at) VALUES (?, ?, 1.3, ?, ?)", doses
        )
        found = [(name, day, f"{name}-a{week}", day) for name in names]
        connection.executemany(
            "INSERT INTO assessments (patient_id, assessed_at, sensory_grade, source_id, stored_at) VALUES (?, ?, 1, ?, ?)", found
        )
    connection.execute("DELETE FROM changes")
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()


def _alerts(site: Site, patients: int) -> None:
    """Closed alerts of a year, each with two mails; then those that are open."""
    closed = [_alert(number, closed=True) for number in range(0, patients, CLOSED_EVERY)]
    still_open = [_alert(number, closed=False) for number in range(OPEN)]
    with site.database.write() as connection:
        connection.execute(insert(ALERTS), [*closed, *still_open])
        mails = [_mail(place, row, copy) for place, row in enumerate([*closed, *still_open]) for copy in range(2)]
        connection.execute(insert(MESSAGES), mails)
        tried = [{"message": number, "at": NOW, "outcome": "accepted", "reply": "250 ok"} for number in range(1, len(mails) + 1)]
        connection.execute(insert(ATTEMPTS), tried)


def _alert(number: int, *, closed: bool) -> dict[str, object]:
    at = NOW - timedelta(days=300 if closed else 1)
    return {
        "patient_id": patient_name(number),
        "rule": "rapid-motor-decline",
        "state": "resolved" if closed else "open",
        "urgency": "immediate",
        "clinical_at": at,
        "headline": "walking: unaided -> wheelchair in 7 days",
        "criteria": "[]",
        "evidence": "[]",
        "missing": "[]",
        "weight": 0,
        "occasion": "",
        "opened_at": at,
        "raised_at": at,
        "holds": not closed,
        "closed_at": at if closed else None,
    }


def _mail(place: int, alert: dict[str, object], copy: int) -> dict[str, object]:
    return {
        "message_id": f"<{place}.{copy}@bench.example>",
        "kind": "alert",
        "priority": 2,
        "alert_ids": f"[{place + 1}]",
        "patient_id": alert["patient_id"],
        "recipient_address": f"nurse{copy}@hospital.example",
        "recipient_name": "Nurse",
        "subject": "bench",
        "text": "x" * 2000,
        "html": None,
        "headers": "{}",
        "state": "accepted",
        "next_attempt_at": alert["raised_at"],
        "fencing_token": 1,
        "attempts": 1,
        "maybe_repeat": False,
        "created_at": alert["raised_at"],
    }
