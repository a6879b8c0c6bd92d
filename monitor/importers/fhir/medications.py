"""Doses given, orders, courses and treatments.

An order or a statement is no dose: it gives the level of a dose in mg, the start and end of a course, or a treatment.
"""

from __future__ import annotations

from dataclasses import replace

from monitor.importers.fhir.codes import PassedOverError, RefusedError
from monitor.importers.fhir.compiled import Source, drug_of
from monitor.importers.fhir.structs import (
    Dosage,
    MedicationAdministration,
    MedicationRequest,
    MedicationStatement,
    Period,
    Procedure,
    Quantity,
    Resource,
)
from monitor.importers.fhir.values import clinical_time, number, one_unit, quantity, unit_of, when
from monitor.importers.items import DOSE_MG, MEDICATION, ORDER, SURFACE_DAYS, Item

UNWATCHED = "a drug that is neither watched nor a treatment"
_NOT_GIVEN = {
    "not-done": "a dose that was not given",
    "in-progress": "a dose that is being given",
    "on-hold": "a dose that is on hold",
}
_NO_ORDER = frozenset({"draft", "cancelled", "entered-in-error"})
_NOT_TAKEN = frozenset({"intended", "not-taken", "on-hold"})


def administration(source: Source, given: MedicationAdministration) -> list[Item]:
    """A dose that was given, or one administration of a treatment that counts by administrations."""
    by = source.by
    drug, treatment, elsewhere = drug_of(source, given, given.medication_codeable_concept, given.medication_reference)
    if drug is None and treatment is None and elsewhere is None:
        raise PassedOverError(UNWATCHED)
    if drug is None and treatment is not None and treatment not in by.mapping.medications.administered_treatments:
        raise PassedOverError("one administration of a treatment that counts by its course")
    if given.status in _NOT_GIVEN:
        raise PassedOverError(_NOT_GIVEN[given.status])
    if given.status != "completed":
        raise RefusedError("its status does not say that all of it was given; correct the status", "status")
    patient_id = source.patient(given.subject)
    at = when(given.effective_date_time, given.effective_period, "given_at")
    if drug is None and treatment is not None:
        return [_treated(source, given, patient_id, treatment, at, _end(given.effective_period) or at)]
    cells = {"given_at": at} | _amount(source, given)
    route = None if given.dosage is None else by.routes.of(given.dosage.route)
    if route is not None:
        cells["route"] = route
    if drug is not None:
        cells["drug"] = drug
    elif elsewhere is not None:
        cells[MEDICATION] = elsewhere
    recorded = source.recorded_at(given)
    return [source.item(given, patient_id=patient_id, kind="doses", group=source.group(given), cells=cells, recorded_at=recorded)]


def _amount(source: Source, given: MedicationAdministration) -> dict[str, str]:
    """The dose, per square metre as it is written, or in mg with what it takes to convert it."""
    known = source.by.mapping.medications
    dose = None if given.dosage is None else given.dosage.dose
    if dose is None:
        raise RefusedError("it does not say how much was given", "dose_mg_per_m2")
    if unit_of(dose) in known.mg_units:
        cells = {DOSE_MG: quantity(dose, known.mg_units, "dose_mg_per_m2"), SURFACE_DAYS: str(known.surface_within_days)}
        order = source.name_of(given.request)
        return cells if order is None else cells | {ORDER: order}
    return {"dose_mg_per_m2": quantity(dose, (*known.mg_per_m2_units, *known.mg_units), "dose_mg_per_m2")}


def order(source: Source, ordered: MedicationRequest) -> list[Item]:
    """The level that was prescribed, for doses that come in mg."""
    if ordered.status in _NO_ORDER:
        raise PassedOverError("an order that does not stand")
    drug, _, elsewhere = drug_of(source, ordered, ordered.medication_codeable_concept, ordered.medication_reference)
    if drug is None and elsewhere is None:
        raise PassedOverError("an order of another drug")
    units = source.by.mapping.medications.mg_per_m2_units
    per_m2 = [each for each in _quantities(ordered.dosage_instruction) if each.code in units and not each.comparator]
    for each in per_m2:
        one_unit(each, "mg_per_m2")
    levels = {number(each.value) for each in per_m2 if each.value is not None}
    if len(levels) != 1:
        raise PassedOverError("an order without one level per square metre")
    cells = {"mg_per_m2": levels.pop()} | ({} if drug is None else {"drug": drug})
    return [source.item(ordered, patient_id=source.patient(ordered.subject), kind=ORDER, cells=cells)]


def _quantities(dosages: list[Dosage]) -> list[Quantity]:
    return [rate.dose_quantity for dosage in dosages for rate in dosage.dose_and_rate if rate.dose_quantity is not None]


