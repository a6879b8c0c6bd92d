"""The demo's months, covered week by week: nothing unexplained in a clean run, and each loss afterwards found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.service import demo_feed, ingest
from monitor.service.coverage_compare import Case
from monitor.service.coverage_read import Covered, read
from monitor.service.opening import open_site
from monitor.service.post import send_due
from monitor.service.round import run_round
from tests.service.clinic import CONFIG
from tests.smtp_server import SmtpServer

PUBLISHED = "JK-2012"
END = demo_feed.demo_steps()[-1]
THEIRS = f"(SELECT id FROM alerts WHERE patient_id = '{PUBLISHED}')"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Covered]]:
    """The configuration of a site that lived through the demo, and the statements of its Mondays."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "feed").mkdir()
    statements = []
    with SmtpServer() as relay:
        config = folder / "monitor.yaml"
        config.write_text(CONFIG.format(port=relay.port), encoding="utf-8")
        before: datetime | None = None
        with open_site(config, create=True) as site:
            for at in demo_feed.demo_steps():
                files = demo_feed.write_step(folder / "feed", before, at)
                if files:
                    ingest.import_paths(site.database, files, zone=site.settings.time_zone, now=at)
                run_round(site, at)
                send_due(site, at)
                if at.weekday() == 0 and at.time() == demo_feed.MORNING.replace(tzinfo=None):
                    statements.append(read(site, at + timedelta(minutes=1), 8))
                before = at
    return config, statements


def covered_after(config: Path, folder: Path, *statements: str) -> Covered:
    """What is found of the whole story in a copy of the database that somebody edited who took the triggers away."""
    database = folder / "site.db"
    with closing(sqlite3.connect(config.parent / "site.db")) as source, closing(sqlite3.connect(database)) as copy:
        source.backup(copy)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN (?, ?, ?)", GUARDED)
        for (name,) in found.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    (folder / "monitor.yaml").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    with open_site(folder / "monitor.yaml") as site:
        return read(site, END, 700)


GUARDED = ("journal", "attempts", "alert_events")


def missed(found: Covered) -> list[Case]:
    return found.of("unexplained")


def test_given_the_whole_story_when_covered_every_week_then_nothing_is_ever_unexplained(
    played: tuple[Path, list[Covered]],
) -> None:
    _, statements = played
    assert len(statements) > 70
    assert [case for covered in statements for case in missed(covered)] == []
    assert [each for covered in statements for each in covered.lost] == []
    assert all(covered.journal.intact for covered in statements)
    assert sum(len(covered.of("told")) for covered in statements) > 25


def test_given_the_whole_story_when_one_mail_is_lost_then_it_is_the_one_that_is_found(
    played: tuple[Path, list[Covered]], tmp_path: Path
) -> None:
    mail = f"(SELECT min(id) FROM messages WHERE patient_id = '{PUBLISHED}' AND kind = 'alert')"
    lost = (f"DELETE FROM attempts WHERE message IN {mail}", f"DELETE FROM messages WHERE id IN {mail}")
    found = covered_after(played[0], tmp_path, *lost)
    assert found.unexplained >= 1
    assert PUBLISHED in {case.patient_id for case in missed(found)} or "gone from the outbox" in found.lost[0].words


def test_given_the_whole_story_when_all_that_was_said_of_a_patient_is_gone_then_the_facts_alone_find_each_alert(
    played: tuple[Path, list[Covered]], tmp_path: Path
) -> None:
    found = covered_after(
        played[0],
        tmp_path,
        f"DELETE FROM escalations WHERE alert_id IN {THEIRS}",
        f"DELETE FROM withheld WHERE alert_id IN {THEIRS}",
        f"DELETE FROM digest_entries WHERE alert_id IN {THEIRS}",
        f"DELETE FROM alert_events WHERE alert_id IN {THEIRS}",
        f"DELETE FROM attempts WHERE message IN (SELECT id FROM messages WHERE patient_id = '{PUBLISHED}')",
        f"DELETE FROM messages WHERE patient_id = '{PUBLISHED}'",
        f"DELETE FROM alerts WHERE patient_id = '{PUBLISHED}'",
        "DELETE FROM journal",
    )
    assert {case.patient_id for case in missed(found)} == {PUBLISHED}
    assert {"rapid-motor-decline", "dose-modification", "worsening-after-discontinuation", "relapse-after-treatment"} <= {
        case.rule for case in missed(found)
    }
