"""A sentence that can be said again: what it keeps, and how it sounds in another language."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.language import in_language, said_in
from monitor.said import Said, from_json, joined, say, say_n, to_json

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 1, 1))
VALUES = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), DAYS, st.text().map(lambda text: say("{it}", it=text)))


@given(first=VALUES, second=VALUES)
def test_given_any_values_when_kept_as_json_then_the_sentence_comes_back(first: str, second: str) -> None:
    said = say("{first} and {second}", first=first, second=second)
    back = from_json(json.loads(json.dumps(to_json(said))))
    assert (back, back.template, dict(back.values)) == (said, said.template, dict(said.values))  # type: ignore[attr-defined]


def test_given_a_sentence_when_copied_then_it_can_still_be_said_again() -> None:
    said = copy.deepcopy(say("on {day}", day=date(2011, 3, 15)))
    assert isinstance(said, Said)
    assert said_in(said, "de") == "on 15. März 2011"


def test_given_a_number_a_day_and_an_instant_when_said_in_german_then_each_is_written_as_germans_write() -> None:
    said = say("{dose:.1f}, {day}, {at}", dose=1.3, day=date(2011, 3, 15), at=datetime(2011, 3, 15, 9, 20, tzinfo=UTC))
    assert said_in(said, "de") == "1,3, 15. März 2011, 15. März 2011, 09:20 +00:00"


def test_given_joined_sentences_when_said_in_another_language_then_each_part_is() -> None:
    assert in_language(joined("; ", [say("on {day}", day=date(2011, 5, 1)), "A-12"]), "de") == "on 1. Mai 2011; A-12"


def test_given_one_and_many_when_counted_then_each_has_its_form() -> None:
    assert [say_n("{count} day", "{count} days", count=count) for count in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_given_facts_when_put_into_a_language_then_plain_texts_stay_as_they_are() -> None:
    assert in_language(("P-0007", say("on {day}", day=date(2011, 3, 15)), None, 3), "en") == ("P-0007", "on 15 Mar 2011", None, 3)
