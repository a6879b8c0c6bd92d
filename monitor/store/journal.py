"""The append-only journal: what was raised, told and done, in order, each entry hashed together with the one before it.

An entry's hash is SHA-256 over the hash before it and one line of JSON: ``at`` (ISO 8601, UTC), ``body`` (its own JSON as
stored), ``event``, ``id`` and ``subject``, keys sorted, no spaces, ASCII. Ids have no gap. So whoever changes, removes or
moves an entry has to write anew everything after it, and no longer ends in the hash that the coverage statement mailed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Dialect, Text, select, type_coerce
from sqlmodel import UTCDateTime

from monitor.said import say
from monitor.store import dialect
from monitor.store.watch_tables import JOURNAL

FIRST_PREVIOUS = "0" * 64
"""What stands for the hash before the first entry."""

_PER_READ = 1000
_LAST = "SELECT id, sha256 FROM journal ORDER BY id DESC LIMIT 1"
_COLUMNS = ("id", "at", "event", "subject", "body", "previous_sha256", "sha256")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be kept. ``subject`` is what it is about, such as ``A-12`` or ``message 7``; ``body`` is JSON, or instants."""

    event: str
    subject: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An entry as it stands in the journal."""

    id: int
    at: datetime
    event: str
    subject: str
    body: Mapping[str, Any]
    previous_sha256: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the chain holds. ``problem`` says what is wrong at ``broken_at``, the first entry that does not fit.

    ``entries`` are those that were found to fit, ``last_sha256`` is the hash of the last of them.
    """

    entries: int
    last_sha256: str
    broken_at: int | None = None
    problem: str | None = None

    @property
    def intact(self) -> bool:
        return self.problem is None


def append(connection: Connection, now: datetime, *entries: Entry) -> None:
    """Add entries in the caller's writing transaction: one read and one insert, however many they are.

    From here to its end nobody else appends.
    """
    if not entries:
        return
    dialect.one_at_a_time(connection, dialect.JOURNAL)
    number, previous = _end(connection)
    at = now.astimezone(UTC)
    statement, stored = _insert(connection.dialect)
    stored_at = stored(at)
    rows = []
    for entry in entries:
        number += 1
        body = _json(entry.body)
        hashed = _hash(previous, number, at, entry.event, entry.subject, body)
        rows.append((number, stored_at, entry.event, entry.subject, body, previous, hashed))
        previous = hashed
    connection.exec_driver_sql(statement, rows if len(rows) > 1 else rows[0])


def last_sha256(connection: Connection) -> str:
    """The hash that the journal ends in; FIRST_PREVIOUS while it is empty."""
    return _end(connection)[1]


def _end(connection: Connection) -> tuple[int, str]:
    """The last entry's number and hash."""
    last = connection.exec_driver_sql(_LAST).one_or_none()
    return (0, FIRST_PREVIOUS) if last is None else (last[0], last[1])


@cache
def _insert(spoken: Dialect) -> tuple[str, Callable[[datetime], object]]:
    """The statement as the driver takes it, and what makes of an instant what it stores: each alert waits for this."""
    marks = dialect.placeholders(spoken, len(_COLUMNS))
    stored = UTCDateTime().dialect_impl(spoken).bind_processor(spoken) or (lambda at: at)
    return f"INSERT INTO journal ({', '.join(_COLUMNS)}) VALUES ({marks})", stored


