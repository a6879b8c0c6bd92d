"""Patients, what is on their problem lists, reports of investigations, and adverse events."""

from __future__ import annotations

import re

from monitor.importers.fhir.codes import PassedOverError, RefusedError
from monitor.importers.fhir.compiled import Source
from monitor.importers.fhir.observations import ctcae_version, findings
from monitor.importers.fhir.structs import AdverseEvent, Concept, Condition, DiagnosticReport, Patient
from monitor.importers.fhir.values import clinical_time, when
from monitor.importers.items import MERGE, Item, referring

_BIRTH_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_GONE = frozenset({"inactive", "remission", "resolved"})
_UNSURE = frozenset({"refuted", "differential", "provisional", "unconfirmed"})


def patient(source: Source, found: Patient) -> list[Item]:
    """The patient's own record, and the records that became one with it."""
    keys = source.by.mapping.patient
    patient_id = str(found.id)
    if keys.identifier_system is not None:
        ours = [each for each in found.identifier if each.system == keys.identifier_system and each.use != "old"]
        named = {each.value.strip() for each in ours if each.value and each.value.strip()}
        if len(named) != 1:
            told = "no identifier" if not named else "two identifiers"
            raise RefusedError(f"it has {told} of the system that names patients", "patient_id")
        patient_id = str(named.pop())
    sex = None if found.gender is None else keys.sexes.get(found.gender)
    said = {"sex": sex, "site": _site(source, found), "display_name": _name(found) if keys.names else None}
    if found.birth_date and _BIRTH_DAY.fullmatch(found.birth_date):  # a year alone is no birthday
        said["birth_date"] = found.birth_date
    cells = {name: text for name, text in said.items() if text}
    items = [source.item(found, patient_id=patient_id, kind="patients", cells=cells)]
    return items + _merges(source, found, patient_id)


def _merges(source: Source, found: Patient, patient_id: str) -> list[Item]:
    """``replaced-by`` and ``replaces``: of each two records one lives on."""
    by_id = source.by.mapping.patient.identifier_system is None
    items = []
    for link in found.link:
        name = source.name_of(link.other)
        if link.type not in ("replaced-by", "replaces") or name is None or not name.startswith("Patient/"):
            continue
        other = name.partition("/")[2] if by_id else referring(name)
        old, new = (patient_id, other) if link.type == "replaced-by" else (other, patient_id)
        group = f"{found.resource_type}/{found.id} {link.type} {name}"
        made = Item(
            type=found.resource_type,
            id=f"{found.id}#{link.type} {name}",
            version="1",
            patient_id=old,
            kind=MERGE,
            group=group,
            cells={"into": new},
        )
        items.append(made)
    return items


def _site(source: Source, found: Patient) -> str | None:
    place = found.managing_organization
    if place is None:
        return None
    sites = source.by.mapping.patient.sites
    named = (source.name_of(place), place.display, None if place.identifier is None else place.identifier.value)
    return next((sites[each] for each in named if each is not None and each in sites), place.display)


def _name(found: Patient) -> str | None:
    for each in found.name:
        written = each.text or " ".join([*each.given, *([each.family] if each.family else [])])
        if written:
            return written
    return None


def condition(source: Source, found: Condition) -> list[Item]:
    """A diagnosis or a comorbidity, as the record words it."""
    diagnosis, comorbidity = source.by.diagnoses.of(found.code), source.by.comorbidities.of(found.code)
    if diagnosis is None and comorbidity is None:
        raise PassedOverError("a condition that the mapping does not name")
    if _codes(found.verification_status) & _UNSURE or (comorbidity is not None and _codes(found.clinical_status) & _GONE):
        raise PassedOverError("a condition that is not established, or is over")
    words = None if found.code is None else found.code.text
    patient_id = source.patient(found.subject)
    column, name = ("diagnosis", diagnosis) if diagnosis is not None else ("comorbidities", comorbidity)
    cells = {column: (words or name or "").replace(";", ",")}
    return [source.item(found, patient_id=patient_id, kind="patients", cells=cells)]


def is_mistaken(found: Condition) -> bool:
    """Whether the record was entered in error, which of a condition another field says."""
    return "entered-in-error" in _codes(found.verification_status)


def _codes(concept: Concept | None) -> set[str]:
    return set() if concept is None else {each.code for each in concept.coding if each.code}


def report(source: Source, found: DiagnosticReport) -> list[Item]:
    """What an investigation found, as far as it is in codes."""
    kind = source.by.investigations.of(found.code)
    if kind is None:
        raise PassedOverError("a report that the mapping does not name")
    if found.status in ("registered", "cancelled"):
        raise PassedOverError("a report that was not made, or not yet")
    if found.status not in ("final", "preliminary", "partial", "amended", "corrected", "appended"):
        raise RefusedError("its status does not say that it holds; correct the status", "status")
    cells = {"kind": kind, "findings": findings(source, found.conclusion_code)}
    cells["performed_at"] = when(found.effective_date_time, found.effective_period, "performed_at")
    recorded = source.recorded_at(found, found.issued)
    said = {"patient_id": source.patient(found.subject), "group": source.group(found), "recorded_at": recorded}
    return [source.item(found, **said, kind="investigations", cells=cells)]


def adverse_event(source: Source, found: AdverseEvent) -> list[Item]:
    """A neuropathy graded as an adverse event."""
    column = source.by.terms.of(found.event)
    if column is None:
        raise PassedOverError("an adverse event that the mapping does not name")
    if found.actuality == "potential":
        raise PassedOverError("an adverse event that did not happen")
    urls = source.by.mapping.grades.extensions
    graded = [each for each in found.extension if each.url in urls]
    concepts = [each.value_codeable_concept for each in graded if each.value_codeable_concept is not None]
    codings = [each.value_coding for each in graded if each.value_coding is not None]
    grade = source.by.grade_values.among([*concepts, Concept(coding=codings)])
    if grade is None:
        raise RefusedError("found no CTCAE grade that the mapping knows; send it in the extension that the mapping names", column)
    patient_id = source.patient(found.subject)
    at = clinical_time(found.date, "assessed_at")
    version = ctcae_version(source, found.event)
    cells = {"assessed_at": at, column: grade} | ({} if version is None else {"ctcae_version": version})
    said = {"patient_id": patient_id, "group": source.examination(found, patient_id, at)}
    return [
        source.item(found, **said, kind="assessments", cells=cells, recorded_at=source.recorded_at(found, found.recorded_date))
    ]
