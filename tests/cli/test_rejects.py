"""``bipn-monitor rejects``: what is open, and that somebody settles it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.store import journal
from monitor.store.database import open_database
from tests.e2e.installation import Installation

DOSES = "patient_id,given_at,dose_mg_per_m2,source_id\nP-1,2026-01-05,much,d1\nP-1,2026-01-12,1.3,d2\nP-1,someday,1.3,d3\n"


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    found = Installation(tmp_path, port=1)
    (tmp_path / "doses.csv").write_text(DOSES, encoding="utf-8")
    found.call("import", tmp_path / "doses.csv", code=3)
    return found


def test_given_refused_rows_when_listed_then_each_has_its_place_and_no_value(installed: Installation) -> None:
    text = installed.call("rejects").out
    assert f"{installed.folder / 'doses.csv'}:2" in text
    assert "dose_mg_per_m2:" in text
    assert "much" not in text
    first, second = installed.call("rejects", "--format", "json").json
    assert (first["line"], first["column"], second["line"], second["column"]) == (4, "given_at", 2, "dose_mg_per_m2")
    assert list(first) == ["id", "at", "feed", "origin", "line", "column", "problem"]
    assert installed.call("rejects", "--feed", "ward").out == "nothing is open\n"


def test_given_a_name_and_a_reason_when_settled_then_it_is_no_longer_open_and_the_journal_has_both(
    installed: Installation,
) -> None:
    number = installed.call("rejects", "--format", "json").json[0]["id"]
    assert installed.call("rejects", "settle", number, "--by", "K. Lang", "--reason", "a test row").out == "1 settled\n"
    assert [each["id"] for each in installed.call("rejects", "--format", "json").json] != [number]
    database = open_database(f"sqlite:///{installed.database}")
    with database.read() as connection:
        (entry,) = journal.latest(connection, at_most=10, event="act")
    database.close()
    assert (entry.subject, entry.body["by"], entry.body["reason"]) == (f"reject {number}", "K. Lang", "a test row")


def test_given_a_number_that_is_not_open_when_settled_then_none_is_and_the_command_says_so(installed: Installation) -> None:
    number = installed.call("rejects", "--format", "json").json[0]["id"]
    ran = installed.call("rejects", "settle", number, 99, "--by", "K. Lang", "--reason", "x", code=2)
    assert "nothing open has the number 99" in ran.err
    assert len(installed.call("rejects", "--format", "json").json) == 2


@pytest.mark.parametrize("words", [("--by", " ", "--reason", "x"), ("--by", "K. Lang", "--reason", " ")])
def test_given_no_name_or_no_reason_when_settled_then_it_is_refused(installed: Installation, words: tuple[str, ...]) -> None:
    assert "takes a name and a reason" in installed.call("rejects", "settle", 1, *words, code=2).err


def test_given_the_same_file_again_when_imported_then_what_is_refused_stays_as_old_as_it_is(installed: Installation) -> None:
    before = installed.call("rejects", "--format", "json").json
    installed.call("import", installed.folder / "doses.csv", code=3)
    assert installed.call("rejects", "--format", "json").json == before


def test_given_the_file_without_one_mistake_when_imported_then_only_that_one_is_settled(installed: Installation) -> None:
    (installed.folder / "doses.csv").write_text(DOSES.replace("much", "1.3"), encoding="utf-8")
    installed.call("import", installed.folder / "doses.csv", code=3)
    assert [each["line"] for each in installed.call("rejects", "--format", "json").json] == [4]
