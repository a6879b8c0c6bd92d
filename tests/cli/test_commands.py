"""The commands end to end on a real database and a real relay: exit codes, stdout, stderr, JSON keys."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import CONFIG, Command
from tests.smtp_server import SmtpServer

EVENING = "2011-03-15T21:00"
ALERT_KEYS = {
    "id", "patient_id", "rule", "urgency", "state", "raised_at", "clinical_at", "headline",
    "action", "criteria", "evidence", "missing", "policy",
}  # fmt: skip


@pytest.fixture
def watched(command: Command, config: Path, feed: Path) -> Path:
    """A site with the cohort in it, polled once in the evening of 15 March 2011."""
    assert command("--config", config, "import", feed).code == 0
    assert command("poll", "--at", EVENING, "--config", config).code == 0
    return config


def test_given_a_feed_when_imported_and_polled_then_the_counts_and_the_mails_agree(
    command: Command, config: Path, feed: Path, relay: SmtpServer
) -> None:
    imported = command("--config", config, "import", feed, "--format", "json")
    assert (imported.code, imported.json["rejected"]) == (0, [])
    assert set(imported.json["files"][0]) == {"file", "kind", "inserted", "corrected", "unchanged", "rejected"}
    polled = command("--config", config, "poll", "--at", EVENING, "--format", "json")
    assert polled.code == 0
    assert set(polled.json) == {"patients_evaluated", "alerts", "messages"}
    assert set(polled.json["alerts"]) == {"opened", "raised", "resolved", "withdrawn"}
    assert polled.json["messages"]["accepted"] == polled.json["messages"]["queued"] == len(relay.mails) > 0
    again = command("--config", config, "poll", "--at", EVENING, "--format", "json")
    assert (again.code, again.json["patients_evaluated"], again.json["messages"]["queued"]) == (0, 0, 0)


def test_given_a_row_that_cannot_be_taken_when_imported_then_3_and_the_others_are_in(
    command: Command, config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "doses.csv"
    file.write_text("patient_id,given_at,dose_mg_per_m2\nP-1,2011-01-03,1.3\nP-1,2011-01-06,much\n", encoding="utf-8")
    ran = command("--config", config, "import", file, "--format", "json")
    assert ran.code == 3
    assert [(bad["line"], bad["column"]) for bad in ran.json["rejected"]] == [(3, "dose_mg_per_m2")]
    assert ran.json["files"][0]["inserted"] == 1
    assert (tmp_path / "doses.rejected.csv").exists() or (tmp_path / "doses.csv.rejected.csv").exists()
    assert "Traceback" not in ran.err


def test_given_a_dry_run_when_imported_then_nothing_is_written(command: Command, config: Path, feed: Path) -> None:
    first = command("--config", config, "import", feed, "--dry-run", "--format", "json")
    second = command("--config", config, "import", feed, "--dry-run", "--format", "json")
    assert first.json == second.json
    assert sum(file["inserted"] for file in second.json["files"]) > 0


def test_given_alerts_when_listed_then_each_has_the_documented_keys_and_the_table_fits(command: Command, watched: Path) -> None:
    listed = command("--config", watched, "alerts", "--open", "--patient", "JK-2012", "--format", "json").json
    assert {"rapid-motor-decline", "worsening-after-discontinuation"} <= {alert["rule"] for alert in listed}
    assert all(set(alert) == ALERT_KEYS for alert in listed)
    lines = command("--config", watched, "alerts", "--format", "jsonl").out.splitlines()
    assert len(lines) >= len(listed)
    text = command("--config", watched, "alerts", "--open").out
    assert "JK-2012" in text
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text


def test_given_an_alert_when_acknowledged_then_it_says_so_and_a_second_look_shows_it(command: Command, watched: Path) -> None:
    alert = command("--config", watched, "alerts", "--patient", "JK-2012", "--format", "json").json[0]["id"]
    done = command("ack", alert, "--by", "N. Berger", "--note", "seen", "--config", watched, "--format", "json")
    assert (done.code, done.json["id"], done.json["state"]) == (0, alert, "acknowledged")
    unknown = command("ack", "A-999", "--by", "N. Berger", "--config", watched)
    assert (unknown.code, unknown.out) == (2, "")
    assert "A-999" in unknown.err


def test_given_an_answer_when_acknowledged_with_it_then_it_is_kept_and_one_of_no_such_kind_is_refused(
    command: Command, watched: Path
) -> None:
    alert = command("--config", watched, "alerts", "--patient", "JK-2012", "--format", "json").json[0]["id"]
    refused = command("ack", alert, "--by", "N. Berger", "--what", "dose-reviewed:doubled", "--config", watched)
    assert (refused.code, refused.out) == (2, "")
    assert "dose-reviewed:held" in refused.err
    assert command("ack", alert, "--by", "N. Berger", "--what", "dose-reviewed:held", "--config", watched).code == 0
    assert "[dose reviewed: held]" in " ".join(command("--config", watched, "alerts").out.split())
    assert "1 acknowledged (1 dose-reviewed), 0 passed on, 0 snoozed" in command("status", "--config", watched).out
    explained = command("explain", "JK-2012", "--at", EVENING, "--config", watched, "--format", "json").json
    (shown,) = [each for each in explained["alerts"] if each["id"] == alert]
    assert [(act["act"], act["what"]) for act in shown["acts"]] == [("acknowledged", "dose-reviewed:held")]


def test_given_an_immediate_alert_when_snoozed_then_it_refuses_in_words(command: Command, watched: Path) -> None:
    listed = command("--config", watched, "alerts", "--patient", "JK-2012", "--format", "json").json
    alert = next(each["id"] for each in listed if each["urgency"] == "immediate")
    ran = command("snooze", alert, "--until", "2099-01-01", "--by", "N. B.", "--reason", "later", "--config", watched)
    assert (ran.code, ran.out) == (2, "")
    assert "immediate" in ran.err


def test_given_the_published_patient_when_explained_then_values_thresholds_and_sources_are_there(
    command: Command, watched: Path
) -> None:
    ran = command("explain", "JK-2012", "--at", EVENING, "--config", watched)
    assert ran.code == 0
    for words in ("loss-of-walking", "wheelchair", "source:", "conflicting-record", "nurse"):
        assert words in ran.out.lower(), words
    assert command("explain", "JK-2012", "--at", EVENING, "--config", watched, "--format", "json").json["watched"] is True
    assert command("explain", "nobody", "--config", watched).code == 2


def test_given_a_history_when_replayed_then_alerts_come_a_line_each_and_nothing_is_written(
    command: Command, watched: Path
) -> None:
    database = watched.with_name("site.db")
    before = sqlite3.connect(database)
    counted = before.execute("SELECT count(*) FROM alerts").fetchone()
    lines = command(
        "--config", watched, "replay", "--patient", "JK-2012", "--to", "2011-03-15", "--format", "jsonl"
    ).out.splitlines()
    assert len(lines) >= 4
    assert before.execute("SELECT count(*) FROM alerts").fetchone() == counted
    before.close()


def test_given_a_relay_that_is_gone_when_polled_then_4_and_the_mail_is_kept(
    command: Command, config: Path, feed: Path, relay: SmtpServer
) -> None:
    relay.always("MAIL", "451 4.3.0 not now")
    command("--config", config, "import", feed)
    ran = command("--config", config, "poll", "--at", EVENING)
    assert ran.code == 4
    assert "Traceback" not in ran.err
    tested = command("--config", config, "test-mail", "nurse@hospital.example", "--format", "json")
    assert (tested.code, tested.json["ok"]) == (4, False)


def test_given_a_relay_when_tested_then_every_step_is_told_and_the_mail_is_there(
    command: Command, config: Path, relay: SmtpServer
) -> None:
    ran = command("test-mail", "nurse@hospital.example", "--config", config)
    assert ran.code == 0
    for step in ("connect", "EHLO", "MAIL", "RCPT", "DATA", "accepted"):
        assert f"ok    {step}" in ran.out
    assert len(relay.mails) == 1
    assert command("test-mail", "nurse at hospital", "--config", config).code == 2


def test_given_no_database_when_read_then_5_and_what_to_do(command: Command, config: Path, tmp_path: Path) -> None:
    for words in (["alerts"], ["status"], ["explain", "P-1"], ["replay"], ["ack", "A-1", "--by", "N. B."]):
        ran = command("--config", config, *words)
        assert (ran.code, ran.out) == (5, ""), words
        assert "Traceback" not in ran.err
    garbage = tmp_path / "garbage.db"
    garbage.write_text("this is no database, and it is long enough to be read as one" * 20, encoding="utf-8")
    assert command("--config", config, "--database", f"sqlite:///{garbage}", "poll").code == 5


def test_given_no_configuration_when_run_then_2_and_every_place_is_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIPN_MONITOR_CONFIG", raising=False)
    ran = command("alerts")
    assert ran.code == 2
    assert "config/monitor.yaml" in ran.err
    assert command("--config", tmp_path / "missing.yaml", "poll").code == 2


def test_given_mistakes_in_a_configuration_when_checked_then_all_come_at_once_with_line_and_remedy(
    command: Command, tmp_path: Path
) -> None:
    good = tmp_path / "good.yaml"
    good.write_text(CONFIG.format(port=25), encoding="utf-8")
    assert command("check-config", good, "--format", "json").json == {"ok": True, "problems": []}
    bad = tmp_path / "bad.yaml"
    bad.write_text(CONFIG.format(port=25).replace("poll_every", "pol_every").replace("Europe/Berlin", "Europe/Berln"), "utf-8")
    ran = command("check-config", bad, "--format", "json")
    assert (ran.code, ran.json["ok"]) == (2, False)
    assert {"file", "line", "column", "code", "message", "suggestion"} == set(ran.json["problems"][0])
    assert {problem["suggestion"] for problem in ran.json["problems"]} >= {"poll_every", "Europe/Berlin"}
    text = command("check-config", bad)
    assert f"{bad}:" in text.out
    assert "did you mean" in text.out


def test_given_the_shipped_sample_when_checked_then_it_holds(command: Command) -> None:
    from monitor.shipped import shipped

    assert command("check-config", shipped("config") / "monitor.yaml").code == 0


def test_given_a_site_when_asked_for_its_status_then_one_screen_and_whether_it_watches(
    command: Command, config: Path, feed: Path
) -> None:
    command("--config", config, "import", feed)
    unwatched = command("--config", config, "status")
    assert unwatched.code == 1
    assert "no round" in unwatched.out
    command("--config", config, "poll", "--at", EVENING)
    ran = command("--config", config, "status", "--format", "json")
    assert (ran.code, ran.json["healthy"]) == (0, True)
    assert len(command("--config", config, "status").out.splitlines()) <= 24


def test_given_a_database_when_migrated_twice_then_the_second_time_there_is_nothing_to_do(command: Command, config: Path) -> None:
    first, second = command("--config", config, "migrate"), command("--config", config, "migrate")
    assert (first.code, second.code) == (0, 0)
    assert "none ->" in first.out
    assert "nothing to do" in second.out


def test_given_the_program_when_asked_for_its_schema_then_it_is_one(command: Command) -> None:
    assert command("schema").json["properties"]["time_zone"]


def test_given_the_kinds_of_mail_when_previewed_then_files_to_look_at(command: Command, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "preview"
    ran = command("preview", "alert", "--out", out, "--config", config)
    assert ran.code == 0
    assert ran.out.strip() == str(out / "index.html")
    assert len(list(out.glob("alert-*.eml"))) >= 3


def test_given_a_folder_of_somebody_else_when_the_demo_is_asked_for_it_then_it_stays(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    ran = command("demo", "--out", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_given_a_fresh_folder_when_the_demo_runs_then_the_published_case_is_told_and_the_files_are_there(
    command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "demo"
    ran = command("demo", "--out", out)
    assert ran.code == 0, ran.err
    assert max(len(line.replace(str(out), "demo-out")) for line in ran.out.splitlines()) <= 80
    mails = sorted((out / "mail").glob("*.eml"))
    assert all(mail.with_suffix(suffix).is_file() for mail in mails for suffix in (".txt", ".html"))
    assert (out / "mail" / "index.html").is_file()
    listed = command("--config", out / "monitor.yaml", "alerts", "--patient", "JK-2012", "--format", "json").json
    assert {"dose-modification", "relapse-after-treatment"} <= {alert["rule"] for alert in listed}
    assert "DEMO-12" not in ran.out
    assert "DEMO-13" not in ran.out
    shutil.rmtree(out / "mail")
