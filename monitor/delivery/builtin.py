"""The text that stands in when a template fails: plain, complete enough to act on, and saying what it is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Iterator
from typing import assert_never

from monitor.delivery.facts import (
    AlertFacts,
    CorrectionFacts,
    CoverageFacts,
    DataQualityFacts,
    DigestEntry,
    DigestFacts,
    LinkFacts,
    MailFacts,
    OperationsFacts,
    PatientFacts,
    ReminderEntry,
    ReminderFacts,
    TestFacts,
    TimeFacts,
)
from monitor.delivery.language import Language, in_language
from monitor.delivery.rendered import LONGEST_SUBJECT, Rendered
from monitor.delivery.reply_tokens import AckMail
from monitor.said import Said, joined, say, say_n

FLAG = say(
    "Built-in text: the template for this mail failed. Tell the administrator ({command}).", command="bipn-monitor check-config"
)


def builtin(facts: MailFacts, language: Language = "en") -> Rendered:
    """A mail without any template. ``facts`` hold one line each (render.one_line_each), said in the language already."""
    lines = in_language((FLAG, "", *_lines(facts)), language)
    text = (
        "\n".join(
            textwrap.fill(line, 78, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False) for line in lines
        )
        + "\n"
    )
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"></head>'
        '<body style="background-color:#ffffff;color:#1a1a1a"><pre style="white-space:pre-wrap;font-size:16px">'
        f"{html.escape(text)}</pre></body></html>\n"
    )
    return Rendered(subject=in_language(subject_of(facts), language)[:LONGEST_SUBJECT], text=text, html=page)


def subject_of(facts: MailFacts) -> Said:
    """Urgency and verb; nothing of a patient, no drug, no diagnosis."""
    match facts:
        case AlertFacts():
            return say(
                "{urgency} - {verb}: 1 patient [{alerts}]",
                urgency=facts.urgency.word,
                verb=facts.urgency.verb,
                alerts=", ".join(facts.alerts),
            )
        case ReminderFacts():
            patients = say_n("{count} patient", "{count} patients", count=facts.patients)
            if facts.passed_on:
                return say("{urgency} - not acknowledged, passed on: {patients}", urgency=facts.urgency.word, patients=patients)
            return say("{urgency} - not acknowledged: {patients}", urgency=facts.urgency.word, patients=patients)
        case DigestFacts():
            patients, counts = say_n("{count} patient", "{count} patients", count=facts.patients), ", ".join(facts.counts)
            return say("{urgency} - digest: {patients}, {counts}", urgency=facts.urgency.word, patients=patients, counts=counts)
        case CorrectionFacts():
            return say("CORRECTION - {what} [{alerts}]", what=_corrected(facts), alerts=", ".join(facts.alerts))
        case OperationsFacts():
            return say("{urgency} - the monitor needs an administrator", urgency=facts.urgency.word)
        case CoverageFacts():
            return _statement(facts)
        case DataQualityFacts():
            return _data_quality(facts)
        case LinkFacts():
            return say("Your link to the board")
        case TestFacts():
            return say("TEST - mail from the monitor arrives")
        case _:
            assert_never(facts)


def _corrected(facts: CorrectionFacts) -> Said:
    if facts.joined:
        return say("a record became part of another one")
    if facts.withdrawn:
        return say("an alert was withdrawn")
    return say("an alert was changed") if facts.changed else say("an alert was lowered")


def _data_quality(facts: DataQualityFacts) -> Said:
    return say(
        "Data quality: {refused}, {conflicting}",
        refused=say_n("{count} refused", "{count} refused", count=facts.refused),
        conflicting=say_n("{count} contradiction", "{count} contradictions", count=facts.conflicting),
    )


def _statement(facts: CoverageFacts) -> Said:
    if facts.unexplained:
        return say("COVERAGE: {unexplained} UNEXPLAINED", unexplained=facts.unexplained)
    if not facts.problems:
        return say("Coverage: 0 unexplained")
    count = len(facts.problems)
    return say_n("COVERAGE: 0 unexplained, {count} PROBLEM", "COVERAGE: 0 unexplained, {count} PROBLEMS", count=count)


def _lines(facts: MailFacts) -> Iterator[str]:
    yield subject_of(facts)
    match facts:
        case AlertFacts():
            yield from _alert(facts)
        case ReminderFacts():
            yield from _reminder(facts)
        case DigestFacts():
            yield from _digest(facts)
        case CorrectionFacts():
            yield from _correction(facts)
        case OperationsFacts():
            yield from (facts.problem, say("Meanwhile: {consequence}", consequence=facts.consequence), *facts.remedies)
        case CoverageFacts():
            yield facts.period
            yield from (*facts.cases, *facts.problems)
            yield from _labelled(facts.figures)
            yield from (*facts.gaps, *facts.withheld)
            yield from (say("Not acknowledged: {alert}", alert=each) for each in facts.not_acknowledged)
            yield say("The journal ends in {sha256}", sha256=facts.journal_sha256)
        case DataQualityFacts():
            yield facts.why
            for feed in facts.feeds:
                yield from (f"{feed.feed}: {feed.counts}", *feed.lines, *([feed.more] if feed.more else ()))
            yield from facts.conflicts
            yield from _labelled(facts.ages)
        case LinkFacts():
            yield facts.board_link
            yield say("Valid until {until}. Whoever has it is taken for you: pass it to nobody.", until=facts.valid_until)
        case TestFacts():
            yield say("Handed to {relay}.", relay=facts.relay)
        case _:
            assert_never(facts)
    yield from _labelled(facts.times)
    if not isinstance(facts, OperationsFacts | LinkFacts | TestFacts):
        yield facts.notice


def _alert(facts: AlertFacts) -> Iterator[str]:
    commands = "; ".join(facts.acknowledge_with)
    yield say("Acknowledge by {at}: {command}", at=facts.acknowledge_by, command=commands)
    yield from _by_mail(facts.acknowledge_by_mail)
    yield _who(facts.patient)
    for finding in facts.findings:
        yield f"{finding.urgency.word} {finding.alert} {finding.title}: {finding.headline}"
        if finding.guideline_says is not None:
            yield finding.guideline_says
        yield from (f"  + {each}" for each in finding.met)
    yield from facts.ask
    if facts.drug is not None:
        yield f"{facts.drug.status}." + (f" {facts.drug.last_dose}." if facts.drug.last_dose else "")
    yield from facts.differentials


def _by_mail(mail: AckMail | None) -> Iterator[str]:
    if mail is not None:
        yield say("Or by a mail to {address} with the subject", address=mail.address)
        yield mail.subject


def _reminder(facts: ReminderFacts) -> Iterator[str]:
    for entry in facts.entries:
        yield _entry(entry)
        if entry.passed_on:
            yield say("Passed on to you; not acknowledged since {since}.", since=entry.since)
        else:
            yield say("Not acknowledged since {since}.", since=entry.since)
        if entry.told_before:
            yield say("Told before: {people}", people=", ".join(entry.told_before))
        yield entry.ask
        yield entry.acknowledge_with
        yield from _by_mail(entry.acknowledge_by_mail)
    yield from facts.shortly
    yield say("Told again at {at} unless it is acknowledged.", at=facts.again_at)


def _digest(facts: DigestFacts) -> Iterator[str]:
    yield from (say("IMMEDIATE {line}", line=line) for line in facts.immediate)
    for entry in facts.entries:
        yield _entry(entry)
        yield from _by_mail(entry.acknowledge_by_mail)
    yield from facts.shortly
    yield say("Acknowledge each by {at}: {command}", at=facts.acknowledge_by, command=facts.acknowledge_with)


def _correction(facts: CorrectionFacts) -> Iterator[str]:
    yield _who(facts.patient)
    yield say("Corrects the mail {mail}.", mail=facts.earlier_mail)
    for change in facts.changes:
        gone = say("told of the other record") if facts.joined else say("withdrawn")
        now = gone if change.now is None else change.now.word
        yield say("{alert} {title}: was {was}, is {now}.", alert=change.alert, title=change.title, was=change.was.word, now=now)
        yield say("Told then: {headline}.", headline=change.headline)
        yield change.why
        if change.headline_now is not None:
            yield say("Now: {headline}", headline=change.headline_now)


def _entry(entry: ReminderEntry | DigestEntry) -> str:
    who = _who(entry.patient)
    return joined(" ", (entry.urgency.word, entry.alert, who, f"{entry.title}. {entry.headline}"))


def _labelled(times: Iterable[TimeFacts]) -> Iterator[str]:
    yield from (f"{time.label}: {time.at}" for time in times)


def _who(patient: PatientFacts | None) -> Said:
    if patient is None:
        return say("Patient: look the alert up in the monitor.")
    return say("Patient {patient}.", patient=patient.patient_id)
