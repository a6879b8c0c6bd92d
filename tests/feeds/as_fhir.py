"""Import files as a FHIR server would hold them: one Bundle, or bulk NDJSON, every version of every record in it.

An assessment comes as one observation a measure, as electronic records keep them, and only what a correction changes is
there in a new version. Codes are those of ``config/fhir.yaml``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from monitor.clinical.scales.mrc import TESTED_MUSCLES

LOCAL = "https://example.org/bipn/CodeSystem/assessment"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
LOINC, SNOMED, ATC = "http://loinc.org", "http://snomed.info/sct", "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
SOURCE_ID = "https://example.org/bipn/source-id"

Resource = dict[str, Any]
Row = Mapping[str, str]

_DRUGS = {"bortezomib": "L01XG01", "carfilzomib": "L01XG02", "lenalidomide": "L04AX04", "thalidomide": "L04AX02"}
_TREATMENTS = {"corticosteroid": "H02AB07", "ivig": "J06BA02"}
_GRADES = ("C0", "C41338", "C41339", "C41340", "C41337", "C48275")
_TERMS = {"sensory_grade": (NCIT, "C143752"), "motor_grade": (NCIT, "C143750"), "autonomic_grade": (LOCAL, "autonomic-grade")}
_SCORES = {"pain_nrs": (LOINC, "72514-3"), "gbs_disability": (LOCAL, "gbs-disability")}
_WALKING = {"unaided": "none", "cane": "stick", "walker": "frame", "wheelchair": "wheelchair", "bedbound": "bed"}
_COMORBIDITIES = ("44054006", "38341003", "271737000", "64859006", "230572002")
_LABS = {"csf_protein": "2880-3", "csf_white_cells": "26465-5"}


def write_bundle(folder: Path, target: Path) -> None:
    """The import files of ``folder`` as one Bundle."""
    entries = [{"fullUrl": f"https://example.org/fhir/{r['resourceType']}/{r['id']}", "resource": r} for r in resources(folder)]
    target.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1), "utf-8")


def write_ndjson(folder: Path, target: Path) -> None:
    """The import files of ``folder`` as bulk NDJSON."""
    target.write_text("".join(json.dumps(each) + "\n" for each in resources(folder)), "utf-8")


def resources(folder: Path) -> Iterator[Resource]:
    """Every version of every resource, in the order in which the hospital knew them; patients first."""
    for row in _rows(folder, "patients"):
        yield from _patient(row)
    makers = {
        "courses": _course,
        "doses": _dose,
        "assessments": _assessment,
        "labs": _lab,
        "investigations": _investigation,
        "treatments": _treatment,
    }
    rows = [(row, make) for kind, make in makers.items() for row in _rows(folder, kind)]
    said: dict[str, tuple[int, Resource, str]] = {}
    in_record: dict[str, set[str]] = {}
    for row, make in sorted(rows, key=lambda each: each[0]["recorded_at"]):
        made = {f"{each['resourceType']}/{each['id']}": each for each in make(row)}
        for name in in_record.get(row["source_id"], set()) - made.keys():  # a measure that a correction took out
            made[name] = said[name][1] | {"status": "entered-in-error"}
        in_record.setdefault(row["source_id"], set()).update(made)
        for name, resource in made.items():
            version, before, _ = said.get(name, (0, None, ""))
            if resource == before:
                continue
            said[name] = (version + 1, resource, row["recorded_at"])
            meta = {"versionId": str(version + 1), "lastUpdated": row["recorded_at"]}
            named = {"identifier": [{"system": SOURCE_ID, "value": row["source_id"]}]}
            yield resource | {"meta": meta} | named


def _rows(folder: Path, kind: str) -> list[Row]:
    with (folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _resource(type_: str, id_: str, **said: Any) -> Resource:
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", id_)
    assert len(plain) <= 64, plain
    return {"resourceType": type_, "id": plain, **{name: value for name, value in said.items() if value not in (None, [], {})}}


def _coded(system: str, code: str, text: str | None = None) -> Resource:
    concept: Resource = {"coding": [{"system": system, "code": code}]}
    return concept if text is None else concept | {"text": text}


def _subject(row: Row) -> Resource:
    return {"reference": f"Patient/{row['patient_id']}"}


def _patient(row: Row) -> Iterator[Resource]:
    id_ = row["patient_id"]
    site = {"display": row["site"]} if row.get("site") else None
    gender = {"F": "female", "M": "male"}.get(row["sex"])
    named = [{"text": row["display_name"]}] if row.get("display_name") else None
    yield _resource("Patient", id_, name=named, gender=gender, birthDate=row["birth_date"], managingOrganization=site)
    if row["diagnosis"]:
        yield _resource("Condition", f"{id_}-dx", code=_coded(SNOMED, "109989006", row["diagnosis"]), subject=_subject(row))
    for number, text in enumerate(filter(None, row["comorbidities"].split(";"))):
        code = _coded(SNOMED, _COMORBIDITIES[number], text.strip())
        yield _resource("Condition", f"{id_}-c{number}", code=code, subject=_subject(row))
    for name in ("baseline_sensory_grade", "baseline_motor_grade"):
        if row.get(name):
            grade = {"valueInteger": int(row[name])}
            code = _coded(LOCAL, name.replace("_", "-"))
            common = {"subject": _subject(row), "effectiveDateTime": "2010-01-01", "status": "final"}
            yield _resource("Observation", f"{id_}-{name}", code=code, **common, **grade)


def _course(row: Row) -> Iterator[Resource]:
    ended = row["discontinued_on"]
    timing = {"weekly": 1, "twice-weekly": 2}.get(row["schedule"])
    repeat = None if timing is None else [{"timing": {"repeat": {"frequency": timing, "period": 1, "periodUnit": "wk"}}}]
    url = "https://example.org/bipn/StructureDefinition/cycle-days"
    yield _resource(
        "MedicationStatement",
        row["source_id"],
        status="stopped" if ended else "active",
        medicationCodeableConcept=_coded(ATC, _DRUGS[row["drug"]], row["drug"]),
        subject=_subject(row),
        effectivePeriod={"start": row["started_on"]} | ({"end": ended} if ended else {}),
        statusReason=[{"text": row["discontinued_reason"]}] if row["discontinued_reason"] else None,
        dosage=repeat,
        extension=[{"url": url, "valueInteger": int(row["cycle_days"])}] if row["cycle_days"] else None,
    )


def _dose(row: Row) -> Iterator[Resource]:
    route = {"IV": "47625008", "SC": "34206005"}.get(row["route"])
    amount = {"value": float(row["dose_mg_per_m2"]), "unit": "mg/m2", "system": UCUM, "code": "mg/m2"}
    yield _resource(
        "MedicationAdministration",
        row["source_id"],
        status="completed",
        medicationCodeableConcept=_coded(ATC, _DRUGS[row["drug"]], row["drug"]),
        subject=_subject(row),
        effectiveDateTime=row["given_at"],
        dosage={"dose": amount} | ({"route": _coded(SNOMED, route)} if route else {}),
    )


def _lab(row: Row) -> Iterator[Resource]:
    value = {"value": float(row["value"]), "unit": row["unit"], "system": UCUM, "code": row["unit"]}
    yield _observation(row, "collected_at", "", (LOINC, _LABS[row["analyte"]]), valueQuantity=value)


def _investigation(row: Row) -> Iterator[Resource]:
    yield _resource(
        "DiagnosticReport",
        row["source_id"],
        status="final",
        code=_coded(LOCAL, row["kind"].replace("_", "-")),
        subject=_subject(row),
        effectiveDateTime=row["performed_at"],
        conclusionCode=[_coded(LOCAL, each.replace("_", "-")) for each in row["findings"].split(";")],
    )


def _treatment(row: Row) -> Iterator[Resource]:
    ended = row["stopped_on"]
    period = {"start": row["started_on"]} | ({"end": ended} if ended else {})
    if row["treatment"] == "plasma_exchange":
        status = "completed" if ended else "in-progress"
        code = _coded(SNOMED, "20720000")
        yield _resource("Procedure", row["source_id"], status=status, code=code, subject=_subject(row), performedPeriod=period)
        return
    atc = _DRUGS.get(row["treatment"]) or _TREATMENTS[row["treatment"]]
    yield _resource(
        "MedicationStatement",
        row["source_id"],
        status="completed" if ended else "active",
        medicationCodeableConcept=_coded(ATC, atc, row["treatment"]),
        subject=_subject(row),
        effectivePeriod=period,
    )


def _observation(row: Row, time: str, suffix: str, code: tuple[str, str], **said: Any) -> Resource:
    status = "entered-in-error" if row.get("voided") == "yes" else "final"
    examiner = [{"display": row["assessor"]}] if row.get("assessor") else None
    return _resource(
        "Observation",
        row["source_id"] + suffix,
        status=status,
        code=_coded(*code),
        subject=_subject(row),
        effectiveDateTime=row[time],
        performer=examiner,
        **said,
    )


def _assessment(row: Row) -> Iterator[Resource]:
    def measure(name: str, code: tuple[str, str], **said: Any) -> Resource:
        return _observation(row, "assessed_at", f"-{name}", code, **said)

    for name, code in _TERMS.items():
        if row.get(name):
            grade = int(row[name])
            value = {"valueInteger": 0} if grade == 0 else {"valueCodeableConcept": _coded(NCIT, _GRADES[grade])}
            version = {"text": f"CTCAE v{row['ctcae_version']}"} if row.get("ctcae_version") else None
            yield measure(name, code, method=version, **value)
    for name, scale in _SCORES.items():
        if row.get(name):
            yield measure(name, scale, valueQuantity={"value": int(row[name]), "system": UCUM, "code": "{score}"})
    if row.get("neuropathic_pain"):
        yield measure("pain", (LOCAL, "neuropathic-pain"), valueBoolean=row["neuropathic_pain"] == "yes")
    if row.get("walking"):
        yield measure("walking", (LOCAL, "walking-aid"), valueCodeableConcept=_coded(LOCAL, _WALKING[row["walking"]]))
    if row.get("reflexes"):
        yield measure("reflexes", (LOCAL, "ankle-reflexes"), valueCodeableConcept={"text": row["reflexes"].title()})
    for flag in filter(None, row.get("red_flags", "").split(";")):
        answer = _coded(SNOMED, "373066001")
        yield measure(flag, (LOCAL, flag.replace("_", "-")), valueCodeableConcept=answer)
    yield from _pressures(row, measure)
    yield from _strength(row, measure)


def _pressures(row: Row, measure: Any) -> Iterator[Resource]:
    for position, posture in (("lying", "102538003"), ("standing", "10904000")):
        parts = []
        for which, loinc in (("systolic", "8480-6"), ("diastolic", "8462-4")):
            if row.get(f"{which}_{position}"):
                value = {"value": int(row[f"{which}_{position}"]), "system": UCUM, "code": "mm[Hg]"}
                parts.append({"code": _coded(LOINC, loinc), "valueQuantity": value})
        if parts:
            parts.append({"code": _coded(LOINC, "8361-8"), "valueCodeableConcept": _coded(SNOMED, posture)})
            yield measure(position, (LOINC, "85354-9"), component=parts)


def _strength(row: Row, measure: Any) -> Iterator[Resource]:
    """The muscles one by one where the day of the month is odd, else all as components of one observation."""
    powers = {muscle: row[f"mrc_{muscle}"] for muscle in TESTED_MUSCLES if row.get(f"mrc_{muscle}")}
    if int(row["assessed_at"][8:10]) % 2:
        for muscle, power in powers.items():
            name, _, side = muscle.rpartition("_")
            site = _coded(LOCAL, name.replace("_", "-"))
            site["coding"].append({"system": SNOMED, "code": {"right": "24028007", "left": "7771000"}[side]})
            yield measure(muscle, (LOCAL, "mrc-power"), bodySite=site, **_power(power))
    elif powers:
        parts = [{"code": _coded(LOCAL, f"mrc-{name.replace('_', '-')}"), **_power(power)} for name, power in powers.items()]
        yield measure("mrc", (LOCAL, "mrc-examination"), component=parts)


def _power(written: str) -> Resource:
    return {"valueInteger": int(written)} if written.isdecimal() else {"valueString": written}
