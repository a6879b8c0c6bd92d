"""Observations: what the mapping knows of them into the columns of an examination, a laboratory value or an investigation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from monitor.importers.fhir import strength
from monitor.importers.fhir.codes import PassedOverError, RefusedError, texts
from monitor.importers.fhir.compiled import Source
from monitor.importers.fhir.structs import Concept, Measured, Observation
from monitor.importers.fhir.values import is_empty, measured, number, one_value, quantity, unit_of, when
from monitor.importers.items import SURFACE, Item

UNMAPPED = "an observation that the mapping does not name"
_CTCAE = r"(?:ctcae|common terminology criteria(?: for adverse events)?)"
_VERSION = re.compile(_CTCAE + r"(?:[^0-9]|\b\d{4}\b){0,24}?(?<!\d)(\d(?:\.\d{1,2})?)\b", re.IGNORECASE)
_OTHER_SCALE = re.compile(r"\bWHO\b|\b(?:[Nn][Cc][Ii][- ]?)?[Cc][Tt][Cc]\b")
_GRADE = re.compile(r"(?:grade\s*)?([0-5])", re.IGNORECASE)
_SCORES = frozenset({"", "1", "{score}", "{grade}"})


def observation(source: Source, found: Observation) -> list[Item]:
    """The items of an observation. Raises PassedOverError, and RefusedError."""
    read = _reader(source, found)
    if found.status in ("registered", "cancelled"):
        raise PassedOverError("an observation that was not made, or not yet")
    if found.status == "preliminary" and not source.by.mapping.records.read_preliminary:
        raise PassedOverError("a preliminary observation")
    if found.status not in ("final", "preliminary", "amended", "corrected"):
        raise RefusedError("its status does not say that it holds; correct the status", "status")
    one_value(found)
    for part in found.component:
        one_value(part)
    patient_id = source.patient(found.subject)
    at = when(found.effective_date_time, found.effective_period, "assessed_at", found.effective_instant)
    kind, cells = read()
    recorded = source.recorded_at(found, found.issued)
    said = {"patient_id": patient_id, "kind": kind, "recorded_at": recorded}
    if kind == "assessments":
        cells = {"assessed_at": at} | _assessor(found) | cells
        return [source.item(found, **said, cells=cells, group=source.examination(found, patient_id, at, found.encounter))]
    times = {"labs": "collected_at", "investigations": "performed_at", SURFACE: "on"}
    cells = ({times[kind]: at} if kind in times else {}) | cells
    return [source.item(found, **said, cells=cells, group=source.group(found))]


Cells = dict[str, str]
Found = tuple[str, Cells]


def _reader(source: Source, found: Observation) -> Callable[[], Found]:
    """What reads the observation. Raises PassedOverError for one that nothing reads, before its status is looked at."""
    by, code = source.by, found.code
    by_name: Sequence[tuple[str | None, Callable[[Source, Observation, str], Found]]] = (
        (by.terms.of(code), _grade),
        (by.baseline.of(code), _baseline),
        (by.numbers.of(code), _number),
        (by.words.of(code), _word),
        (by.red_flags.of(code), _red_flag),
        (by.surface.of(code), _surface),
        (by.labs.of(code) or by.labs_with_specimen.of(code), _lab),
        (by.investigations.of(code), _investigation),
        (by.pressure_panels.of(code) or by.pressure.of(code) or by.direct_pressure.of(code), _pressure),
        (by.sided_muscles.of(code) or by.strength.of(code), _muscles),
        (next(filter(None, (by.sided_muscles.of(each.code) for each in found.component)), None), _muscles),
    )
    for name, read in by_name:
        if name is not None:
            return partial(read, source, found, name)
    reason = by.passed_over.of(code)
    if reason is None:
        reason = "a panel; what it is made of is read on its own" if found.has_member else UNMAPPED
    raise PassedOverError(reason)


def _assessor(found: Observation) -> Cells:
    """Who examined, as far as one name says it."""
    names = {each.display for each in found.performer if each.display}
    return {"assessor": names.pop()} if len(names) == 1 else {}


def _grade(source: Source, found: Observation, column: str) -> Found:
    cells = {column: _graded(source, found, column)}
    version = ctcae_version(source, found.code, found.method)
    return "assessments", cells if version is None else cells | {"ctcae_version": version}


def _baseline(source: Source, found: Observation, column: str) -> Found:
    return "patients", {column: _graded(source, found, column)}


def _number(source: Source, found: Observation, column: str) -> Found:
    return "assessments", {column: measured(found, source.by.mapping.numbers[column].units, column)}


def _surface(source: Source, found: Observation, _name: str) -> Found:
    return SURFACE, {"m2": measured(found, source.by.mapping.medications.surface.units, "m2")}


def _investigation(source: Source, found: Observation, kind: str) -> Found:
    return "investigations", {"kind": kind, "findings": findings(source, _concepts(found))}


def _graded(source: Source, found: Observation, column: str) -> str:
    """A grade by its code, or as a whole number without a unit."""
    coded = source.by.grade_values.of(found.value_codeable_concept)
    if coded is not None:
        return coded
    value = found.value_quantity
    if value is not None and value.value is not None and not value.comparator and unit_of(value) in _SCORES:
        return number(value.value)
    if found.value_integer is not None:
        return str(found.value_integer)
    match = _GRADE.fullmatch((found.value_string or "").strip())
    if match is None:
        raise RefusedError("found no grade that the mapping knows; send its code, or a whole number from 0 to 5", column)
    return match[1]


def ctcae_version(source: Source, *concepts: Concept | None) -> str | None:
    """The version that the words name; where they name none, the one that the term's own code stands for."""
    named = {match[1] for concept in concepts for text in texts(concept) for match in [_VERSION.search(text)] if match}
    if len(named) > 1:
        raise RefusedError("it names two versions of CTCAE", "ctcae_version")
    if named:
        return named.pop()
    if any(_OTHER_SCALE.search(text) for concept in concepts for text in texts(concept)):
        raise RefusedError("it names a grade of another scale than CTCAE; the two are not the same", "ctcae_version")
    return source.by.versions.among([concept for concept in concepts if concept is not None])


