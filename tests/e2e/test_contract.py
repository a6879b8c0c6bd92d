"""The commands to the letter of the contract: names, keys, types, exit codes, and what goes to which stream."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from monitor.clinical.rules import RULES
from monitor.service.demo_feed import COHORT
from monitor.shipped import shipped
from tests.e2e.installation import CASE, Installation
from tests.smtp_server import SmtpServer

NINE = {
    "dose-modification", "dose-against-advice", "rapid-motor-decline", "worsening-after-discontinuation",
    "relapse-after-treatment", "immune-mediated-pattern", "autonomic-neuropathy", "assessment-overdue", "conflicting-record",
}  # fmt: skip
EVENING = "2011-03-15T21:00"
KINDS = {"none", "reduce", "withhold", "discontinue", "ask"}


@pytest.fixture(scope="module")
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, relay: SmtpServer) -> Installation:
    """The whole demo cohort, polled twice, the second time in the evening of 15 March 2011."""
    installed = Installation(tmp_path_factory.mktemp("watched") / "site", relay.port)
    installed.call("import", COHORT)
    installed.call("poll", "--at", "2011-02-15T21:00")
    installed.call("poll", "--at", EVENING)
    return installed


@pytest.fixture
def empty(tmp_path: Path, relay: SmtpServer) -> Installation:
    """Nothing but a configuration."""
    return Installation(tmp_path / "site", relay.port)


def utc(text: object) -> datetime:
    assert isinstance(text, str)
    instant = datetime.fromisoformat(text)
    assert instant.utcoffset() == timedelta(0)
    assert text.endswith("+00:00")
    return instant


def check_criteria(criteria: Any) -> None:
    assert isinstance(criteria, list)
    for criterion in criteria:
        assert list(criterion) == ["id", "met", "text", "source"]
        assert isinstance(criterion["met"], bool)
        assert criterion["id"]
        assert criterion["text"]
        assert isinstance(criterion["source"], str)


def check_action(action: Any) -> None:
    assert list(action) == [
        "kind", "dose_mg_per_m2", "schedule", "restart_dose_mg_per_m2", "restart_schedule", "alternatives",
    ]  # fmt: skip
    assert action["kind"] in KINDS
    assert action["schedule"] in {"weekly", "unchanged", None}
    assert action["restart_schedule"] in {"weekly", "unchanged", None}
    for dose in (action["dose_mg_per_m2"], action["restart_dose_mg_per_m2"]):
        assert dose is None or isinstance(dose, float)
    assert bool(action["alternatives"]) <= (action["kind"] in {"ask", "reduce"})
    for alternative in action["alternatives"]:
        check_action(alternative)


def check_alert(alert: Any) -> None:
    assert list(alert) == [
        "id", "patient_id", "rule", "urgency", "state", "raised_at", "clinical_at", "headline",
        "action", "criteria", "evidence", "missing", "policy",
    ]  # fmt: skip
    assert alert["id"].startswith("A-")
    assert alert["id"][2:].isdigit()
    assert alert["rule"] in NINE
    assert alert["urgency"] in {"immediate", "same-day", "review"}
    assert alert["state"] in {"open", "acknowledged", "resolved", "withdrawn"}
    assert utc(alert["clinical_at"]) <= utc(alert["raised_at"])
    assert alert["headline"]
    assert "\n" not in alert["headline"]
    if alert["rule"] == "dose-modification":
        assert alert["action"] is not None
    if alert["action"] is not None:
        check_action(alert["action"])
    check_criteria(alert["criteria"])
    assert any(criterion["met"] for criterion in alert["criteria"])
    for item in alert["evidence"]:
        assert list(item) == ["kind", "id", "at"]
        assert item["kind"] in {"assessment", "dose", "course", "lab", "investigation", "treatment"}
        utc(item["at"])
    assert all(isinstance(name, str) for name in alert["missing"])
    assert list(alert["policy"]) == ["guideline", "version", "sha256"]
    assert len(alert["policy"]["sha256"]) == 64


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_given_files_when_imported_then_the_shape_is_the_documented_one(empty: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(COHORT, folder, ignore=shutil.ignore_patterns("*.md"))
    bad = "patient_id,collected_at,analyte,value,unit,surplus\nP-1,2011-03-17,csf_protein,133,,x\nP-1,,csf_protein,1,g/L,x\n"
    (folder / "labs_2011-03-17.csv").write_text(bad, encoding="utf-8")
    before = sorted(folder.iterdir())
    dry = empty.call("import", folder, "--dry-run", "--format", "json", code=3)
    assert "nothing was written" in dry.err
    assert not empty.database.exists()
    assert sorted(folder.iterdir()) == before
    done = empty.call("import", folder, "--format", "json", code=3)
    assert done.json == dry.json
    assert list(done.json) == ["files", "rejected"]
    for file in done.json["files"]:
        assert list(file) == ["file", "kind", "inserted", "corrected", "unchanged", "rejected"]
        assert all(type(file[count]) is int for count in list(file)[2:])
        assert file["kind"] in {"patients", "courses", "doses", "assessments", "labs", "investigations", "treatments"}
    for rejected in done.json["rejected"]:
        assert list(rejected) == ["file", "line", "column", "problem"]
        assert rejected["file"] == str(folder / "labs_2011-03-17.csv")
    assert {(each["line"], each["column"]) for each in done.json["rejected"]} == {(2, "unit"), (3, "collected_at")}
    beside = folder / "labs_2011-03-17.csv.rejected.csv"
    assert len(beside.read_text(encoding="utf-8").splitlines()) == 3
    assert beside.stat().st_mode & 0o077 == 0
    assert "labs_2011-03-17.csv:2: unit: " in done.err
    assert "surplus" in done.err
    again = empty.call("import", COHORT, "--format", "json").json["files"]
    assert {(file["inserted"], file["corrected"], file["rejected"]) for file in again} == {(0, 0, 0)}
    text = empty.call("import", COHORT)
    assert text.err == ""
    assert "doses" in text.out
    assert empty.call("import", folder / "nothing.csv", code=2).out == ""


def test_given_rounds_when_polled_then_the_shape_is_the_documented_one(empty: Installation) -> None:
    empty.call("import", COHORT)
    polled = empty.call("poll", "--at", EVENING, "--format", "json")
    assert polled.err == ""
    assert list(polled.json) == ["patients_evaluated", "alerts", "messages"]
    assert polled.json["patients_evaluated"] == 14
    assert list(polled.json["alerts"]) == ["opened", "raised", "resolved", "withdrawn"]
    assert list(polled.json["messages"]) == ["queued", "accepted", "failed"]
    assert all(type(count) is int for part in ("alerts", "messages") for count in polled.json[part].values())
    assert empty.call("poll", "--at", EVENING).out.startswith("patients evaluated: 0\n")
    for words in (["--at", "soon"], ["--at", "2011-02-30"], ["--att", EVENING], ["--format", "yaml"], ["surplus"]):
        refused = empty.call("poll", *words, code=2)
        assert refused.out == ""
        assert refused.err


def test_given_alerts_when_listed_then_each_is_the_documented_shape_and_options_choose(watched: Installation) -> None:
    everything = watched.call("alerts", "--format", "json").json
    assert len(everything) > 5
    for alert in everything:
        check_alert(alert)
    opened = watched.call("alerts", "--open", "--format", "json").json
    assert opened == [alert for alert in everything if alert["state"] in {"open", "acknowledged"}]
    his = watched.call("alerts", "--patient", CASE, "--format", "json").json
    assert his == [alert for alert in everything if alert["patient_id"] == CASE] != []
    assert lines(watched.call("alerts", "--format", "jsonl").out) == everything
    assert watched.call("alerts", "--patient", "nobody", "--format", "json").json == []
    assert watched.call("alerts", "--open").out.startswith("alert ")


def test_given_the_published_case_when_replayed_then_it_is_told_as_it_happened(watched: Installation) -> None:
    before = watched.rows("SELECT (SELECT count(*) FROM alerts), (SELECT count(*) FROM messages), (SELECT count(*) FROM changes)")
    ran = watched.call("replay", "--patient", CASE, "--format", "jsonl")
    assert ran.err == ""
    told = lines(ran.out)
    for alert in told:
        check_alert(alert)
        assert alert["patient_id"] == CASE
    assert all(utc(one["raised_at"]) <= utc(next_one["raised_at"]) for one, next_one in pairwise(told))

    def on(day: str) -> set[tuple[str, str]]:
        return {(alert["rule"], alert["urgency"]) for alert in told if alert["raised_at"].startswith(day)}

    (first,) = [alert for alert in told if alert["raised_at"].startswith("2011-02-15")]
    assert (first["rule"], first["action"]["kind"], first["action"]["dose_mg_per_m2"]) == ("dose-modification", "reduce", 1.0)
    assert "dose-against-advice" in {rule for rule, _ in on("2011-02-17")}
    assert {("rapid-motor-decline", "immediate"), ("worsening-after-discontinuation", "immediate")} <= on("2011-03-15")
    assert "immune-mediated-pattern" in {rule for rule, _ in on("2011-03-15")}
    assert "relapse-after-treatment" in {rule for rule, _ in on("2011-05-30")}
    assert not any(alert["urgency"] == "immediate" for alert in told if alert["raised_at"] < "2011-03-15")
    assert on("2011-03-17") == set()
    assert before == watched.rows(
        "SELECT (SELECT count(*) FROM alerts), (SELECT count(*) FROM messages), (SELECT count(*) FROM changes)"
    )


def test_given_options_when_replayed_then_they_choose_the_time_and_the_policy(watched: Installation, tmp_path: Path) -> None:
    whole = lines(watched.call("replay", "--format", "jsonl").out)
    assert {alert["patient_id"] for alert in whole} > {CASE}
    assert {alert["policy"]["guideline"] for alert in whole} == {"us-label"}
    part = lines(watched.call("replay", "--from", "2011-03-01", "--to", "2011-03-15", "--format", "jsonl").out)
    assert part == [alert for alert in whole if "2011-02-28T23:00" <= alert["raised_at"] < "2011-03-15T23:00"] != []
    other = lines(watched.call("replay", "--policy", "eu-smpc", "--format", "jsonl").out)
    assert {alert["policy"]["guideline"] for alert in other} == {"eu-smpc"}
    own = tmp_path / "own.yaml"
    text = (shipped("config") / "policy.yaml").read_text(encoding="utf-8")
    own.write_text(text.replace("watch_after_stop_days: 365", "watch_after_stop_days: 200"), encoding="utf-8")
    assert own.read_text(encoding="utf-8") != text
    shorter = lines(watched.call("replay", "--policy", own, "--patient", CASE, "--format", "jsonl").out)
    assert shorter
    assert not any(alert["raised_at"] > "2011-09-20" for alert in shorter)
    assert shorter[0]["policy"]["sha256"] != whole[0]["policy"]["sha256"]
    guideline = lines(
        watched.call("replay", "--policy", shipped("config") / "guidelines" / "imwg-2012.yaml", "--format", "jsonl").out
    )
    assert {alert["policy"]["guideline"] for alert in guideline} == {"imwg-2012"}
    missing = watched.call("replay", "--policy", "no-such-guideline", code=2)
    assert missing.out == ""
    assert "us-label" in missing.err
    assert watched.call("replay", "--patient", "nobody", "--format", "jsonl").out == ""
    assert watched.call("replay", "--to", "2011-13-01", code=2).out == ""
    text_lines = watched.call("replay", "--patient", CASE).out.splitlines()
    assert len(text_lines) == len([alert for alert in whole if alert["patient_id"] == CASE])


def test_given_the_published_case_when_explained_then_all_nine_rules_stand_with_every_criterion(watched: Installation) -> None:
    told = watched.call("explain", CASE, "--at", EVENING, "--format", "json").json
    assert (told["patient_id"], told["at"], told["watched"]) == (CASE, "2011-03-15T20:00:00+00:00", True)
    assert [rule["rule"] for rule in told["rules"]] == list(RULES)
    assert {rule["rule"] for rule in told["rules"]} == NINE
    for rule in told["rules"]:
        check_criteria(rule["criteria"])
        assert rule["criteria"], rule["rule"]
        assert (rule["finding"] is not None) == rule["holds"] == (rule["urgency"] is not None)
    ids = {criterion["id"] for rule in told["rules"] for criterion in rule["criteria"]}
    assert {"loss-of-walking"} <= ids
    assert {sent["to"] for sent in told["sent"]} == {"nurse@hospital.example", "nurse2@hospital.example"}
    text = watched.call("explain", CASE, "--at", EVENING).out
    for criterion in (criterion for rule in told["rules"] for criterion in rule["criteria"]):
        assert f"[{'x' if criterion['met'] else ' '}] {criterion['id']}: {criterion['text']}" in text
        assert criterion["source"] in text
    early = watched.call("explain", CASE, "--at", "2011-01-10", "--format", "json").json
    assert not any(rule["holds"] for rule in early["rules"] if rule["rule"] != "assessment-overdue")
    never = watched.call("explain", "DEMO-13", "--at", EVENING, "--format", "json").json
    assert (never["watched"], [rule for rule in never["rules"] if rule["holds"]]) == (False, [])
    nobody = watched.call("explain", "nobody", code=2)
    assert nobody.out == ""


def test_given_an_alert_when_acknowledged_and_snoozed_then_states_and_refusals_are_as_documented(watched: Installation) -> None:
    opened = watched.call("alerts", "--open", "--patient", CASE, "--format", "json").json
    immediate = next(alert["id"] for alert in opened if alert["urgency"] == "immediate")
    refused = watched.call("snooze", immediate, "--until", "2099-01-01", "--by", "N. B.", "--reason", "later", code=2)
    assert refused.out == ""
    assert "immediate" in refused.err
    done = watched.call("ack", immediate, "--by", "N. Berger", "--note", "seen", "--format", "json").json
    check_alert(done)
    assert (done["id"], done["state"]) == (immediate, "acknowledged")
    assert watched.call("ack", immediate, "--by", "Somebody else").code == 0  # the first one stands
    assert watched.rows("SELECT acknowledged_by FROM alerts WHERE id = ?", immediate[2:]) == [("N. Berger",)]
    others = [alert["id"] for alert in opened if alert["urgency"] == "same-day"]
    if others:
        tomorrow = (
            datetime.fromisoformat(watched.rows("SELECT strftime('%Y-%m-%dT%H:%M:%S', 'now', '+1 day')")[0][0])
        ).isoformat()
        snoozed = watched.call("snooze", others[0], "--until", f"{tomorrow}+00:00", "--by", "N. B.", "--reason", "visit booked")
        assert others[0] in snoozed.out
    for words in (
        ["ack", immediate],
        ["ack", "A-999999", "--by", "N."],
        ["ack", "12x", "--by", "N."],
        ["ack", immediate, "--by", " "],
    ):
        assert watched.call(*words, code=2).out == ""


def test_given_an_installation_when_asked_for_its_status_then_health_is_the_exit_code(watched: Installation) -> None:
    watched.call("poll", "--at", EVENING)
    healthy = watched.call("status", "--format", "json").json
    assert {"healthy", "problems", "last_round_at", "evaluated_up_to", "newest_fact_at", "outbox", "open_alerts"} <= set(healthy)
    assert (healthy["healthy"], healthy["problems"]) == (True, [])
    assert set(healthy["open_alerts"]) == {"immediate", "same-day", "review"}
    assert len(watched.call("status").out.splitlines()) <= 24


def test_given_no_round_yet_when_asked_for_the_status_then_1_and_the_remedy(empty: Installation) -> None:
    empty.call("migrate")
    ran = empty.call("status", code=1)
    assert "no round was ever done" in ran.out
    assert "bipn-monitor run" in ran.out


def test_given_mistakes_when_checked_then_all_of_them_with_file_line_and_column(empty: Installation) -> None:
    assert empty.call("check-config", "--format", "json").json == {"ok": True, "problems": []}
    text = empty.config.read_text(encoding="utf-8")
    empty.config.write_text(text.replace("Berlin", "Berln").replace("us-label", "us-lable").replace("sites", "sits"), "utf-8")
    ran = empty.call("check-config", "--format", "json", code=2)
    assert (list(ran.json), ran.json["ok"], ran.err) == (["ok", "problems"], False, "")
    assert len(ran.json["problems"]) >= 3
    for problem in ran.json["problems"]:
        assert list(problem) == ["file", "line", "column", "code", "message", "suggestion"]
        assert problem["file"] == str(empty.config)
        assert problem["line"] >= 1
        assert problem["column"] >= 1
    shown = empty.call("check-config", empty.config, code=2, configured=False).out
    for problem in ran.json["problems"]:
        assert f"{empty.config}:{problem['line']}:{problem['column']}: " in shown
    for command in (["poll"], ["run"], ["alerts"], ["status"]):
        refused = empty.call(*command, code=2)
        assert refused.out == ""
        assert f"{empty.config}:1:" in refused.err
    assert not empty.database.exists()


def test_given_the_contracts_least_configuration_when_checked_then_it_holds(empty: Installation) -> None:
    text = empty.config.read_text(encoding="utf-8").replace("language: en}", "language: de}", 1)
    empty.config.write_text(text, encoding="utf-8")
    assert "no mistakes" in empty.call("check-config").out


def test_given_options_before_or_after_the_command_when_run_then_both_are_taken(
    watched: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{watched.database}"
    expected = watched.call("alerts", "--format", "json").json
    config = str(watched.config)
    for words in (
        ["--config", config, "alerts"],
        ["alerts", "--config", config],
        ["--config", config, "--database", url, "alerts"],
        ["alerts", "--config", config, "--database", url],
    ):
        assert watched.call(*words, "--format", "json", configured=False).json == expected
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIPN_MONITOR_CONFIG", config)
    assert watched.call("alerts", "--format", "json", configured=False).json == expected
    elsewhere = watched.call("--database", f"sqlite:///{tmp_path / 'none.db'}", "alerts", code=5, configured=False)
    assert elsewhere.out == ""
    monkeypatch.delenv("BIPN_MONITOR_CONFIG")
    assert watched.call("alerts", code=2, configured=False).out == ""
    (tmp_path / "config").mkdir()
    shutil.copy(watched.config, tmp_path / "config" / "monitor.yaml")
    assert watched.call("alerts", "--database", url, "--format", "json", configured=False).json == expected
    assert watched.call("--version", configured=False).out.startswith("bipn-monitor ")
    assert "check-config" in watched.call("--help", configured=False).out


def test_given_words_nobody_knows_when_called_then_2_and_nothing_on_stdout(empty: Installation) -> None:
    commands = ["import", "poll", "run", "alerts", "ack", "snooze", "explain", "replay", "check-config", "status", "test-mail",
                "preview", "schema", "migrate", "demo"]  # fmt: skip
    for command in commands:
        ran = empty.call(command, "--no-such-option", code=2)
        assert ran.out == ""
        assert "--no-such-option" in ran.err
    assert empty.call("no-such-command", code=2).out == ""
    assert sorted(path.name for path in empty.folder.iterdir()) == ["monitor.yaml"]


def test_given_no_database_or_another_version_when_used_then_5_and_what_to_do(empty: Installation) -> None:
    readers = (["alerts"], ["status"], ["explain", "P-1"], ["replay"], ["ack", "A-1", "--by", "N. B."])
    for words in readers:
        ran = empty.call(*words, code=5)
        assert ran.out == ""
        assert "migrate" in ran.err
    assert not empty.database.exists()
    assert "none -> " in empty.call("migrate").out
    assert "nothing to do" in empty.call("migrate").out
    empty.write("UPDATE alembic_version SET version_num = '9999'")
    for words in (*readers, ["run"], ["poll"], ["import", str(COHORT)], ["migrate"]):
        ran = empty.call(*words, code=5)
        assert ran.out == ""
        assert "version" in ran.err


def test_given_a_database_without_a_schema_when_the_daemon_starts_on_it_then_it_is_made_and_readers_say_migrate(
    empty: Installation,
) -> None:
    empty.database.touch()
    assert "migrate" in empty.call("status", code=5).err
    empty.call("poll")
    empty.call("status")


def test_given_a_folder_that_cannot_be_written_when_used_then_5_and_no_traceback(empty: Installation, relay: SmtpServer) -> None:
    folder = Path(mkdtemp(prefix="bipn-"))  # where every user may look
    try:
        installed = Installation(folder, relay.port)
        empty.call("import", COHORT)  # every module is loaded
        folder.chmod(0o555)
        with no_superuser():
            created = installed.call("poll", code=5)
        assert created.out == ""
        assert "cannot create the database" in created.err
        folder.chmod(0o755)
        installed.call("migrate")
        installed.database.chmod(0o444)
        folder.chmod(0o555)
        with no_superuser():
            for words in (["import", str(COHORT)], ["poll"], ["run"]):
                assert installed.call(*words, code=5).out == ""
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def no_superuser() -> Iterator[None]:
    """As nobody where we are root: root writes anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_given_a_relay_when_a_mail_is_tried_then_every_step_is_told(empty: Installation, relay: SmtpServer) -> None:
    before = len(relay.mails)
    tried = empty.call("test-mail", "nurse@hospital.example", "--format", "json").json
    assert (tried["ok"], len(relay.mails)) == (True, before + 1)
    assert {"connect", "EHLO", "MAIL", "RCPT", "DATA"} <= {step["name"] for step in tried["steps"]}
    empty.config.write_text(empty.config.read_text(encoding="utf-8").replace(f"port: {relay.port}", "port: 1"), encoding="utf-8")
    failed = empty.call("test-mail", "nurse@hospital.example", code=4)
    assert "FAIL" in failed.out
    assert empty.call("test-mail", "nobody", code=2).out == ""


def test_given_kinds_of_mail_when_previewed_then_files_and_their_index_is_the_data(empty: Installation) -> None:
    out = empty.folder / "preview"
    ran = empty.call("preview", "all", "--out", out)
    assert ran.out.strip() == str(out / "index.html")
    for kind in ("alert", "correction", "digest", "operations", "test"):
        assert list(out.glob(f"{kind}*.eml")), kind
    refused = empty.call("preview", "alrt", "--out", out, code=2)
    assert "did you mean 'alert'" in refused.err


def test_given_the_schema_when_printed_then_it_is_json_schema_of_the_keys(empty: Installation) -> None:
    schema = empty.call("schema", configured=False).json
    assert "$schema" in schema
    assert {"time_zone", "database", "guideline", "poll_every", "mail", "teams"} <= set(schema["properties"])
