"""Doses, orders, courses and treatments out of FHIR; patients, problem lists, reports and adverse events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.importers.items import DOSE_MG, MEDICATION, ORDER, SURFACE_DAYS
from tests.importers.fhir.resources import (
    AT,
    LOCAL,
    NCIT,
    RXNORM,
    SNOMED,
    Resource,
    a_quantity,
    an_administration,
    coded,
    read,
    the_mapping,
)

SUBJECT = {"subject": {"reference": "Patient/1"}}
PREDNISONE, VELCADE = coded(RXNORM, "8640"), coded(RXNORM, "356733")


def a_statement(drug: Resource, status: str = "active", **said: object) -> Resource:
    known = {"resourceType": "MedicationStatement", "id": "3", "status": status, "medicationCodeableConcept": drug}
    return known | SUBJECT | {"effectivePeriod": {"start": "2026-10-01"}} | said


def test_given_a_dose_per_square_metre_when_read_then_it_is_a_dose() -> None:
    done = read(an_administration()).item
    assert (done.kind, done.group, done.patient_id) == ("doses", "MedicationAdministration/5", "1")
    assert done.cells == {"given_at": AT, "drug": "bortezomib", "dose_mg_per_m2": "1.3", "route": "SC"}


def test_given_a_period_when_read_then_the_dose_was_given_at_its_start() -> None:
    given = an_administration(effectivePeriod={"start": AT, "end": "2026-11-01T09:05:00+01:00"})
    del given["effectiveDateTime"]
    assert read(given).item.cells["given_at"] == AT


def test_given_a_dose_in_mg_when_read_then_it_says_where_its_level_may_be_found() -> None:
    given = an_administration(dosage={"dose": a_quantity(2.2, "mg")}, request={"reference": "MedicationRequest/7"})
    cells = read(given).item.cells
    assert (cells[DOSE_MG], cells[ORDER], cells[SURFACE_DAYS]) == ("2.2", "MedicationRequest/7", "30")
    assert "dose_mg_per_m2" not in cells


@pytest.mark.parametrize("status", ["not-done", "in-progress", "on-hold", "entered-in-error"])
def test_given_a_dose_that_does_not_count_when_read_then_it_is_left_out_and_taken_back(status: str) -> None:
    done = read(an_administration(status=status))
    assert done.passed_over
    assert {(each.id, each.voided) for each in done.items} == {("5", True), ("5#treatment", True)}


@pytest.mark.parametrize("status", ["stopped", "unknown", ""])
def test_given_a_status_that_leaves_open_how_much_was_given_when_read_then_it_is_refused(status: str) -> None:
    assert read(an_administration(status=status)).rejected.column == "status"


@pytest.mark.parametrize("dose", [None, a_quantity(1.3, None), a_quantity(2.2, "mL"), {"unit": "mg/m2"}])
def test_given_a_dose_that_is_not_certain_when_read_then_it_is_refused(dose: Resource | None) -> None:
    assert read(an_administration(dosage={} if dose is None else {"dose": dose})).rejected.column == "dose_mg_per_m2"


def test_given_a_drug_in_words_alone_when_read_then_it_is_refused_and_not_passed_over_in_silence() -> None:
    done = read(an_administration(medicationCodeableConcept={"text": "VELCADE 3.5 mg powder"}))
    assert "names bortezomib" in done.rejected.problem


def test_given_a_code_beside_another_drugs_name_when_read_then_it_is_refused() -> None:
    wrong = {"coding": [{"system": SNOMED, "code": "407097007", "display": "Omalizumab"}]}
    assert "another name" in read(an_administration(medicationCodeableConcept=wrong)).rejected.problem


def test_given_another_drug_when_read_then_it_is_left_out() -> None:
    assert "neither watched" in read(an_administration(medicationCodeableConcept=coded(RXNORM, "1"))).passed_over


@pytest.mark.parametrize("inside", [True, False])
def test_given_a_reference_to_a_medication_when_read_then_it_is_followed_inside_and_named_outside(inside: bool) -> None:
    given = an_administration(medicationReference={"reference": "#m" if inside else "https://x/fhir/Medication/9/_history/2"})
    del given["medicationCodeableConcept"]
    given["contained"] = [{"resourceType": "Medication", "id": "m", "code": VELCADE}]
    cells = read(given).item.cells
    assert (cells.get("drug"), cells.get(MEDICATION)) == (("bortezomib", None) if inside else (None, "Medication/9"))


def test_given_a_single_tablet_of_a_treatment_when_read_then_it_is_no_course() -> None:
    assert "by its course" in read(an_administration(medicationCodeableConcept=PREDNISONE)).passed_over


def test_given_an_infusion_of_immunoglobulin_when_read_then_it_is_a_treatment_of_that_day() -> None:
    done = read(an_administration(medicationCodeableConcept=coded(RXNORM, "42386"))).item
    assert (done.id, done.kind) == ("5#treatment", "treatments")
    assert done.cells == {"treatment": "ivig", "started_on": AT, "stopped_on": AT}


def test_given_an_order_when_read_then_its_level_waits_for_the_dose() -> None:
    per_m2 = {"doseAndRate": [{"doseQuantity": a_quantity(1.3, "mg/m2")}]}
    ordered = {"resourceType": "MedicationRequest", "id": "7", "status": "active", "medicationCodeableConcept": VELCADE} | SUBJECT
    done = read(ordered | {"dosageInstruction": [per_m2]}).item
    assert (done.kind, done.cells) == (ORDER, {"mg_per_m2": "1.3", "drug": "bortezomib"})
    two = [per_m2, {"doseAndRate": [{"doseQuantity": a_quantity(1.0, "mg/m2")}]}]
    assert "one level" in read(ordered | {"dosageInstruction": two}).passed_over
    assert "does not stand" in read(ordered | {"dosageInstruction": [per_m2], "status": "cancelled"}).passed_over


def test_given_a_statement_of_a_watched_drug_when_read_then_it_is_a_course_and_no_dose() -> None:
    timing = [{"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "wk"}}}]
    done = read(a_statement(VELCADE, dosage=timing)).item
    assert (done.id, done.kind) == ("3#course", "courses")
    assert done.cells == {"started_on": "2026-10-01", "drug": "bortezomib", "schedule": "twice-weekly"}


def test_given_a_course_that_was_stopped_when_read_then_it_says_when_and_why() -> None:
    period = {"start": "2026-10-01", "end": "2026-11-05"}
    stopped = a_statement(VELCADE, "stopped", effectivePeriod=period, statusReason=[{"text": "neuropathy"}])
    cells = read(stopped).item.cells
    assert (cells["discontinued_on"], cells["discontinued_reason"]) == ("2026-11-05", "neuropathy")
    assert "not when" in read(a_statement(VELCADE, "stopped")).rejected.problem


def test_given_a_planned_end_when_the_course_goes_on_then_it_was_not_stopped() -> None:
    period = {"start": "2026-10-01", "end": "2027-03-01"}
    assert "discontinued_on" not in read(a_statement(VELCADE, effectivePeriod=period)).item.cells


def test_given_a_statement_of_a_treatment_when_read_then_it_is_one() -> None:
    period = {"start": "2026-10-01", "end": "2026-11-05"}
    done = read(a_statement(PREDNISONE, "completed", effectivePeriod=period)).item
    assert done.cells == {"treatment": "corticosteroid", "started_on": "2026-10-01", "stopped_on": "2026-11-05"}


@pytest.mark.parametrize(("status", "stopped"), [("in-progress", None), ("completed", "2026-11-05")])
def test_given_a_plasma_exchange_when_read_then_it_is_a_treatment(status: str, stopped: str | None) -> None:
    code = {"code": coded(SNOMED, "20720000"), "performedPeriod": {"start": "2026-11-01", "end": "2026-11-05"}}
    done = read({"resourceType": "Procedure", "id": "1", "status": status} | SUBJECT | code).item
    assert (done.cells["treatment"], done.cells.get("stopped_on")) == ("plasma_exchange", stopped)


def test_given_a_lumbar_puncture_when_read_then_its_findings_are_elsewhere() -> None:
    done = read({"resourceType": "Procedure", "id": "1", "status": "completed", "code": coded(SNOMED, "277762005")} | SUBJECT)
    assert "findings of its own" in done.passed_over


def a_patient(**said: object) -> Resource:
    return {"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1957-03-02"} | said


def test_given_a_patient_when_read_then_names_are_left_out_unless_the_mapping_asks_for_them() -> None:
    place = {"managingOrganization": {"reference": "Organization/12", "display": "Oncology"}}
    found = a_patient(name=[{"family": "Muster", "given": ["Erika"]}], **place)
    assert read(found).item.cells == {"sex": "F", "birth_date": "1957-03-02", "site": "Oncology"}
    mapping = the_mapping()
    by = replace(mapping, patient=replace(mapping.patient, names=True, sites={"Organization/12": "North"}))
    cells = read(found, mapping=by).item.cells
    assert (cells["display_name"], cells["site"]) == ("Erika Muster", "North")


@pytest.mark.parametrize("birth", ["1957", "1957-03"])
def test_given_a_year_of_birth_when_read_then_no_birthday_is_made_up(birth: str) -> None:
    assert "birth_date" not in read(a_patient(birthDate=birth)).item.cells


def test_given_a_system_that_names_patients_when_read_then_others_are_told_apart_by_it() -> None:
    mapping = the_mapping()
    by = replace(mapping, patient=replace(mapping.patient, identifier_system="urn:mrn"))
    named = {"identifier": [{"system": "urn:other", "value": "x"}, {"system": "urn:mrn", "value": "M-7"}]}
    done = read(a_patient(**named), an_administration(), mapping=by)
    assert [each.patient_id for each in done.items if not each.voided] == ["M-7", "@Patient/1"]
    assert "no identifier" in read(a_patient(), mapping=by).rejected.problem
    twice = {"identifier": [{"system": "urn:mrn", "value": "M-7"}, {"system": "urn:mrn", "value": "M-8"}]}
    assert "two identifiers" in read(a_patient(**twice), mapping=by).rejected.problem
    direct = {"subject": {"identifier": {"system": "urn:mrn", "value": "M-7"}}}
    assert read(an_administration(**direct), mapping=by).item.patient_id == "M-7"
    searched = {"subject": {"reference": "Patient?identifier=urn%3Amrn|M-7"}}
    assert read(an_administration(**searched), mapping=by).item.patient_id == "M-7"


@pytest.mark.parametrize(("type_", "merge"), [("replaced-by", ("1", "2")), ("replaces", ("2", "1"))])
def test_given_a_link_when_read_then_one_record_became_part_of_the_other(type_: str, merge: tuple[str, str]) -> None:
    done = read(a_patient(link=[{"type": type_, "other": {"reference": "Patient/2"}}]))
    (found,) = [each for each in done.items if each.kind == "@merge"]
    assert (found.patient_id, found.cells["into"]) == merge


NOBODY = (
    "#p",
    "Patient",
    "urn:uuid:00000000-0000-4000-8000-000000000001",
    "Patient?identifier=urn:mrn|7",
    "https://x.example/?pid=7",
)


@pytest.mark.parametrize("subject", [None, {"display": "somebody"}, *({"reference": each} for each in NOBODY)])
def test_given_no_patient_when_read_then_it_is_refused(subject: Resource | None) -> None:
    given = an_administration(subject=subject)
    assert read(given).rejected.column == "patient_id"


def test_given_a_group_as_subject_when_read_then_it_is_left_out() -> None:
    assert "no patient" in read(an_administration(subject={"reference": "Group/1"})).passed_over


def a_condition(code: str, **said: object) -> Resource:
    return {"resourceType": "Condition", "id": "c", "code": coded(SNOMED, code)} | SUBJECT | said


def test_given_a_problem_list_when_read_then_it_is_worded_as_the_record_does() -> None:
    assert read(a_condition("109989006")).item.cells == {"diagnosis": "multiple myeloma"}
    worded = a_condition("44054006") | {"code": coded(SNOMED, "44054006", text="type 2 diabetes; on insulin")}
    assert read(worded).item.cells == {"comorbidities": "type 2 diabetes, on insulin"}
    assert "does not name" in read(a_condition("1")).passed_over
    assert "over" in read(a_condition("38341003", clinicalStatus=coded("x", "resolved"))).passed_over
    assert "taken back" in read(a_condition("38341003", verificationStatus=coded("x", "entered-in-error"))).passed_over


def test_given_a_report_when_read_then_its_coded_conclusions_are_the_findings() -> None:
    codes = [coded(LOCAL, "demyelinating"), coded(LOCAL, "axonal"), coded(LOCAL, "something")]
    told = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": coded(LOCAL, "nerve-conduction")} | SUBJECT
    done = read(told | {"effectiveDateTime": AT, "conclusionCode": codes})
    assert done.cells == {"kind": "nerve_conduction", "findings": "axonal;demyelinating"}
    assert "without a finding" in read(told | {"effectiveDateTime": AT}).passed_over


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("http://hl7.org/fhir/us/ctcae/StructureDefinition/ctcae-grade", coded(NCIT, "C41339")),
        (
            "http://hl7.org/fhir/uv/ae-research-ig/StructureDefinition/ae-grade",
            coded("http://hl7.org/fhir/us/ctcae/CodeSystem/ctcae-grade-code-system", "2"),
        ),
    ],
)
def test_given_an_adverse_event_with_a_grade_when_read_then_it_is_a_grade(url: str, value: Resource) -> None:
    event = {"resourceType": "AdverseEvent", "id": "a", "actuality": "actual", "event": coded(SNOMED, "95662005")} | SUBJECT
    graded = event | {"date": "2026-11-01", "extension": [{"url": url, "valueCodeableConcept": value}]}
    assert read(graded).cells == {"sensory_grade": "2"}
    assert "no CTCAE grade" in read(event | {"date": "2026-11-01"}).rejected.problem
    assert "did not happen" in read(graded | {"actuality": "potential"}).passed_over
