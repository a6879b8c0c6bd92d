"""Who is told next if nobody takes an alert on: rows with a due time, so that no restart loses one.

An alert that has spoken and waits has one open row. Step 1 and on are those of the team's chain; past its end a row is a
reminder to everyone told. Everything is done in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.store.rounds import last_round
from monitor.store.watch_tables import ESCALATIONS

_CHUNK = 500
_COLUMNS = (ESCALATIONS.c.id, ESCALATIONS.c.alert_id, ESCALATIONS.c.raised_at, ESCALATIONS.c.step, ESCALATIONS.c.due_at)
_OPEN = ESCALATIONS.c.done_at.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """At ``due_at`` ``step`` is told of the alert that spoke at ``raised_at``, unless somebody takes it on before."""

    alert_id: int
    raised_at: datetime
    step: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open row. ``why`` says who brought it forward, None where its time has just come."""

    id: int
    alert_id: int
    raised_at: datetime
    step: int
    due_at: datetime
    why: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """A row that is over, and what came of it: ``told 2``, ``acknowledged``, ``closed: withdrawn``..."""

    alert_id: int
    raised_at: datetime
    step: int
    done_at: datetime
    outcome: str


def add(connection: Connection, steps: Sequence[Next]) -> None:
    """Let these wait. A step of the same alert and time that is known already is opened anew with the new due time."""
    known = {
        (row.alert_id, row.raised_at, row.step): row.id
        for part in _parts({step.alert_id for step in steps})
        for row in connection.execute(select(*_COLUMNS).where(ESCALATIONS.c.alert_id.in_(part)))
    }
    fresh = []
    for step in steps:
        id_ = known.get((step.alert_id, step.raised_at, step.step))
        if id_ is None:
            fresh.append(asdict(step))
        else:
            again = {"due_at": step.due_at, "done_at": None, "outcome": None}
            connection.execute(ESCALATIONS.update().where(ESCALATIONS.c.id == id_).values(**again))
    if fresh:
        connection.execute(ESCALATIONS.insert(), fresh)


def anything_due(connection: Connection, now: datetime) -> bool:
    """Whether a row's time has come: one step into an index of the open rows."""
    return connection.execute(select(ESCALATIONS.c.id).where(_OPEN, ESCALATIONS.c.due_at <= now).limit(1)).scalar() is not None


def due(connection: Connection, now: datetime) -> list[Waiting]:
    """The open rows whose time has come, the longest due first."""
    query = select(*_COLUMNS, ESCALATIONS.c.outcome).where(_OPEN, ESCALATIONS.c.due_at <= now)
    return [_waiting(row) for row in connection.execute(query.order_by(ESCALATIONS.c.due_at, ESCALATIONS.c.id))]


def waiting(connection: Connection, alert_ids: Collection[int] | None = None) -> dict[int, Waiting]:
    """The open row of each alert that has one; of all alerts, or of those asked for."""
    query = select(*_COLUMNS, ESCALATIONS.c.outcome).where(_OPEN)
    if alert_ids is None:
        return {row.alert_id: _waiting(row) for row in connection.execute(query)}
    return {
        row.alert_id: _waiting(row)
        for part in _parts(alert_ids)
        for row in connection.execute(query.where(ESCALATIONS.c.alert_id.in_(part)))
    }


def overdue(connection: Connection, now: datetime) -> list[Waiting]:
    """Open rows whose time had come at the last round, and that nobody has seen to since: passing them on fails.

    What came due after the last round is no fault of its own; that nobody watches is told by the age of the round.
    """
    last = last_round(connection)
    return [] if last is None else due(connection, min(now, last.started_at))


def history_of(connection: Connection, alert_ids: Collection[int]) -> list[Done]:
    """The rows of these alerts that are over, oldest first."""
    columns = ESCALATIONS.c
    found = []
    for part in _parts(alert_ids):
        query = select(columns.alert_id, columns.raised_at, columns.step, columns.done_at, columns.outcome)
        found += [Done(*row) for row in connection.execute(query.where(columns.alert_id.in_(part), columns.done_at.is_not(None)))]
    return sorted(found, key=lambda done: (done.done_at, done.alert_id, done.step))


def bring_forward(connection: Connection, alert_ids: Collection[int], now: datetime, *, why: str = "brought forward") -> int:
    """What waits for these alerts is due at once: nobody is there who could answer. Returns how many rows that moved."""
    moved = 0
    for part in _parts(alert_ids):
        theirs = ESCALATIONS.c.alert_id.in_(part)
        later = ESCALATIONS.c.due_at > now
        moved += connection.execute(ESCALATIONS.update().where(_OPEN, theirs, later).values(due_at=now, outcome=why)).rowcount
    return moved


def hand_to(connection: Connection, alert_id: int, step: int, now: datetime, *, why: str) -> None:
    """What waits for this alert is due at once, and it is ``step`` that is told, where that is no earlier one."""
    columns = ESCALATIONS.c
    waits = (_OPEN, columns.alert_id == alert_id, columns.step <= step)
    connection.execute(ESCALATIONS.update().where(*waits, columns.due_at > now).values(due_at=now))
    connection.execute(ESCALATIONS.update().where(*waits).values(step=step, outcome=why))


def put_off(connection: Connection, row_ids: Collection[int], until: datetime) -> None:
    """These open rows are due at ``until`` instead."""
    for part in _parts(row_ids):
        connection.execute(ESCALATIONS.update().where(_OPEN, ESCALATIONS.c.id.in_(part)).values(due_at=until))


def put_back(connection: Connection, row_id: int, until: datetime) -> None:
    """An open row that was brought forward in vain is due at its own time, ``until``."""
    connection.execute(ESCALATIONS.update().where(_OPEN, ESCALATIONS.c.id == row_id).values(due_at=until, outcome=None))


def last_done_at(connection: Connection, alert_id: int, raised_at: datetime) -> datetime | None:
    """When the last step of this chain was told, or None while none was."""
    columns = ESCALATIONS.c
    chain = (columns.alert_id == alert_id, columns.raised_at == raised_at)
    return connection.execute(select(func.max(columns.done_at)).where(*chain)).scalar()


def finish(connection: Connection, row_ids: Collection[int], outcome: str, now: datetime) -> None:
    """These open rows are over, all with one outcome."""
    for part in _parts(row_ids):
        connection.execute(ESCALATIONS.update().where(_OPEN, ESCALATIONS.c.id.in_(part)).values(done_at=now, outcome=outcome))


def close(connection: Connection, alert_ids: Collection[int], outcome: str, now: datetime) -> int:
    """Nobody is told next about these alerts: ``outcome`` says why. Returns how many rows that closed."""
    closed = 0
    for part in _parts(alert_ids):
        theirs = ESCALATIONS.c.alert_id.in_(part)
        closed += connection.execute(ESCALATIONS.update().where(_OPEN, theirs).values(done_at=now, outcome=outcome)).rowcount
    return closed


def _waiting(row: Any) -> Waiting:
    return Waiting(row.id, row.alert_id, row.raised_at, row.step, row.due_at, row.outcome)


def _parts(keys: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(set(keys))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