def newest(connection: Connection, event: str, subject: str) -> Kept | None:
    """The last entry of one event about one subject, or None."""
    query = select(JOURNAL).where(JOURNAL.c.subject == subject, JOURNAL.c.event == event)
    row = connection.execute(query.order_by(JOURNAL.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _kept(row)


def latest(
    connection: Connection, *, at_most: int, before: int | None = None, event: str | None = None, subject: str | None = None
) -> list[Kept]:
    """The newest entries, newest first; those before an entry's number, of one event, or about one subject."""
    query = select(JOURNAL).order_by(JOURNAL.c.id.desc()).limit(at_most)
    if before is not None:
        query = query.where(JOURNAL.c.id < before)
    if event is not None:
        query = query.where(JOURNAL.c.event == event)
    if subject is not None:
        query = query.where(JOURNAL.c.subject == subject)
    return [_kept(row) for row in connection.execute(query)]


def of_event(connection: Connection, event: str) -> list[Kept]:
    """Every entry of one event, in order; for those of which there are few."""
    return [_kept(row) for row in connection.execute(select(JOURNAL).where(JOURNAL.c.event == event).order_by(JOURNAL.c.id))]


def entries(connection: Connection, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Kept]:
    """All entries in order, or those between two instants, both included; read piece by piece."""
    query = select(JOURNAL).order_by(JOURNAL.c.id).limit(_PER_READ)
    if since is not None:
        query = query.where(JOURNAL.c.at >= since)
    if until is not None:
        query = query.where(JOURNAL.c.at <= until)
    after = 0
    while rows := connection.execute(query.where(JOURNAL.c.id > after)).all():
        yield from map(_kept, rows)
        after = rows[-1].id


def verify(connection: Connection, *, expected_last: str | None = None) -> Verdict:
    """Go through the whole chain, and stop at the first entry that does not fit.

    ``expected_last`` is a hash in which the journal ended once, written down elsewhere: without it in the chain the end
    was cut off or written anew.
    """
    count, previous = 0, FIRST_PREVIOUS
    seen = expected_last in (None, FIRST_PREVIOUS)
    for row in _as_stored(connection):
        problem = _problem(row, expected_id=count + 1, previous=previous)
        if problem is not None:
            return Verdict(entries=count, last_sha256=previous, broken_at=row[0], problem=problem)
        count, previous = count + 1, row[6]
        seen = seen or previous == expected_last
    given = dialect.highest_id_given(connection, JOURNAL.name)
    if given is not None and given != count:
        return Verdict(
            entries=count,
            last_sha256=previous,
            broken_at=count + 1,
            problem=say("the end is missing: entries up to {entry} were written", entry=given),
        )
    if not seen:
        words = say(
            "the expected hash is not in the journal: its end was cut off or written anew, or the hash is another journal's"
        )
        return Verdict(entries=count, last_sha256=previous, broken_at=count + 1, problem=words)
    return Verdict(entries=count, last_sha256=previous)


def _as_stored(connection: Connection) -> Iterator[tuple[Any, ...]]:
    """Every row in the order of the ids, its instant as the database holds it: text on SQLite."""
    columns = [type_coerce(JOURNAL.c.at, Text) if name == "at" else JOURNAL.c[name] for name in _COLUMNS]
    query = select(*columns).order_by(JOURNAL.c.id).limit(_PER_READ)
    after = None
    while True:
        page = query if after is None else query.where(JOURNAL.c.id > after)
        statement = str(page.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        rows = dialect.all_rows(connection, statement, ())
        yield from map(tuple, rows)
        if len(rows) < _PER_READ:
            return
        after = rows[-1][0]


def _problem(row: tuple[Any, ...], *, expected_id: int, previous: str) -> str | None:
    """What is wrong with a row as stored, or None."""
    id_, at, event, subject, body, previous_sha256, own = row
    if id_ != expected_id:
        if id_ < expected_id:
            return say("this number was never given")
        if id_ == expected_id + 1:
            return say("entry {entry} is missing before this one", entry=expected_id)
        return say("entries {first} to {last} are missing before this one", first=expected_id, last=id_ - 1)
    if previous_sha256 != previous:
        return say("it does not name the hash of the entry before it: one of the two was changed or exchanged")
    instant = _instant(at)
    if instant is None or not all(isinstance(each, str) for each in (event, subject, body, own)):
        return say("it was changed: its time or its text is none")
    if _hash(previous, id_, instant, event, subject, body) != own:
        return say("it was changed: its content does not give its hash")
    return None


def _instant(stored: object) -> datetime | None:
    """The instant as stored, or None for text that this program would not have written."""
    if isinstance(stored, datetime):
        return stored.astimezone(UTC)
    try:
        at = datetime.fromisoformat(str(stored)).replace(tzinfo=UTC)
    except ValueError:
        return None
    return at if f"{at:%Y-%m-%d %H:%M:%S.%f}" == stored else None


def _hash(previous: str, id_: int, at: datetime, event: str, subject: str, body: str) -> str:
    line = _json({"id": id_, "at": at.isoformat(), "event": event, "subject": subject, "body": body})
    return sha256(f"{previous}{line}".encode()).hexdigest()


def _instant_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the journal")


_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_instant_text).encode


def _kept(row: Any) -> Kept:
    return Kept(
        id=row.id,
        at=row.at,
        event=row.event,
        subject=row.subject,
        body=json.loads(row.body),
        previous_sha256=row.previous_sha256,
        sha256=row.sha256,
    )
