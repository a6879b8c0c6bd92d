"""A made-up alert of each urgency. No patient is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.findings import Urgency
from monitor.clinical.words import NOT_RECORDED, SCHEDULES
from monitor.delivery.course import trend_rows
from monitor.delivery.facts import AlertFacts, BackgroundFacts, DrugFacts, FigureFacts
from monitor.delivery.reply_tokens import ack_mail
from monitor.delivery.samples_findings import (
    ACKNOWLEDGE_BY,
    ANSWERS,
    BOARD,
    DOSE,
    LEADS,
    PATIENT,
    POLICY,
    TIMES,
    TOKEN,
    WITHHOLD,
    answer,
    sample_instant,
    urgency_facts,
)
from monitor.delivery.samples_trend import sample_trend
from monitor.delivery.told import disagreement_in_words, situation_in_words
from monitor.delivery.wording import ASKS, DIFFERENTIALS, NOTICE, WORK_UP, day_in_words
from monitor.said import joined, say, say_n

_BACKGROUND = (
    BackgroundFacts(
        label=say("Treatment"),
        text=joined(
            ", ",
            (
                say("bortezomib since {day}", day=day_in_words(date(2011, 2, 12))),
                SCHEDULES["weekly"],
                say("cycles of {days} days", days=21),
                say("by the calendar cycle {cycle}, day {day}", cycle=2, day=11),
            ),
        ),
    ),
    BackgroundFacts(
        label=say("Before bortezomib"),
        text=say("sensory grade {sensory}, motor grade {motor}", sensory=0, motor=NOT_RECORDED),
    ),
    BackgroundFacts(label=say("Other causes recorded"), text=say("diabetes")),
    BackgroundFacts(label=say("Other neurotoxic drugs"), text=say("none recorded")),
    BackgroundFacts(label=say("Treatments of the neuropathy"), text=say("none recorded")),
)


_DRUG = DrugFacts(
    status=say("On bortezomib"),
    last_dose=say("{dose} on {day}", dose=mg_per_m2(1.3), day=day_in_words(date(2011, 3, 8))),
    next_dose=say("{day}, by schedule ({schedule})", day=day_in_words(date(2011, 3, 15)), schedule=SCHEDULES["weekly"]),
    cumulative=say_n("{dose} in {count} dose", "{dose} in {count} doses", count=4, dose=mg_per_m2(5.2)),
)
_OTHERS = (answer("EU/UK SmPC", WITHHOLD), answer("IMWG 2012", say("discontinue bortezomib")))


def sample_alert(urgency: Urgency) -> AlertFacts:
    """An alert that has everything."""
    findings = LEADS[urgency]
    weak = urgency is Urgency.IMMEDIATE
    by = ACKNOWLEDGE_BY[urgency]
    rows, _ = trend_rows(sample_trend())
    return AlertFacts(
        urgency=urgency_facts(urgency),
        alerts=tuple(finding.alert for finding in findings),
        patient=PATIENT,
        changed=tuple(finding.headline for finding in findings),
        guideline_says=None if urgency is Urgency.REVIEW else DOSE.guideline_says,
        findings=findings,
        drug=_DRUG,
        ask=tuple(ASKS[finding.rule] for finding in findings),
        acknowledge_by=by,
        acknowledge_with=tuple(f"bipn-monitor ack {finding.alert} --by NAME" for finding in findings),
        acknowledge_by_mail=ack_mail(ANSWERS, [finding.alert for finding in findings], TOKEN),
        told_next=say("{at}: told to {people}", at=sample_instant(10, 51), people="Head nurse")
        if weak
        else say("{at}: told again", at=by),
        others_told=("Second nurse",),
        taken_over_from=() if weak else ("Nurse of another ward",),
        situation=tuple(situation_in_words(each) for each in findings),
        background=_BACKGROUND,
        trend=rows,
        trend_more=say_n("and {count} earlier row", "and {count} earlier rows", count=3),
        figure=None if urgency is Urgency.REVIEW else FigureFacts(cid="figure", alt=findings[0].headline, width=600),
        differentials=DIFFERENTIALS if weak else (),
        work_up=WORK_UP if weak else (),
        other_guidelines=_OTHERS,
        disagreement=disagreement_in_words(["IMWG 2012"]),
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
