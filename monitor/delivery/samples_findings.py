"""The made-up findings that the sample mails tell, and what these mails share. No patient is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.findings import Urgency
from monitor.clinical.words import URGENCIES
from monitor.delivery.facts import (
    FindingFacts,
    PatientFacts,
    PolicyFacts,
    TimeFacts,
    UrgencyFacts,
)
from monitor.delivery.gaps import missing_in_words
from monitor.delivery.wording import (
    NOT_APPROVED,
    RULE_TITLES,
    day_in_words,
    instant_in_words,
    urgency_in_words,
)
from monitor.said import Said, say

_ZONE = timezone(timedelta(hours=1))
_WITHIN = {Urgency.IMMEDIATE: timedelta(hours=1), Urgency.SAME_DAY: timedelta(hours=8), Urgency.REVIEW: timedelta(days=3)}
_FIRST, _BEFORE, _NOW = date(2011, 2, 12), date(2011, 3, 1), date(2011, 3, 15)
ANSWERS, TOKEN = "alerts-reply@hospital.example", "SampleOfAReplyKey00000.15048.SampleOfASignature0000"
BOARD = "https://alerts.hospital.example/in/SampleOfALinkNoBoard00.IsSignedByNobodyAtAll0"


def sample_instant(hour: int, minute: int, *, day: int = 15) -> Said:
    """An instant of the samples' week in March 2011, in words."""
    return instant_in_words(datetime(2011, 3, day, hour, minute, tzinfo=_ZONE).astimezone(UTC), _ZONE)


def urgency_facts(urgency: Urgency) -> UrgencyFacts:
    """The words of an urgency with the times of the sample configuration."""
    return urgency_in_words(urgency, within=_WITHIN[urgency])


PATIENT = PatientFacts(patient_id="SAMPLE-0042", site="day-clinic", team="day-clinic")
POLICY = PolicyFacts(
    guideline="US prescribing information",
    guideline_version="1",
    thresholds_version="1",
    sha256="0123456789ab",
    approved_by=NOT_APPROVED,
)
EVALUATED = TimeFacts(label=say("Evaluated"), at=sample_instant(10, 21))
TIMES = (
    TimeFacts(label=say("Assessed"), at=sample_instant(9, 40)),
    TimeFacts(label=say("Recorded"), at=sample_instant(10, 5)),
    TimeFacts(label=say("Received"), at=sample_instant(10, 20)),
    EVALUATED,
)
ACKNOWLEDGE_BY = {
    Urgency.IMMEDIATE: sample_instant(11, 21),
    Urgency.SAME_DAY: sample_instant(18, 21),
    Urgency.REVIEW: sample_instant(10, 21, day=18),
}

WITHHOLD = say("withhold until resolved, then {then}", then=say("{dose} once weekly", dose=mg_per_m2(0.7)))


def answer(guideline: str, said: Said) -> Said:
    """What a guideline answers."""
    return say("{guideline}: {answer}", guideline=guideline, answer=said)


MOTOR = FindingFacts(
    alert="A-12",
    rule="rapid-motor-decline",
    title=RULE_TITLES["rapid-motor-decline"],
    urgency=urgency_facts(Urgency.IMMEDIATE),
    headline=say(
        "Walking: unaided on {before}, wheelchair on {now} (14 days); motor grade 1, then 3",
        before=day_in_words(_BEFORE),
        now=day_in_words(_NOW),
    ),
    guideline_says=None,
    met=(
        say(
            "M1 loss of walking: unaided on {before}, wheelchair on {now}, 14 days (window 28). "
            "Source: Jeter & Kang 2012 (V); the window is our judgement (J)",
            before=day_in_words(_BEFORE),
            now=day_in_words(_NOW),
        ),
        say("M5 motor grade 1 to 3 in 14 days (window 28, a rise of 1 reaching 3). Source: dose tables of the labels (V)"),
    ),
    not_met=(say("M4 MRC sum 60 to 55: a fall of 5 (needs 6 within 28 days). Source: Kleyweg 1988 (V)"),),
    missing=(
        missing_in_words("rapid-motor-decline", "csf_protein"),
        missing_in_words("rapid-motor-decline", "reflexes"),
    ),
    evidence=(
        say("assessment of {day}", day=day_in_words(_BEFORE)),
        say("assessment of {day}", day=sample_instant(9, 40)),
    ),
    turning=(
        say(
            "{change}: {urgency} instead of {was}",
            change=say("with a walker"),
            urgency=URGENCIES[Urgency.SAME_DAY],
            was=URGENCIES[Urgency.IMMEDIATE],
        ),
        say("{change}: no alert", change=say("with all as on {day}", day=_BEFORE)),
    ),
)
DOSE = replace(
    MOTOR,
    alert="A-13",
    rule="dose-modification",
    title=RULE_TITLES["dose-modification"],
    urgency=urgency_facts(Urgency.SAME_DAY),
    headline=say(
        "Sensory grade 2 with neuropathic pain on {now}; last dose 1.3 mg/m2 on {dose}",
        now=day_in_words(_NOW),
        dose=day_in_words(date(2011, 3, 8)),
    ),
    guideline_says=answer("US prescribing information", WITHHOLD),
    met=(say("Grade 2 with neuropathic pain. Source: US prescribing information, section 2.7, Table 5 (M, high)"),),
    not_met=(say("Severe autonomic neuropathy: no sign recorded"),),
    missing=(),
    evidence=(
        say("assessment of {day}", day=sample_instant(9, 40)),
        say("dose of {day}", day=day_in_words(date(2011, 3, 8))),
    ),
    turning=(say("{change}: no alert", change=say("with no grade above {grade} and without neuropathic pain", grade=1)),),
)
OVERDUE = replace(
    MOTOR,
    alert="A-14",
    rule="assessment-overdue",
    title=RULE_TITLES["assessment-overdue"],
    urgency=urgency_facts(Urgency.REVIEW),
    headline=say(
        "No neuropathy assessment for 31 days while on bortezomib; the last on {first} had sensory grade <2",
        first=day_in_words(_FIRST),
    ),
    met=(say("O1 no assessment for 31 days (cycle of 21 days and 7 more). Source: assess before each cycle (V)"),),
    not_met=(),
    missing=(),
    evidence=(say("assessment of {day}", day=day_in_words(_FIRST)),),
    turning=(say("{change}: no alert", change=say("with an assessment today that finds the same")),),
)
LEADS = {Urgency.IMMEDIATE: (MOTOR, DOSE), Urgency.SAME_DAY: (DOSE, OVERDUE), Urgency.REVIEW: (OVERDUE,)}
