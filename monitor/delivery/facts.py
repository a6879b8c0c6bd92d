"""All that a template may see: plain frozen data, most of it words already.

A patient's notes have no field here, so no template can print them; name and birth date are there only where the site's
privacy is "identified". An instant is words in the clinic's zone with its offset. A field that may be missing says so;
printing a missing one breaks the template, loudly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from monitor.delivery.fact_parts import (
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
from monitor.delivery.reply_tokens import AckMail

__all__ = [
    "KINDS",
    "AlertFacts",
    "BackgroundFacts",
    "CorrectionEntry",
    "CorrectionFacts",
    "CoverageFacts",
    "DataQualityFacts",
    "DigestEntry",
    "DigestFacts",
    "DrugFacts",
    "FeedRejects",
    "FigureFacts",
    "FindingFacts",
    "Kind",
    "LinkFacts",
    "MailFacts",
    "OperationsFacts",
    "PatientFacts",
    "PolicyFacts",
    "ReminderEntry",
    "ReminderFacts",
    "TestFacts",
    "TimeFacts",
    "TrendRow",
    "UrgencyFacts",
]

Kind = Literal[
    "alert", "reminder", "escalation", "digest", "correction", "operations", "coverage", "data-quality", "link", "test"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """One patient, one or several findings, the most urgent first."""

    urgency: UrgencyFacts
    alerts: tuple[str, ...]  # "A-12", ...
    patient: PatientFacts | None  # None where the site shows nothing of the patient
    changed: tuple[str, ...]  # the headlines, each fact said once
    guideline_says: str | None = None  # the one action of the site's guideline; None where no finding is about the dose
    findings: tuple[FindingFacts, ...]
    drug: DrugFacts | None
    ask: tuple[str, ...]  # what to do, the lead finding's first; never a treatment
    acknowledge_by: str
    acknowledge_with: tuple[str, ...]  # a command for each alert
    acknowledge_by_mail: AckMail | None = None  # None where nobody reads answers
    told_next: str | None = None  # what happens unless somebody does: "15 Mar 2011, 10:51 +01:00: told to K. Lang"
    others_told: tuple[str, ...]
    taken_over_from: tuple[str, ...] = ()  # told while the patient was another team's
    situation: tuple[str, ...] = ()  # SBAR: each alert with its rule and urgency
    background: tuple[BackgroundFacts, ...] = ()  # SBAR: treatment, baseline, other diseases, other drugs
    trend: tuple[TrendRow, ...] = ()  # every number of the figure, the newest day first
    trend_more: str | None = None  # where the table is cut short: "and 12 earlier days"
    figure: FigureFacts | None = None  # None where nothing was drawn
    differentials: tuple[str, ...]  # empty where weakness is not in question; cord compression first
    work_up: tuple[str, ...] = ()  # tests to consider; never a treatment
    other_guidelines: tuple[str, ...]
    disagreement: str | None = None  # where they answer something else than the site's guideline
    board_link: str | None = None  # None where there is no board
    times: tuple[TimeFacts, ...]
    policy: PolicyFacts
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderEntry:
    """One alert that nobody has acknowledged."""

    alert: str
    urgency: UrgencyFacts
    patient: PatientFacts | None
    title: str
    headline: str
    ask: str
    since: str  # when it was told first: "15 Mar 2011, 10:21 +01:00"
    passed_on: bool  # the reader hears of it for the first time
    why: str | None  # where it came early: "an out-of-office reply"
    told_before: tuple[str, ...]
    acknowledge_with: str
    acknowledge_by_mail: AckMail | None = None
    met: tuple[str, ...] = ()  # this and what follows only where the reader hears of it for the first time; the first criteria
    guideline_says: str | None = None
    drug: DrugFacts | None = None
    acknowledge_by: str | None = None
    told_next: str | None = None  # what happens unless somebody does: "15 Mar 2011, 11:51 +01:00: told to K. Lang"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderFacts:
    """What one reader is reminded of, or has passed on to him, because nobody has acknowledged it; most urgent first.

    Kind "escalation" where some of it is new to the reader, "reminder" where none is.
    """

    urgency: UrgencyFacts  # the highest
    alerts: tuple[str, ...]
    entries: tuple[ReminderEntry, ...]
    shortly: tuple[str, ...]  # the least urgent of very many, a line each
    patients: int
    passed_on: bool  # some of it is new to the reader
    again_at: str  # when the first of it is told again, or to the next
    times: tuple[TimeFacts, ...]
    policy: PolicyFacts
    notice: str
    board_link: str | None = None  # None where there is no board


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestEntry:
    """One alert in a digest."""

    alert: str
    urgency: UrgencyFacts
    patient: PatientFacts | None
    title: str
    headline: str
    on: str  # the day it rests on
    acknowledge_by_mail: AckMail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """Findings that are not announced one by one, each listed once, immediate first."""

    urgency: UrgencyFacts  # the highest
    why: tuple[str, ...]  # a sentence for each reason to be in a digest
    immediate: tuple[str, ...]  # a line for each immediate patient: "P-0007, North [A-12, A-13]"
    entries: tuple[DigestEntry, ...]
    shortly: tuple[str, ...]  # the least urgent of very many, a line each
    patients: int
    counts: tuple[str, ...]  # "2 immediate", ...
    announce_within: str  # "14 days"
    acknowledge_by: str  # the most urgent of them
    acknowledge_with: str
    others_told: tuple[str, ...]
    times: tuple[TimeFacts, ...]
    policy: PolicyFacts
    notice: str
    board_link: str | None = None  # None where there is no board


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionEntry:
    """One alert that was withdrawn (``now`` is None), lowered, or changed (``now`` is as urgent as ``was``)."""

    alert: str
    title: str
    was: UrgencyFacts
    now: UrgencyFacts | None
    headline: str  # what had been told
    headline_now: str | None  # what remains
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionFacts:
    """What was told before and no longer holds, because the record was corrected."""

    urgency: UrgencyFacts  # of the earlier mail
    withdrawn: bool  # all of it
    changed: bool  # some of it is as urgent as it was: another dose is advised
    joined: bool  # the patient's record became part of another one, and what still holds is told of that
    alerts: tuple[str, ...]
    patient: PatientFacts | None
    changes: tuple[CorrectionEntry, ...]
    earlier_mail: str  # "of 15 Mar 2011, 10:21 +01:00"
    others_told: tuple[str, ...]
    times: tuple[TimeFacts, ...]
    policy: PolicyFacts
    notice: str
    board_link: str | None = None  # None where there is no board


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationsFacts:
    """A plain alarm to the administrator. Numbers and our own identifiers only, nothing of a patient."""

    urgency: UrgencyFacts
    problem: str  # one line
    since: str | None
    consequence: str  # what does not happen meanwhile
    remedies: tuple[str, ...]
    figures: tuple[TimeFacts, ...]  # "Messages waiting": "12"
    times: tuple[TimeFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFacts:
    """The daily statement: who should have been told by the facts alone, and what became of it."""

    urgency: UrgencyFacts | None  # None where the statement is clean
    unexplained: int
    problems: tuple[str, ...]  # what else keeps the statement from being clean, a sentence each
    period: str  # "From 8 Mar 2011, 06:30 +01:00 to 15 Mar 2011, 06:30 +01:00"
    cases: tuple[str, ...]  # the unexplained, a line each; a patient only as the site shows patients
    figures: tuple[TimeFacts, ...]  # "Assessments read": "412"
    withheld: tuple[str, ...]  # a line each: which alert, whose decision, why
    not_acknowledged: tuple[str, ...]  # alerts that nobody has taken on for more than a day, a line each
    gaps: tuple[str, ...]  # hours at which a step would reach nobody, a line each
    synthetic: str | None  # "accepted 06:12"; None where there is no synthetic patient
    journal_sha256: str  # the hash that the journal ends in
    times: tuple[TimeFacts, ...]
    policy: PolicyFacts
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRejects:
    """What one feed brought and was refused and is still open. Places and problems, no value of a record."""

    feed: str
    counts: str  # "12 open, 3 of them new"
    lines: tuple[str, ...]  # "doses.csv, line 3, dose_mg_per_m2: found a word; write a number"; the newest first
    more: str | None  # where not all are listed: "and 7 more"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQualityFacts:
    """What whoever owns the data has to look at. A patient only as the site shows patients."""

    urgency: UrgencyFacts
    refused: int
    conflicting: int
    why: str  # why it is told today: "5 new since 14 Mar 2011, 07:00 +01:00"
    feeds: tuple[FeedRejects, ...]
    conflicts: tuple[str, ...]  # alerts about records that contradict each other, a line each, the newest first
    ages: tuple[TimeFacts, ...]  # each feed's newest record: "ward-files": "3 hours old"
    times: tuple[TimeFacts, ...]
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """A link that signs in on the board, for whoever asked for one there."""

    name: str
    board_link: str
    valid_until: str
    times: tuple[TimeFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFacts:
    """A mail that only shows that mail arrives."""

    relay: str
    asked_by: str | None
    times: tuple[TimeFacts, ...]


MailFacts = (
    AlertFacts
    | ReminderFacts
    | DigestFacts
    | CorrectionFacts
    | OperationsFacts
    | CoverageFacts
    | DataQualityFacts
    | LinkFacts
    | TestFacts
)
