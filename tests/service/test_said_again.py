"""What the database keeps as plain English is said in the reader's language; what a person wrote stays as it is."""

from __future__ import annotations

import pytest

from monitor.clinical.findings import Urgency
from monitor.clinical.nobody_home import nobody_home
from monitor.clinical.on_call import OnCall, Rota, Shift, Step, Team
from monitor.delivery.language import in_language
from monitor.service.said_again import said_again


@pytest.mark.parametrize(
    ("kept", "german"),
    [
        ("an out-of-office reply", "eine Abwesenheitsnotiz"),
        ("quiet hours of team north (nights)", "Ruhezeit von Team north (nights)"),
        ("quiet hours of team immediate", "Ruhezeit von Team immediate"),
        ("superseded by a newer mail", "durch eine neuere Mail ersetzt"),
        ("visit is booked", "visit is booked"),
        ("{urgency}", "{urgency}"),
        ("", ""),
    ],
)
def test_given_a_kept_sentence_when_said_again_then_only_the_program_s_own_words_are_translated(kept: str, german: str) -> None:
    again = said_again(kept)
    assert again == kept
    assert in_language(again, "de") == german


@pytest.mark.parametrize("urgency", list(Urgency))
def test_given_an_urgency_in_a_kept_sentence_when_said_again_then_it_is_translated_too(urgency: Urgency) -> None:
    told = in_language(said_again(f"{urgency}: told in the morning"), "de")
    assert told.endswith(": Nachricht am Morgen")
    assert urgency.value not in told


def test_given_hours_without_anybody_when_said_in_german_then_no_english_word_is_left() -> None:
    nights = Shift(days=frozenset({0, 1}), from_minute=1140, until_minute=420, people=("lang",))
    directory = OnCall(rotas={"nights": Rota(name="nights", shifts=(nights,))})
    team = Team(
        name="north", sites=("*",), recipients=(), on_call=("nights",), escalation={Urgency.REVIEW: (Step(to=("nights",)),)}
    )
    said = [in_language(gap.words, "de") for gap in nobody_home([team], directory, None)]
    assert said
    for sentence in said:
        assert sentence.startswith("Team 'north' (alle Stationen), ")
        for english in ("nobody", "would", "Monday", "Tuesday", "Sunday", " to ", "every", "immediate", "of the day"):
            assert english not in sentence
