"""Made-up statements of coverage: clean, with a problem, and with somebody who was not told. No patient is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitor.clinical.findings import Urgency
from monitor.delivery.facts import CoverageFacts, PolicyFacts, TimeFacts, UrgencyFacts
from monitor.delivery.wording import COVERAGE_NOTICE

_FIGURES = {
    "Assessments read": "412",
    "Patients looked at": "1204",
    "Thresholds met": "9",
    "Told": "7",
    "Acknowledged": "6",
    "Passed on to the next step": "1",
    "Withheld": "1",
    "Waiting, decided just now": "0",
    "Unexplained": "1",
    "Corrections of what was told": "0",
    "Immediate: longest until sent": "3 minutes",
    "Mails refused for good": "0",
    "Newest fact": "11 minutes old",
}


def coverage_samples(urgencies: Mapping[Urgency, UrgencyFacts], policy: PolicyFacts) -> tuple[CoverageFacts, ...]:
    """One of each colour, the bare clean one last."""
    unexplained = CoverageFacts(
        urgency=urgencies[Urgency.IMMEDIATE],
        unexplained=1,
        problems=("No fact has come in for 8 days: is the feed running?",),
        period="From 8 Mar 2011, 06:30 +01:00 to 15 Mar 2011, 06:30 +01:00",
        cases=(
            "SAMPLE-0042, rapid-motor-decline, immediate, since 14 Mar 2011, 17:05 +01:00: no alert was raised, though a rule "
            "holds by the facts",
        ),
        figures=tuple(TimeFacts(label=label, at=number) for label, number in _FIGURES.items()),
        withheld=("A-9, same-day, of 14 Mar 2011, 22:10 +01:00: quiet hours of team day-clinic - told in the morning",),
        not_acknowledged=("A-7, same-day, SAMPLE-0041, since 12 Mar 2011, 09:02 +01:00",),
        gaps=("team 'day-clinic' (every site), immediate: escalation step 1 would reach nobody Sunday 13:00 - Monday 07:00",),
        synthetic="accepted 06:12",
        journal_sha256="3c42c110de4d4e607375818e3dd030ea3e595a1fe30b36687565bc972e4d6aae",
        times=(TimeFacts(label="Made", at="15 Mar 2011, 06:30 +01:00"),),
        policy=policy,
        notice=COVERAGE_NOTICE,
    )
    problem = replace(unexplained, urgency=urgencies[Urgency.SAME_DAY], unexplained=0, cases=(), figures=_all_explained())
    clean = replace(problem, urgency=None, problems=(), withheld=(), not_acknowledged=(), gaps=(), synthetic=None)
    return unexplained, problem, clean


def _all_explained() -> tuple[TimeFacts, ...]:
    figures = _FIGURES | {"Told": "8", "Unexplained": "0"}
    return tuple(TimeFacts(label=label, at=number) for label, number in figures.items())
