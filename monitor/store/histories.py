"""All that is stored of some patients, as the histories that rules read: every version of every fact.

A row that cannot be read, since another program wrote it, makes its patient unreadable and nobody else. Once it is
corrected or deleted its kept version is passed over: nothing was ever evaluated from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cache
from operator import attrgetter, lt
from typing import Any

from sqlalchemy import Connection, Dialect

from monitor.clinical.history import ALWAYS, Fact, History, Patient
from monitor.clinical.joined import Joined
from monitor.clinical.order import Order, dose_order, visit_order
from monitor.store import merges
from monitor.store.dialect import all_rows, placeholders
from monitor.store.fact_tables import KINDS
from monitor.store.rows import COLUMNS, MAKERS, SUPERSEDED_AT, suspect
from monitor.store.times import instant

_CHUNK = 400  # patients; bounds memory, and fits the cache (performance.md §8.9)
_ORDER = {
    "patients": attrgetter("known_at", "version"),
    "courses": attrgetter("started_on", "known_at", "fact_id", "version"),
    "treatments": attrgetter("started_on", "known_at", "fact_id", "version"),
}
_AT = attrgetter("at")
_BY_TIME = attrgetter("at", "known_at", "fact_id", "version")
_TIED: dict[str, Callable[[Any], Order]] = {"doses": dose_order, "assessments": visit_order}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Histories by patient, and why a patient's could not be read; a text without any value of the record."""

    histories: dict[str, History]
    unreadable: dict[str, str]


def load(connection: Connection, patient_ids: Iterable[str], zone: tzinfo) -> Loaded:
    """The histories of ``patient_ids``, each in one of the two parts of the answer; empty where nothing is stored."""
    wanted = list(dict.fromkeys(patient_ids))
    loaded = Loaded({}, {})
    for start in range(0, len(wanted), _CHUNK):
        _load_chunk(connection, wanted[start : start + _CHUNK], zone, loaded)
    return loaded


def patients_with_facts(connection: Connection) -> list[str]:
    """Every patient of whom anything is stored, in the order of the ids. Costs what there are patients, not facts."""
    found: set[str] = set()
    for kind in KINDS:
        found.update(row[0] for row in connection.exec_driver_sql(patients_statement(kind)))
    return sorted(found)


def patients_statement(kind: str) -> str:
    """Every patient of one kind; steps from one to the next in the index: DISTINCT would walk through every fact."""
    return f"""WITH RECURSIVE known (patient_id) AS (
 SELECT min(patient_id) FROM {kind}
 UNION ALL
 SELECT (SELECT min(patient_id) FROM {kind} WHERE patient_id > known.patient_id) FROM known WHERE known.patient_id IS NOT NULL
) SELECT patient_id FROM known WHERE patient_id IS NOT NULL"""


@cache
def rows_statement(kind: str, dialect: Dialect, count: int) -> str:
    """All versions of one kind of ``count`` patients."""
    return f"SELECT {', '.join(COLUMNS[kind])} FROM {kind} WHERE patient_id IN ({placeholders(dialect, count)})"


def _load_chunk(connection: Connection, patient_ids: Sequence[str], zone: tzinfo, loaded: Loaded) -> None:
    unreadable: dict[str, str] = {}
    parts: dict[str, dict[str, tuple[Any, ...]]] = {patient_id: {} for patient_id in patient_ids}
    for kind in KINDS:
        statement = rows_statement(kind, connection.dialect, len(patient_ids))
        facts = _facts(kind, all_rows(connection, statement, tuple(patient_ids)), zone, unreadable)
        order = _ORDER.get(kind)
        for patient_id, found in facts.items():
            if order is not None:
                found.sort(key=order)
            elif not _is_ascending(found):
                found.sort(key=_TIED.get(kind, _BY_TIME))
            parts[patient_id][kind] = tuple(found)
    joined = {merge.patient_id: Joined(into_id=merge.into_id, at=merge.at) for merge in merges.of(connection, patient_ids)}
    for patient_id, kinds in parts.items():
        if patient_id not in unreadable:
            kinds["patients"] = _always_known(kinds.get("patients", ()))
            loaded.histories[patient_id] = History(patient_id=patient_id, joined=joined.get(patient_id), **kinds)
    loaded.unreadable.update(unreadable)


def _is_ascending(found: list[Any]) -> bool:
    """Whether the facts came one after another: most are stored in the order in which they happened."""
    times = list(map(_AT, found))
    return all(map(lt, times, times[1:]))


def _facts(kind: str, rows: Sequence[Sequence[Any]], zone: tzinfo, unreadable: dict[str, str]) -> dict[str, list[Fact]]:
    make = MAKERS[kind]
    found: dict[str, list[Fact]] = {}
    for row in rows:
        try:
            fact = make(row, zone)
        except (ValueError, KeyError, TypeError, AttributeError):
            if _is_superseded(row, zone):
                continue
            unreadable[row[0]] = f"table {kind}, row {row[1]}: column {suspect(kind, row, zone)} cannot be read; correct it"
            continue
        of_patient = found.get(row[0])
        if of_patient is None:
            found[row[0]] = [fact]
        else:
            of_patient.append(fact)
    return found


def _is_superseded(row: Sequence[Any], zone: tzinfo) -> bool:
    try:
        return row[SUPERSEDED_AT] is not None and bool(instant(row[SUPERSEDED_AT], zone))
    except (ValueError, TypeError, AttributeError):
        return False


def _always_known(versions: tuple[Patient, ...]) -> tuple[Patient, ...]:
    """A patient has no clinical time: the first version of the record is known from the beginning of the world."""
    return versions if not versions else (replace(versions[0], known_at=ALWAYS), *versions[1:])
