"""What is put on a figure, in whose words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clinical.findings import Urgency
from monitor.clinical.trend import Given, Mark, Visit
from monitor.delivery.figure.alt import figure_alt
from monitor.delivery.figure.axis import days_of
from monitor.delivery.figure.making import sheet_of
from monitor.delivery.figure.sheet import Line, sheet_from, sheet_json
from monitor.delivery.language import LANGUAGES, Language, in_language
from tests.delivery.figures import EMPTY, HOSTILE, HOSTILE_TREND, TREND, on


def days(line: Line) -> list[list[int]]:
    return [[(point.on - on(0)).days for point in run] for run in line.runs]


@pytest.mark.parametrize("trend", [TREND, HOSTILE_TREND, EMPTY], ids=["full", "hostile", "empty"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_given_a_sheet_when_kept_as_json_then_it_comes_back_whole(trend: object, language: Language) -> None:
    sheet = sheet_of(trend, language)  # type: ignore[arg-type]  # of the parameters
    assert sheet_from(sheet_json(sheet)) == sheet


@pytest.mark.parametrize("data", ["", "{}", "[]", '{"language":"en"}'])
def test_given_what_is_no_sheet_when_read_then_it_is_refused(data: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        sheet_from(data)


def test_given_a_visit_that_recorded_no_grade_when_drawn_then_the_line_is_not_joined_across_it() -> None:
    sensory, motor = sheet_of(TREND, "en").grades
    assert days(sensory) == days(motor) == [[0, 40], [75]]
    assert (sensory.label, motor.label) == ("sensory 2", "motor 3")


def test_given_two_records_of_one_day_when_drawn_then_one_that_says_nothing_breaks_no_line() -> None:
    of_a_day = (Visit(on=on(0), motor_grade=1), Visit(on=on(7), walking="cane"), Visit(on=on(7), motor_grade=2))
    (motor,) = sheet_of(replace(TREND, visits=of_a_day), "en").grades
    assert days(motor) == [[0, 7]]


def test_given_another_ctcae_version_when_drawn_then_its_visits_stand_apart_and_it_is_said() -> None:
    visits = (
        Visit(on=on(0), motor_grade=0, ctcae_version="3.0"),
        Visit(on=on(7), motor_grade=1, ctcae_version="4.0"),
        Visit(on=on(14), motor_grade=1, ctcae_version="4.03"),
    )
    sheet = sheet_of(replace(TREND, visits=visits, muscles=()), "en")
    assert [[point.apart for point in run] for run in sheet.grades[0].runs] == [[True], [False, False]]
    assert sheet.remark == "◇ by CTCAE 3.0"
    assert sheet.description.startswith("Motor grade: 1 on 17 Jan 2011.")  # worse than what it is not compared with


def test_given_a_course_that_began_before_what_is_shown_when_drawn_then_it_says_so() -> None:
    assert sheet_of(replace(TREND, cut=True), "en").remark == "← earlier not shown"
    assert sheet_of(TREND, "en").remark == ""


def test_given_both_sides_alike_when_drawn_then_they_are_one_line_with_one_name() -> None:
    labels = [line.label.replace("\N{NO-BREAK SPACE}", " ") for line in sheet_of(TREND, "en").powers]
    assert labels == ["tibialis anterior both sides 1", "iliopsoas left 4-", "sum 51 of 60"]


def test_given_a_sum_when_drawn_then_sixty_is_as_high_as_five() -> None:
    (total,) = (line for line in sheet_of(TREND, "en").powers if line.style == "sum")
    assert [point.value for run in total.runs for point in run] == [5.0, 51 / 12]


def test_given_a_disability_alone_when_drawn_then_walking_is_what_it_says() -> None:
    walking = sheet_of(replace(TREND, visits=(Visit(on=on(3), gbs_disability=4),)), "en").walking
    assert walking is not None
    assert walking.runs[0][0].value == 3


def test_given_doses_when_drawn_then_a_number_stands_where_it_changes() -> None:
    assert [bar.label for bar in sheet_of(TREND, "en").doses if bar.label] == ["1.3", "1.0"]
    odd = replace(TREND, doses=(Given(on=on(0), mg_per_m2=0.75),))
    assert [bar.label for bar in sheet_of(odd, "de").doses] == ["0,75"]


def test_given_painful_visits_in_a_row_when_drawn_then_the_strip_ends_where_pain_was_not_asked() -> None:
    visits = tuple(Visit(on=on(number), pain=pain) for number, pain in enumerate((None, True, True, None, True, False)))
    assert [(each.since, each.until) for each in sheet_of(replace(TREND, visits=visits), "en").pain] == [
        (on(1), on(2)),
        (on(4), on(4)),
    ]


def test_given_several_findings_when_drawn_then_those_of_one_day_are_one_flag_led_by_the_most_urgent() -> None:
    marks = (
        Mark(on=on(75), rule="rapid-motor-decline", text="", urgency=Urgency.IMMEDIATE),
        Mark(on=on(74), rule="immune-mediated-pattern", text="", urgency=Urgency.IMMEDIATE),
        Mark(on=on(40), rule="dose-modification", text="", urgency=Urgency.SAME_DAY),
        Mark(on=on(5), rule="assessment-overdue", text="", urgency=Urgency.REVIEW),
    )
    flags = sheet_of(replace(TREND, marks=marks), "en").flags
    assert [(flag.text, flag.urgency) for flag in flags] == [
        ("Dose threshold, 12 Feb", "same-day"),
        ("Rapid motor decline and 1 more, 19 Mar", "immediate"),
    ]


def test_given_a_stop_when_drawn_then_it_is_the_last_dose_with_its_day() -> None:
    stop = sheet_of(TREND, "de").stop
    assert stop is not None
    assert stop.text == "letzte Dosis 28. Feb."


def test_given_nothing_recorded_when_drawn_then_it_says_so() -> None:
    sheet = sheet_of(EMPTY, "en")
    assert sheet.empty == ("not recorded", "not recorded")
    assert sheet.description == "Nothing was recorded of grades, walking and strength."
    assert (sheet.last_on - sheet.first_on).days == 28


def test_given_names_from_the_feed_when_said_then_they_are_one_bounded_line_of_printable_characters() -> None:
    sheet = sheet_of(HOSTILE_TREND, "en")
    for label in [each.label for each in sheet.therapies] + [each.text for each in sheet.flags]:
        assert label.replace("\N{NO-BREAK SPACE}", "").isprintable()
        assert len(label) <= 80
    assert HOSTILE not in sheet_json(sheet)


def test_given_a_loss_when_told_in_words_then_the_finding_is_told_in_the_readers_language() -> None:
    assert figure_alt(TREND).startswith("Walking: unaided on 2011-02-12, wheelchair on 2011-03-19. MRC sum: 60 on")
    assert in_language(figure_alt(TREND), "en").startswith("Walking: unaided on 12 Feb 2011, wheelchair on 19 Mar 2011.")
    german = in_language(figure_alt(TREND), "de")
    assert german.startswith("Gehen: ohne Hilfe am 12. Feb. 2011, Rollstuhl am 19. März 2011. MRC-Summe: 60 am 12. Feb. 2011, 51")
    assert german.endswith("Letzte Dosis Bortezomib am 28. Feb. 2011.")


@given(st.integers(28, 800), st.integers(0, 365))
def test_given_any_period_when_the_axis_is_named_then_some_days_are_and_not_too_many(length: int, start: int) -> None:
    named = days_of(on(start), on(start + length), "en")
    assert 2 <= len(named) <= 14
    assert all(on(start) <= note.on <= on(start + length) for note in named)
    assert "\n2011" in named[0].text or "\n2012" in named[0].text
