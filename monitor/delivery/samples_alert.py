"""A made-up alert of each urgency. No patient is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

from monitor.clinical.findings import Urgency
from monitor.delivery.facts import (
    AlertFacts,
    BackgroundFacts,
    DrugFacts,
    FigureFacts,
    FindingFacts,
    PatientFacts,
    PolicyFacts,
    TimeFacts,
    TrendRow,
    UrgencyFacts,
)
from monitor.delivery.gaps import missing_in_words
from monitor.delivery.reply_tokens import ack_mail
from monitor.delivery.wording import (
    ASKS,
    DIFFERENTIALS,
    NOT_APPROVED,
    NOTICE,
    RULE_TITLES,
    WORK_UP,
    day_in_words,
    instant_in_words,
    urgency_in_words,
)
from monitor.said import Said, say, say_n

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
        say("With walking with a cane: same-day instead of immediate."),
        say("With motor grade 2 alone: no change."),
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
    guideline_says=say("US prescribing information: withhold until resolved, then 0.7 mg/m2 once weekly"),
    met=(say("Grade 2 with neuropathic pain. Source: US prescribing information, section 2.7, Table 5 (M, high)"),),
    not_met=(say("Severe autonomic neuropathy: no sign recorded"),),
    missing=(),
    evidence=(
        say("assessment of {day}", day=sample_instant(9, 40)),
        say("dose of {day}", day=day_in_words(date(2011, 3, 8))),
    ),
    turning=(say("Without neuropathic pain: reduce to 1.0 mg/m2, as urgent."),),
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
    turning=(say("With an assessment made today: no alert."),),
)
LEADS = {Urgency.IMMEDIATE: (MOTOR, DOSE), Urgency.SAME_DAY: (DOSE, OVERDUE), Urgency.REVIEW: (OVERDUE,)}

_TREND = (
    TrendRow(
        on=day_in_words(_NOW),
        grades=say("sensory 2, with neuropathic pain; motor 3 (CTCAE 5.0)"),
        walking=say("wheelchair"),
        power=say("tibialis anterior right 3, left 4-; sum 55"),
        dose="",
        what=say("A-12: rapid motor decline"),
    ),
    TrendRow(on=day_in_words(date(2011, 3, 8)), grades="", walking="", power="", dose="1.3 mg/m2", what=""),
    TrendRow(
        on=day_in_words(_BEFORE),
        grades=say("sensory 1; motor 1 (CTCAE 5.0)"),
        walking=say("unaided"),
        power=say("sum 60"),
        dose="1.3 mg/m2",
        what="",
    ),
    TrendRow(
        on=day_in_words(_FIRST),
        grades=say("sensory 0; motor 0 (CTCAE 5.0)"),
        walking=say("unaided"),
        power="",
        dose="",
        what=say("first dose"),
    ),
)
_BACKGROUND = (
    BackgroundFacts(
        label=say("Treatment"), text=say("bortezomib since {day}, weekly, cycles of 21 days", day=day_in_words(_FIRST))
    ),
    BackgroundFacts(label=say("Before bortezomib"), text=say("sensory grade 0, motor grade not recorded")),
    BackgroundFacts(label=say("Other diseases"), text="diabetes"),
    BackgroundFacts(label=say("Other neurotoxic drugs"), text=say("none recorded")),
)


def sample_alert(urgency: Urgency) -> AlertFacts:
    """An alert that has everything."""
    findings = LEADS[urgency]
    weak = urgency is Urgency.IMMEDIATE
    by = ACKNOWLEDGE_BY[urgency]
    return AlertFacts(
        urgency=urgency_facts(urgency),
        alerts=tuple(finding.alert for finding in findings),
        patient=PATIENT,
        changed=tuple(finding.headline for finding in findings),
        guideline_says=None if urgency is Urgency.REVIEW else DOSE.guideline_says,
        findings=findings,
        drug=DrugFacts(
            status=say("On bortezomib"),
            last_dose=say("{dose} on {day}", dose="1.3 mg/m2", day=day_in_words(date(2011, 3, 8))),
            next_dose=say("{day}, by schedule ({schedule})", day=day_in_words(_NOW), schedule=say("weekly")),
            cumulative=say_n("{dose} in {count} dose", "{dose} in {count} doses", count=4, dose="5.2 mg/m2"),
        ),
        ask=tuple(ASKS[finding.rule] for finding in findings),
        acknowledge_by=by,
        acknowledge_with=tuple(f"bipn-monitor ack {finding.alert} --by NAME" for finding in findings),
        acknowledge_by_mail=ack_mail(ANSWERS, [finding.alert for finding in findings], TOKEN),
        told_next=say("{at}: told to {people}", at=sample_instant(10, 51), people="Head nurse")
        if weak
        else say("{at}: told again", at=by),
        others_told=("Second nurse",),
        taken_over_from=() if weak else ("Nurse of another ward",),
        situation=tuple(
            say(
                "{alert}: {title} (rule {rule}), {urgency}",
                alert=each.alert,
                title=each.title,
                rule=each.rule,
                urgency=each.urgency.word,
            )
            for each in findings
        ),
        background=_BACKGROUND,
        trend=_TREND,
        trend_more=say_n("and {count} earlier day", "and {count} earlier days", count=3),
        figure=None if urgency is Urgency.REVIEW else FigureFacts(cid="figure", alt=findings[0].headline, width=600),
        differentials=DIFFERENTIALS if weak else (),
        work_up=WORK_UP if weak else (),
        other_guidelines=(
            say("EU/UK SmPC: withhold until resolved, then 0.7 mg/m2 once weekly"),
            say("IMWG 2012: discontinue bortezomib"),
        ),
        disagreement=say("The guidelines disagree: {others} answers otherwise.", others="IMWG 2012"),
        board_link=BOARD,
        times=TIMES,
        policy=replace(POLICY, approved_by="Dr. A. Sample, 1 Mar 2011"),
        notice=NOTICE,
    )


def bare_alert(urgency: Urgency) -> AlertFacts:
    """An alert without all that may be missing."""
    facts = sample_alert(urgency)
    lead = replace(facts.findings[0], guideline_says=None, met=(), not_met=(), missing=(), evidence=(), turning=())
    return replace(
        facts,
        alerts=facts.alerts[:1],
        patient=None,
        changed=(lead.headline,),
        guideline_says=None,
        findings=(lead,),
        drug=None,
        acknowledge_with=facts.acknowledge_with[:1],
        told_next=None,
        acknowledge_by_mail=None,
        others_told=(),
        taken_over_from=(),
        situation=facts.situation[:1],
        background=(),
        trend=(),
        trend_more=None,
        figure=None,
        differentials=(),
        work_up=(),
        other_guidelines=(),
        disagreement=None,
        board_link=None,
        times=facts.times[-1:],
        policy=POLICY,
    )
