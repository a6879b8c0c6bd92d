"""What a feature of an immune-mediated neuropathy is, and the one of the cerebrospinal fluid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.clinical.clauses import Csf, ImmunePattern
from monitor.clinical.findings import Criterion, Evidence
from monitor.clinical.history import Assessment, Investigation, LabResult
from monitor.clinical.motor_picture import source_of
from monitor.clinical.scales.csf import CsfReading, age_on, csf_text, read_csf
from monitor.clinical.situation import Situation
from monitor.said import joined, say

Fact = Assessment | LabResult | Investigation


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature, met or not, in a few words for the headline, with the facts that show it.

    It is put in words when ``criterion`` is asked for.
    """

    id: str
    met: bool
    text: Callable[[], str]
    source: str
    said: str
    evidence: tuple[Evidence, ...] = ()
    newest: Fact | None = None

    @property
    def criterion(self) -> Criterion:
        return Criterion(id=self.id, met=self.met, text=self.text(), source=self.source)


def feature(
    identifier: str,
    clause: ImmunePattern,
    text: Callable[[], str],
    *,
    met: bool,
    said: str = "",
    evidence: tuple[Evidence, ...] = (),
    newest: Fact | None = None,
) -> Feature:
    """A feature of the policy's clause."""
    source = source_of(clause)
    return Feature(id=identifier, met=met, text=text, source=source, said=said, evidence=evidence, newest=newest if met else None)


def csf_dissociation(situation: Situation) -> Feature:
    """B: raised protein beside few cells, or a report that says so. Normal protein excludes nothing in the first week."""
    limits = situation.policy.thresholds.immune.csf
    protein = newest_lab(situation, "csf_protein", None)
    cells = newest_lab(situation, "csf_white_cells", protein)
    shown = protein or cells
    reported = next(
        (each for each in reversed(investigations(situation, "csf_report")) if "albuminocytologic_dissociation" in each.findings),
        None,
    )
    present, reading = reported is not None, None
    if shown is not None:
        reading = _reading(situation, shown, protein, cells, limits)
        present = (present and not reading.argues_against) or reading.dissociation == "present"

    def text() -> str:
        texts = [] if reading is None or shown is None else [csf_text(reading, shown.on)]
        if reported is not None:
            texts.append(say("albuminocytologic dissociation reported on {day}", day=reported.on))
        return joined("; ", texts) if texts else say("CSF not recorded")

    return Feature(
        id="csf-dissociation",
        met=present,
        text=text,
        source=f"{limits.source} [{limits.confidence}]",
        said=say("raised CSF protein with few cells") if present else "",
        evidence=_evidence(protein, cells, reported) if present else (),
        newest=(shown or reported) if present else None,
    )


def newest_lab(situation: Situation, analyte: str, beside: LabResult | None) -> LabResult | None:
    """The newest result since the first dose; with ``beside``, of the same day's tap."""
    for lab in reversed(situation.history.labs):
        if lab.analyte == analyte and situation.first_on <= lab.on <= situation.today and (beside is None or lab.on == beside.on):
            return lab
    return None


def investigations(situation: Situation, kind: str) -> list[Investigation]:
    """The investigations of a kind since the first dose, oldest first."""
    first_on, today = situation.first_on, situation.today
    return [each for each in situation.history.investigations if each.kind == kind and first_on <= each.on <= today]


def _reading(
    situation: Situation, shown: LabResult, protein: LabResult | None, cells: LabResult | None, limits: Csf
) -> CsfReading:
    return read_csf(
        protein_mg_dl=None if protein is None else protein.value,
        cells_per_ul=None if cells is None else cells.value,
        age=age_on(situation.history.patient.birth_on, shown.on),
        limits=limits,
    )


def _evidence(*facts: LabResult | Investigation | None) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            kind="lab" if isinstance(each, LabResult) else "investigation", id=each.fact_id, version=each.version, at=each.at
        )
        for each in facts
        if each is not None
    )
