"""Fields that every kind of message shares: times, codes, and who is meant."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from monitor.importers.hl7.mapping import PatientKeys
from monitor.importers.hl7.messages import Segment

_AMOUNTS = frozenset({"mg", "mg/m2", "g/l", "mg/l", "mg/dl"})
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.\d{1,4})?)?)?)?([+-]\d{4})?", re.ASCII)


class FieldError(ValueError):
    """A field that cannot be taken. The text says what to do, never the value."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded field: every code it gives, as ``system|code`` in lower case, and its text."""

    codes: frozenset[str]
    text: str


def coded(segment: Segment, field: int) -> Coded:
    """A CE, CWE or CNE field: its first triplet and its alternate one. A bare text is its own text."""
    components = next(iter(segment.repetitions(field)), [])
    codes = set()
    for start in (1, 4):
        code, system = segment.part(components, start), segment.part(components, start + 2)
        if code:
            codes.add(f"{system}|{code}".casefold())
    return Coded(frozenset(codes), segment.part(components, 2) or segment.part(components, 1))


def time_of(written: str) -> str:
    """An HL7 time as an import file would write it: a day, or a time with its offset if it has one.

    >>> time_of("20250310"), time_of("202503101000"), time_of("20250310100000.5+0100")
    ('2025-03-10', '2025-03-10T10:00:00', '2025-03-10T10:00:00+01:00')
    """
    match = _TIME.fullmatch(written.strip())
    if match is None:
        raise FieldError("found no day and time as HL7 writes them; write YYYYMMDD or YYYYMMDDHHMM with an offset such as +0100")
    year, month, day, hour, minute, second, offset = match.groups()
    if hour is None:
        return f"{year}-{month}-{day}"
    zone = f"{offset[:3]}:{offset[3:]}" if offset else ""
    return f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}{zone}"


def time_or_none(written: str) -> str | None:
    """The same, or None for what is no time."""
    try:
        return time_of(written) if written else None
    except FieldError:
        return None


def entity(segment: Segment, *fields: int) -> str:
    """The number of an order in the first of ``fields`` that has one, with who gave it: two senders count alike."""
    for field in fields:
        components = next(iter(segment.repetitions(field)), [])
        parts = [segment.part(components, place) for place in (1, 2, 3, 4)]
        if parts[0]:
            return "^".join(parts).rstrip("^")
    return ""


def unnamed(*parts: str) -> str:
    """A name made of what names a patient, which it does not tell: it stands in reports of what was refused."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:20]


def one_unit(segment: Segment, field: int) -> None:
    """Raises FieldError for a unit whose code and text cannot both be true."""
    components = next(iter(segment.repetitions(field)), [])
    said = {segment.part(components, place).casefold().replace("²", "2").replace("^", "") for place in (1, 2)}
    if len(said & _AMOUNTS) > 1:
        raise FieldError("the code of the unit says one thing and its text another; correct the message")


def patient_of(segment: Segment, field: int, keys: PatientKeys) -> str:
    """The patient's id out of the identifiers of PID-3 or MRG-1. Raises FieldError."""
    found = []
    for components in segment.repetitions(field):
        id_, kind = segment.part(components, 1), segment.part(components, 5)
        authorities = {segment.part(components, 4, place).casefold() for place in (1, 2)} - {""}
        if id_:
            found.append((id_, authorities, kind.upper()))
    wanted = keys.assigning_authority
    if wanted is not None:
        ours = {id_ for id_, authorities, _ in found if wanted.casefold() in authorities}
        if len(ours) == 1:
            return ours.pop()
        raise FieldError(f"found {len(ours)} identifiers of the assigning authority that hl7.yaml names; one names a patient")
    named = {id_ for id_, _, _ in found}
    if len(named) > 1:
        named = {id_ for id_, _, kind in found if kind == "MR"}
    if len(named) == 1:
        return named.pop()
    raise FieldError("the patient has several identifiers, or none; name the assigning authority in hl7.yaml")
