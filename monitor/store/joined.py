"""Rows that arrive under the id of a record that became part of another: they are said of the surviving patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from monitor.store import merges
from monitor.store.dialect import among, amongst
from monitor.store.fact_statements import Statements
from monitor.store.fingerprints import fingerprint
from monitor.store.versions import Arrival, Value


def under_one_id(connection: Connection, statements: Statements, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], int]:
    """The rows as said of the surviving patients, and how many were passed over.

    What the record of an old id says of the patient himself counts only until the surviving record says it.
    """
    ids = {str(arrival.values[0]) for arrival in arrivals}
    final = merges.resolve(connection, ids)
    older = merges.became(connection, set(final.values()))
    if not older:
        return list(arrivals), 0
    if statements.kind == "patients":
        return _stand_ins(connection, arrivals, final)
    found = []
    for arrival in arrivals:
        patient_id = final[str(arrival.values[0])]
        others = older.get(patient_id)
        found.append(arrival if others is None else _renamed(statements, arrival, patient_id, others))
    return found, 0


def _renamed(statements: Statements, arrival: Arrival, patient_id: str, others: frozenset[str]) -> Arrival:
    values = (patient_id, *arrival.values[1:])
    name = _name(statements, arrival, patient_id)
    if arrival.source_id is not None:
        identity: object = arrival.identity
    elif statements.natural:
        identity = tuple(values[statements.columns.index(column)] for column in statements.natural)
    else:
        identity = (name,)
    return replace(
        arrival,
        identity=identity,
        values=values,
        fingerprint=name,
        also_called=others,
        also_named=frozenset(_name(statements, arrival, other) for other in others),
    )


def _name(statements: Statements, arrival: Arrival, patient_id: Value) -> str:
    return fingerprint(statements.columns, (patient_id, *arrival.values[1:]), arrival.recorded_at)


def _stand_ins(connection: Connection, arrivals: Sequence[Arrival], final: dict[str, str]) -> tuple[list[Arrival], int]:
    """Patients' own rows: the surviving record's as they are, those of old ids in its place where it has none.

    Such a row keeps its fingerprint, and names as ``source_id`` the id under which it came.
    """
    own = {str(arrival.values[0]) for arrival in arrivals} | _with_own_row(connection, set(final.values()))
    found, passed_over = [], 0
    for arrival in arrivals:
        came_as = str(arrival.values[0])
        patient_id = final[came_as]
        if patient_id == came_as:
            found.append(arrival)
        elif patient_id in own:
            passed_over += 1
        else:
            values = (patient_id, *arrival.values[1:])
            found.append(replace(arrival, identity=patient_id, source_id=came_as, values=values))
    return found, passed_over


def _with_own_row(connection: Connection, patient_ids: set[str]) -> set[str]:
    listed = sorted(patient_ids)
    where = f"{among(connection.dialect, 'patient_id', len(listed))} AND source_id IS NULL"
    found = connection.exec_driver_sql(f"SELECT patient_id FROM patients WHERE {where}", amongst(connection.dialect, listed))
    return {row[0] for row in found}
