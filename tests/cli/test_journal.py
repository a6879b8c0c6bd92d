"""``journal verify`` and ``journal export`` on a real site."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import Command

AT = "2011-03-15T21:00"


@pytest.fixture
def told(command: Command, config: Path, feed: Path) -> Path:
    """A site after one poll, with alerts and mails."""
    assert command("-c", config, "import", feed).code == 0
    assert command("-c", config, "poll", "--at", AT).code == 0
    return config


def edited(config: Path, statement: str) -> None:
    with closing(sqlite3.connect(config.parent / "site.db", isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'journal'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement).rowcount == 1


def test_given_a_site_when_its_journal_is_verified_then_it_is_intact_and_so_is_the_hash_written_down(
    command: Command, told: Path
) -> None:
    ran = command("-c", told, "journal", "verify", "--format", "json")
    assert ran.code == 0
    assert ran.json["intact"] is True
    assert ran.json["entries"] > 5
    again = command("-c", told, "journal", "verify", "--expect-last", ran.json["last_sha256"])
    assert again.code == 0
    assert again.out.startswith("intact: ")


def test_given_an_entry_that_was_changed_when_verified_then_it_is_named_and_the_command_ends_in_1(
    command: Command, told: Path
) -> None:
    edited(told, "UPDATE journal SET body = replace(body, 'open', 'shut') WHERE id = 3")
    ran = command("-c", told, "journal", "verify")
    assert ran.code == 1
    assert ran.out.startswith("BROKEN at entry 3: ")
    assert command("-c", told, "journal", "verify", "--format", "json").json["broken_at"] == 3


def test_given_a_hash_of_another_journal_when_expected_then_that_is_told(command: Command, told: Path) -> None:
    assert command("-c", told, "journal", "verify", "--expect-last", "ab" * 32).code == 1
    assert command("-c", told, "journal", "verify", "--expect-last", "abc").code == 2


def test_given_an_alert_when_exported_then_its_mails_and_their_fate_come_with_it_in_order(command: Command, told: Path) -> None:
    (alert, *_) = command("-c", told, "alerts", "--format", "json").json
    ran = command("-c", told, "journal", "export", "--alert", alert["id"], "--format", "jsonl")
    entries = [json.loads(line) for line in ran.out.splitlines()]
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)
    assert [entry["event"] for entry in entries] == ["alert", "message", "attempt"]
    assert entries[0]["body"]["patient_id"] == alert["patient_id"]
    assert alert["id"] in entries[1]["body"]["alerts"]
    assert "the whole journal is intact" in ran.err


def test_given_exported_lines_when_hashed_as_documented_then_each_gives_its_hash(command: Command, told: Path) -> None:
    for line in command("-c", told, "journal", "export", "--format", "jsonl").out.splitlines():
        entry = json.loads(line)
        hashed = {name: entry[name] for name in ("id", "at", "event", "subject")}
        hashed["body"] = json.dumps(entry["body"], sort_keys=True, separators=(",", ":"))
        text = entry["previous_sha256"] + json.dumps(hashed, sort_keys=True, separators=(",", ":"))
        assert sha256(text.encode()).hexdigest() == entry["sha256"]


def test_given_a_patient_when_exported_for_people_then_nothing_of_another_patient_is_in_it(command: Command, told: Path) -> None:
    found = command("-c", told, "alerts", "--format", "json").json
    one, other = sorted({alert["patient_id"] for alert in found})[:2]
    ran = command("-c", told, "journal", "export", "--patient", one)
    assert f"patient id: {one}" in ran.out
    assert other not in ran.out
    assert "sha256 " in ran.out


def test_given_times_when_exported_then_only_what_lies_between_is_printed(command: Command, told: Path) -> None:
    assert command("-c", told, "journal", "export", "--from", "2011-03-15", "--to", "2011-03-15").out != ""
    assert command("-c", told, "journal", "export", "--to", "2011-03-14").out == ""


def test_given_an_alert_and_a_patient_when_exported_then_the_command_asks_for_one(command: Command, told: Path) -> None:
    assert command("-c", told, "journal", "export", "--alert", "A-1", "--patient", "X").code == 2
    assert command("-c", told, "journal", "export", "--alert", "12x").code == 2
