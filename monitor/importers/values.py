"""From the text of one cell to a value. Each reader raises CellError with what was found, in words, and what to write.

The value itself is never repeated: it may be a patient's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from monitor.clinical.history import BORTEZOMIB
from monitor.clinical.scales.mrc import parse_mrc, written
from monitor.clinical.synthetic import PREFIX, is_synthetic
from monitor.importers.imported import CellError, Clinic, Value

ReadCell = Callable[[str, Clinic], Value]
"""Takes a cell that is stripped and not empty."""

EARLIEST = date(1900, 1, 1)
MOST_IDENTIFIER = 64
CLOCKS_DIFFER = timedelta(days=1)
"""How far a feed's clock may run ahead of ours before a time counts as being in the future."""

_KINDS = (
    ("a range", re.compile(r"\d[\d.,]*\s*(?:-|\u2013|to|\.\.)\s*\d[\d.,]*", re.ASCII)),
    ("a number with a decimal comma", re.compile(r"[+-]?\d+,\d+", re.ASCII)),
    ("a negative number", re.compile(r"-\d+(?:\.\d+)?", re.ASCII)),
    ("a whole number", re.compile(r"\+?\d+", re.ASCII)),
    ("a decimal number", re.compile(r"\+?(?:\d+\.\d*|\.\d+)", re.ASCII)),
    ("a day and time", re.compile(r"\d{4}-\d\d-\d\d[Tt ].*")),
    ("a day", re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)),
    ("a day that is not written year-month-day", re.compile(r"\d{1,4}[./]\d{1,2}[./]\d{1,4}.*", re.ASCII)),
    ("a number with a sign or unit beside it", re.compile(r"[<>=~]*\s*\d+(?:[.,]\d+)?.*", re.ASCII)),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d.*", re.ASCII)
_WRITE_TIME = "write 2026-11-23, or 2026-11-23T09:30, or with an offset 2026-11-23T09:30+01:00"
_VERSIONS = {"4": "4.03", "4.0": "4.03", "4.03": "4.03", "5": "5.0", "5.0": "5.0", "6": "6.0", "6.0": "6.0"}
_MRC_REMEDIES = {
    "a range": "; a range cannot be compared",
    "a day": "; a spreadsheet may have made it of a power, format the column as text",
}
_DRUGS = {"velcade": BORTEZOMIB}
_TREATMENTS = {"plasma exchange": "plasma_exchange", "plasma-exchange": "plasma_exchange", "corticosteroids": "corticosteroid"}


def found(text: str) -> str:
    """What kind of thing a text is, in words that hold nothing of it.

    >>> found("4-5"), found("1,3"), found("23.11.2026"), found("severe")
    ('a range', 'a number with a decimal comma', 'a day that is not written year-month-day', 'text')
    """
    return next((words for words, pattern in _KINDS if pattern.fullmatch(text)), "text")


def text_of(most: int) -> ReadCell:
    """Text of at most so many characters; line breaks and tabs are text, other control characters are not."""

    def read(text: str, _clinic: Clinic) -> Value:
        if len(text) > most:
            raise CellError(f"found a text of more than {most} characters; shorten it")
        if _CONTROL.search(text):
            raise CellError("found a text with control characters; remove them")
        return text

    return read


def identifier(text: str, _clinic: Clinic) -> Value:
    """A patient's identifier: printable, on one line, at most 64 characters."""
    if len(text) > MOST_IDENTIFIER:
        raise CellError(f"found a text of more than {MOST_IDENTIFIER} characters; write the patient's identifier alone")
    if not text.isprintable():
        raise CellError("found a text with characters that cannot be printed; write the patient's identifier alone")
    if is_synthetic(text.upper()):
        raise CellError(f"found an identifier that begins with {PREFIX}, which is kept for this program's own; give another one")
    return text


def whole(low: int, high: int) -> ReadCell:
    """A whole number between two limits, both included."""

    def read(text: str, _clinic: Clinic) -> Value:
        if not _WHOLE.fullmatch(text):
            raise CellError(f"found {found(text)}; write a whole number from {low} to {high}, or leave it empty")
        if not low <= int(text) <= high:
            raise CellError(f"found a number outside {low} to {high}; correct it, or leave it empty if it was not recorded")
        return int(text)

    return read


def number(low: float, high: float) -> ReadCell:
    """A number between two limits, both included, with a decimal point."""

    def read(text: str, _clinic: Clinic) -> Value:
        if not _NUMBER.fullmatch(text):
            raise CellError(f"found {found(text)}; write a number from {low:g} to {high:g} with a decimal point and no unit")
        if not low <= float(text) <= high:
            raise CellError(f"found a number outside {low:g} to {high:g}; correct it")
        return float(text)

    return read


