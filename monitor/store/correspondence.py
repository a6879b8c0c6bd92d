"""What was written to whom about which alert: for corrections, for threads, for explanations."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.store.tables import ATTEMPTS, MESSAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One message about a patient. ``accepted_at`` is None while no relay has accepted it."""

    message_id: str
    kind: str
    alert_ids: tuple[int, ...]
    address: str
    name: str
    state: str
    created_at: datetime
    accepted_at: datetime | None
    maybe_repeat: bool  # an attempt ended unknown: the recipient may have it whatever came after


def about(connection: Connection, patient_id: str, alert_ids: Collection[int]) -> list[Written]:
    """Messages about one patient, and digests that named one of the alerts, oldest first."""
    accepted = (
        select(func.min(ATTEMPTS.c.at))
        .where(ATTEMPTS.c.message == MESSAGES.c.id, ATTEMPTS.c.outcome == "accepted")
        .scalar_subquery()
    )
    columns = MESSAGES.c
    query = select(
        columns.message_id,
        columns.kind,
        columns.alert_ids,
        columns.recipient_address,
        columns.recipient_name,
        columns.state,
        columns.created_at,
        columns.maybe_repeat,
        accepted.label("accepted_at"),
    )
    of_patient = connection.execute(query.where(columns.patient_id == patient_id).order_by(columns.id)).all()
    digests = connection.execute(query.where(columns.kind == "digest", columns.patient_id.is_(None)).order_by(columns.id)).all()
    wanted = set(alert_ids)
    written = [
        Written(
            message_id=row.message_id,
            kind=row.kind,
            alert_ids=tuple(json.loads(row.alert_ids)),
            address=row.recipient_address,
            name=row.recipient_name,
            state=row.state,
            created_at=row.created_at,
            accepted_at=row.accepted_at,
            maybe_repeat=row.maybe_repeat,
        )
        for row in (*of_patient, *digests)
    ]
    return sorted(
        (each for each in written if each.kind != "digest" or wanted.intersection(each.alert_ids)),
        key=lambda each: each.created_at,
    )


def told_of(written: Sequence[Written], alert_ids: Collection[int]) -> list[Written]:
    """Those that told of one of the alerts, or still will; what was refused for good or cancelled told nobody."""
    wanted = set(alert_ids)
    told = (each for each in written if each.state not in ("dead", "cancelled") or each.maybe_repeat)
    return [each for each in told if wanted.intersection(each.alert_ids)]
