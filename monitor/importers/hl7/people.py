"""ADT: patients' own rows, and records that became part of others."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.importers.hl7.fields import FieldError, patient_of, time_of, time_or_none, unnamed
from monitor.importers.hl7.mapping import PatientKeys
from monitor.importers.hl7.messages import Message, Segment
from monitor.importers.items import Item, Merge

ROWS = frozenset({"A01", "A04", "A05", "A08", "A28", "A31"})
MERGES = frozenset({"A18", "A34", "A36", "A39", "A40", "A47"})
UNMERGES = frozenset({"A37"})
UNMERGED = (
    "says that two records that became one are two again; nothing was changed, since whose fact is whose cannot be told: "
    "see docs/hl7.md for what to do"
)


def patient(pid: Segment, pv1: Segment | None, message: Message, keys: PatientKeys) -> Item:
    """The patient's own row. Raises FieldError."""
    patient_id = patient_of(pid, 3, keys)
    cells = {}
    born = pid.text(7)
    if born:
        cells["birth_date"] = time_of(born)[:10]
    sex = pid.text(8)
    if sex:
        cells["sex"] = keys.sexes.get(sex, sex)
    if keys.names and pid.raw(5):
        components = pid.repetitions(5)[0]
        family, given = pid.part(components, 1, 1), pid.part(components, 2)
        cells["display_name"] = ", ".join(part for part in (family, given) if part)
    ward = None if pv1 is None else pv1.text(3)
    if ward:
        cells["site"] = keys.sites.get(ward, ward)
    return Item(
        type="PID",
        id=unnamed(patient_id),
        version=f"{message.sent_at} {message.control_id}",
        patient_id=patient_id,
        kind="patients",
        group=patient_id,
        cells={name: value for name, value in cells.items() if value},
        recorded_at=time_or_none(message.sent_at),
    )


def merges(message: Message, keys: PatientKeys) -> Iterator[tuple[Segment, Merge | FieldError]]:
    """Each MRG segment with the PID above it: what became of the record it names."""
    pid: Segment | None = None
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG":
            try:
                if pid is None:
                    raise FieldError("there is no patient (PID) above it")
                yield segment, Merge(patient_id=patient_of(segment, 1, keys), into_id=patient_of(pid, 3, keys))
            except FieldError as bad:
                yield segment, bad
