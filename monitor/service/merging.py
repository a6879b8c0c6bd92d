"""A hospital merges two records of one person: the history moves to the surviving patient, who is evaluated with all of it.

Whatever comes later under the old id is said of the surviving one too: rows of feeds when they are written (``store/facts.py``),
rows of another program by the next round (``follow``). A merge is not taken back: whose fact is whose cannot be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from sqlalchemy import Connection

from monitor.clinical.synthetic import is_synthetic
from monitor.store import dialect, journal, merges

UNMERGED = (
    "says that two records that became one are two again; nothing was changed, since whose fact is whose cannot be told: "
    "correct the facts by their source_id, and ask for the merge to be taken out of the database"
)
"""Why no feed can take a merge back."""


class MergeRefusedError(ValueError):
    """A merge that cannot be. The text says why and what to do, and names no patient."""


def merge(connection: Connection, patient_id: str, into_id: str, *, feed: str, now: datetime, zone: tzinfo) -> bool:
    """Let the record ``patient_id`` become part of ``into_id``, in the caller's writing transaction; False where it is.

    Either may be unknown yet: the facts follow when they come. Raises MergeRefusedError.
    """
    if not patient_id or not into_id or patient_id == into_id:
        raise MergeRefusedError("names one record twice, or none; a merge takes two")
    if is_synthetic(patient_id.upper()) or is_synthetic(into_id.upper()):
        raise MergeRefusedError("names a record of this program's own; merge none with it")
    final = merges.resolve(connection, [patient_id, into_id])
    if merges.of(connection, [patient_id]):
        if final[patient_id] == final[into_id]:
            return False
        raise MergeRefusedError("the record is part of another one already; find out which of the two merges is right")
    if final[into_id] == patient_id:
        raise MergeRefusedError("the surviving record is part of this one already; find out which of the two lives on")
    merges.record(connection, patient_id, into_id, feed=feed, now=now)
    merges.move(connection, patient_id, final[into_id], now=now, zone=zone)
    return True


def follow(connection: Connection, patient_ids: Sequence[str], *, now: datetime, zone: tzinfo) -> None:
    """Move what another program wrote under ids of records that became part of others, and enter new merges in the journal.

    For the round, before it reads: an import that went on for long would keep everybody else from the journal.
    """
    if not merges.any_yet(connection):
        return
    ended = merges.of(connection, patient_ids)
    left_behind = [merge.patient_id for merge in ended if merges.has_facts(connection, merge.patient_id)]
    if left_behind:
        dialect.one_at_a_time(connection, dialect.FEEDS)
        final = merges.resolve(connection, left_behind)
        for patient_id in left_behind:
            merges.move(connection, patient_id, final[patient_id], now=now, zone=zone)
    for merge in ended:
        if not merge.journaled:
            dialect.one_at_a_time(connection, dialect.JOURNAL)
            body = {"patient_id": merge.patient_id, "into_id": merge.into_id, "feed": merge.feed, "merged_at": merge.at}
            journal.append(connection, now, journal.Entry("merge", "patients", body))
            merges.mark_journaled(connection, merge.patient_id)
