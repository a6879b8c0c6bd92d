"""Made-up mails to whoever owns the data: with all that may be there, and bare. No patient is meant."""

from __future__ import annotations

from datetime import date, timedelta

from monitor.delivery.facts import DataQualityFacts, FeedRejects, TimeFacts, UrgencyFacts
from monitor.delivery.samples_findings import sample_instant
from monitor.delivery.wording import QUALITY_NOTICE, day_in_words, duration_in_words
from monitor.said import joined, say, say_n


def quality_samples(urgency: UrgencyFacts) -> tuple[DataQualityFacts, ...]:
    """One with rejects, contradictions and a quiet feed, one that says again what is old, without the rest."""
    full = DataQualityFacts(
        urgency=urgency,
        refused=14,
        conflicting=1,
        why=joined(
            ", ",
            (
                say("{new} new since {at}", new=5, at=sample_instant(7, 0, day=14)),
                say_n("{count} feed is quiet", "{count} feeds are quiet", count=1),
            ),
        ),
        feeds=(_ward(12, new=4), FeedRejects(feed="hospital", counts=_counts(2, new=1), lines=(_record(),), more=_more(1))),
        conflicts=(_contradiction(),),
        ages=(
            TimeFacts(label="ward-files", at=_old(timedelta(minutes=11))),
            TimeFacts(label="hospital", at=say("{age}, quiet", age=_old(timedelta(days=8)))),
        ),
        times=(TimeFacts(label=say("Made"), at=sample_instant(7, 0)),),
        notice=QUALITY_NOTICE,
    )
    again = DataQualityFacts(
        urgency=urgency,
        refused=2,
        conflicting=0,
        why=say("nothing new; still open since the mail of {at}", at=sample_instant(7, 0, day=8)),
        feeds=(_ward(2, new=0),),
        conflicts=(),
        ages=(),
        times=(),
        notice=QUALITY_NOTICE,
    )
    return full, again


def _ward(number: int, *, new: int) -> FeedRejects:
    lines = (
        say(
            "{place}: {problem}",
            place=joined(", ", ("/srv/bipn/drop/doses.csv", say("line {line}", line=3), "dose_mg_per_m2")),
            problem="found a word; write a number such as 1.3",
        ),
        say("{place}: {problem}", place="/srv/bipn/drop/scan.pdf", problem="there is no reader for this kind of file"),
    )
    return FeedRejects(feed="ward-files", counts=_counts(number, new=new), lines=lines, more=_more(number - len(lines)))


def _record() -> str:
    return say("{place}: {problem}", place="Observation/17", problem="the unit is not given; a number without one is not taken")


def _contradiction() -> str:
    return say(
        "{who}, of {day}: {what}",
        who="A-16, SAMPLE-0043",
        day=day_in_words(date(2011, 3, 14)),
        what=say("the record contradicts itself"),
    )


def _counts(number: int, *, new: int) -> str:
    return say("{number} open, {new} of them new", number=number, new=new)


def _more(more: int) -> str | None:
    return say("and {more} more", more=more) if more else None


def _old(age: timedelta) -> str:
    return say("{length} old", length=duration_in_words(age))
