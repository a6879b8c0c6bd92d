"""relapse-after-treatment: a response first, then worse again; early, late, on the taper, after an exchange."""

from __future__ import annotations

import pytest

from monitor.clinical.findings import RuleAnswer, Urgency
from monitor.clinical.history import Treatment
from monitor.clinical.rules.relapse_after_treatment import answer
from tests.clinical.builders_motor import criterion, met, off_drug, situation, treatment
from tests.clinical.cases_motor import jeter_and_kang

ONSET = "2024-02-20"


def after(rows: str, now: str, *treatments: Treatment, columns: str = "on motor_grade gbs_disability") -> RuleAnswer:
    table = f"{columns}\n{rows}"
    return answer(off_drug(table, now, first="2024-01-05", stopped="2024-03-01", treatments=treatments))


def urgency(found: RuleAnswer) -> Urgency | None:
    return found.finding.urgency if found.finding else None


IVIG = treatment("ivig", "2024-03-12", "2024-03-16")
RESPONDED = f"{ONSET} 1 2\n2024-03-10 3 4\n2024-03-20 3 3"


def test_given_the_published_case_when_he_is_worse_again_then_it_is_a_late_relapse() -> None:
    found = answer(situation(jeter_and_kang(), "2011-05-30"))
    assert found.finding is not None
    assert met(found) == {"fluctuation-late"}
    assert found.finding.urgency is Urgency.SAME_DAY
    assert found.finding.headline == "worse again: GBS disability: 3 (2011-03-24) -> 4 (2011-05-30) after plasma exchange"
    assert "A-CIDP" not in found.finding.headline
    assert "consider acute-onset CIDP" in criterion(found, "fluctuation-late").text


@pytest.mark.parametrize("now", ["2011-03-24", "2011-05-29", "2011-09-09", "2012-02-28"])
def test_given_the_published_case_when_he_is_better_then_there_is_no_relapse(now: str) -> None:
    assert answer(situation(jeter_and_kang(), now)).finding is None


@pytest.mark.parametrize(
    ("day", "identifier", "expected"),
    [("2024-04-16", "fluctuation-early", Urgency.IMMEDIATE), ("2024-04-17", "fluctuation-late", Urgency.SAME_DAY)],
)
def test_given_a_response_when_it_is_lost_then_56_days_from_the_onset_divide_early_from_late(
    day: str, identifier: str, expected: Urgency
) -> None:
    found = after(f"{RESPONDED}\n{day} 3 4", day, IVIG)
    assert met(found) == {identifier}
    assert urgency(found) is expected


def test_given_no_response_when_worse_again_then_it_is_no_fluctuation() -> None:
    rows = f"{ONSET} 1 2\n2024-03-10 3 3\n2024-03-20 3 3\n2024-04-01 3 4"
    assert after(rows, "2024-04-01", IVIG).finding is None


def test_given_no_treatment_when_better_and_worse_again_then_there_is_nothing_to_relapse_from() -> None:
    found = after(f"{RESPONDED}\n2024-04-01 3 4", "2024-04-01")
    assert found.finding is None
    assert "no such treatment recorded" in criterion(found, "fluctuation-early").text


def test_given_another_drug_when_worse_again_then_it_is_context_only() -> None:
    assert after(f"{RESPONDED}\n2024-04-01 3 4", "2024-04-01", treatment("thalidomide", "2024-03-12")).finding is None


def test_given_a_response_in_walking_alone_when_the_aid_is_needed_again_then_it_counts() -> None:
    rows = f"{ONSET} 1 unaided\n2024-03-10 3 wheelchair\n2024-03-20 3 walker\n2024-04-01 3 wheelchair"
    found = after(rows, "2024-04-01", IVIG, columns="on motor_grade walking")
    assert met(found) == {"fluctuation-early"}
    assert found.finding is not None
    assert found.finding.missing == ("gbs_disability", "mrc")