def one_of(*words: str) -> ReadCell:
    """One word of a vocabulary, in any case; stored as the vocabulary spells it."""
    spelling = {word.lower(): word for word in words}

    def read(text: str, _clinic: Clinic) -> Value:
        if text.lower() not in spelling:
            raise CellError(f"found {found(text)} that is not in the vocabulary; write {_listed(words)}")
        return spelling[text.lower()]

    return read


def some_of(*words: str) -> ReadCell:
    """``;``-separated words of a vocabulary, in any case and order; stored sorted, so that order is no correction."""

    def read(text: str, _clinic: Clinic) -> Value:
        parts = set(_parts(text.lower()))
        if not parts <= set(words):
            raise CellError(f"found a word that is not in the vocabulary; write any of {_listed(words)}, separated by ';'")
        return ";".join(sorted(parts)) or None

    return read


def texts_of(most: int) -> ReadCell:
    """``;``-separated free texts, in their order."""
    read_text = text_of(most)

    def read(text: str, clinic: Clinic) -> Value:
        read_text(text, clinic)
        return ";".join(_parts(text)) or None

    return read


def name_of(most: int, spellings: Mapping[str, str]) -> ReadCell:
    """A name in lower case, other spellings of the same thing made one."""
    read_text = text_of(most)

    def read(text: str, clinic: Clinic) -> Value:
        lower = str(read_text(text.lower(), clinic))
        return spellings.get(lower, lower)

    return read


drug = name_of(100, _DRUGS)
treatment = name_of(100, _TREATMENTS)


def voided(text: str, clinic: Clinic) -> Value:
    """``yes``; a "no" is what every record is without the mark."""
    return "yes" if one_of("yes", "no")(text, clinic) == "yes" else None


def mrc_power(text: str, _clinic: Clinic) -> Value:
    """MRC power as ``scales.mrc`` writes it, or None for "not tested"."""
    try:
        rank = parse_mrc(text)
    except ValueError:
        raise CellError(
            f"found {found(text)}{_MRC_REMEDIES.get(found(text), '')}; write MRC power as 0 to 5 with an optional + or -, or NT"
        ) from None
    return None if rank is None else written(rank)


def ctcae_version(text: str, _clinic: Clinic) -> Value:
    """``4.03``, ``5.0`` or ``6.0``, from the ways they are written, such as ``v5``."""
    plain = text.lower().removeprefix("ctcae").strip().removeprefix("v").strip()
    if plain not in _VERSIONS:
        raise CellError(f"found {found(text)} that is no CTCAE version we know; write 4.03, 5.0 or 6.0")
    return _VERSIONS[plain]


def day(text: str, clinic: Clinic) -> Value:
    """A calendar day of the clinic as ``YYYY-MM-DD``; an instant becomes the clinic's day of that instant."""
    if _INSTANT.fullmatch(text):
        return datetime.fromisoformat(_instant(text, clinic)).astimezone(clinic.zone).date().isoformat()
    return _past_day(text, clinic)


def moment(text: str, clinic: Clinic) -> Value:
    """A clinical time: a bare day stays ``YYYY-MM-DD``, an instant becomes UTC. Not in the future."""
    return _instant(text, clinic) if _INSTANT.fullmatch(text) else _past_day(text, clinic)


def recorded(text: str, clinic: Clinic) -> Value:
    """When the hospital knew. May lie ahead of our clock: the store then takes the time of import instead."""
    if not _INSTANT.fullmatch(text):
        return _day(text).isoformat()
    return _utc(text, clinic).isoformat()


def _past_day(text: str, clinic: Clinic) -> str:
    on = _day(text)
    if on > (clinic.now + CLOCKS_DIFFER).astimezone(clinic.zone).date():
        raise CellError("found a day in the future; correct it, or import it when it has come")
    return on.isoformat()


def _instant(text: str, clinic: Clinic) -> str:
    at = _utc(text, clinic)
    if at > clinic.now + CLOCKS_DIFFER:
        raise CellError("found a time in the future; correct it, or import it when it has come")
    return at.isoformat()


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise CellError(f"found {found(text)}; {_WRITE_TIME}")
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise CellError(f"found a day that is not in the calendar; {_WRITE_TIME}") from None
    if on < EARLIEST:
        raise CellError(f"found a day before {EARLIEST.year}; correct the year")
    return on


def _utc(text: str, clinic: Clinic) -> datetime:
    _day(text[:10])
    try:
        at = datetime.fromisoformat(text)
        # A wall time that a clock change skips or repeats is taken as the zone's rule has it before the change.
        return (at if at.tzinfo is not None else at.replace(tzinfo=clinic.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellError(f"found a time that cannot be read; {_WRITE_TIME}") from None


def _parts(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(";") if part.strip())


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
