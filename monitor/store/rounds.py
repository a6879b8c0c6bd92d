"""The last round, and the patients whom it could not evaluate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from monitor.store.tables import FAILURES, ROUNDS


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """What a round did: patients evaluated, and those it could not evaluate; and by which policy."""

    started_at: datetime
    finished_at: datetime
    evaluated: int
    failed: int
    policy_sha256: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a patient could not be evaluated. ``problem`` holds no value of the record."""

    patient_id: str
    at: datetime
    problem: str


def record_round(connection: Connection, finished: RoundRecord) -> None:
    """Keep this round as the last one."""
    connection.execute(delete(ROUNDS))
    connection.execute(ROUNDS.insert(), {"id": 1, **asdict(finished)})


def last_round(connection: Connection) -> RoundRecord | None:
    """The last round, or None before the first."""
    row = connection.execute(select(ROUNDS)).one_or_none()
    return None if row is None else RoundRecord(row.started_at, row.finished_at, row.evaluated, row.failed, row.policy_sha256)


def record_failure(connection: Connection, failure: Failure) -> bool:
    """Keep why and since when a patient cannot be evaluated. Returns whether that is news: it was not known yet."""
    before = connection.execute(select(FAILURES.c.problem).where(FAILURES.c.patient_id == failure.patient_id)).scalar()
    if before == failure.problem:
        return False
    clear_failure(connection, failure.patient_id)
    connection.execute(FAILURES.insert(), asdict(failure))
    return True


def clear_failure(connection: Connection, patient_id: str) -> None:
    """The patient could be evaluated."""
    connection.execute(delete(FAILURES).where(FAILURES.c.patient_id == patient_id))


def failures(connection: Connection) -> list[Failure]:
    """All patients who could not be evaluated, those of the longest standing first."""
    rows = connection.execute(select(FAILURES).order_by(FAILURES.c.at, FAILURES.c.patient_id))
    return [Failure(row.patient_id, row.at, row.problem) for row in rows]
