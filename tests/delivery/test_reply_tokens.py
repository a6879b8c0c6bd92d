"""Tokens of answers and bounces: they name their message, and nothing that was forged, changed or is too old does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.reply_tokens import (
    LONGEST_LOCAL_PART,
    ack_mail,
    acknowledge_token,
    alerts_in,
    bounce_address,
    bounce_token_in,
    read_acknowledge_token,
    read_bounce_token,
    reply_key,
    token_in,
)

NOW = datetime(2026, 3, 15, 10, 21, tzinfo=UTC)
OLD, NEW, FOREIGN = "old-secret", "new-secret", "foreign-secret"
KEY = "AbCdEfGhIjKlMnOpQrStU-"
ADDRESS = "alerts-reply@hospital.example"


def test_given_new_reply_keys_when_minted_then_each_is_another_and_fits_a_token() -> None:
    keys = {reply_key() for _ in range(50)}
    assert len(keys) == 50
    for key in keys:
        assert read_acknowledge_token(acknowledge_token(key, [NEW], NOW), [NEW], NOW) == key


@pytest.mark.parametrize(("days", "believed"), [(0, True), (60, True), (61, False), (-1, False)])
def test_given_a_token_when_read_later_then_it_is_believed_for_sixty_days(days: int, believed: bool) -> None:
    token = acknowledge_token(KEY, [NEW], NOW)
    assert read_acknowledge_token(token, [NEW], NOW + timedelta(days=days)) == (KEY if believed else None)


def test_given_rotated_keys_when_read_then_the_old_ones_token_is_believed_and_a_foreign_one_is_not() -> None:
    token = acknowledge_token(KEY, [OLD], NOW)
    assert read_acknowledge_token(token, [OLD, NEW], NOW) == KEY
    assert read_acknowledge_token(token, [NEW], NOW) is None
    assert read_acknowledge_token(acknowledge_token(KEY, [FOREIGN], NOW), [OLD, NEW], NOW) is None
    assert acknowledge_token(KEY, [OLD, NEW], NOW) == acknowledge_token(KEY, [NEW], NOW)


@given(place=st.integers(0, 60), letter=st.sampled_from("A9_.-"))
def test_given_one_character_changed_when_read_then_the_token_is_not_believed(place: int, letter: str) -> None:
    token = acknowledge_token(KEY, [NEW], NOW)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    # the last character of base64 carries bits nobody reads: another spelling of the same signature is no forgery
    if changed != token and place != len(token) - 1:
        assert read_acknowledge_token(changed, [NEW], NOW) is None


@given(st.text(max_size=80))
def test_given_any_text_when_read_as_a_token_then_nothing_raises(text: str) -> None:
    assert read_acknowledge_token(text, [NEW], NOW) is None
    assert read_bounce_token(text, [NEW]) is None
    token_in(text)
    bounce_token_in(text)


def test_given_a_mailto_when_a_mail_program_reads_it_then_the_subject_holds_the_token_and_fits_a_line() -> None:
    token = acknowledge_token(KEY, [NEW], NOW)
    mail = ack_mail(ADDRESS, ["A-12", "A-13"], token)
    parts = urlsplit(mail.mailto)
    assert (parts.scheme, parts.path) == ("mailto", ADDRESS)
    assert parse_qs(parts.query) == {"subject": [mail.subject]}
    assert "[" not in mail.mailto
    assert mail.subject == f"Seen A-12, A-13 [{token}]"
    assert alerts_in(mail.subject) == (12, 13)
    assert token_in(mail.subject) == token
    assert len(ack_mail(ADDRESS, ["A-12"], token).subject) <= 70


@pytest.mark.parametrize("frame", ["Re: {}", "AW: Re: {}", "[EXTERN] {}", "{} (no virus found)"])
def test_given_a_subject_that_others_added_to_when_searched_then_the_token_is_found(frame: str) -> None:
    token = acknowledge_token(KEY, [NEW], NOW)
    subject = frame.format(f"Seen A-12 [{token}]")
    assert token_in(subject) == token
    assert token_in(subject.replace(token, f"{token[:20]}\r\n {token[20:]}")) == token


def test_given_a_subject_when_a_name_was_taken_off_then_the_others_are_named_and_the_token_names_none() -> None:
    token = f"{'a' * 14}-A-99-xx.20527.{'A-98-' * 4}xx"
    assert token_in(f"[{token}]") == token
    assert alerts_in(f"Re: seen  a-13 , A-13 A-0 BA-7 [{token}]") == (13,)
    assert alerts_in(f"[{token}]") == ()


def test_given_an_alerts_own_subject_when_searched_then_there_is_no_token() -> None:
    assert token_in("Re: IMMEDIATE - look now: 1 patient [A-12, A-13]") is None


def test_given_a_bounce_address_when_read_in_whatever_case_then_it_names_the_message() -> None:
    address = bounce_address(ADDRESS, 1234567, [OLD, NEW])
    assert address.startswith("alerts-reply+b-1234567-")
    assert len(address.partition("@")[0]) <= LONGEST_LOCAL_PART
    for spelled in (address, address.upper(), f"<{address}>"):
        token = bounce_token_in(spelled)
        assert token is not None
        assert read_bounce_token(token, [NEW]) == 1234567
        assert read_bounce_token(token, [FOREIGN, OLD]) is None
    assert read_bounce_token("1234568" + address.partition("-1234567")[2].partition("@")[0], [NEW]) is None


def test_given_an_address_too_long_for_a_tag_when_asked_then_it_is_the_plain_one() -> None:
    long = "a" * 50 + "@hospital.example"
    assert bounce_address(long, 12, [NEW]) == long
    assert bounce_token_in(long) is None
