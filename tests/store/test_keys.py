"""Secrets are made once, kept, and followed by others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from monitor.store.keys import REPLY_TOKENS, keys_for, known_keys
from tests.store.databases import NOW, a_database


def test_given_no_secret_when_asked_for_then_it_is_made_once_and_the_next_year_has_another(tmp_path: Path) -> None:
    database = a_database(tmp_path)
    with database.write("answers") as connection:
        assert known_keys(connection, REPLY_TOKENS) == ()
        first = keys_for(connection, REPLY_TOKENS, NOW)
    with database.write("answers") as connection:
        assert keys_for(connection, REPLY_TOKENS, NOW) == first
        both = keys_for(connection, REPLY_TOKENS, NOW + timedelta(days=366))
        assert known_keys(connection, "another purpose") == ()
    assert both[:1] == first
    assert len(set(both)) == 2
    assert all(len(secret) >= 40 for secret in both)


def test_given_secrets_of_many_years_when_asked_for_then_the_newest_three_are_believed(tmp_path: Path) -> None:
    with a_database(tmp_path).write("answers") as connection:
        for year in range(6):
            keys = keys_for(connection, REPLY_TOKENS, NOW + timedelta(days=366 * year))
        assert len(keys) == 3
        assert keys_for(connection, REPLY_TOKENS, NOW + timedelta(days=366 * 5)) == keys
