"""A patient's name and birth date, for the mails that may say them. Nothing else asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, tzinfo

from sqlalchemy import Connection, select

from monitor.store.belonging import PATIENTS
from monitor.store.times import day

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """As the current record says; neither shows where the object is printed."""

    display_name: str | None = field(default=None, repr=False)
    born_on: date | None = field(default=None, repr=False)


def identities(connection: Connection, patient_ids: Iterable[str], zone: tzinfo) -> dict[str, Identity]:
    """Of the patients who have a record, by id. A birth date that is no day is left out."""
    ids = sorted(set(patient_ids))
    found: dict[str, Identity] = {}
    for start in range(0, len(ids), _CHUNK):
        current = (PATIENTS.c.patient_id.in_(ids[start : start + _CHUNK]), PATIENTS.c.superseded_at.is_(None))
        query = select(PATIENTS.c.patient_id, PATIENTS.c.display_name, PATIENTS.c.birth_date).where(*current)
        for patient_id, name, birth_date in connection.execute(query.order_by(PATIENTS.c.id)):
            found[patient_id] = Identity(display_name=(name or "").strip() or None, born_on=_day(birth_date, zone))
    return found


def _day(written: str | None, zone: tzinfo) -> date | None:
    try:
        return None if written is None else day(written, zone)
    except ValueError:  # another program's
        return None
