"""MRC power, muscle by muscle: one observation a muscle with its place and side, or one with a component for each.

A grade list called "power 0-5" is not MRC because of its name, and the MRC breathlessness scale is no power at all:
only codes that the mapping names are read, and only with a muscle and a side.
"""

from __future__ import annotations

from monitor.importers.fhir.codes import RefusedError
from monitor.importers.fhir.compiled import Source
from monitor.importers.fhir.structs import Concept, Measured, Observation
from monitor.importers.fhir.values import is_empty, number

_SCORES = frozenset({"", "1", "{score}", "{MRC}"})


def one_muscle(source: Source, found: Observation) -> dict[str, str] | None:
    """The column and power of an observation of one muscle; None for another observation."""
    muscle = source.by.sided_muscles.of(found.code)
    if muscle is None:
        if source.by.strength.of(found.code) is None:
            return None
        if found.body_site is None and found.component:
            return None
        muscle = _place(source, found.body_site)
    elif _elsewhere(source, found.body_site, muscle):
        raise RefusedError(
            "its code names one muscle or side, and its place on the body another; correct the record", f"mrc_{muscle}"
        )
    return {f"mrc_{muscle}": power(source, found, muscle)}


def components(source: Source, found: Observation) -> dict[str, str]:
    """Columns and powers of the components that name a muscle with its side; empty where none does."""
    cells = {}
    for component in found.component:
        muscle = source.by.sided_muscles.of(component.code)
        if component.data_absent_reason is not None or is_empty(component) or source.by.passed_over.of(component.code):
            continue
        if muscle is None:
            source.warnings[
                "a part of a strength panel that is no muscle and side of the mapping was left out; add its code"
            ] += 1
            continue
        column = f"mrc_{muscle}"
        if column in cells:
            raise RefusedError("two components are about one muscle", column)
        cells[column] = power(source, component, muscle)
    return cells


def _elsewhere(source: Source, site: Concept | None, muscle: str) -> bool:
    """Whether a place on the body, as far as it says one, is not that of ``muscle``."""
    name, _, side = muscle.rpartition("_")
    said = ((source.by.muscle_sites.of(site), name), (source.by.sides.of(site), side), (source.by.sided_muscles.of(site), muscle))
    return any(found is not None and found != expected for found, expected in said)


def _place(source: Source, site: Concept | None) -> str:
    muscle = source.by.muscle_sites.of(site)
    sided = source.by.sided_muscles.of(site)
    if sided is not None:
        if _elsewhere(source, site, sided):
            raise RefusedError("its place on the body names two muscles or sides; correct the record", f"mrc_{sided}")
        return sided
    if muscle is None:
        raise RefusedError("found MRC power of no muscle that the mapping knows; add the code of its place on the body", "mrc")
    side = source.by.sides.of(site)
    if side is None:
        raise RefusedError("found MRC power of a muscle without its side; an unknown side is not both", f"mrc_{muscle}")
    return f"{muscle}_{side}"


def power(source: Source, found: Measured | Observation, muscle: str) -> str:
    """The power as an import file writes it; the reader of that column judges it."""
    coded = source.by.powers.of(found.value_codeable_concept)
    if coded is not None:
        return coded
    if found.value_integer is not None:
        return str(found.value_integer)
    if found.value_string:
        return found.value_string
    quantity = found.value_quantity
    if quantity is not None and quantity.value is not None and not quantity.comparator:
        if (quantity.code or quantity.unit or "") in _SCORES:
            return number(quantity.value)
        raise RefusedError("found MRC power with a unit; it has none", f"mrc_{muscle}")
    raise RefusedError("found no power that can be read; write 0 to 5 with an optional + or -, or NT", f"mrc_{muscle}")
