"""worsening-after-discontinuation: coasting against motor decline, the edges of its windows, and "not recovering"."""

from __future__ import annotations

import pytest

from monitor.clinical.days import start_of_day
from monitor.clinical.findings import RuleAnswer, Urgency
from monitor.clinical.rules.worsening_after_discontinuation import answer
from tests.clinical.builders_motor import ZONE, at, course, criterion, history, met, off_drug, on_drug, situation, treatment
from tests.clinical.builders_motor import assessments as drawn
from tests.clinical.builders_motor import doses as given
from tests.clinical.cases_motor import jeter_and_kang

STOP = "2024-03-01"  # day 42 is 12 April, day 43 13 April, day 180 28 August


def after(table: str, now: str, **more: object) -> RuleAnswer:
    return answer(off_drug(table, now, first="2024-01-05", stopped=STOP, **more))


def urgency(found: RuleAnswer) -> Urgency | None:
    return found.finding.urgency if found.finding else None


def test_given_the_published_case_when_walking_is_lost_after_the_stop_then_it_is_immediate() -> None:
    found = answer(situation(jeter_and_kang(), "2011-03-15"))
    assert found.finding is not None
    assert found.finding.urgency is Urgency.IMMEDIATE
    assert "12 days after the last dose" in found.finding.headline
    assert met(found) == {"motor-after-stop"}


def test_given_the_published_case_when_only_the_stop_is_known_then_nothing_is_found() -> None:
    assert answer(situation(jeter_and_kang(), "2011-03-14")).finding is None


@pytest.mark.parametrize(
    ("day", "identifier", "expected"),
    [
        ("2024-03-02", "sensory-early", Urgency.REVIEW),
        ("2024-04-12", "sensory-early", Urgency.REVIEW),
        ("2024-04-13", "sensory-late", Urgency.SAME_DAY),
        ("2024-08-28", "sensory-late", Urgency.SAME_DAY),
    ],
)
def test_given_a_sensory_grade_one_worse_when_days_pass_after_the_stop_then_coasting_becomes_unlikely(
    day: str, identifier: str, expected: Urgency
) -> None:
    found = after(f"on sensory_grade\n2024-02-20 1\n{day} 2", day)
    assert urgency(found) is expected
    assert identifier in met(found)


def test_given_a_sensory_grade_one_worse_when_it_is_seen_after_180_days_then_it_is_no_longer_of_the_stop() -> None:
    assert not met(after("on sensory_grade\n2024-02-20 0\n2024-08-29 1", "2024-08-29"))


def test_given_worse_within_42_days_when_it_merely_lasts_then_it_is_still_what_began_then() -> None:
    found = after("on sensory_grade\n2024-02-20 1\n2024-03-31 2\n2024-04-20 2", "2024-04-20")
    assert urgency(found) is Urgency.REVIEW
    assert met(found) == {"sensory-early"}
    assert "possible coasting" in criterion(found, "sensory-early").text


def test_given_coasting_when_it_resolves_then_it_closes() -> None:
    assert after("on sensory_grade\n2024-02-20 1\n2024-03-20 2\n2024-04-20 1", "2024-04-20").finding is None


def test_given_a_motor_grade_worse_when_it_is_within_42_days_then_it_is_never_coasting() -> None:
    found = after("on motor_grade\n2024-02-20 0\n2024-03-10 1", "2024-03-10")
    assert met(found) == {"motor-after-stop"}
    assert urgency(found) is Urgency.SAME_DAY


@pytest.mark.parametrize(
    ("before", "later", "expected"),
    [
        ("motor_grade 0", "motor_grade 1", Urgency.SAME_DAY),
        ("motor_grade 0", "motor_grade 2", Urgency.IMMEDIATE),
        ("walking unaided", "walking cane", Urgency.IMMEDIATE),
        ("walking unaided", "walking wheelchair", Urgency.IMMEDIATE),
    ],
)
def test_given_a_motor_criterion_when_it_is_met_after_the_stop_then_it_goes_one_tier_up(
    before: str, later: str, expected: Urgency
) -> None:
    name, first = before.split()
    second = later.split()[1]
    assert urgency(after(f"on {name}\n2024-02-20 {first}\n2024-03-10 {second}", "2024-03-10")) is expected


