"""RAS^O17: orders in mg per square metre, and doses that were given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.importers.hl7.compiled import Compiled
from monitor.importers.hl7.fields import FieldError, coded, entity, one_unit, time_of, time_or_none, unnamed
from monitor.importers.hl7.mapping import folded
from monitor.importers.hl7.messages import Message, Segment
from monitor.importers.hl7.observations import Passed
from monitor.importers.items import DOSE_MG, ORDER, SURFACE_DAYS, Item

GIVEN = frozenset({"CP", "PA"})
NOT_GIVEN = frozenset({"RE", "NA"})


@dataclass(slots=True)
class Administered:
    """One RXA with the order above it and the route below it."""

    rxa: Segment
    order: str
    route: Segment | None = None


def order_number(orc: Segment) -> str:
    """The filler's number of an ORC segment, else the placer's."""
    return entity(orc, 3, 2)


def level(segment: Segment, order: str, patient_id: str, message: Message, how: Compiled) -> Item | Passed:
    """RXO or RXE: the level that was ordered, where it is one per square metre."""
    code, amount, unit = (1, 2, 4) if segment.name == "RXO" else (2, 3, 5)
    drug = _drug(segment, code, how)
    if drug is None:
        return Passed("an order of a drug that is not watched")
    if segment.text(unit).casefold() not in folded(how.mapping.medications.mg_per_m2_units) or not order:
        return Passed("an order that says no dose per square metre")
    try:
        float(segment.text(amount))
    except ValueError:
        raise FieldError("the ordered dose is no number; send one") from None
    return Item(
        type="ORC",
        id=order,
        version=f"{message.sent_at} {message.control_id}",
        patient_id=patient_id,
        kind=ORDER,
        group=order,
        cells={"drug": drug, "mg_per_m2": segment.text(amount)},
        recorded_at=time_or_none(message.sent_at),
    )


def dose(given: Administered, patient_id: str, message: Message, how: Compiled) -> Item | Passed:
    """A dose that was given, or one that is taken back. Raises FieldError."""
    rxa = given.rxa
    drug = _drug(rxa, 5, how)
    if drug is None:
        return Passed("a dose of a drug that is not watched")
    status, action = rxa.text(20).upper(), rxa.text(21).upper()
    voided = action == "D" or status in NOT_GIVEN
    if not voided and status not in GIVEN:
        raise FieldError("does not say whether the dose was given (RXA-20); send CP, PA, RE or NA")
    at = time_of(rxa.text(3))
    counter = rxa.text(2) if how.mapping.records.dose == "counter" else at
    name = f"{given.order or unnamed(patient_id)} {counter} {drug}"
    return Item(
        type="RXA",
        id=name,
        version=f"{message.sent_at} {message.control_id}",
        patient_id=patient_id,
        kind="doses",
        group=name,
        cells={} if voided else {"given_at": at, "drug": drug} | _route(given.route, how) | _amount(given, how),
        voided=voided,
        recorded_at=time_or_none(rxa.text(22)) or time_or_none(message.sent_at),
    )


def _drug(segment: Segment, field: int, how: Compiled) -> str | None:
    said = coded(segment, field)
    try:
        drug = how.drug(said)
    except LookupError:
        raise FieldError("its codes mean different drugs; correct them, or the mapping") from None
    named = how.drug_named(said.text)
    if drug is None and named is not None:
        raise FieldError(f"its text names {named}, and its code is not in the mapping; add the code to hl7.yaml")
    is_text = not any(each.endswith(f"|{said.text.casefold()}") for each in said.codes)
    if drug is not None and named != drug and is_text and said.codes & how.must_be_named:
        raise FieldError("the code of a watched drug stands beside another name; correct the message")
    return drug


def _route(route: Segment | None, how: Compiled) -> dict[str, str]:
    if route is None or not route.raw(1):
        return {}
    said = coded(route, 1)
    known = {how.routes[code] for code in {*said.codes, said.text.casefold()} if code in how.routes}
    if len(known) != 1:
        raise FieldError("the route is not one that hl7.yaml lists (RXR-1); list it, or correct the message")
    return {"route": known.pop()}


def _amount(given: Administered, how: Compiled) -> dict[str, str]:
    amount = given.rxa.text(6)
    one_unit(given.rxa, 7)
    units = {*_said(given.rxa, 7)}
    medications = how.mapping.medications
    if units & folded(medications.mg_per_m2_units):
        return {"dose_mg_per_m2": amount}
    if not units & folded(medications.mg_units):
        raise FieldError("the dose is in a unit that is not read (RXA-7); send mg/m2, or mg with an order in mg/m2")
    try:
        float(amount)
    except ValueError:
        raise FieldError("the dose is no number (RXA-6); send one") from None
    cells = {DOSE_MG: amount, SURFACE_DAYS: str(medications.surface_within_days)}
    return cells | ({ORDER: f"ORC/{given.order}"} if given.order else {})


def _said(segment: Segment, field: int) -> Iterator[str]:
    components = next(iter(segment.repetitions(field)), [])
    yield from (segment.part(components, place).casefold() for place in (1, 2))
