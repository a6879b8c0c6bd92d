"""rapid-motor-decline as a finding: urgency, headline, weight, occasion; the published case; no rise by improvement."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clinical.findings import Finding, Urgency
from monitor.clinical.history import ALWAYS, Assessment
from monitor.clinical.rules import immune_mediated_pattern, relapse_after_treatment, worsening_after_discontinuation
from monitor.clinical.rules.rapid_motor_decline import NAME, answer
from monitor.clinical.scales.mrc import KLEYWEG_PLACES, TESTED_MUSCLES, mrc_sum
from monitor.clinical.scales.walking import AIDS
from tests.clinical.builders_motor import assessments, at, course, criterion, doses, history, met, on_drug, situation
from tests.clinical.cases_motor import jeter_and_kang


def finding(table: str, now: str, **more: object) -> Finding | None:
    return answer(on_drug(table, now, **more)).finding  # type: ignore[arg-type]  # passed on


def test_given_the_published_case_when_walking_is_lost_within_exactly_28_days_then_it_is_immediate() -> None:
    found = answer(situation(jeter_and_kang(), "2011-03-15"))
    assert found.finding is not None
    assert found.finding.rule == NAME
    assert found.finding.urgency is Urgency.IMMEDIATE
    assert found.finding.headline == "walking: unaided -> wheelchair in 28 days (2011-02-15 to 2011-03-15)"
    assert found.finding.clinical_at == at("2011-03-15")
    assert "loss-of-walking" in met(found)
    assert {"mrc", "csf_protein"} == set(found.finding.missing)


@pytest.mark.parametrize("now", ["2011-02-15", "2011-03-08", "2011-03-14"])
def test_given_the_published_case_when_walking_is_not_lost_yet_then_nothing_is_found(now: str) -> None:
    assert answer(situation(jeter_and_kang(), now)).finding is None


def test_given_the_published_case_when_examined_then_his_sum_is_53_and_no_sum_finds_him() -> None:
    found = answer(situation(jeter_and_kang(), "2011-03-16"))
    assert "MRC sum: 53 on 2011-03-16" in criterion(found, "mrc-sum-fall").text
    assert not met(found) & {"mrc-sum-fall", "moderate-fall", "muscle-fall"}
    assert "loss-of-walking" in met(found)


def test_given_the_published_case_when_the_next_day_confirms_it_then_it_is_the_same_event() -> None:
    days = [answer(situation(jeter_and_kang(), day)).finding for day in ("2011-03-15", "2011-03-16", "2011-03-17")]
    assert len({(each.urgency, each.weight, each.occasion, each.clinical_at) for each in days if each}) == 1
    assert all(days)


def test_given_nothing_recorded_when_asked_then_every_criterion_is_answered_and_says_so() -> None:
    found = answer(on_drug("on sensory_grade\n2024-03-08 1", "2024-03-08"))
    assert found.finding is None
    assert len({each.id for each in found.criteria}) == len(found.criteria) == 14
    assert all(each.text and each.source for each in found.criteria)
    assert "not recorded" in criterion(found, "grip-fall").text


def test_given_a_second_severe_sign_when_it_comes_then_the_finding_is_heavier() -> None:
    first = finding("on walking motor_grade\n2024-03-01 unaided 0\n2024-03-08 wheelchair .", "2024-03-08")
    second = finding("on walking motor_grade\n2024-03-01 unaided 0\n2024-03-08 wheelchair 3", "2024-03-08")
    assert first is not None
    assert second is not None
    assert (first.weight, second.weight) == (1, 2)


def test_given_walking_lost_twice_when_it_was_regained_between_then_it_is_another_occasion() -> None:
    table = "on walking\n2024-03-01 unaided\n2024-03-08 wheelchair\n2024-03-12 walker"
    first = finding(table, "2024-03-08")
    again = finding(table + "\n2024-03-20 wheelchair", "2024-03-20")
    assert first is not None
    assert again is not None
    assert first.occasion < again.occasion


def test_given_the_same_facts_when_told_again_at_a_later_visit_then_nothing_but_the_evidence_changes() -> None:
    table = "on walking motor_grade\n2024-03-01 unaided 0\n2024-03-08 cane 2"
    first, again = finding(table, "2024-03-08"), finding(table + "\n2024-03-15 cane 2", "2024-03-15")
    assert first is not None
    assert again is not None
    assert (first.urgency, first.weight, first.occasion, first.headline) == (
        again.urgency,
        again.weight,
        again.occasion,
        again.headline,
    )


def test_given_single_limb_and_nothing_else_when_asked_then_it_is_a_review() -> None:
    found = finding("on mrc\n2024-03-01 all=5\n2024-03-08 all=5;tibialis_anterior_left=1", "2024-03-08")
    assert found is not None
    assert found.urgency is Urgency.REVIEW
    assert found.weight == 0


def test_given_a_finding_when_looked_at_then_its_evidence_is_both_ends_of_the_change() -> None:
    examined = assessments("on walking\n2024-03-01 unaided\n2024-03-08 wheelchair")
    found = answer(situation(history(examined, doses("2024-01-01", "2024-03-08")), "2024-03-08")).finding
    assert found is not None
    assert {evidence.id for evidence in found.evidence} == {each.fact_id for each in examined}


RANKS = st.one_of(st.none(), st.integers(3, 15))


@st.composite
def visits(draw: st.DrawFn) -> tuple[Assessment, ...]:
    day, drawn = at("2024-01-10"), []
    for version in range(1, draw(st.integers(2, 6)) + 1):
        day += timedelta(days=draw(st.integers(0, 30)))
        powers = draw(st.lists(RANKS, min_size=12, max_size=12))
        ranks: list[int | None] = [None] * len(TESTED_MUSCLES)
        for place, power in zip(KLEYWEG_PLACES, powers, strict=True):
            ranks[place] = power
        drawn.append(
            Assessment(
                fact_id=f"a{version}",
                version=version,
                known_at=ALWAYS,
                at=day,
                on=day.date(),
                day_only=True,
                assessor=draw(st.sampled_from([None, "A", "B"])),
                ctcae_version=draw(st.sampled_from(["5.0", "5.0", "4.03"])),
                motor_grade=draw(st.one_of(st.none(), st.integers(0, 4))),
                walking=draw(st.one_of(st.none(), st.sampled_from(AIDS))),
                gbs_disability=draw(st.one_of(st.none(), st.integers(0, 5))),
                red_flags=frozenset(draw(st.sets(st.sampled_from(["back_pain", "bulbar"]), max_size=1))),
                grip_kpa_left=draw(st.one_of(st.none(), st.integers(40, 90).map(float))),
                mrc=tuple(ranks),
                mrc_sum=mrc_sum(ranks),
            )
        )
    return tuple(drawn)


@st.composite
def visits_and_a_better_last_one(draw: st.DrawFn) -> tuple[tuple[Assessment, ...], tuple[Assessment, ...]]:
    worse = draw(visits())
    last = worse[-1]
    stronger = tuple(None if rank is None else min(15, rank + draw(st.integers(0, 6))) for rank in last.mrc)
    better = replace(
        last,
        motor_grade=None if last.motor_grade is None else max(0, last.motor_grade - draw(st.integers(0, 2))),
        walking=None if last.walking is None else AIDS[max(0, AIDS.index(last.walking) - draw(st.integers(0, 2)))],
        gbs_disability=None if last.gbs_disability is None else max(0, last.gbs_disability - draw(st.integers(0, 2))),
        grip_kpa_left=None if last.grip_kpa_left is None else last.grip_kpa_left + draw(st.integers(0, 20)),
        red_flags=frozenset() if draw(st.booleans()) else last.red_flags,
        mrc=stronger,
        mrc_sum=mrc_sum(stronger),
    )
    return worse, (*worse[:-1], better)


@settings(max_examples=80, deadline=None)
@given(pair=visits_and_a_better_last_one(), days_since_stop=st.none() | st.integers(0, 60))
def test_given_any_history_when_the_newest_visit_is_better_then_no_motor_rule_is_more_urgent_or_heavier(
    pair: tuple[tuple[Assessment, ...], tuple[Assessment, ...]], days_since_stop: int | None
) -> None:
    worse, better = (_burdens(examined, days_since_stop) for examined in pair)
    for before, now in zip(worse, better, strict=True):
        assert now[0] <= before[0]
        assert now[1] <= before[1]


def _burdens(examined: tuple[Assessment, ...], days_since_stop: int | None) -> list[tuple[int, int]]:
    until = examined[-1].on
    stop = max(examined[0].on, until - timedelta(days=days_since_stop or 0)).isoformat()
    ended = [] if days_since_stop is None else [course("2024-01-01", stop)]
    of = situation(history(examined, doses("2024-01-01", stop), courses=ended), until.isoformat())
    rules = (answer, worsening_after_discontinuation.answer, relapse_after_treatment.answer, immune_mediated_pattern.answer)
    found = [rule(of).finding for rule in rules]
    return [(_rank(each), each.weight) if each else (-1, 0) for each in found]


def _rank(finding: Finding) -> int:
    """The urgency, as it is where no fall of one limb explains a new aid: that muscle stronger, the aid is more urgent."""
    after_stop = next((each.text for each in finding.criteria if each.id == "motor-after-stop" and each.met), "")
    explained = "disability-or-aid" in after_stop and "single-limb" in after_stop
    return Urgency.IMMEDIATE.rank if explained else finding.urgency.rank
