"""Patients taken for one transaction: on PostgreSQL nobody else of this program looks at them until it ends.

The lock is PostgreSQL's advisory one and so ends with its transaction, whatever becomes of the process. It is never waited
for, so no two can wait for each other. Its number is a hash: two patients of the same one are not looked at side by side,
which harms nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from monitor.store.dialect import PATIENT

_TAKE = (
    "SELECT patient_id FROM unnest(%s::text[]) WITH ORDINALITY AS asked (patient_id, place)"
    f" WHERE pg_try_advisory_xact_lock({PATIENT}, hashtext(patient_id)) ORDER BY place"
)


def take(connection: Connection, patient_ids: Sequence[str]) -> Sequence[str]:
    """Those of the patients whom nobody else has taken, in the same order; they are the caller's to its transaction's end.

    What is read of them before may have been dealt with meanwhile: read it again. On SQLite a writer is alone: all of them.
    """
    if connection.dialect.name != "postgresql":
        return patient_ids
    return [row[0] for row in connection.exec_driver_sql(_TAKE, (list(patient_ids),))]