def statement(source: Source, stated: MedicationStatement) -> list[Item]:
    """That a drug is or was taken: the course of a watched drug, or a treatment."""
    drug, treatment, elsewhere = drug_of(source, stated, stated.medication_codeable_concept, stated.medication_reference)
    if drug is None and treatment is None and elsewhere is None:
        raise PassedOverError(UNWATCHED)
    if stated.status in _NOT_TAKEN:
        raise PassedOverError("a drug that is not taken")
    if stated.status not in ("active", "completed", "stopped"):
        raise RefusedError("its status does not say whether the drug is taken; correct the status", "status")
    patient_id = source.patient(stated.subject)
    start = when(stated.effective_date_time, stated.effective_period, "started_on")
    end = _end(stated.effective_period) if stated.status != "active" else None
    if stated.status != "active" and end is None:
        raise RefusedError("it says that the drug was stopped, and not when", "discontinued_on")
    recorded = source.recorded_at(stated, stated.date_asserted)
    said = {"patient_id": patient_id, "group": source.group(stated), "recorded_at": recorded}
    refers = {} if elsewhere is None else {MEDICATION: elsewhere}
    items = []
    if drug is not None or elsewhere is not None:
        cells = _course(source, stated, start, end) | ({"drug": drug} if drug is not None else refers)
        items.append(_part(source, stated, "#course", **said, kind="courses", cells=cells))
    if treatment is not None or elsewhere is not None:
        cells = {"started_on": start} | ({} if end is None else {"stopped_on": end})
        cells |= {"treatment": treatment} if treatment is not None else refers
        items.append(_part(source, stated, "#treatment", **said, kind="treatments", cells=cells))
    return items


def _course(source: Source, stated: MedicationStatement, start: str, end: str | None) -> dict[str, str]:
    cells = {"started_on": start}
    if end is not None:
        cells["discontinued_on"] = end
        reasons = [text for text in (each.text for each in stated.status_reason) if text]
        if reasons:
            cells["discontinued_reason"] = "; ".join(reasons)
    schedule = _schedule(stated.dosage)
    if schedule is not None:
        cells["schedule"] = schedule
    url = source.by.mapping.medications.cycle_days_extension
    days = next((each.value_integer for each in stated.extension if each.url == url and each.value_integer), None)
    return cells if url is None or days is None else cells | {"cycle_days": str(days)}


def _schedule(dosages: list[Dosage]) -> str | None:
    """``weekly`` or ``twice-weekly`` where the timing says just that."""
    found = set()
    for dosage in dosages:
        repeat = None if dosage.timing is None else dosage.timing.repeat
        if repeat is None:
            continue
        in_days = {"wk": 7.0, "d": 1.0}.get(repeat.period_unit or "", 0.0) * (repeat.period or 0)
        times = repeat.frequency or 1
        found.add({(1, 7.0): "weekly", (2, 7.0): "twice-weekly"}.get((times, in_days)))
    return found.pop() if len(found) == 1 else None


def procedure(source: Source, done: Procedure) -> list[Item]:
    """A treatment that is a procedure, such as plasma exchange."""
    treatment = source.by.procedures.of(done.code)
    if treatment is None:
        raise PassedOverError("a procedure that is neither a treatment nor has findings of its own")
    if done.status in ("preparation", "not-done", "on-hold"):
        raise PassedOverError("a procedure that was not done")
    if done.status not in ("in-progress", "completed", "stopped"):
        raise RefusedError("its status does not say whether it was done; correct the status", "status")
    start = when(done.performed_date_time, done.performed_period, "started_on")
    end = start if done.performed_date_time else _end(done.performed_period)
    return [_treated(source, done, source.patient(done.subject), treatment, start, None if done.status == "in-progress" else end)]


def _treated(
    source: Source,
    resource: MedicationAdministration | Procedure,
    patient_id: str,
    treatment: str,
    start: str,
    end: str | None,
) -> Item:
    cells = {"treatment": treatment, "started_on": start} | ({} if end is None else {"stopped_on": end})
    said = {"patient_id": patient_id, "group": source.group(resource), "recorded_at": source.recorded_at(resource)}
    suffix = "#treatment" if isinstance(resource, MedicationAdministration) else ""
    return _part(source, resource, suffix, **said, kind="treatments", cells=cells)


def _part(source: Source, resource: Resource, suffix: str, **said: object) -> Item:
    made = source.item(resource, **said)
    return replace(made, id=made.id + suffix)


def _end(period: Period | None) -> str | None:
    return None if period is None or not period.end else clinical_time(period.end, "stopped_on")
