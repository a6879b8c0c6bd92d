"""The text that stands in when a template fails: plain, complete enough to act on, and saying what it is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from typing import assert_never

from monitor.delivery.facts import (
    AlertFacts,
    CorrectionFacts,
    CoverageFacts,
    DigestFacts,
    LinkFacts,
    MailFacts,
    OperationsFacts,
    PatientFacts,
    ReminderFacts,
    TestFacts,
    TimeFacts,
)
from monitor.delivery.rendered import LONGEST_SUBJECT, Rendered
from monitor.delivery.reply_tokens import AckMail

FLAG = "Built-in text: the template for this mail failed. Tell the administrator (bipn-monitor check-config)."


def builtin(facts: MailFacts) -> Rendered:
    """A mail without any template. ``facts`` hold one line each (render.one_line_each)."""
    lines = [FLAG, "", *_lines(facts)]
    text = (
        "\n".join(
            textwrap.fill(line, 78, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False) for line in lines
        )
        + "\n"
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>'
        '<body style="background-color:#ffffff;color:#1a1a1a"><pre style="white-space:pre-wrap;font-size:16px">'
        f"{html.escape(text)}</pre></body></html>\n"
    )
    return Rendered(subject=subject_of(facts)[:LONGEST_SUBJECT], text=text, html=page)


def subject_of(facts: MailFacts) -> str:
    """Urgency and verb; nothing of a patient, no drug, no diagnosis."""
    match facts:
        case AlertFacts():
            return f"{facts.urgency.word} - {facts.urgency.verb}: 1 patient [{', '.join(facts.alerts)}]"
        case ReminderFacts():
            patients = f"{facts.patients} patient{'s' if facts.patients != 1 else ''}"
            return f"{facts.urgency.word} - not acknowledged{', passed on' if facts.passed_on else ''}: {patients}"
        case DigestFacts():
            return f"{facts.urgency.word} - digest: {facts.patients} patients, {', '.join(facts.counts)}"
        case CorrectionFacts():
            became = "withdrawn" if facts.withdrawn else "changed" if facts.changed else "lowered"
            return f"CORRECTION - an alert was {became} [{', '.join(facts.alerts)}]"
        case OperationsFacts():
            return f"{facts.urgency.word} - the monitor needs an administrator"
        case CoverageFacts():
            if facts.unexplained:
                return f"COVERAGE: {facts.unexplained} UNEXPLAINED"
            problems = f"{len(facts.problems)} PROBLEM{'S' if len(facts.problems) != 1 else ''}"
            return f"COVERAGE: 0 unexplained, {problems}" if facts.problems else "Coverage: 0 unexplained"
        case LinkFacts():
            return "Your link to the board"
        case TestFacts():
            return "TEST - mail from the monitor arrives"
        case _:
            assert_never(facts)


def _lines(facts: MailFacts) -> Iterator[str]:
    yield subject_of(facts)
    match facts:
        case AlertFacts():
            yield from _alert(facts)
        case ReminderFacts():
            yield from _reminder(facts)
        case DigestFacts():
            yield from (f"IMMEDIATE {line}" for line in facts.immediate)
            for entry in facts.entries:
                yield f"{entry.urgency.word} {entry.alert}, {_who(entry.patient)}: {entry.title}. {entry.headline}"
                yield from _by_mail(entry.acknowledge_by_mail)
            yield from facts.shortly
            yield f"Acknowledge each by {facts.acknowledge_by}: {facts.acknowledge_with}"
        case CorrectionFacts():
            yield f"{_who(facts.patient)}. Corrects the mail {facts.earlier_mail}."
            for change in facts.changes:
                yield f"{change.alert} {change.title}: was {change.was.word}, {change.now.word if change.now else 'withdrawn'}. "
                yield f"Told then: {change.headline}. {change.why}"
                if change.headline_now is not None:
                    yield f"Now: {change.headline_now}"
        case OperationsFacts():
            yield from (facts.problem, f"Meanwhile: {facts.consequence}", *facts.remedies)
        case CoverageFacts():
            yield facts.period
            yield from (*facts.cases, *facts.problems)
            yield from (f"{figure.label}: {figure.at}" for figure in facts.figures)
            yield from (*facts.gaps, *facts.withheld, *(f"Not acknowledged: {each}" for each in facts.not_acknowledged))
            yield f"The journal ends in {facts.journal_sha256}"
        case LinkFacts():
            yield from (facts.board_link, f"Valid until {facts.valid_until}. Whoever has it is taken for you: pass it to nobody.")
        case TestFacts():
            yield f"Handed to {facts.relay}."
        case _:
            assert_never(facts)
    yield from (f"{time.label}: {time.at}" for time in _times(facts))
    if not isinstance(facts, OperationsFacts | LinkFacts | TestFacts):
        yield facts.notice


def _alert(facts: AlertFacts) -> Iterator[str]:
    yield f"Acknowledge by {facts.acknowledge_by}: {'; '.join(facts.acknowledge_with)}"
    yield from _by_mail(facts.acknowledge_by_mail)
    yield _who(facts.patient)
    for finding in facts.findings:
        yield f"{finding.urgency.word} {finding.alert} {finding.title}: {finding.headline}"
        if finding.guideline_says is not None:
            yield finding.guideline_says
        yield from (f"  met: {each}" for each in finding.met)
    yield from facts.ask
    if facts.drug is not None:
        yield f"Drug: {facts.drug.status}" + (f"; last dose {facts.drug.last_dose}" if facts.drug.last_dose else "")
    yield from facts.differentials


def _by_mail(mail: AckMail | None) -> Iterator[str]:
    if mail is not None:
        yield f"Or by a mail to {mail.address} with the subject"
        yield mail.subject


def _reminder(facts: ReminderFacts) -> Iterator[str]:
    for entry in facts.entries:
        yield f"{entry.urgency.word} {entry.alert}, {_who(entry.patient)}: {entry.title}. {entry.headline}"
        told = f"; told before: {', '.join(entry.told_before)}" if entry.told_before else ""
        passed_on = "; passed on to you" if entry.passed_on else ""
        yield f"  Not acknowledged since {entry.since}{passed_on}{told}. {entry.ask} {entry.acknowledge_with}"
        yield from _by_mail(entry.acknowledge_by_mail)
    yield from facts.shortly
    yield f"Told again at {facts.again_at} unless it is acknowledged."


def _who(patient: PatientFacts | None) -> str:
    if patient is None:
        return "Patient: look the alert up in the monitor"
    return f"Patient {patient.patient_id}"


def _times(facts: MailFacts) -> tuple[TimeFacts, ...]:
    return facts.times
