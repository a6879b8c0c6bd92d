"""How the readings of the motor measures are said: a value with its unit, or in words."""

from __future__ import annotations

from monitor.clinical.baseline import origin
from monitor.clinical.comparison import Reading
from monitor.clinical.history import Assessment
from monitor.clinical.scales.mrc import kleyweg_tested
from monitor.clinical.scales.walking import AIDS, mobility_text
from monitor.clinical.words import WALKING
from monitor.said import say


def mobility(reading: Reading) -> str:
    """The walking aid, or the disability where it says worse."""
    record = reading.record
    return "" if record is None else mobility_text(record.walking, record.gbs_disability)


def aid(reading: Reading) -> str:
    """The walking aid."""
    return WALKING[AIDS[int(reading.burden)]]


def plain(reading: Reading) -> str:
    """The number."""
    return f"{reading.burden:g}"


def grade(reading: Reading) -> str:
    """The grade, and where it comes from if it is the baseline."""
    graded = say("grade {grade}", grade=int(reading.burden))
    if reading.record is not None:
        return graded
    note = say("recorded baseline") if reading.stand_in is None else origin(reading.stand_in)
    return say("{words} ({note})", words=graded, note=note)


def minus(reading: Reading) -> str:
    """The number of a measure that is better when it is higher."""
    return f"{-reading.burden:g}"


def kpa(reading: Reading) -> str:
    """Grip strength."""
    return say("{grip:g} kPa", grip=-reading.burden)


def versions_differ(before: str | None, after: str | None) -> str:
    """Why two grades are not compared."""
    return say("not comparable: CTCAE {before} -> {after}", before=_version(before), after=_version(after))


def tested_text(record: Assessment) -> str:
    """Why an examination has no sum."""
    return say("{count} of 12 muscles tested on {day}: no sum", count=kleyweg_tested(record.mrc), day=record.on)


def _version(version: str | None) -> str:
    return say("version not recorded") if version is None else version
