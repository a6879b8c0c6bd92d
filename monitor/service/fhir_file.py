"""The file that says how FHIR is read, with every mistake in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from monitor.clinical.scales.mrc import MUSCLES
from monitor.config.problems import InvalidConfigError, Problem, nearest
from monitor.config.validation import validate
from monitor.config.yaml_source import Document, Loc, read_document
from monitor.importers.columns import FINDINGS, INVESTIGATIONS, RED_FLAGS
from monitor.importers.fhir.mapping import FhirMapping
from monitor.importers.units import UNITS_OF

_NUMBERS = (
    *("pain_nrs", "gbs_disability", "grip_kpa_right", "grip_kpa_left", "vibration_toe_right", "vibration_toe_left"),
    *("systolic_lying", "systolic_standing", "diastolic_lying", "diastolic_standing"),
)
_ANSWERS = {
    "neuropathic_pain": ("yes", "no"),
    "walking": ("unaided", "cane", "walker", "wheelchair", "bedbound"),
    "reflexes": ("normal", "reduced", "absent"),
}
_NAMES: Mapping[Loc, tuple[str, ...]] = {
    ("numbers",): _NUMBERS,
    ("words",): tuple(_ANSWERS),
    ("red_flags",): RED_FLAGS,
    ("strength", "muscles"): MUSCLES,
    ("investigations", "kinds"): INVESTIGATIONS,
    ("investigations", "findings"): FINDINGS,
    **{("words", name, "answers"): answers for name, answers in _ANSWERS.items()},
    **{("labs", analyte, "units"): units for analyte, units in UNITS_OF.items()},
}
"""The keys that a part of the file may have: columns and words of the import files."""

_ONE_MEANING: tuple[Loc, ...] = (
    *(("medications", part) for part in ("drugs", "treatments", "routes")),
    *(("grades", part) for part in ("terms", "values", "versions", "baseline")),
    *(("investigations", part) for part in ("kinds", "findings")),
    *(("conditions", part) for part in ("diagnoses", "comorbidities")),
    *((part,) for part in ("red_flags", "procedures", "passed_over")),
    *(("words", name, "answers") for name in _ANSWERS),
    *(("pressure", part) for part in ("direct", "positions")),
    *(("strength", part) for part in ("sides", "powers")),
)
"""Tables of codes by meaning: a code in two of its lines would mean two things."""

_MORE_CODES: tuple[Loc, ...] = (
    *(("pressure", part) for part in ("panels", "systolic", "diastolic", "position")),
    ("strength", "codes"),
    ("medications", "surface", "codes"),
)
_OR_TEXTS: tuple[Loc, ...] = (("yes",), ("no",), ("specimens",))


def load_fhir(path: Path) -> FhirMapping:
    """The mapping of a file. Raises InvalidConfigError with every mistake in it."""
    document = read_document(path)
    mapping, problems = validate(document, FhirMapping, _check)
    if mapping is None or problems:
        raise InvalidConfigError(problems)
    return mapping


@lru_cache(maxsize=4)
def _loaded(path: Path, _changed_ns: int) -> FhirMapping:
    return load_fhir(path)


def fhir_mapping(path: Path) -> FhirMapping:
    """As ``load_fhir``; a file that did not change is read once. Raises InvalidConfigError."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _loaded(path, changed)


def _check(document: Document) -> Iterator[Problem]:
    systems = document.get(("systems",), dict) or {}
    for place, names in _NAMES.items():
        for name in document.get(place, dict) or {}:
            if name not in names:
                message = f"'{name}' is none of {', '.join(names)}"
                yield document.at((*place, name), "unknown-key", message, on_key=True, suggestion=nearest(str(name), list(names)))
    for place in _ONE_MEANING:
        yield from _one_meaning(document, place, systems)
    measures = [("numbers", name, "codes") for name in document.get(("numbers",), dict) or {}]
    questions = [("words", name, "codes") for name in document.get(("words",), dict) or {}]
    labs = [("labs", name, part) for name in document.get(("labs",), dict) or {} for part in ("codes", "codes_with_specimen")]
    muscles = [
        ("strength", "muscles", name, part)
        for name in document.get(("strength", "muscles"), dict) or {}
        for part in ("sites", "right", "left")
    ]
    for place in (*_MORE_CODES, *measures, *questions, *labs, *muscles):
        yield from _codes(document, place, systems)
    for place in _OR_TEXTS:
        yield from _codes(document, place, systems, or_texts=True)
    days = document.get(("medications", "surface_within_days"), int)
    if days is not None and not 0 <= days <= 366:
        yield document.at(("medications", "surface_within_days"), "out-of-range", f"0 to 366 days, not {days}")


def _one_meaning(document: Document, place: Loc, systems: Mapping[str, str]) -> Iterator[Problem]:
    """Every code of a table, and those that stand in two of its lines."""
    seen: dict[str, str] = {}
    for name, listed in (document.get(place, dict) or {}).items():
        yield from _codes(document, (*place, name), systems, or_texts=place[0] == "words")
        for number, code in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(code, str) and seen.setdefault(code, name) != name:
                message = f"'{code}' stands under {seen[code]} already; a code has one meaning"
                yield document.at((*place, name, number), "duplicate-code", message)


def _codes(document: Document, place: Loc, systems: Iterable[str], *, or_texts: bool = False) -> Iterator[Problem]:
    known = list(systems)
    for number, code in enumerate(document.get(place, list) or ()):
        if not isinstance(code, str):
            continue  # its type is told elsewhere
        system, mark, rest = code.rpartition("|")
        if not mark and or_texts:
            continue
        if not mark or not rest.strip() or not system.strip():
            message = "a code is written system|code, such as loinc|2880-3"
            yield document.at((*place, number), "bad-code", message)
        elif system not in known and ":" not in system:
            message = f"'{system}' is no system above; add it to `systems`, or write the system's whole address"
            yield document.at((*place, number), "unknown-system", message, suggestion=nearest(system, known))
