"""Everything the rules say about a patient can be said in another language: no English is left between the sentences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Review
from monitor.clinical.guideline import DoseAction
from monitor.clinical.history import History
from monitor.clinical.policy import Policy
from monitor.clinical.rules import RULES
from monitor.delivery.language import in_language
from monitor.said import joined, say
from tests.builders import a_course, a_history, an_assessment, noon, shipped_policy, weekly_doses
from tests.clinical.pseudo import english_left, templates, words_of
from tests.drawn_histories import drawn_histories, instants
from tests.test_catalogues import translated

POLICIES = [shipped_policy(name) for name in ("us-label", "eu-smpc", "imwg-2012")]
GUIDELINES = (POLICIES[0].guideline, *POLICIES[0].others)
TITLES = {guideline.title for guideline in GUIDELINES} | {guideline.name for guideline in GUIDELINES}
GERMAN = set(translated("de"))
examples = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def texts_of(review: Review) -> Iterator[str]:
    """Every headline, criterion and note, those of rules that found nothing among them."""
    for answer in review.answers:
        yield from (criterion.text for criterion in answer.criteria)
        if answer.finding is not None:
            yield answer.finding.headline
            yield from notes_of(answer.finding.action)


def notes_of(action: DoseAction | None) -> Iterator[str]:
    if action is not None:
        yield action.note
        for other in action.alternatives:
            yield from notes_of(other)


def names_of(review: Review) -> frozenset[str]:
    """What nobody translates: names of rules, criteria and guidelines."""
    return frozenset({criterion.id for answer in review.answers for criterion in answer.criteria} | set(RULES) | TITLES)


@examples
@given(drawn_histories, instants, st.sampled_from(POLICIES))
def test_given_any_history_when_its_review_is_said_then_no_english_is_left_outside_of_the_sentences(
    history: History, now: datetime, policy: Policy
) -> None:
    review = evaluate(history, policy, now)
    names = names_of(review)
    assert {text: left for text in texts_of(review) if (left := english_left(text, names=names))} == {}


@examples
@given(drawn_histories, instants, st.sampled_from(POLICIES))
def test_given_any_history_when_its_review_is_said_then_the_german_catalogue_knows_each_sentence(
    history: History, now: datetime, policy: Policy
) -> None:
    review = evaluate(history, policy, now)
    said = {each for text in texts_of(review) for each in templates(text)}
    with_words = {message for message in said if any(letter.isalpha() for letter in words_of(message[0]))}
    assert with_words - GERMAN == set()


def test_given_a_sentence_put_into_an_f_string_when_said_then_its_english_is_found() -> None:
    walking = say("walking {aid}", aid=say("cane"))
    assert english_left(joined("; ", (walking, say("{text} ({note})", text=walking, note="P-0007")))) == []
    assert english_left(f"{walking} today") == ["walking", "cane", "today"]
    assert english_left(say("{text}; {rule}", text=walking, rule="a new aid counts"))[-2:] == ["aid", "counts"]


def test_given_a_finding_of_the_published_kind_when_said_in_german_then_it_reads_as_german() -> None:
    history = a_history(
        a_course(stopped=28),
        *weekly_doses(5),
        an_assessment(30, walking="unaided", motor_grade=1),
        an_assessment(37, walking="wheelchair", motor_grade=3),
    )
    finding = evaluate(history, POLICIES[0], noon(38)).findings[0]
    assert finding.headline == "walking: unaided -> wheelchair in 7 days (2024-02-07 to 2024-02-14)"
    assert in_language(finding.headline, "de") == "Gehen: ohne Hilfe → Rollstuhl in 7 Tagen (7. Feb. 2024 bis 14. Feb. 2024)"