def _word(source: Source, found: Observation, column: str) -> Found:
    said = {True: "yes", False: "no", None: None}[found.value_boolean]
    answer = source.by.answers[column].of(found.value_codeable_concept, found.value_string, said)
    if answer is None:
        raise RefusedError("found an answer that the mapping does not know; add its code", column)
    return "assessments", {column: answer}


def _red_flag(source: Source, found: Observation, flag: str) -> Found:
    said = {True: "yes", False: "no", None: None}[found.value_boolean]
    answer = source.by.yes_no.of(found.value_codeable_concept, found.value_string, said)
    if answer == "no":
        raise PassedOverError("a sign that was looked for and is absent")
    if answer is None:
        raise RefusedError("found neither yes nor no; correct the value, or add its code to the mapping", "red_flags")
    return "assessments", {"red_flags": flag}


def _lab(source: Source, found: Observation, analyte: str) -> Found:
    if source.by.labs.of(found.code) is None:
        if not _from_csf(source, found):
            raise PassedOverError("a blood count: its code is one for blood, and its specimen is not said to be CSF")
        source.warnings["a code for blood was taken for CSF, since its specimen says so"] += 1
    lab = source.by.mapping.labs[analyte]  # type: ignore[index]
    units = {code: ours for ours, codes in lab.units.items() for code in codes}
    value = found.value_quantity
    if value is None:
        raise RefusedError("found no quantity with a unit; a value without its unit is not taken", "value")
    number_ = quantity(value, units, "unit")
    return "labs", {"analyte": analyte, "value": number_, "unit": units[unit_of(value)]}


def _from_csf(source: Source, found: Observation) -> bool:
    specimen = found.specimen
    if specimen is None:
        return False
    inside = next((each for each in found.contained if f"#{each.id}" == specimen.reference), None)
    return source.by.specimens.of(None if inside is None else inside.type, specimen.display) is not None


def _muscles(source: Source, found: Observation, _name: str) -> Found:
    cells = strength.one_muscle(source, found)
    if cells is None:
        cells = strength.components(source, found)
    if not cells:
        raise RefusedError("found MRC power without a muscle", "mrc")
    return "assessments", cells


def _pressure(source: Source, found: Observation, _name: str) -> Found:
    """Lying and standing pressures; without a position a pressure says nothing of the autonomic nerves."""
    units = source.by.mapping.pressure.units
    parts: Sequence[Measured | Observation] = found.component or [found]
    position = _position(source, found)
    cells = {}
    for part in parts:
        column = source.by.direct_pressure.of(part.code)
        which = source.by.pressure.of(part.code)
        if column is None and which is not None and position is not None:
            column = f"{which}_{position}"
        if column is None or is_empty(part):
            continue
        if column in cells:
            raise RefusedError("it holds two pressures of one position", column)
        cells[column] = measured(part, units, column)
    if not cells:
        raise PassedOverError("a blood pressure that does not say whether lying or standing")
    return "assessments", cells


def _position(source: Source, found: Observation) -> str | None:
    by = source.by
    said = [each.value_codeable_concept for each in found.component if by.position.of(each.code)]
    urls = by.mapping.pressure.position_extensions
    said += [each.value_codeable_concept for each in found.extension if each.url in urls]
    return by.positions.among([each for each in (*said, found.method, found.body_site) if each is not None])


def _concepts(found: Observation) -> list[Concept]:
    values = [found.value_codeable_concept, *(each.value_codeable_concept for each in found.component)]
    return [each for each in values if each is not None]


def findings(source: Source, concepts: Sequence[Concept]) -> str:
    """What an investigation found, as far as the mapping knows it."""
    found = {finding for finding in map(source.by.findings.of, concepts) if finding is not None}
    if not found:
        raise PassedOverError("an investigation without a finding that the mapping knows")
    return ";".join(sorted(found))
