"""What the whole installation is asked for ``status`` and the metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from monitor.store import figures, outbox
from monitor.store.tables import ALERTS, ATTEMPTS
from tests.store.databases import NOW, a_database

pytestmark = pytest.mark.both_engines

MINUTE = timedelta(minutes=1)


def an_alert(connection: Connection, at: datetime, *, urgency: str = "immediate", patient: str = "P-1") -> int:
    """An open alert, as stored."""
    row = dict.fromkeys(("headline", "criteria", "evidence", "missing", "occasion"), "[]")
    row |= {"patient_id": patient, "rule": "rapid-motor-decline", "state": "open", "urgency": urgency}
    times = dict.fromkeys(("clinical_at", "opened_at", "raised_at"), at)
    return int(
        connection.execute(ALERTS.insert().returning(ALERTS.c.id), {**row, **times, "weight": 1, "holds": True}).scalar_one()
    )


def an_attempt(message: int, at: datetime, outcome: str, relay: str | None = "relay") -> dict[str, Any]:
    """An attempt, as stored."""
    return {"message": message, "at": at, "outcome": outcome, "reply": "250 ok", "relay": relay}


def a_mail(number: int, kind: str = "alert", address: str = "nurse@hospital.example") -> outbox.NewMessage:
    return outbox.NewMessage(
        message_id=f"<{number}@hospital.example>",
        kind=kind,
        recipient_address=address,
        recipient_name="Nurse",
        subject="s",
        text="t",
        html=None,
    )


def test_given_attempts_when_counted_then_by_outcome_and_relay(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        first, second = outbox.enqueue(connection, [a_mail(1), a_mail(2, kind="digest")], now=NOW)
        connection.execute(
            ATTEMPTS.insert(),
            [
                an_attempt(first, NOW, "relay_fault"),
                an_attempt(first, NOW + MINUTE, "accepted", "fallback"),
                an_attempt(second, NOW, "indeterminate", None),
            ],
        )
        assert figures.attempts(connection) == {
            ("relay_fault", "relay"): 1,
            ("accepted", "fallback"): 1,
            ("indeterminate", "unknown"): 1,
        }


def test_given_taken_mails_when_asked_for_those_since_then_only_new_ones_about_alerts(tmp_path: Path) -> None:
    with a_database(tmp_path).write() as connection:
        ids = outbox.enqueue(connection, [a_mail(1), a_mail(2), a_mail(3, kind="digest")], now=NOW)
        assert figures.last_attempt(connection) == 0
        connection.execute(ATTEMPTS.insert(), [an_attempt(id_, NOW + MINUTE, "accepted") for id_ in ids])
        assert figures.last_attempt(connection) == 3
        assert [taken.attempt for taken in figures.accepted_alerts(connection, after=0)] == [1, 2]
        assert list(figures.accepted_alerts(connection, after=1)) == [figures.Accepted(2, NOW, NOW + MINUTE)]
