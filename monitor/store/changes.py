"""What is due: patients whose facts changed, and those whose time to look again has come. Nothing else is read.

A change is consumed by its own id, never by "up to": on PostgreSQL a smaller id may be committed after a larger one was read.
There others look at patients too: whom one of them has taken is passed over, and what is due of a patient is read, in a
statement of its own, only after he was taken. So a change is either among those read, or stays for the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection, Dialect, bindparam, delete, select
from sqlmodel import UTCDateTime

from monitor.store import turns
from monitor.store.dialect import placeholders
from monitor.store.tables import CHANGES, LOOK_AGAIN

_PAGE = 1000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Due:
    """Patients to look at, those of the oldest changes first, and the changes that this look will have dealt with.

    ``elsewhere`` is how many are due that somebody else has taken.
    """

    patient_ids: tuple[str, ...]
    change_ids: tuple[int, ...]
    elsewhere: int = 0


NOTHING = Due((), ())

_PAGE_OF_CHANGES = (
    select(CHANGES.c.id, CHANGES.c.patient_id).where(CHANGES.c.id > bindparam("after")).order_by(CHANGES.c.id).limit(_PAGE)
)
_TIME_HAS_COME = (
    select(LOOK_AGAIN.c.patient_id)
    .where(LOOK_AGAIN.c.at <= bindparam("now", type_=UTCDateTime))
    .order_by(LOOK_AGAIN.c.at, LOOK_AGAIN.c.patient_id)
    .limit(bindparam("most"))
    .offset(bindparam("passed_over"))
)


@cache
def idle_statement(dialect: Dialect) -> str:
    """Whether anything is due, by one step into each of two indexes. Ids begin at 1: the condition makes it a search."""
    mark = placeholders(dialect, 1)
    return (
        f"SELECT EXISTS (SELECT 1 FROM changes WHERE id > 0) OR EXISTS (SELECT 1 FROM look_again WHERE look_again.at <= {mark})"
    )


@cache
def _as_stored(dialect: Dialect) -> Callable[[datetime], object]:
    """How the driver wants an instant."""
    return UTCDateTime().dialect_impl(dialect).bind_processor(dialect) or (lambda at: at)


def anything_due(connection: Connection, now: datetime) -> bool:
    """Whether a round would find a patient: one statement, whatever is stored. For the idle poll."""
    dialect = connection.dialect
    return bool(connection.exec_driver_sql(idle_statement(dialect), (_as_stored(dialect)(now),)).scalar())


def due(connection: Connection, now: datetime, limit: int) -> Due:
    """At most ``limit`` patients that are due at ``now``, with all their changes; on PostgreSQL they are taken.

    One statement when there are none.
    """
    if not anything_due(connection, now):
        return NOTHING
    found: dict[str, list[int]] = {}
    tried: set[str] = set()
    for still_due, page in _due_by_page(connection, now, limit):
        asked = [patient_id for patient_id in dict.fromkeys(page) if patient_id not in tried]
        while asked and len(found) < limit:
            part = asked[: min(limit - len(found), _CHUNK)]
            del asked[: len(part)]
            tried.update(part)
            found |= still_due(connection, turns.take(connection, part), now)
        if len(found) == limit:
            break
    change_ids = tuple(change_id for ids in found.values() for change_id in ids)
    return Due(tuple(found), change_ids, len(tried) - len(found))


def consume(connection: Connection, change_ids: Sequence[int]) -> None:
    """Take these changes off the list; one that was committed meanwhile stays."""
    for start in range(0, len(change_ids), _CHUNK):
        part = change_ids[start : start + _CHUNK]
        marks = placeholders(connection.dialect, len(part))
        connection.exec_driver_sql(f"DELETE FROM changes WHERE id IN ({marks})", tuple(part))


def set_look_again(connection: Connection, patient_id: str, at: datetime | None) -> None:
    """Remember when to look at the patient again even if nothing changes; None forgets it."""
    connection.execute(delete(LOOK_AGAIN).where(LOOK_AGAIN.c.patient_id == patient_id))
    if at is not None:
        connection.execute(LOOK_AGAIN.insert(), {"patient_id": patient_id, "at": at.astimezone(UTC)})


def bring_up_all(connection: Connection) -> None:
    """Put every patient who is looked at again by time among the changes: what decides about them is no longer the same."""
    connection.exec_driver_sql("INSERT INTO changes (patient_id) SELECT patient_id FROM look_again")


def look_again_at(connection: Connection, patient_id: str) -> datetime | None:
    """When time alone will bring the patient up again, or None."""
    return connection.execute(select(LOOK_AGAIN.c.at).where(LOOK_AGAIN.c.patient_id == patient_id)).scalar()


def waiting(connection: Connection) -> int:
    """How many changes no round has dealt with."""
    return int(connection.exec_driver_sql("SELECT count(*) FROM changes").scalar_one())


_StillDue = Callable[[Connection, Sequence[str], datetime], dict[str, list[int]]]
"""Of patients who were taken, those who are due and the ids of their changes."""


def _due_by_page(connection: Connection, now: datetime, limit: int) -> Iterator[tuple[_StillDue, Sequence[str]]]:
    """Who seems due, page by page: those who changed in the order of their oldest change, so that nobody waits for ever
    behind a busy one; then those whose time has come."""
    after = 0
    while True:
        page = connection.execute(_PAGE_OF_CHANGES, {"after": after}).all()
        yield _changed, [row.patient_id for row in page]
        if len(page) < _PAGE:
            break
        after = page[-1].id
    passed_over = 0
    while True:
        times = {"now": now, "most": limit, "passed_over": passed_over}
        waiting = connection.execute(_TIME_HAS_COME, times).scalars().all()
        yield _time_has_come, waiting
        if len(waiting) < limit:
            break
        passed_over += limit


def _changed(connection: Connection, patient_ids: Sequence[str], _: datetime) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {patient_id: [] for patient_id in patient_ids}
    if patient_ids:
        marks = placeholders(connection.dialect, len(patient_ids))
        statement = f"SELECT patient_id, id FROM changes WHERE patient_id IN ({marks})"
        for patient_id, id_ in connection.exec_driver_sql(statement, tuple(patient_ids)):
            found[patient_id].append(id_)
    return {patient_id: ids for patient_id, ids in found.items() if ids}


def _time_has_come(connection: Connection, patient_ids: Sequence[str], now: datetime) -> dict[str, list[int]]:
    theirs = LOOK_AGAIN.c.patient_id.in_(patient_ids)
    still = set(connection.execute(select(LOOK_AGAIN.c.patient_id).where(theirs, LOOK_AGAIN.c.at <= now)).scalars())
    return {patient_id: [] for patient_id in patient_ids if patient_id in still}
