"""Times and quantities of FHIR into cells. What is partial, has no unit, or is an estimate is refused, never guessed."""

from __future__ import annotations

import re
from collections.abc import Collection

from monitor.importers.fhir.codes import RefusedError
from monitor.importers.fhir.structs import Measured, Observation, Period, Quantity

UCUM = "http://unitsofmeasure.org"
_AMOUNTS = frozenset({"mg", "mg/m2", "g/l", "mg/l", "mg/dl"})
"""Units that are mistaken for each other; no two of them are the same amount."""
_PARTIAL = re.compile(r"\d{4}(-\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def clinical_time(written: str | None, column: str) -> str:
    """A day or an instant as a cell. A year or a month is neither, and is refused; so is a time without its offset."""
    if not written:
        raise RefusedError("it does not say when; a clinical fact needs its day at least", column)
    if _DAY.fullmatch(written):
        return written
    if _INSTANT.fullmatch(written):
        return re.sub(r"(\.\d{6})\d+", r"\1", written)
    if _PARTIAL.fullmatch(written):
        raise RefusedError("found a year or a month where a day is needed; a time is not guessed", column)
    raise RefusedError("found a time that is no FHIR dateTime with an offset; correct it", column)


def when(single: str | None, period: Period | None, column: str, instant: str | None = None) -> str:
    """The clinical time of a resource: its instant, or where it gives a period the start of it."""
    return clinical_time(single or instant or (None if period is None else period.start), column)


def recorded_time(*written: str | None) -> str | None:
    """The first of some times that is whole; a partial one says nothing of when something was known."""
    return next((each for each in written if each and (_DAY.fullmatch(each) or _INSTANT.fullmatch(each))), None)


def number(value: float) -> str:
    """A number as a cell.

    >>> number(2.0), number(1.3), number(0.00001), number(1.3300000190734863)
    ('2', '1.3', '0.00001', '1.330000019')
    """
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    written = repr(value)
    return f"{value:.9f}".rstrip("0").rstrip(".") if "e" in written or len(written.partition(".")[2]) > 9 else written


def unit_of(quantity: Quantity) -> str:
    """The unit by its UCUM code; as text where there is no code; "" where there is none at all."""
    if quantity.code and quantity.system in (None, UCUM):
        return quantity.code.strip()
    if quantity.code:
        raise RefusedError("found a unit that is not UCUM; send the UCUM code", "unit")
    return (quantity.unit or "").strip()


def one_unit(found: Quantity, column: str) -> None:
    """Raises RefusedError for a quantity whose unit has a code and a text of which only one can be true."""
    said = {"".join(text.split()).lower().replace("\u00b2", "2").replace("^", "") for text in (found.code, found.unit) if text}
    if len(said & _AMOUNTS) > 1:
        raise RefusedError("found a unit whose code says one thing and whose text another; correct the record", column)


def quantity(found: Quantity, units: Collection[str], column: str) -> str:
    """The value of a quantity that comes in one of the ``units``, as a cell."""
    if found.value is None:
        raise RefusedError("found a quantity without a value", column)
    if found.comparator:
        raise RefusedError("found a bound such as '<' where a value is needed", column)
    unit = unit_of(found)
    one_unit(found, column)
    if unit not in units:
        expected = ", ".join(each or "none" for each in units)
        told = "no unit" if not unit else "a unit that is not expected here"
        raise RefusedError(f"found {told}; expected: {expected}; send the unit, or add it to the mapping", column)
    return number(found.value)


def measured(found: Measured | Observation, units: Collection[str], column: str) -> str:
    """The number of an observation, as a quantity in one of the ``units``, or bare where they allow none."""
    if found.value_quantity is not None:
        return quantity(found.value_quantity, units, column)
    if found.value_integer is not None:
        if "" in units:
            return str(found.value_integer)
        raise RefusedError(f"found no unit; expected: {', '.join(units)}; send the unit", column)
    raise RefusedError("found no number", column)


def is_empty(found: Measured | Observation) -> bool:
    """Whether it has no value at all."""
    return _values(found) == 0


def one_value(found: Measured | Observation) -> None:
    """Raises RefusedError where there are two values, of which FHIR allows one."""
    if _values(found) > 1:
        raise RefusedError("found two values in one place; which of them holds cannot be told", "value")


def _values(found: Measured | Observation) -> int:
    values = (found.value_quantity, found.value_codeable_concept, found.value_string, found.value_boolean, found.value_integer)
    return sum(each is not None for each in values)
