"""OBX segments into items: each one a piece of an examination, a laboratory value, or a body surface."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.importers.hl7.compiled import SURFACE, Compiled, Meaning
from monitor.importers.hl7.fields import Coded, FieldError, coded, entity, one_unit, time_of, time_or_none, unnamed
from monitor.importers.hl7.mapping import folded
from monitor.importers.hl7.messages import Message, Segment
from monitor.importers.items import SURFACE as SURFACE_KIND
from monitor.importers.items import Item

FINAL = frozenset({"", "F", "C", "U"})
CHANGED = frozenset({"C", "U"})
PRELIMINARY = frozenset({"P", "R", "S"})
TAKEN_BACK = frozenset({"D", "W", "X"})
"""Deleted; was wrong; cannot be obtained: what was said before under this name is no longer said."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Why a segment is no matter of this program."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is above some observations: the order that they answer, its time, and when its results were reported."""

    number: str = ""
    at: str = ""
    reported_at: str = ""


def order_of(obr: Segment) -> Order:
    """An OBR segment: the filler's number, else the placer's."""
    return Order(number=entity(obr, 3, 2), at=obr.text(7), reported_at=obr.text(22))


def observation(obx: Segment, order: Order, patient_id: str, message: Message, how: Compiled) -> Item | Passed:
    """One OBX segment. Raises FieldError."""
    said = coded(obx, 3)
    try:
        meaning = how.meaning(said)
    except LookupError:
        raise FieldError("its codes mean different things (OBX-3); correct them, or the mapping") from None
    if meaning is None:
        return Passed("an observation of a code that is not mapped")
    status = obx.text(11).upper()
    voided = status in TAKEN_BACK
    if status in PRELIMINARY and not how.mapping.records.read_preliminary:
        return Passed("a preliminary observation")
    if not voided and status not in FINAL | PRELIMINARY:
        return Passed("an observation that has no result yet")
    at = time_of(obx.text(14) or order.at)
    number = order.number or unnamed(patient_id, at)
    code = sorted(said.codes)[0]
    group = number if how.mapping.records.examination == "order" else unnamed(patient_id, at)
    kind, time = ("labs", "collected_at") if meaning.is_lab else ("assessments", "assessed_at")
    if meaning.name == SURFACE:
        kind, time = SURFACE_KIND, "on"
    if meaning.is_lab or meaning.name == SURFACE:  # each is a row of its own
        group = f"{number} {code}"
    return Item(
        type="OBX",
        id=f"{number} {code} {obx.text(4)}".strip(),
        version=f"{message.sent_at} {message.control_id}",
        patient_id=patient_id,
        kind=kind,
        group=group,
        cells={} if voided else {time: at} | _cells(obx, meaning, said, how),
        voided=voided,
        recorded_at=_known_at(order, message, status),
    )


def _known_at(order: Order, message: Message, status: str) -> str | None:
    """When results were reported; of one that was changed or taken back, when that was told."""
    reported, sent = time_or_none(order.reported_at), time_or_none(message.sent_at)
    return sent or reported if status in CHANGED | TAKEN_BACK else reported or sent


def _cells(obx: Segment, meaning: Meaning, said: Coded, how: Compiled) -> dict[str, str]:
    values = obx.repetitions(5)
    unit = obx.text(6).casefold()
    one_unit(obx, 6)
    if meaning.name == SURFACE:
        if unit not in folded(how.mapping.medications.surface_units):
            raise FieldError("the body surface is in a unit that is not read (OBX-6); send it in m2")
        return {"m2": _number(obx)}
    if not values:
        raise FieldError("there is no value (OBX-5); send one, or the status X")
    if meaning.is_lab:
        units = {
            written.casefold(): ours for ours, several in how.lab(meaning.name).units.items() for written in (ours, *several)
        }
        if unit not in units:
            raise FieldError("found no unit that is read for this value (OBX-6); send one that hl7.yaml lists")
        return {"analyte": meaning.name, "value": _number(obx), "unit": units[unit]}
    measure = how.measure(meaning.name)
    if (unit or measure.units) and unit not in folded(measure.units) | ({""} if not measure.units else set()):
        raise FieldError("the value is in a unit that is not read (OBX-6); send one that hl7.yaml lists, or none")
    cells = {meaning.name: ";".join(dict.fromkeys(_word(obx, each, measure.answers) for each in values))}
    version = next((how.versions[code] for code in said.codes if code in how.versions), None)
    if version is not None:
        cells["ctcae_version"] = version
    return cells


def _word(obx: Segment, components: list[str], answers: dict[str, tuple[str, ...]] | object) -> str:
    """What a repetition of OBX-5 says, as an import file would: an answer by its code, else the text itself."""
    table = answers if isinstance(answers, dict) else {}
    kind = obx.text(2).upper()
    text = obx.part(components, 1)
    if kind == "SN":
        return _number(obx)
    if not text and any(obx.part(components, place) for place in range(2, len(components) + 1)):
        raise FieldError("the answer has no code (OBX-5); send its code")
    said = {text.casefold()}
    if kind in {"CE", "CWE", "CNE", "CF"}:
        for start in (1, 4):
            code, system = obx.part(components, start), obx.part(components, start + 2)
            said |= {f"{system}|{code}".casefold(), obx.part(components, start + 1).casefold()}
    found = {word for word, codes in table.items() if said & folded(codes)}
    if len(found) > 1:
        raise FieldError("the answer means different things (OBX-5); correct it, or the mapping")
    return found.pop() if found else text


def _number(obx: Segment) -> str:
    """A number; a structured one (SN) only where it is exact."""
    components = next(iter(obx.repetitions(5)), [])
    if obx.text(2).upper() != "SN":
        return obx.part(components, 1)
    comparator, number = obx.part(components, 1), obx.part(components, 2)
    if comparator not in ("", "=") or len(components) > 2:
        raise FieldError("found a limit, a ratio or a range (OBX-5); only a number can be compared")
    return number
