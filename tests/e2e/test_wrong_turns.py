"""What an administrator does wrong, and what he is told then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.service.demo_feed import COHORT
from tests.e2e.installation import Installation, until
from tests.smtp_server import SmtpServer


@pytest.fixture(scope="module")
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, relay: SmtpServer) -> Installation:
    """A configuration and an empty database."""
    installed = Installation(tmp_path / "site", relay.port)
    installed.call("migrate")
    return installed


def configure(site: Installation, old: str, new: str) -> None:
    text = site.config.read_text(encoding="utf-8")
    assert old in text
    site.config.write_text(text.replace(old, new), encoding="utf-8")


def test_given_a_password_that_cannot_be_used_when_looking_or_sending_then_only_sending_is_refused(site: Installation) -> None:
    secret = site.folder / "smtp_password"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o644)  # as refused as one that is root's alone
    for words in (["status"], ["alerts"], ["replay"]):
        assert "smtp_password" not in site.call(*words, code=None).err
    site.call("poll")  # this relay asks for none
    configure(site, "insecure: true", "insecure: true, username: monitor")
    assert site.call("status").err == ""
    for command in ("poll", "run"):
        assert "smtp_password can be read by everybody" in site.call(command, code=2).err


def test_given_a_place_that_cannot_be_written_when_mails_are_previewed_then_2_and_no_traceback(site: Installation) -> None:
    refused = site.call("preview", "test", "--out", site.config, code=2)
    assert "cannot be written" in refused.err
    assert refused.out == ""


def test_given_an_id_that_nobody_has_when_asked_for_its_alerts_then_that_is_said_and_not_that_there_are_none(
    site: Installation,
) -> None:
    site.call("import", COHORT)
    for words in (["alerts", "--patient", "jk-2012"], ["replay", "--patient", "jk-2012"]):
        asked = site.call(*words)
        assert (asked.out, "check the id" in asked.err) == ("", True)
    assert json.loads(site.call("alerts", "--patient", "jk-2012", "--format", "json").out) == []
    assert "nothing would have been raised" in site.call("replay", "--to", "2000-01-01").err
    assert "exchange the two" in site.call("replay", "--from", "2012-01-01", "--to", "2011-01-01", code=2).err


def test_given_a_past_visit_when_explained_and_replayed_for_people_then_times_are_the_clinics(site: Installation) -> None:
    site.call("import", COHORT)
    assert "as known at 2011-03-15 23:59 CET" in site.call("explain", "JK-2012", "--at", "2011-03-15").out
    assert "\n2011-03-15 13:00 CET   A-" in site.call("replay", "--patient", "JK-2012").out


def test_given_an_alert_that_is_over_when_acknowledged_then_it_is_acknowledged_and_said_to_be_closed(site: Installation) -> None:
    site.call("import", COHORT)
    site.call("poll", "--at", "2011-03-15T21:00")
    (alert, *_) = [a for a in site.call("alerts", "--format", "json").json if a["rule"] == "rapid-motor-decline"]
    site.call("poll", "--at", "2013-06-30")
    assert site.call("ack", alert["id"], "--by", "N. Berger").out == (
        f"{alert['id']} is acknowledged by N. Berger; what it told of is over, so it is closed\n"
    )


def test_given_a_daemon_that_was_killed_when_asked_for_the_status_then_it_does_not_run(site: Installation) -> None:
    daemon = site.start("run")
    until(lambda: "daemon            running" in site.call("status", code=None).out, what="the daemon")
    daemon.kill()
    daemon.communicate()
    assert "daemon            not running" in site.call("status", code=None).out


def test_given_no_database_yet_when_imported_from_nowhere_then_none_is_made_and_a_new_one_is_told(site: Installation) -> None:
    site.database.unlink()
    site.call("import", site.folder / "nowhere", code=2)
    assert not site.database.exists()
    assert "there is no database yet" in site.call("import", "--dry-run", COHORT).err
    assert not site.database.exists()
    assert f"a new one was made: {site.database}" in site.call("import", COHORT).err
    assert "a new one" not in site.call("import", COHORT).err


def test_given_a_database_that_is_replaced_under_the_daemon_when_it_ticks_then_it_stops_with_5(site: Installation) -> None:
    daemon = site.start("run")
    until(lambda: "daemon            running" in site.call("status", code=None).out, what="the daemon")
    site.database.rename(site.folder / "moved.db")
    _, err = daemon.communicate(timeout=20)
    assert daemon.returncode == 5
    assert "removed or replaced" in err
    assert "Traceback" not in err


def test_given_a_relay_that_is_down_when_polled_then_its_fault_is_told_once(site: Installation, relay: SmtpServer) -> None:
    configure(site, f"port: {relay.port}", "port: 1")
    site.call("import", COHORT)
    polled = site.call("poll", "--at", "2011-03-15T21:00", code=4)
    assert polled.err.count("port 1") == 1
    assert "tried again" in polled.err
