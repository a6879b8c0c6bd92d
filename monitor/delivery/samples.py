"""Made-up facts of every kind and urgency, to check templates with and to look at. No patient is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.clinical.findings import Urgency
from monitor.delivery.facts import (
    AlertFacts,
    CorrectionEntry,
    CorrectionFacts,
    DigestEntry,
    DigestFacts,
    DrugFacts,
    FindingFacts,
    Kind,
    MailFacts,
    OperationsFacts,
    PatientFacts,
    PolicyFacts,
    ReminderEntry,
    ReminderFacts,
    TestFacts,
    TimeFacts,
)
from monitor.delivery.reply_tokens import ack_mail
from monitor.delivery.samples_coverage import coverage_samples
from monitor.delivery.wording import ASKS, BACKLOG, DAILY, DIFFERENTIALS, NOTICE, STORM, urgency_in_words

_WITHIN = {Urgency.IMMEDIATE: timedelta(hours=1), Urgency.SAME_DAY: timedelta(hours=8), Urgency.REVIEW: timedelta(days=3)}
_URGENCIES = {urgency: urgency_in_words(urgency, within=within) for urgency, within in _WITHIN.items()}
_PATIENT = PatientFacts(patient_id="SAMPLE-0042", site="day-clinic", team="day-clinic")
_POLICY = PolicyFacts(
    guideline="US prescribing information", guideline_version="1", thresholds_version="1", sha256="0123456789ab"
)
_EVALUATED = TimeFacts(label="Evaluated", at="15 Mar 2011, 10:21 +01:00")
_TIMES = (
    TimeFacts(label="Clinical facts of", at="15 Mar 2011, 09:40 +01:00"),
    TimeFacts(label="Known to this program", at="15 Mar 2011, 10:20 +01:00"),
    _EVALUATED,
)
_ACKNOWLEDGE_BY = {
    Urgency.IMMEDIATE: "15 Mar 2011, 11:21 +01:00",
    Urgency.SAME_DAY: "15 Mar 2011, 18:21 +01:00",
    Urgency.REVIEW: "18 Mar 2011, 10:21 +01:00",
}

_MOTOR = FindingFacts(
    alert="A-12",
    rule="rapid-motor-decline",
    title="Rapid motor decline",
    urgency=_URGENCIES[Urgency.IMMEDIATE],
    headline="Walking: independent on 1 Mar 2011, wheelchair on 15 Mar 2011 (14 days); motor grade 1, then 3",
    guideline_says=None,
    met=(
        "M1 loss of walking: independent on 1 Mar 2011, wheelchair on 15 Mar 2011, 14 days (window 28) "
        "[reference thresholds, M1 (our judgement)]",
        "M5 motor grade 1 to 3 in 14 days (window 28, rise of 1 reaching 3) [label tables (our judgement)]",
    ),
    not_met=("M4 MRC sum 60 to 55: a fall of 5 (needs 6 within 28 days) [Kleyweg 1988 (V)]",),
    missing=("reflexes", "bladder and bowel"),
    evidence=("assessment of 1 Mar 2011", "assessment of 15 Mar 2011, 09:40 +01:00"),
)
_DOSE = replace(
    _MOTOR,
    alert="A-13",
    rule="dose-modification",
    title="Dose threshold",
    urgency=_URGENCIES[Urgency.SAME_DAY],
    headline="Sensory grade 2 with neuropathic pain on 15 Mar 2011; last dose 1.3 mg/m2 on 8 Mar 2011",
    guideline_says="US prescribing information: withhold until resolved, then 0.7 mg/m2 once weekly",
    met=("Grade 2 with neuropathic pain [US prescribing information, section 2.7, Table 5 (M, high)]",),
    not_met=("Severe autonomic neuropathy: no sign recorded",),
    missing=(),
    evidence=("assessment of 15 Mar 2011, 09:40 +01:00", "dose of 8 Mar 2011"),
)
_OVERDUE = replace(
    _MOTOR,
    alert="A-14",
    rule="assessment-overdue",
    title="Neuropathy assessment overdue",
    urgency=_URGENCIES[Urgency.REVIEW],
    headline="No neuropathy assessment for 31 days while on bortezomib; the last on 12 Feb 2011 had sensory grade <2",
    met=("O1 no assessment for 31 days (cycle of 21 days and 7 more) [assess before each cycle (V)]",),
    not_met=(),
    missing=(),
    evidence=("assessment of 12 Feb 2011",),
)
_LEADS = {Urgency.IMMEDIATE: (_MOTOR, _DOSE), Urgency.SAME_DAY: (_DOSE, _OVERDUE), Urgency.REVIEW: (_OVERDUE,)}
_ANSWERS, _TOKEN = "alerts-reply@hospital.example", "SampleOfAReplyKey00000.15048.SampleOfASignature0000"
_TEST = TestFacts(relay="mail.hospital.example, port 587", asked_by="root", times=(_EVALUATED,))


def samples() -> dict[Kind, tuple[MailFacts, ...]]:
    """For every kind and urgency one with all that may be there and one with all missing that may be missing."""
    return {
        "alert": tuple(each for urgency in _LEADS for each in (sample_alert(urgency), _bare(sample_alert(urgency)))),
        "reminder": tuple(each for urgency in _LEADS for each in (_reminder(urgency), _again(urgency))),
        "digest": tuple(each for urgency in _LEADS for each in (_digest(urgency, _PATIENT), _digest(urgency, None))),
        "correction": tuple(each for urgency in _LEADS for each in (_smaller(urgency), _withdrawn(urgency))),
        "operations": tuple(each for urgency in _LEADS for each in (_operations(urgency), _no_figures(urgency))),
        "coverage": coverage_samples(_URGENCIES, _POLICY),
        "test": (_TEST, replace(_TEST, asked_by=None, times=())),
    }


def sample_alert(urgency: Urgency) -> AlertFacts:
    """An alert that has everything."""
    findings = _LEADS[urgency]
    weak = urgency is Urgency.IMMEDIATE
    return AlertFacts(
        urgency=_URGENCIES[urgency],
        alerts=tuple(finding.alert for finding in findings),
        patient=_PATIENT,
        changed=tuple(finding.headline for finding in findings),
        findings=findings,
        drug=DrugFacts(
            status="On bortezomib",
            last_dose="1.3 mg/m2 on 8 Mar 2011 (5.2 mg/m2 in all)",
            next_dose="15 Mar 2011, by schedule (weekly)",
        ),
        ask=tuple(ASKS[finding.rule] for finding in findings),
        acknowledge_by=_ACKNOWLEDGE_BY[urgency],
        acknowledge_with=tuple(f"bipn-monitor ack {finding.alert} --by NAME" for finding in findings),
        acknowledge_by_mail=ack_mail(_ANSWERS, [finding.alert for finding in findings], _TOKEN),
        told_next="15 Mar 2011, 10:51 +01:00: told to Head nurse" if weak else f"{_ACKNOWLEDGE_BY[urgency]}: told again",
        others_told=("Second nurse",),
        taken_over_from=() if weak else ("Nurse of another ward",),
        differentials=DIFFERENTIALS if weak else (),
        other_guidelines=("EU/UK SmPC: withhold until resolved, then 0.7 mg/m2 once weekly", "IMWG 2012: discontinue bortezomib"),
        times=_TIMES,
        policy=_POLICY,
        notice=NOTICE,
    )


def _bare(facts: AlertFacts) -> AlertFacts:
    lead = replace(facts.findings[0], guideline_says=None, met=(), not_met=(), missing=(), evidence=())
    return replace(
        facts,
        alerts=facts.alerts[:1],
        patient=None,
        changed=(lead.headline,),
        findings=(lead,),
        drug=None,
        acknowledge_with=facts.acknowledge_with[:1],
        told_next=None,
        acknowledge_by_mail=None,
        others_told=(),
        differentials=(),
        other_guidelines=(),
        times=facts.times[-1:],
    )


def _digest(urgency: Urgency, patient: PatientFacts | None) -> DigestFacts:
    found = [finding for finding in (_MOTOR, _DOSE, _OVERDUE) if Urgency(finding.urgency.name).rank <= urgency.rank]
    entries = tuple(
        DigestEntry(
            alert=finding.alert,
            urgency=finding.urgency,
            patient=None if patient is None else replace(patient, patient_id=f"SAMPLE-00{41 + place}"),
            title=finding.title,
            headline=finding.headline,
            on="15 Mar 2011",
            acknowledge_by_mail=None if patient is None else ack_mail(_ANSWERS, [finding.alert], _TOKEN),
        )
        for place, finding in enumerate(found)
    )
    return DigestFacts(
        urgency=_URGENCIES[urgency],
        why=(BACKLOG.format(within="14 days"),) if patient else (STORM.format(patients=len(entries)), DAILY),
        immediate=_immediate(patient) if urgency is Urgency.IMMEDIATE else (),
        entries=entries,
        shortly=() if patient else ("patient not shown [A-15]",),
        patients=len(entries),
        counts=tuple(f"1 {finding.urgency.name}" for finding in found),
        announce_within="14 days",
        acknowledge_by=_ACKNOWLEDGE_BY[urgency],
        acknowledge_with=f"bipn-monitor ack {entries[0].alert} --by NAME",
        others_told=() if patient is None else ("Second nurse",),
        times=(_EVALUATED,),
        policy=_POLICY,
        notice=NOTICE,
    )


def _immediate(patient: PatientFacts | None) -> tuple[str, ...]:
    return ("patient not shown [A-12]",) if patient is None else ("SAMPLE-0041, day-clinic [A-12]",)


def _reminder(urgency: Urgency) -> ReminderFacts:
    """Passed on to somebody who had not been told."""
    entries = tuple(
        ReminderEntry(
            alert=finding.alert,
            urgency=finding.urgency,
            patient=_PATIENT,
            title=finding.title,
            headline=finding.headline,
            ask=ASKS[finding.rule],
            since="15 Mar 2011, 10:21 +01:00",
            passed_on=place == 0,
            why="an out-of-office reply" if place == 0 and urgency is Urgency.IMMEDIATE else None,
            told_before=("Nurse on duty", "Second nurse"),
            acknowledge_with=f"bipn-monitor ack {finding.alert} --by NAME",
            acknowledge_by_mail=None if urgency is Urgency.REVIEW else ack_mail(_ANSWERS, [finding.alert], _TOKEN),
        )
        for place, finding in enumerate(_LEADS[urgency])
    )
    return ReminderFacts(
        urgency=_URGENCIES[urgency],
        alerts=tuple(entry.alert for entry in entries),
        entries=entries,
        shortly=(),
        patients=1,
        passed_on=True,
        again_at=_ACKNOWLEDGE_BY[urgency],
        times=(TimeFacts(label="Not acknowledged at", at="15 Mar 2011, 10:51 +01:00"),),
        policy=_POLICY,
        notice=NOTICE,
    )


def _again(urgency: Urgency) -> ReminderFacts:
    """A reminder of one alert to somebody who was told before, where nothing of the patient is shown."""
    whole = _reminder(urgency)
    entry = replace(whole.entries[0], patient=None, passed_on=False, why=None, told_before=())
    return replace(whole, alerts=(entry.alert,), entries=(entry,), shortly=("patient not shown [A-15]",), passed_on=False)


def _withdrawn(urgency: Urgency) -> CorrectionFacts:
    finding = _LEADS[urgency][0]
    change = CorrectionEntry(
        alert=finding.alert,
        title=finding.title,
        was=finding.urgency,
        now=None,
        headline=finding.headline,
        headline_now=None,
        why="The record it rested on was corrected; on the corrected record it never held.",
    )
    return CorrectionFacts(
        urgency=_URGENCIES[urgency],
        withdrawn=True,
        changed=False,
        alerts=(finding.alert,),
        patient=_PATIENT,
        changes=(change,),
        earlier_mail="of 15 Mar 2011, 10:21 +01:00",
        others_told=("Second nurse",),
        times=(TimeFacts(label="Evaluated", at="16 Mar 2011, 08:05 +01:00"),),
        policy=_POLICY,
        notice=NOTICE,
    )


def _smaller(urgency: Urgency) -> CorrectionFacts:
    """Less urgent now; where nothing is less urgent, another dose as urgently."""
    if urgency is Urgency.REVIEW:
        return _changed()
    whole = _withdrawn(urgency)
    change = replace(
        whole.changes[0],
        now=_URGENCIES[Urgency.REVIEW],
        headline_now="Motor grade 1 on 15 Mar 2011, none on 1 Mar 2011",
        why="The record it rested on was corrected; what remains is less urgent.",
    )
    return replace(whole, withdrawn=False, changes=(change,), patient=None, others_told=())


def _changed() -> CorrectionFacts:
    whole, urgency = _withdrawn(Urgency.REVIEW), _URGENCIES[Urgency.REVIEW]
    change = replace(
        whole.changes[0],
        title=_DOSE.title,
        was=urgency,
        now=urgency,
        headline=_DOSE.headline,
        headline_now="Sensory grade 1 with neuropathic pain on 15 Mar 2011: reduce to 1.0 mg/m2",
        why="The record it rested on was corrected, or more of it is known; another dose is advised now.",
    )
    return replace(whole, withdrawn=False, changed=True, changes=(change,), patient=None, others_told=())


def _operations(urgency: Urgency) -> OperationsFacts:
    return OperationsFacts(
        urgency=_URGENCIES[urgency],
        problem="The mail relay refuses the login (535)",
        since="15 Mar 2011, 10:21 +01:00",
        consequence="alerts are recorded and wait; nobody is told by mail",
        remedies=("Check the secret smtp_password.", "bipn-monitor test-mail ADDRESS names the step that fails."),
        figures=(TimeFacts(label="Messages waiting", at="12"), TimeFacts(label="Of them immediate", at="1")),
        times=(_EVALUATED,),
    )


def _no_figures(urgency: Urgency) -> OperationsFacts:
    return replace(_operations(urgency), since=None, figures=(), times=())
