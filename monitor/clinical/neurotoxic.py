"""Other drugs and diseases that harm nerves: to be read beside what bortezomib does, never a finding by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from monitor.clinical.history import BORTEZOMIB, History
from monitor.said import Said, say

NEUROTOXIC = (
    "thalidomide",  # V: its SmPC; what follows from memory (M)
    "lenalidomide",
    "pomalidomide",
    "vincristine",
    "vinblastine",
    "vinorelbine",
    "brentuximab",
    "polatuzumab",
    "cisplatin",
    "carboplatin",
    "oxaliplatin",
    "paclitaxel",
    "docetaxel",
    "carfilzomib",
    "ixazomib",
    "isoniazid",
    "amiodarone",
    "metronidazole",
    "nitrofurantoin",
    "linezolid",
)

DISEASES: tuple[tuple[tuple[str, ...], Said], ...] = (
    (("diabet",), say("diabetes")),
    (("amyloid",), say("amyloidosis")),
    (("alcohol", "alkohol"), say("alcohol")),
    (("b12", "cobalamin"), say("vitamin B12 deficiency")),
    (("thyroid", "hypothyre", "schilddr"), say("thyroid disease")),
    (("renal", "kidney", "niereninsuff"), say("kidney disease")),
    (("stenosis", "spinalkanal"), say("spinal stenosis")),
    (("herpes", "zoster"), say("zoster")),
    (("hiv",), say("HIV")),
    (("charcot", "hereditary", "cmt"), say("hereditary neuropathy")),
    (("neuropath",), say("neuropathy before")),
)
"""Parts of a recorded disease that tell of nerves, from memory (M); what else was written stays in the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDrug:
    """A neurotoxic drug given beside bortezomib or before it."""

    name: str
    started_on: date
    stopped_on: date | None


def other_drugs(history: History, today: date) -> tuple[OtherDrug, ...]:
    """Those given up to today, each once, the newest start first."""
    found: dict[str, OtherDrug] = {}
    for drug in sorted(_given(history), key=lambda each: each.started_on):
        name = _neurotoxic(drug.name)
        if name is not None and drug.started_on <= today:
            stopped = drug.stopped_on if drug.stopped_on is not None and drug.stopped_on <= today else None
            found[name] = OtherDrug(name=name, started_on=drug.started_on, stopped_on=stopped)
    return tuple(sorted(found.values(), key=lambda each: (-each.started_on.toordinal(), each.name)))


def diseases(history: History) -> tuple[Said, ...]:
    """Recorded diseases that harm nerves themselves, or raise the protein of the CSF."""
    recorded = [each.lower() for each in history.patient.comorbidities]
    return tuple(name for parts, name in DISEASES if any(part in each for each in recorded for part in parts))


def _given(history: History) -> Iterator[OtherDrug]:
    for treatment in history.treatments:
        yield OtherDrug(name=treatment.treatment, started_on=treatment.started_on, stopped_on=treatment.stopped_on)
    for course in history.courses:
        if course.drug != BORTEZOMIB:
            yield OtherDrug(name=course.drug, started_on=course.started_on, stopped_on=course.discontinued_on)
    others = [dose for dose in history.doses if dose.drug != BORTEZOMIB]
    for name in dict.fromkeys(dose.drug for dose in others):
        days = [dose.on for dose in others if dose.drug == name]
        yield OtherDrug(name=name, started_on=min(days), stopped_on=max(days))


def _neurotoxic(name: str) -> str | None:
    written = name.lower()
    return next((drug for drug in NEUROTOXIC if drug in written), None)