@pytest.mark.parametrize(("relapse", "held"), [("all=4", True), ("all=5-", False), ("all=5;deltoid_left=3;biceps_left=2", False)])
def test_given_a_response_of_the_sum_when_it_falls_then_it_counts_unless_in_half_steps_or_one_limb(
    relapse: str, held: bool
) -> None:
    rows = f"{ONSET} 1 all=5\n2024-03-10 3 all=3\n2024-03-20 3 all=5\n2024-04-01 3 {relapse}"
    found = after(rows, "2024-04-01", IVIG, columns="on motor_grade mrc")
    assert (found.finding is not None) is held


def test_given_three_deteriorations_when_early_then_both_are_said_and_the_urgent_one_leads() -> None:
    again = "\n".join(f"2024-03-{day} 3 {gbs}" for day, gbs in ((10, 4), (14, 3), (18, 4), (22, 3), (26, 4), (30, 3)))
    rows = f"{ONSET} 1 2\n{again}\n2024-04-03 3 4"
    found = after(rows, "2024-04-03", IVIG)
    assert met(found) == {"fluctuation-early", "fluctuation-late"}
    assert urgency(found) is Urgency.IMMEDIATE


@pytest.mark.parametrize(("day", "held"), [("2024-06-29", True), ("2024-06-30", False)])
def test_given_a_steroid_when_worse_within_90_days_of_its_end_then_it_counts(day: str, held: bool) -> None:
    steroid = treatment("corticosteroid", "2024-03-12", "2024-03-31")
    rows = f"{ONSET} 1 2\n2024-03-10 3 3\n2024-03-20 3 3\n{day} 3 4"
    found = after(rows, day, steroid)
    assert ("steroid-taper" in met(found)) is held
    assert urgency(found) is (Urgency.SAME_DAY if held else None)


def test_given_a_steroid_still_given_when_worse_then_it_counts_without_a_response() -> None:
    found = after(f"{ONSET} 1 2\n2024-03-10 3 3\n2024-04-01 3 4", "2024-04-01", treatment("corticosteroid", "2024-03-12"))
    assert met(found) == {"steroid-taper"}


@pytest.mark.parametrize(("day", "held"), [("2024-03-31", True), ("2024-04-01", False)])
def test_given_a_plasma_exchange_when_worse_within_14_days_of_its_end_then_it_counts(day: str, held: bool) -> None:
    exchange = treatment("plasma_exchange", "2024-03-12", "2024-03-17")
    found = after(f"{ONSET} 1 1\n2024-03-10 2 1\n{day} 2 2", day, exchange)
    assert ("after-plasma-exchange" in met(found)) is held
    assert urgency(found) is (Urgency.SAME_DAY if held else None)


def test_given_a_plasma_exchange_when_walking_is_lost_after_it_then_it_is_immediate() -> None:
    exchange = treatment("plasma_exchange", "2024-03-12", "2024-03-17")
    found = after(f"{ONSET} 1 2\n2024-03-10 2 3\n2024-03-20 2 4", "2024-03-20", exchange)
    assert met(found) == {"after-plasma-exchange"}
    assert urgency(found) is Urgency.IMMEDIATE


def test_given_a_relapse_when_a_visit_confirms_it_then_it_is_the_same_occasion() -> None:
    rows = f"{RESPONDED}\n2024-04-01 3 4"
    first, again = after(rows, "2024-04-01", IVIG), after(rows + "\n2024-04-08 3 4", "2024-04-08", IVIG)
    assert first.finding is not None
    assert again.finding is not None
    assert first.finding.occasion == again.finding.occasion == "2024-04-01"


def test_given_a_relapse_when_looked_at_then_the_treatment_is_evidence_and_none_is_proposed() -> None:
    found = after(f"{RESPONDED}\n2024-04-01 3 4", "2024-04-01", IVIG)
    assert found.finding is not None
    assert {evidence.kind for evidence in found.finding.evidence} == {"assessment", "treatment"}
    assert found.finding.action is None
