"""What the journal says was made and is not there any more: rows that were lost, or taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, select

from monitor.said import joined, say
from monitor.store import journal
from monitor.store.tables import ALERTS, ATTEMPTS, MESSAGES

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Lost:
    """What is gone, in a sentence without anything of a patient, and the alerts that it was about."""

    words: str
    alerts: tuple[str, ...]


def since(connection: Connection, at: datetime) -> list[Lost]:
    """Each alert, message and acceptance of the journal since ``at`` whose row is gone, oldest first."""
    found: list[Lost] = []
    piece: list[journal.Kept] = []
    for entry in journal.entries(connection, since=at):
        piece.append(entry)
        if len(piece) == _CHUNK:
            found += _gone(connection, piece)
            piece = []
    return found + list(_gone(connection, piece))


def _gone(connection: Connection, entries: Sequence[journal.Kept]) -> Iterator[Lost]:
    alerts = {int(entry.subject[2:]): entry for entry in entries if entry.event == "alert"}
    mails = {entry.body["number"]: entry for entry in entries if entry.event == "message" and "message_id" in entry.body}
    accepted = {
        entry.body["number"]: entry for entry in entries if entry.event == "attempt" and entry.body["outcome"] == "accepted"
    }
    for number in _missing(connection, ALERTS.c.id, list(alerts)):
        yield Lost(say("alert {alert} is in the journal, and gone from the database", alert=f"A-{number}"), (f"A-{number}",))
    gone = _missing(connection, MESSAGES.c.id, list(mails))
    for number in gone:
        about = tuple(mails[number].body["alerts"])
        alert_names = joined(", ", about) if about else say("no alert")
        words = say(
            "message {number} about {alerts} is in the journal, and gone from the outbox", number=number, alerts=alert_names
        )
        yield Lost(words, about)
    for number in _missing(connection, ATTEMPTS.c.message, [each for each in accepted if each not in gone]):
        about = tuple(mails[number].body["alerts"]) if number in mails else ()
        words = say("the relay's acceptance of message {number} is in the journal, and gone from the outbox", number=number)
        yield Lost(words, about)


def _missing(connection: Connection, column: Column[int], numbers: Sequence[int]) -> list[int]:
    here: set[int] = set()
    if numbers:
        here = set(connection.execute(select(column).where(column.in_(numbers))).scalars())
    return [number for number in numbers if number not in here]
