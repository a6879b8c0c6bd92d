"""The screen of a replay may pass over instants, never over an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.clinical.history import Assessment, Dose, Fact, History
from monitor.clinical.replay import replay
from monitor.clinical.screen import calm_until
from tests.builders import a_course, a_dose, a_history, an_assessment, full_power, noon, shipped_policy
from tests.drawn_histories import drawn_histories

POLICY = shipped_policy()
examples = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def spoken(history: History, *, screened: bool) -> list[tuple[object, ...]]:
    """Every alert that speaks, with when, why and how urgent."""
    until = noon(400)
    return [
        (at, each.reason, each.after.finding.rule, each.after.urgency, each.after.finding.headline, each.after.finding.evidence)
        for at, _, transitions in replay(history, POLICY, until=until, screened=screened)
        for each in transitions
        if each.speaks
    ]


@st.composite
def steady_histories(draw: st.DrawFn) -> History:
    """Weekly or twice-weekly doses and visits that mostly repeat the one before, with changes strewn in."""
    facts: list[Fact] = []
    if draw(st.booleans()):
        facts.append(a_course(0, schedule=draw(st.sampled_from([None, "weekly", "twice-weekly"]))))
    if draw(st.booleans()):  # no baseline is recorded: this one stands in, perhaps known late
        known_at = noon(draw(st.sampled_from([-3, -3, 30])))
        facts.append(
            an_assessment(-3, sensory_grade=draw(st.integers(0, 2)), motor_grade=draw(st.integers(0, 2)), known_at=known_at)
        )
    twice = draw(st.booleans())
    visit: Assessment = an_assessment(0, sensory_grade=0, motor_grade=0, neuropathic_pain=False, walking="unaided")
    level = 1.3
    for week in range(draw(st.integers(min_value=6, max_value=30))):
        if draw(st.integers(min_value=0, max_value=9)) == 0:
            level = draw(st.sampled_from([1.3, 1.0, 0.7]))
        if draw(st.integers(min_value=0, max_value=9)) > 0:
            facts.append(a_dose(week * 7, level))
            if twice:
                facts.append(a_dose(week * 7 + draw(st.sampled_from([3, 3, 3, 4, 5])), level))
        if draw(st.integers(min_value=0, max_value=4)) == 0:
            visit = replace(
                visit,
                sensory_grade=draw(st.sampled_from([None, 0, 1, 1, 2, 3])),
                motor_grade=draw(st.sampled_from([None, 0, 0, 0, 1, 2, 3])),
                neuropathic_pain=draw(st.sampled_from([None, False, False, True])),
                walking=draw(st.sampled_from([None, "unaided", "unaided", "cane", "wheelchair"])),
                mrc=draw(st.sampled_from([visit.mrc, full_power(), full_power(iliopsoas_right="4", iliopsoas_left="3")])),
                reflexes=draw(st.sampled_from([None, "normal", "absent"])),
            )
        if draw(st.integers(min_value=0, max_value=9)) > 0:
            number = week * 7 + draw(st.sampled_from([0, 0, 0, 1, 2]))
            late = timedelta(days=draw(st.sampled_from([0, 0, 0, 0, 2])))
            same = {"fact_id": f"a-{week}", "version": 9_000 + week, "at": noon(number), "on": noon(number).date()}
            facts.append(replace(visit, known_at=noon(number) + late, **same))  # type: ignore[arg-type]  # four fields of their own types
    if draw(st.booleans()):
        return a_history(*facts)
    minutes = draw(st.sampled_from([5, 60 * 30]))
    return a_history(*(replace(fact, known_at=fact.known_at + timedelta(minutes=minutes)) for fact in facts))


FOLLOWED_ON_THE_DAY = a_history(
    a_course(0),
    a_dose(7, 1.0),
    *(an_assessment(number, sensory_grade=2, motor_grade=0, neuropathic_pain=False) for number in (0, 7)),
)
"""The second visit reads like the first, yet the dose advised at the first was given meanwhile, on the second's own day."""


@examples
@example(FOLLOWED_ON_THE_DAY)
@given(steady_histories())
def test_given_a_steady_history_when_screened_then_the_same_is_said_at_the_same_instants(history: History) -> None:
    assert spoken(history, screened=True) == spoken(history, screened=False)


@examples
@given(drawn_histories)
def test_given_any_history_when_screened_then_the_same_is_said_at_the_same_instants(history: History) -> None:
    assert spoken(history, screened=True) == spoken(history, screened=False)


def test_given_a_year_of_the_same_when_replayed_then_hardly_an_instant_is_looked_at() -> None:
    visits = [an_assessment(7 * week, sensory_grade=0, motor_grade=0, neuropathic_pain=False) for week in range(52)]
    doses: list[Dose] = [a_dose(7 * week + gap, 1.3) for week in range(52) for gap in (0, 3)]
    history = a_history(*visits, *doses)
    looked_at = sum(1 for _ in replay(history, POLICY, until=noon(52 * 7)))
    assert looked_at < 20 < 100 < sum(1 for _ in replay(history, POLICY, until=noon(52 * 7), screened=False))
    assert len(calm_until(history, POLICY)) > 90
