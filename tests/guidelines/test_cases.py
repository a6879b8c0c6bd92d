"""Every line of every case page, run against the shipped guidelines and the shipped thresholds."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from monitor.clinical.findings import Finding, RuleAnswer
from monitor.clinical.guideline import DoseAction
from monitor.clinical.rules import dose_against_advice, dose_modification
from monitor.clinical.situation import situate
from tests.builders import at, shipped_policy
from tests.guidelines.case_pages import PAGES, Case, Expectation, PageError, cases_of

ALL_PAGES = sorted(PAGES.glob("*.md"))
EVERY_LINE = [(case, expected) for page in ALL_PAGES for case in cases_of(page) for expected in case.expected]

URGENCY = re.compile(r"(.+) \((immediate|same-day|review)\)")
AGAINST = "a dose against the advice: "
ASK = re.compile(r"ask about neuropathic pain: without it (.+); with it (.+)")
REDUCE = re.compile(r"reduce to (\d\.\d+) mg/m2")
WEEKLY = re.compile(r"change to (\d\.\d+) mg/m2 once weekly")
WITHHOLD = re.compile(r"withhold until resolved, then (\d\.\d+) mg/m2 once weekly")
FIXED: dict[str, tuple[object, ...]] = {
    "no dose action": ("none",),
    "reduce to one level below the present dose": ("reduce", None, "unchanged"),
    "change to the present dose once weekly": ("reduce", None, "weekly"),
    "withhold until resolved, then at the dose the prescriber decides": ("withhold", None, "weekly"),
    "discontinue bortezomib": ("discontinue",),
}
REMARKS = {  # words of a page: the note of the answer
    "no lower table level: prescriber decision": "no lower table level: prescriber decision",
    "known baseline, no dose action": "known baseline",
    "the grade was not recorded": "sensory and motor grade not recorded: record them, the table asks for a grade",
    "neuropathic pain with grade 0, the table has no row": "neuropathic pain with grade 0: the table has no row",
}


@pytest.mark.parametrize(
    ("case", "expected"),
    EVERY_LINE,
    ids=[f"{case.page}:{each.line} {case.title}, day {each.on_day}" for case, each in EVERY_LINE],
)
def test_given_a_case_page_when_its_days_are_lived_then_every_line_comes_true(case: Case, expected: Expectation) -> None:
    advised, against = _answers(case, expected.on_day)
    text = expected.text
    if text == "nothing":
        assert (advised.finding, against.finding) == (None, None)
    elif text == "no dose against the advice":
        assert against.finding is None
    elif text.startswith("noted: "):
        assert advised.finding is not None
        assert text.removeprefix("noted: ") in advised.finding.action.note  # type: ignore[union-attr]  # it always has one
    elif text.startswith(AGAINST):
        words, urgency = _split_urgency(text.removeprefix(AGAINST))
        assert _met(against.finding) == ({each.replace(" ", "-") for each in words.split(" and ")}, urgency)
    else:
        words, urgency = _split_urgency(text)
        assert advised.finding is not None
        assert advised.finding.urgency.value == urgency
        assert _shape(advised.finding.action) == _parsed(words)


@pytest.mark.parametrize("name", ["us-label", "eu-smpc", "imwg-2012"])
def test_given_a_shipped_guideline_when_its_page_is_read_then_every_row_has_a_case(name: str) -> None:
    seen, severe = set(), False
    for case in cases_of(PAGES / f"{name}.md"):
        days = {expected.on_day for expected in case.expected}
        seen |= {(grade, pain) for day, grade, pain in case.seen if day in days}
        severe = severe or case.severe_signs
    assert set(product((1, 2, 3, 4), (False, True, None))) <= seen
    assert severe


@pytest.mark.parametrize(
    "line",
    ["Given thrice weekly.", "- On day 15: shrug.", "- On day fifteen: nothing.", "| day | mood |", "| 15 | | 9 | yes |"],
)
def test_given_a_page_with_a_line_nobody_can_run_when_it_is_read_then_it_fails(line: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    head = "" if line.startswith("| day") else "| day | dose mg/m2 | sensory | motor | pain |\n"
    page.write_text(f"# Page\n\nGuideline: us-label.\n\n## A case\n\n{head}{line}\n", "utf-8")
    with pytest.raises((PageError, AssertionError)):
        _understood(page)


def _understood(page: Path) -> list[tuple[object, ...]]:
    return [_parsed(_split_urgency(expected.text)[0]) for case in cases_of(page) for expected in case.expected]


def _answers(case: Case, on_day: int) -> tuple[RuleAnswer, RuleAnswer]:
    now = at(on_day, 23)
    situation = situate(case.history().as_known_at(now), shipped_policy(case.guideline), now)
    assert situation is not None
    return dose_modification.answer(situation), dose_against_advice.answer(situation)


def _met(finding: Finding | None) -> tuple[set[str], str]:
    assert finding is not None
    return {criterion.id for criterion in finding.criteria if criterion.met}, finding.urgency.value


def _split_urgency(text: str) -> tuple[str, str]:
    found = URGENCY.fullmatch(text)
    assert found is not None, f"an urgency in brackets is missing: {text}"
    return found[1], found[2]


def _parsed(words: str) -> tuple[object, ...]:
    """The answer that a page's words describe, in the shape of ``_shape``."""
    if found := ASK.fullmatch(words):
        return ("ask", _parsed(found[1]), _parsed(found[2]))
    return tuple(_one(each) for each in words.split(", or "))


def _one(words: str) -> tuple[object, ...]:
    if words in FIXED:
        return FIXED[words]
    if words in REMARKS:
        return ("none", words)
    if found := REDUCE.fullmatch(words):
        return ("reduce", float(found[1]), "unchanged")
    if found := WEEKLY.fullmatch(words):
        return ("reduce", float(found[1]), "weekly")
    found = WITHHOLD.fullmatch(words)
    assert found is not None, f"not an answer: {words}"
    return ("withhold", float(found[1]), "weekly")


def _shape(action: DoseAction | None) -> tuple[object, ...]:
    assert action is not None
    if action.kind == "ask":
        return ("ask", *(_shape(branch) for branch in action.alternatives))
    return tuple(_shape_of_one(each) for each in (action, *action.alternatives))


def _shape_of_one(action: DoseAction) -> tuple[object, ...]:
    match action.kind:
        case "reduce":
            return ("reduce", action.dose_mg_per_m2, action.schedule)
        case "withhold":
            return ("withhold", action.restart_dose_mg_per_m2, action.restart_schedule)
        case "none":
            remark = next((words for words, note in REMARKS.items() if note in action.note), None)
            return ("none",) if remark is None else ("none", remark)
        case _:
            return (action.kind,)
