"""What is due: patients whose facts changed, and those whose time to look again has come. Nothing else is read.

A change is consumed by its own id, never by "up to": on PostgreSQL a smaller id may be committed after a larger one was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection, Dialect, bindparam, delete, select
from sqlmodel import UTCDateTime

from monitor.store.dialect import placeholders
from monitor.store.tables import CHANGES, LOOK_AGAIN

_PAGE = 1000
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Due:
    """Patients to look at, those of the oldest changes first, and the changes that this look will have dealt with."""

    patient_ids: tuple[str, ...]
    change_ids: tuple[int, ...]


NOTHING = Due((), ())

_PAGE_OF_CHANGES = (
    select(CHANGES.c.id, CHANGES.c.patient_id).where(CHANGES.c.id > bindparam("after")).order_by(CHANGES.c.id).limit(_PAGE)
)
_TIME_HAS_COME = (
    select(LOOK_AGAIN.c.patient_id)
    .where(LOOK_AGAIN.c.at <= bindparam("now", type_=UTCDateTime))
    .order_by(LOOK_AGAIN.c.at)
    .limit(bindparam("most"))
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
    """At most ``limit`` patients that are due at ``now``, with all their changes. One statement when there are none."""
    if not anything_due(connection, now):
        return NOTHING
    patient_ids = _changed(connection, limit)
    change_ids: list[int] = []
    for start in range(0, len(patient_ids), _CHUNK):
        part = patient_ids[start : start + _CHUNK]
        marks = placeholders(connection.dialect, len(part))
        statement = f"SELECT id FROM changes WHERE patient_id IN ({marks})"
        change_ids += [row[0] for row in connection.exec_driver_sql(statement, tuple(part))]
    if len(patient_ids) < limit:
        chosen = dict.fromkeys(patient_ids)
        waiting = connection.execute(_TIME_HAS_COME, {"now": now, "most": limit}).scalars()
        patient_ids += [patient_id for patient_id in waiting if patient_id not in chosen][: limit - len(patient_ids)]
    return Due(tuple(patient_ids), tuple(change_ids))


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


def _changed(connection: Connection, limit: int) -> list[str]:
    """The first ``limit`` patients in the order of their oldest change: nobody waits for ever behind a busy one."""
    found: dict[str, None] = {}
    after = 0
    while len(found) < limit:
        page = connection.execute(_PAGE_OF_CHANGES, {"after": after}).all()
        for _, patient_id in page:
            if len(found) < limit:
                found[patient_id] = None
        if len(page) < _PAGE:
            break
        after = page[-1][0]
    return list(found)