@pytest.mark.parametrize(
    "table",
    [
        "on mrc\n2024-02-20 all=5\n2024-03-10 all=5;quadriceps_left=2",
        "on assessor motor_grade\n2024-02-20 A 0\n2024-03-10 B 2",
    ],
)
def test_given_a_mere_retest_when_it_comes_after_the_stop_then_it_stays_a_review(table: str) -> None:
    found = after(table, "2024-03-10")
    assert met(found) == {"motor-after-stop"}
    assert urgency(found) is Urgency.REVIEW


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        ("unaided all=5", "cane all=5;quadriceps_left=2", Urgency.SAME_DAY),  # a cane after a fracture
        ("unaided all=5", "cane all=5", Urgency.IMMEDIATE),
        ("unaided all=5", "cane all=5;quadriceps_left=4;quadriceps_right=4", Urgency.IMMEDIATE),
        ("unaided all=5", "wheelchair all=5;quadriceps_left=2", Urgency.IMMEDIATE),
    ],
)
def test_given_a_new_aid_after_the_stop_when_only_one_limb_fell_then_it_is_not_lifted_and_loss_of_walking_is(
    first: str, later: str, expected: Urgency
) -> None:
    found = after(f"on walking mrc\n2024-02-20 {first}\n2024-03-10 {later}", "2024-03-10")
    assert met(found) == {"motor-after-stop"}
    assert urgency(found) is expected


def test_given_no_neuropathic_pain_and_no_number_when_pain_comes_then_no_zero_is_made_up() -> None:
    columns = "on neuropathic_pain pain_nrs"
    found = after(f"{columns}\n2024-02-20 no .\n2024-03-10 yes 7", "2024-03-10")
    assert "neuropathic pain NRS: no neuropathic pain -> 7 in 19 days" in criterion(found, "sensory-marked").text
    none = after(f"{columns}\n2024-02-20 no 5\n2024-03-10 no .", "2024-03-10")
    assert "NRS: 0" not in "".join(each.text for each in none.criteria)
    assert "NRS: 0 -> 7" in criterion(after(f"{columns}\n2024-02-20 no 0\n2024-03-10 yes 7", "2024-03-10"), "sensory-marked").text


def test_given_a_grade_that_rose_on_the_drug_when_muscles_fall_after_the_stop_then_they_are_not_hidden_by_it() -> None:
    weak = "all=5;quadriceps_left=4;quadriceps_right=4"
    table = f"on motor_grade mrc\n2024-02-20 0 all=5\n2024-02-27 1 .\n2024-04-10 1 {weak}"
    assert met(after(table, "2024-04-10")) == {"motor-after-stop"}


def test_given_a_decline_on_the_drug_when_it_only_lasts_after_the_stop_then_it_is_not_worse_after_it() -> None:
    assert after("on motor_grade\n2024-02-10 0\n2024-02-27 2\n2024-03-08 2", "2024-03-08").finding is None


@pytest.mark.parametrize(
    ("before", "later", "identifier"),
    [
        ("0 no 0", "2 no 0", "sensory-marked"),
        ("0 yes 3", "0 yes 7", "sensory-marked"),
        ("0 no 0", "0 yes 7", "sensory-marked"),
        ("0 no .", "0 yes .", "sensory-early"),
        ("0 yes 2", "0 yes 4", "sensory-early"),
    ],
)
def test_given_pain_or_a_marked_rise_when_it_comes_after_the_stop_then_its_clause_holds(
    before: str, later: str, identifier: str
) -> None:
    columns = "on sensory_grade neuropathic_pain pain_nrs"
    assert identifier in met(after(f"{columns}\n2024-02-20 {before}\n2024-03-10 {later}", "2024-03-10"))


@pytest.mark.parametrize("later", ["yes 6", "no 9", ". 9", "yes 3"])
def test_given_pain_below_severe_or_not_neuropathic_when_rated_then_it_is_no_marked_rise(later: str) -> None:
    found = after(f"on neuropathic_pain pain_nrs\n2024-02-20 yes 2\n2024-03-10 {later}", "2024-03-10")
    assert "sensory-marked" not in met(found)


def test_given_no_value_in_the_days_before_the_stop_when_an_older_one_exists_then_it_serves() -> None:
    found = after("on sensory_grade\n2024-01-10 1\n2024-03-20 2", "2024-03-20")
    assert met(found) == {"sensory-early"}


def test_given_no_value_before_the_stop_when_a_baseline_is_recorded_then_it_serves() -> None:
    found = after("on sensory_grade\n2024-03-20 2", "2024-03-20", baseline_sensory_grade=1)
    assert met(found) == {"sensory-early"}


