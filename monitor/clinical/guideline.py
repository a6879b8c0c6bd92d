"""A guideline as data: which dose action follows from grade, pain, present dose and schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.said import say

ActionKind = Literal["none", "reduce", "withhold", "discontinue", "ask"]
Option = Literal["none", "reduce-to", "one-level-down", "weekly-same-dose", "weekly-at", "withhold", "discontinue"]

NO_LOWER_LEVEL = say("no lower table level: prescriber decision")
"""The note of ``none`` where the table's action recurs at its lowest dose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseAction:
    """What a guideline says about the next dose. Never a no-op; ``none`` with a note is "the table has no answer"."""

    kind: ActionKind
    dose_mg_per_m2: float | None = None
    schedule: Literal["weekly", "unchanged"] | None = None
    restart_dose_mg_per_m2: float | None = None
    restart_schedule: Literal["weekly", "unchanged"] | None = None
    alternatives: tuple[DoseAction, ...] = ()
    note: str = ""  # why, where the table alone does not say: "already weekly", "off the dose ladder", ...
    source: str = ""  # the guideline's line with its confidence mark; empty where no line applies (grade 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineOption:
    """One way out that a row offers, in the row's order of preference. Doses in mg/m2."""

    do: Option
    dose_mg_per_m2: float | None = None  # reduce-to, weekly-at
    only_when: Literal["any", "twice-weekly", "weekly"] = "any"
    restart_dose_mg_per_m2: float | None = None  # withhold; None = one level below the present dose
    restart_schedule: Literal["weekly", "unchanged"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidelineRow:
    """One row of the table: CTCAE grade (worst of sensory and motor), with or without neuropathic pain."""

    grade: int
    pain: bool
    options: tuple[GuidelineOption, ...]  # first is the answer, the others its alternatives
    text: str  # the row in words, as the nurse will read it
    source: str
    confidence: str  # V, V2, M, C or J with a word; see docs/clinical.md


@dataclass(frozen=True, slots=True, kw_only=True)
class SevereAutonomic:
    """What the guideline says about severe autonomic neuropathy, where it says anything."""

    do: Literal["discontinue"]
    text: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guideline:
    """One published dose table. ``rows`` holds every (grade 1-4, pain) pair exactly once."""

    name: str
    title: str
    version: str
    citation: str
    ladder_mg_per_m2: tuple[float, ...]  # descending: 1.3, 1.0, 0.7
    rows: tuple[GuidelineRow, ...]
    severe_autonomic: SevereAutonomic | None = None
