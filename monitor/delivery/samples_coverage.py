"""Made-up statements of coverage: clean, with a problem, and with somebody who was not told. No patient is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from monitor.clinical.findings import Urgency
from monitor.clinical.words import URGENCIES
from monitor.delivery.facts import CoverageFacts, PolicyFacts, TimeFacts, UrgencyFacts
from monitor.delivery.samples_findings import sample_instant
from monitor.delivery.wording import COVERAGE_NOTICE, duration_in_words
from monitor.said import Said, say

QUIET_FOR = timedelta(days=8)
_FIGURES: dict[Said, str] = {
    say("Assessments read"): "412",
    say("Patients looked at"): "1204",
    say("Thresholds met"): "9",
    say("Told"): "7",
    say("Acknowledged"): "6",
    say("Passed on to the next step"): "1",
    say("Withheld"): "1",
    say("Waiting, decided just now"): "0",
    say("Unexplained"): "1",
    say("Corrections of what was told"): "0",
    say("Immediate: longest until sent"): duration_in_words(timedelta(minutes=3)),
    say("Mails refused for good"): "0",
    say("Newest fact"): say("{length} old", length=duration_in_words(QUIET_FOR)),
    say("Newest from {feed}", feed="hospital"): say("{length} old", length=duration_in_words(QUIET_FOR)),
}
_NOT_RAISED = say("no alert was raised, though a rule holds by the facts")
_HELD = say("quiet hours of a team: told in the morning")


def coverage_samples(urgencies: Mapping[Urgency, UrgencyFacts], policy: PolicyFacts) -> tuple[CoverageFacts, ...]:
    """One of each colour, the bare clean one last."""
    unexplained = CoverageFacts(
        urgency=urgencies[Urgency.IMMEDIATE],
        unexplained=1,
        problems=(_quiet(),),
        period=say("From {begin} to {end}", begin=sample_instant(6, 30, day=8), end=sample_instant(6, 30)),
        cases=(_case("SAMPLE-0042", Urgency.IMMEDIATE, sample_instant(17, 5, day=14), why=_NOT_RAISED),),
        figures=tuple(TimeFacts(label=label, at=number) for label, number in _FIGURES.items()),
        withheld=(_case("A-9", Urgency.SAME_DAY, sample_instant(22, 10, day=14), why=_HELD),),
        not_acknowledged=(_waiting(),),
        gaps=(_gap(),),
        synthetic=say("accepted {clock}", clock="06:12"),
        journal_sha256="3c42c110de4d4e607375818e3dd030ea3e595a1fe30b36687565bc972e4d6aae",
        times=(TimeFacts(label=say("Made"), at=sample_instant(6, 30)),),
        policy=policy,
        notice=COVERAGE_NOTICE,
    )
    problem = replace(
        unexplained, urgency=urgencies[Urgency.SAME_DAY], unexplained=0, cases=(), figures=_all_explained(newest=QUIET_FOR)
    )
    nothing = replace(problem, urgency=None, problems=(), withheld=(), not_acknowledged=(), gaps=(), synthetic=None)
    clean = replace(nothing, figures=_all_explained(newest=timedelta(minutes=11)))
    return unexplained, problem, clean


def _old(age: timedelta) -> Said:
    return say("{length} old", length=duration_in_words(age))


def _all_explained(*, newest: timedelta) -> tuple[TimeFacts, ...]:
    figures = _FIGURES | {say("Told"): "8", say("Unexplained"): "0", say("Newest fact"): _old(newest)}
    figures[say("Newest from {feed}", feed="hospital")] = _old(newest)
    return tuple(TimeFacts(label=label, at=number) for label, number in figures.items())


def _quiet() -> Said:
    newest = say("the newest fact is {age}", age=_old(QUIET_FOR))
    return say("the feed is quiet: {words}", words=newest)


def _case(who: str, urgency: Urgency, at: Said, *, why: Said) -> Said:
    what = say("{who}, {rule}, {urgency}, of {at}", who=who, rule="rapid-motor-decline", urgency=URGENCIES[urgency], at=at)
    return say("{what}: {why}", what=what, why=why)


def _waiting() -> Said:
    return say(
        "{alert}, {urgency}, {patient}, since {at}",
        alert="A-7",
        urgency=URGENCIES[Urgency.SAME_DAY],
        patient="SAMPLE-0041",
        at=sample_instant(9, 2, day=12),
    )


def _gap() -> Said:
    return say(
        "team '{team}' ({sites}), {urgencies}: {step} {when}",
        team="day-clinic",
        sites=say("every site"),
        urgencies=URGENCIES[Urgency.IMMEDIATE],
        step=say("escalation step {step} would reach nobody", step=1),
        when="13:00 - 07:00",
    )
