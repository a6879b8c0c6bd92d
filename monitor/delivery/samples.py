"""Made-up facts of every kind and urgency, to check templates with and to look at. No patient is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from monitor.clinical.findings import Urgency
from monitor.delivery.facts import (
    CorrectionEntry,
    CorrectionFacts,
    DigestEntry,
    DigestFacts,
    Kind,
    LinkFacts,
    MailFacts,
    OperationsFacts,
    PatientFacts,
    ReminderEntry,
    ReminderFacts,
    TestFacts,
    TimeFacts,
)
from monitor.delivery.reply_tokens import ack_mail
from monitor.delivery.samples_alert import bare_alert, sample_alert
from monitor.delivery.samples_coverage import coverage_samples
from monitor.delivery.samples_findings import (
    ACKNOWLEDGE_BY,
    ANSWERS,
    BOARD,
    DOSE,
    EVALUATED,
    LEADS,
    MOTOR,
    OVERDUE,
    PATIENT,
    POLICY,
    TOKEN,
    sample_instant,
    urgency_facts,
)
from monitor.delivery.samples_quality import quality_samples
from monitor.delivery.wording import ASKS, DAILY, NOTICE, backlog, count_in_words, day_in_words, duration_in_words, storm
from monitor.said import say

_NOW = day_in_words(date(2011, 3, 15))
_FOUND = (
    TimeFacts(
        label=say("Clinical facts of"),
        at=say("{first} to {last}", first=day_in_words(date(2011, 3, 14)), last=_NOW),
    ),
    TimeFacts(label=say("Received"), at=sample_instant(10, 20)),
    EVALUATED,
)
_FORTNIGHT = timedelta(days=14)
_TEST = TestFacts(relay="mail.hospital.example, port 587", asked_by="root", times=(EVALUATED,))
_LINK = LinkFacts(
    name="Nurse on duty",
    board_link=BOARD,
    valid_until=sample_instant(10, 51),
    times=(TimeFacts(label=say("Asked for"), at=sample_instant(10, 21)),),
)
_NOT_SHOWN = say("patient not shown [{alerts}]", alerts="A-15")


def samples() -> dict[Kind, tuple[MailFacts, ...]]:
    """For every kind and urgency one with all that may be there and one with all missing that may be missing."""
    return {
        "alert": tuple(each for urgency in LEADS for each in (sample_alert(urgency), bare_alert(urgency))),
        "reminder": tuple(each for urgency in LEADS for each in (_reminder(urgency), _again(urgency))),
        "escalation": tuple(each for urgency in LEADS for each in (_passed_on(urgency), _passed_on_bare(urgency))),
        "digest": tuple(each for urgency in LEADS for each in (_digest(urgency, PATIENT), _digest(urgency, None))),
        "correction": (*(each for urgency in LEADS for each in (_smaller(urgency), _withdrawn(urgency))), _joined()),
        "operations": tuple(each for urgency in LEADS for each in (_operations(urgency), _no_figures(urgency))),
        "coverage": coverage_samples({urgency: urgency_facts(urgency) for urgency in Urgency}, POLICY),
        "data-quality": quality_samples(urgency_facts(Urgency.REVIEW)),
        "link": (_LINK, replace(_LINK, times=())),
        "test": (_TEST, replace(_TEST, asked_by=None, times=())),
    }


def _digest(urgency: Urgency, patient: PatientFacts | None) -> DigestFacts:
    found = [finding for finding in (MOTOR, DOSE, OVERDUE) if Urgency(finding.urgency.name).rank <= urgency.rank]
    entries = tuple(
        DigestEntry(
            alert=finding.alert,
            urgency=finding.urgency,
            patient=None if patient is None else replace(patient, patient_id=f"SAMPLE-00{41 + place}"),
            title=finding.title,
            headline=finding.headline,
            on=_NOW,
            acknowledge_by_mail=None if patient is None else ack_mail(ANSWERS, [finding.alert], TOKEN),
        )
        for place, finding in enumerate(found)
    )
    return DigestFacts(
        urgency=urgency_facts(urgency),
        why=(backlog(_FORTNIGHT),) if patient else (storm(len(entries)), DAILY),
        immediate=_immediate(patient) if urgency is Urgency.IMMEDIATE else (),
        entries=entries,
        shortly=() if patient else (_NOT_SHOWN,),
        patients=len(entries),
        counts=tuple(count_in_words(Urgency(finding.urgency.name), 1) for finding in found),
        announce_within=duration_in_words(_FORTNIGHT),
        acknowledge_by=ACKNOWLEDGE_BY[urgency],
        acknowledge_with=f"bipn-monitor ack {entries[0].alert} --by NAME",
        others_told=() if patient is None else ("Second nurse",),
        times=(*_FOUND, TimeFacts(label=say("Collected"), at=sample_instant(10, 30))),
        policy=POLICY,
        notice=NOTICE,
        board_link=None if patient is None else BOARD,
    )


def _immediate(patient: PatientFacts | None) -> tuple[str, ...]:
    return (say("patient not shown [{alerts}]", alerts="A-12"),) if patient is None else ("SAMPLE-0041, day-clinic [A-12]",)


def _reminder(urgency: Urgency) -> ReminderFacts:
    """Told again to somebody who was told before."""
    entries = tuple(
        ReminderEntry(
            alert=finding.alert,
            urgency=finding.urgency,
            patient=PATIENT,
            title=finding.title,
            headline=finding.headline,
            ask=ASKS[finding.rule],
            since=sample_instant(10, 21),
            passed_on=False,
            why=None,
            told_before=("Nurse on duty", "Second nurse"),
            acknowledge_with=f"bipn-monitor ack {finding.alert} --by NAME",
            acknowledge_by_mail=None if urgency is Urgency.REVIEW else ack_mail(ANSWERS, [finding.alert], TOKEN),
        )
        for finding in LEADS[urgency]
    )
    return ReminderFacts(
        urgency=urgency_facts(urgency),
        alerts=tuple(entry.alert for entry in entries),
        entries=entries,
        shortly=(),
        patients=1,
        passed_on=False,
        again_at=ACKNOWLEDGE_BY[urgency],
        times=(*_FOUND, TimeFacts(label=say("Not acknowledged at"), at=sample_instant(10, 51))),
        policy=POLICY,
        notice=NOTICE,
        board_link=BOARD,
    )


def _again(urgency: Urgency) -> ReminderFacts:
    """A reminder of one alert to somebody who was told before, where nothing of the patient is shown."""
    whole = _reminder(urgency)
    entry = replace(whole.entries[0], patient=None, told_before=())
    return replace(whole, alerts=(entry.alert,), entries=(entry,), shortly=(_NOT_SHOWN,), board_link=None)


def _passed_on(urgency: Urgency) -> ReminderFacts:
    """Told to somebody who had not been told; what comes after the first he was told before."""
    whole, finding = _reminder(urgency), LEADS[urgency][0]
    new = replace(
        whole.entries[0],
        passed_on=True,
        why=say("an out-of-office reply") if urgency is Urgency.IMMEDIATE else None,
        met=finding.met,
        guideline_says=finding.guideline_says,
        drug=sample_alert(urgency).drug,
        acknowledge_by=whole.again_at,
        told_next=say("{at}: told to {people}", at=whole.again_at, people="Head nurse"),
    )
    return replace(whole, entries=(new, *whole.entries[1:]), passed_on=True)


def _passed_on_bare(urgency: Urgency) -> ReminderFacts:
    whole = _again(urgency)
    return replace(whole, entries=(replace(whole.entries[0], passed_on=True),), passed_on=True)


def _withdrawn(urgency: Urgency) -> CorrectionFacts:
    finding = LEADS[urgency][0]
    change = CorrectionEntry(
        alert=finding.alert,
        title=finding.title,
        was=finding.urgency,
        now=None,
        headline=finding.headline,
        headline_now=None,
        why=say("The record it rested on was corrected; on the corrected record it never held."),
    )
    return CorrectionFacts(
        urgency=urgency_facts(urgency),
        withdrawn=True,
        changed=False,
        joined=False,
        alerts=(finding.alert,),
        patient=PATIENT,
        changes=(change,),
        earlier_mail=say("of {at}", at=sample_instant(10, 21)),
        others_told=("Second nurse",),
        times=(*_FOUND[:-1], TimeFacts(label=say("Evaluated"), at=sample_instant(8, 5, day=16))),
        policy=POLICY,
        notice=NOTICE,
        board_link=BOARD,
    )


def _joined() -> CorrectionFacts:
    whole = _withdrawn(Urgency.IMMEDIATE)
    why = say(
        "In the hospital's system this record became part of another record of the same person: {patient}.",
        patient="SAMPLE-0043",
    )
    return replace(whole, joined=True, changes=(replace(whole.changes[0], why=why),))


def _smaller(urgency: Urgency) -> CorrectionFacts:
    """Less urgent now; where nothing is less urgent, another dose as urgently."""
    if urgency is Urgency.REVIEW:
        return _changed()
    whole = _withdrawn(urgency)
    change = replace(
        whole.changes[0],
        now=urgency_facts(Urgency.REVIEW),
        headline_now=say("Motor grade 1 on {now}, none on {before}", now=_NOW, before=day_in_words(date(2011, 3, 1))),
        why=say("The record it rested on was corrected; what remains is less urgent."),
    )
    return replace(whole, withdrawn=False, changes=(change,), patient=None, others_told=(), board_link=None)


def _changed() -> CorrectionFacts:
    whole, urgency = _withdrawn(Urgency.REVIEW), urgency_facts(Urgency.REVIEW)
    change = replace(
        whole.changes[0],
        title=DOSE.title,
        was=urgency,
        now=urgency,
        headline=DOSE.headline,
        headline_now=say("Sensory grade 1 with neuropathic pain on {now}: reduce to 1.0 mg/m2", now=_NOW),
        why=say("The record it rested on was corrected, or more of it is known; another dose is advised now."),
    )
    return replace(whole, withdrawn=False, changed=True, changes=(change,), patient=None, others_told=(), board_link=None)


def _operations(urgency: Urgency) -> OperationsFacts:
    return OperationsFacts(
        urgency=urgency_facts(urgency),
        problem=say("The mail relay refuses the login (535)"),
        since=sample_instant(10, 21),
        consequence=say("alerts are recorded and wait; nobody is told by mail"),
        remedies=(
            say("Check the secret {name}.", name="smtp_password"),
            say("{command} names the step that fails.", command="bipn-monitor test-mail ADDRESS"),
        ),
        figures=(TimeFacts(label=say("Messages waiting"), at="12"), TimeFacts(label=say("Of them immediate"), at="1")),
        times=(EVALUATED,),
    )


def _no_figures(urgency: Urgency) -> OperationsFacts:
    return replace(_operations(urgency), since=None, figures=(), times=())