def test_given_a_value_in_the_days_before_the_stop_when_an_older_one_was_better_then_the_older_does_not_serve() -> None:
    found = after("on sensory_grade\n2024-01-10 0\n2024-02-20 2\n2024-03-20 2", "2024-03-20")
    assert met(found) == set()


def test_given_another_ctcae_version_when_the_grade_is_worse_then_it_is_not_compared() -> None:
    found = after("on ctcae_version sensory_grade\n2024-02-20 5.0 0\n2024-03-20 6.0 2", "2024-03-20")
    assert met(found) == set()
    assert "not comparable: CTCAE 5.0 -> 6.0" in criterion(found, "sensory-early").text


def test_given_a_known_baseline_when_the_sensory_grade_comes_back_to_it_then_it_is_not_bortezomibs_doing() -> None:
    found = after("on sensory_grade\n2024-02-20 1\n2024-03-20 2", "2024-03-20", baseline_sensory_grade=2)
    assert met(found) == set()


@pytest.mark.parametrize(("now", "held"), [("2024-06-28", False), ("2024-06-29", True)])
def test_given_grade_two_that_lasts_when_120_days_have_passed_then_it_is_not_recovering(now: str, held: bool) -> None:
    found = after("on sensory_grade\n2024-02-20 2\n2024-05-20 2", now)
    assert ("not-recovering" in met(found)) is held
    assert urgency(found) is (Urgency.REVIEW if held else None)


def test_given_grade_two_that_lasts_when_120_days_have_not_passed_then_time_alone_will_look_again() -> None:
    found = after("on sensory_grade\n2024-02-20 2\n2024-05-20 2", "2024-06-01")
    assert found.look_again_at == start_of_day(at("2024-06-29").astimezone(ZONE).date(), ZONE)
    assert after("on sensory_grade\n2024-02-20 2", "2024-07-10").look_again_at is None


@pytest.mark.parametrize("table", ["2024-02-20 3\n2024-05-20 2", "2024-02-20 1\n2024-05-20 1", "2024-02-20 2"])
def test_given_a_better_a_milder_or_an_unseen_state_when_120_days_have_passed_then_it_is_not_called_so(table: str) -> None:
    assert "not-recovering" not in met(after(f"on sensory_grade\n{table}", "2024-07-10"))


def test_given_nothing_recorded_at_the_stop_when_grade_two_lasts_from_the_first_visit_after_it_then_it_is_not_recovering() -> (
    None
):
    assert met(after("on sensory_grade\n2024-03-10 2\n2024-06-20 2", "2024-07-10")) == {"not-recovering"}
    assert met(after("on sensory_grade\n2024-06-20 2", "2024-07-10", baseline_sensory_grade=0)) == {
        "sensory-late",
        "sensory-marked",
    }


def test_given_a_patient_on_the_drug_when_asked_then_every_clause_says_so() -> None:
    found = answer(on_drug("on sensory_grade motor_grade\n2024-02-20 0 0\n2024-03-01 3 3", "2024-03-04"))
    assert found.finding is None
    assert found.look_again_at is None
    assert all("on bortezomib, last dose on 2024-03-04" in each.text for each in found.criteria)


def test_given_another_drug_since_when_asked_then_the_clock_runs_from_the_last_bortezomib() -> None:
    of = history(
        drawn("on motor_grade\n2024-02-20 0\n2024-03-10 2"),
        given("2024-01-05", STOP),
        courses=[course("2024-01-05", STOP)],
        treatments=[treatment("thalidomide", "2024-03-02")],
    )
    assert urgency(answer(situation(of, "2024-03-10"))) is Urgency.IMMEDIATE


def test_given_worse_twice_when_acknowledged_between_then_the_occasion_is_another() -> None:
    table = "on motor_grade\n2024-02-20 0\n2024-03-10 2"
    first, again = after(table, "2024-03-10"), after(table + "\n2024-03-20 3", "2024-03-20")
    assert first.finding is not None
    assert again.finding is not None
    assert first.finding.occasion < again.finding.occasion


def test_given_nothing_new_when_days_pass_then_no_word_of_the_finding_changes() -> None:
    table = "on sensory_grade motor_grade\n2024-02-20 2 0\n2024-03-20 3 2"
    of = history(drawn(table), given("2024-01-05", STOP), courses=[course("2024-01-05", STOP)])
    assert answer(situation(of, "2024-03-21")).finding == answer(situation(of, "2024-03-29")).finding is not None
