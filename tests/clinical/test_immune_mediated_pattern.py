"""immune-mediated-pattern: a motor picture or CSF, and one more feature; never early onset alone."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.clinical.findings import RuleAnswer, Urgency
from monitor.clinical.history import Investigation, LabResult
from monitor.clinical.rules.immune_mediated_pattern import answer
from tests.clinical.builders_motor import (
    assessments,
    criterion,
    doses,
    history,
    investigation,
    lab,
    met,
    off_drug,
    on_drug,
    situation,
)
from tests.clinical.cases_motor import jeter_and_kang

LATE = "2024-09-02"  # first dose 1 January: past the third cycle and 13 mg/m2


def late(row: str, *, labs: tuple[LabResult, ...] = (), investigations: tuple[Investigation, ...] = ()) -> RuleAnswer:
    """A late onset with ``row`` (sensory, motor, reflexes, mrc, red_flags) as the newest assessment."""
    table = f"on sensory_grade motor_grade reflexes mrc red_flags\n2024-05-01 1 2 . . .\n{LATE} {row}"
    of = history(
        assessments(table), doses("2024-01-01", LATE), labs=labs, investigations=investigations, birth_on=date(1950, 1, 1)
    )
    return answer(situation(of, LATE))


def urgency(found: RuleAnswer) -> Urgency | None:
    return found.finding.urgency if found.finding else None


def test_given_the_published_case_when_walking_is_lost_off_the_drug_then_it_is_immediate() -> None:
    found = answer(situation(jeter_and_kang(), "2011-03-15"))
    assert urgency(found) is Urgency.IMMEDIATE
    assert met(found) == {"motor", "worse-after-stop", "low-dose-at-onset"}
    assert found.finding is not None
    assert found.finding.missing == ("csf_protein", "nerve_conduction", "reflexes")
    assert "urgent neurology review" in found.finding.headline
    assert "9.1 mg/m2" in criterion(found, "low-dose-at-onset").text


def test_given_the_published_case_when_csf_comes_then_it_adds_a_criterion_and_not_an_alarm() -> None:
    before, after = (answer(situation(jeter_and_kang(), day)) for day in ("2011-03-16", "2011-03-17"))
    assert before.finding is not None
    assert after.finding is not None
    assert met(after) - met(before) == {"csf-dissociation"}
    assert (after.finding.urgency, after.finding.weight, after.finding.occasion) == (
        before.finding.urgency,
        before.finding.weight,
        before.finding.occasion,
    )
    assert {"lab"} <= {evidence.kind for evidence in after.finding.evidence}
    assert "133 mg/dL (1.33 g/L) on 2011-03-17: clearly raised, 2 cells" in criterion(after, "csf-dissociation").text
    assert after.finding.missing == ("nerve_conduction",)


def test_given_the_published_case_when_nerve_conduction_and_negative_antibodies_come_then_nothing_is_lowered() -> None:
    found = answer(situation(jeter_and_kang(), "2011-03-18"))
    assert urgency(found) is Urgency.IMMEDIATE
    assert "nerve-conduction" in met(found)
    assert not any("antibod" in each.text for each in found.criteria)


@pytest.mark.parametrize("now", ["2011-02-15", "2011-03-14"])
def test_given_an_early_onset_when_nothing_else_is_there_then_it_never_fires(now: str) -> None:
    found = answer(situation(jeter_and_kang(), now))
    assert found.finding is None
    assert "low-dose-at-onset" in met(found)


@pytest.mark.parametrize(
    ("row", "feature"),
    [
        ("1 2 absent . .", "areflexia"),
        ("1 2 . all=5;iliopsoas_left=4;iliopsoas_right=4- .", "proximal-weakness"),
        ("1 2 . all=5;deltoid_left=4;quadriceps_left=4 .", "proximal-weakness"),
        ("1 2 . . facial", "cranial-signs"),
        ("1 2 . . bulbar", "cranial-signs"),
    ],
)
def test_given_a_motor_picture_when_one_more_feature_is_there_then_it_fires(row: str, feature: str) -> None:
    found = late(row)
    assert feature in met(found)
    assert urgency(found) is (Urgency.IMMEDIATE if feature == "cranial-signs" else Urgency.SAME_DAY)


@pytest.mark.parametrize("finding", ["demyelinating", "conduction_block", "prolonged_f_waves", "conduction_slowing"])
def test_given_a_motor_picture_when_nerve_conduction_is_telling_then_it_fires(finding: str) -> None:
    found = late("1 2 . . .", investigations=(investigation("2024-09-01", "nerve_conduction", "axonal", finding),))
    assert "nerve-conduction" in met(found)
    assert urgency(found) is Urgency.SAME_DAY


@pytest.mark.parametrize(
    "row",
    [
        "1 2 . . .",
        "1 2 reduced . .",
        "1 2 . all=5;iliopsoas_left=4 .",
        "1 2 . all=5;tibialis_anterior_left=3;tibialis_anterior_right=3 .",
        "1 2 . . back_pain",
    ],
)
def test_given_a_motor_picture_when_no_other_feature_is_there_then_it_stays_silent(row: str) -> None:
    assert late(row).finding is None


def test_given_only_axonal_nerve_conduction_when_asked_then_it_is_no_feature() -> None:
    assert late("1 2 . . .", investigations=(investigation("2024-09-01", "nerve_conduction", "axonal"),)).finding is None


def test_given_a_sensory_grade_above_the_motor_one_when_nothing_declined_then_it_is_not_motor() -> None:
    assert "motor" not in met(late("3 2 absent . ."))


def test_given_a_motor_grade_at_the_baseline_when_asked_then_it_is_not_motor() -> None:
    situation_at_baseline = on_drug(f"on motor_grade reflexes\n{LATE} 2 absent", LATE, baseline_motor_grade=2)
    assert answer(situation_at_baseline).finding is None


def test_given_a_mere_retest_when_asked_then_it_is_no_motor_decline() -> None:
    table = "on mrc reflexes\n2024-02-20 all=5 absent\n2024-03-10 all=5;quadriceps_left=1 absent"
    assert answer(off_drug(table, "2024-03-10", first="2024-01-05", stopped="2024-03-01")).finding is None


def test_given_csf_dissociation_when_one_more_feature_is_there_then_it_fires_without_a_motor_picture() -> None:
    labs = (lab("2024-09-01", "csf_protein", 80), lab("2024-09-01", "csf_white_cells", 3))
    found = late("1 0 absent . .", labs=labs)
    assert met(found) >= {"csf-dissociation", "areflexia"}
    assert urgency(found) is Urgency.SAME_DAY


def test_given_a_motor_picture_and_csf_dissociation_when_nothing_else_is_there_then_each_supports_the_other() -> None:
    labs = (lab("2024-09-01", "csf_protein", 80), lab("2024-09-01", "csf_white_cells", 3))
    found = late("1 2 . . .", labs=labs)
    assert met(found) == {"motor", "csf-dissociation"}
    assert urgency(found) is Urgency.SAME_DAY
    assert late("1 0 . . .", labs=labs).finding is None


@pytest.mark.parametrize(("protein", "cells"), [(80, 51), (80, 11), (59, 2), (80, None)])
def test_given_csf_without_dissociation_when_there_is_no_motor_picture_then_it_stays_silent(
    protein: float, cells: float | None
) -> None:
    labs = [lab("2024-09-01", "csf_protein", protein)]
    if cells is not None:
        labs.append(lab("2024-09-01", "csf_white_cells", cells))
    assert late("1 0 absent . .", labs=tuple(labs)).finding is None


def test_given_cells_of_another_day_when_paired_then_they_are_not_those_of_the_tap() -> None:
    labs = (lab("2024-08-01", "csf_white_cells", 3), lab("2024-09-01", "csf_protein", 80))
    found = late("1 0 absent . .", labs=labs)
    assert found.finding is None
    assert "cells not recorded with it" in criterion(found, "csf-dissociation").text


def test_given_many_cells_when_there_is_a_motor_picture_then_the_text_argues_against_and_the_alert_stands() -> None:
    labs = (lab("2024-09-01", "csf_protein", 80), lab("2024-09-01", "csf_white_cells", 80))
    found = late("1 2 absent . .", labs=labs)
    assert found.finding is not None
    assert "argue against" in criterion(found, "csf-dissociation").text


def test_given_a_report_of_dissociation_when_no_numbers_came_then_it_serves() -> None:
    report = investigation("2024-09-01", "csf_report", "albuminocytologic_dissociation")
    assert "csf-dissociation" in met(late("1 0 absent . .", investigations=(report,)))


def test_given_csf_of_before_the_first_dose_when_asked_then_it_does_not_count() -> None:
    labs = (lab("2023-12-01", "csf_protein", 80), lab("2023-12-01", "csf_white_cells", 3))
    assert "CSF not recorded" in criterion(late("1 0 absent . .", labs=labs), "csf-dissociation").text


def test_given_any_answer_when_read_then_no_treatment_is_named() -> None:
    found = answer(situation(jeter_and_kang(), "2011-03-18"))
    assert found.finding is not None
    said = " ".join([found.finding.headline, *(each.text for each in found.criteria)]).lower()
    assert not any(word in said for word in ("steroid", "prednis", "ivig", "immunoglobulin", "exchange"))
