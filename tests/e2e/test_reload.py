"""A configuration that is changed under the daemon, rightly and wrongly, and one that is broken when it starts."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.installation import Installation, until
from tests.smtp_server import SmtpServer

OPERATIONS = "operations:\n  address: it@hospital.example\n"
MISTAKE = "polly_every: 1 s\n"


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, relay: SmtpServer) -> Installation:
    """A configuration with an address of operations."""
    installed = Installation(tmp_path / "site", relay.port)
    add(installed, OPERATIONS)
    return installed


def add(site: Installation, text: str) -> None:
    site.config.write_text(site.config.read_text(encoding="utf-8") + text, encoding="utf-8")


def change(site: Installation, old: str, new: str) -> None:
    text = site.config.read_text(encoding="utf-8")
    assert old in text
    site.config.write_text(text.replace(old, new), encoding="utf-8")


def troubles(site: Installation) -> dict[str, str]:
    return dict(site.rows("SELECT name, words FROM troubles"))


def policies(site: Installation) -> list[str]:
    """The policies that came into force, in order, as the journal has them."""
    bodies = site.rows("SELECT body FROM journal WHERE event = 'configuration' AND subject = 'in force' ORDER BY id")
    return [json.loads(body)["policy"] for (body,) in bodies]


@contextmanager
def running(site: Installation, **environ: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The daemon, from READY on, and all that it tells its service manager; fails unless it ends with 0."""
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        path = site.folder.parent / "notify"
        path.unlink(missing_ok=True)
        manager.bind(str(path))
        manager.setblocking(False)
        process = site.start("run", configured=True, NOTIFY_SOCKET=str(path), **environ)
        try:
            until(lambda: process.poll() is not None or "READY=1" in hear(manager, told), seconds=60, what="READY=1")
            assert process.poll() is None
            yield process, told
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=40)
            hear(manager, told)
            site.printed.append(err)
            assert process.returncode == 0, err
            assert "Traceback" not in err
        finally:
            process.kill()
            process.communicate()


def hear(manager: socket.socket, told: list[str]) -> list[str]:
    """All lines told so far."""
    try:
        while True:
            told += manager.recv(4096).decode().splitlines()
    except BlockingIOError:
        return told


def test_given_a_good_change_when_reloaded_then_it_is_in_force_without_a_restart(site: Installation, relay: SmtpServer) -> None:
    with running(site) as (daemon, told):
        until(lambda: len(policies(site)) == 1, seconds=60, what="the first policy")
        change(site, "guideline: us-label", "guideline: eu-smpc")
        change(site, "poll_every: 1 s", "poll_every: 2 s")
        daemon.send_signal(signal.SIGHUP)
        until(lambda: len(policies(site)) == 2, seconds=60, what="the second policy")
        (before, after) = policies(site)
        assert before != after
        until(lambda: site.rows("SELECT policy_sha256 FROM rounds") == [(after,)], seconds=60, what="a round by it")
    assert troubles(site) == {}
    assert relay.mails == []
    reloading = told.index("RELOADING=1")
    assert told[reloading + 1].startswith("MONOTONIC_USEC=")
    assert "READY=1" in told[reloading:]


def test_given_a_mistake_when_reloaded_then_the_old_one_stays_it_is_told_and_the_next_good_one_ends_it(
    site: Installation, relay: SmtpServer
) -> None:
    with running(site) as (daemon, _):
        add(site, MISTAKE)
        daemon.send_signal(signal.SIGHUP)
        until(lambda: troubles(site), seconds=60, what="the trouble")
        words = troubles(site)["configuration"]
        assert f"{site.config}:16:1: unknown key" in words
        assert "the one before stays in force" in words
        assert [mail.recipient for mail in relay.wait_for(1, seconds=30)] == ["it@hospital.example"]
        assert "unknown key" in relay.mails[0].text
        change(site, MISTAKE, "")
        daemon.send_signal(signal.SIGHUP)
        until(lambda: not troubles(site), seconds=60, what="the end of it")
    assert len(set(policies(site))) == 1


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("sqlite:///site.db", "sqlite:///other.db", "needs a restart"),
        ("guideline: us-label", "guideline: us-label\ntemplates: ours", "ours/alert/subject.txt"),
        ("insecure: true", "insecure: true, username: monitor", "smtp_password"),
    ],
)
def test_given_what_cannot_be_taken_over_when_reloaded_then_it_is_refused(
    site: Installation, old: str, new: str, why: str
) -> None:
    (site.folder / "ours" / "alert").mkdir(parents=True)
    (site.folder / "ours" / "alert" / "subject.txt").write_text("{{ nobody.knows }}", encoding="utf-8")
    (site.folder / "smtp_password").write_text("x", encoding="utf-8")
    (site.folder / "smtp_password").chmod(0o644)
    with running(site) as (daemon, _):
        change(site, old, new)
        daemon.send_signal(signal.SIGHUP)
        until(lambda: troubles(site), seconds=60, what="the trouble")
        assert why in troubles(site)["configuration"]
    assert not (site.folder / "other.db").exists()


def test_given_a_mistake_when_the_daemon_starts_then_the_last_good_one_is_in_force_and_nothing_else_takes_it(
    site: Installation, relay: SmtpServer
) -> None:
    mine = Path(__file__).resolve().parents[2] / "config"
    (site.folder / "ours.yaml").write_bytes((mine / "policy.yaml").read_bytes())
    (site.folder / "table.yaml").write_bytes((mine / "guidelines" / "us-label.yaml").read_bytes())
    change(site, "guideline: us-label", "guideline: ./table.yaml\npolicy: ours.yaml")
    with running(site):
        until(lambda: len(policies(site)) == 1, seconds=60, what="the policy")
    kept = site.folder / "last-good"
    assert sorted(path.name for path in kept.iterdir()) == ["guideline.yaml", "monitor.yaml", "origin.json", "policy.yaml"]
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}
    assert kept.stat().st_mode & 0o777 == 0o700
    (site.folder / "ours.yaml").write_text("nonsense: [", encoding="utf-8")
    change(site, "time_zone: Europe/Berlin", "time_zone: Europe/Berlin: oh")
    assert site.run("check-config", code=2).out
    assert site.run("poll", code=2).out == ""
    assert "the configuration has a mistake" in site.call("status", code=1).out
    assert site.call("alerts").err.startswith("the configuration has a mistake, the last good one is used")
    with running(site) as (daemon, told):
        until(lambda: troubles(site), seconds=60, what="the trouble")
        assert "the last good one is in force" in troubles(site)["configuration"]
        assert "the last good one is in force" in site.call("status", code=1).out
        assert [mail.recipient for mail in relay.wait_for(1, seconds=30)] == ["it@hospital.example"]
        change(site, "time_zone: Europe/Berlin: oh", "time_zone: Europe/Berlin")
        (site.folder / "ours.yaml").write_bytes((mine / "policy.yaml").read_bytes())
        daemon.send_signal(signal.SIGHUP)
        until(lambda: not troubles(site), seconds=60, what="the end of it")
    assert len(set(policies(site))) == 1
    assert "the configuration is refused" in site.printed[-1]
    assert any("REFUSED" in line for line in told if line.startswith("STATUS="))


def test_given_a_mistake_and_nothing_kept_when_the_daemon_starts_then_it_refuses(site: Installation) -> None:
    add(site, MISTAKE)
    assert "unknown key" in site.run("run", code=2).err
    assert not site.database.exists()
    site.config.unlink()
    assert "cannot be read" in site.run("run", code=2).err


def test_given_broken_templates_and_nothing_kept_when_the_daemon_starts_then_built_in_texts_stand_in(site: Installation) -> None:
    (site.folder / "ours" / "alert").mkdir(parents=True)
    (site.folder / "ours" / "alert" / "subject.txt").write_text("{{ nobody.knows }}", encoding="utf-8")
    change(site, "guideline: us-label", "guideline: us-label\ntemplates: ours")
    with running(site):
        until(lambda: troubles(site), seconds=60, what="the trouble")
        assert "built-in texts" in troubles(site)["configuration"]
    assert not (site.folder / "last-good").exists()


def test_given_a_state_folder_when_the_configuration_is_gone_then_the_daemon_starts_from_there(site: Installation) -> None:
    state = site.folder / "state"
    state.mkdir()
    with running(site, STATE_DIRECTORY=str(state)):
        until(lambda: len(policies(site)) == 1, seconds=60, what="the policy")
    site.config.unlink()
    with running(site, STATE_DIRECTORY=str(state)):
        until(lambda: troubles(site), seconds=60, what="the trouble")
        assert "cannot be read" in troubles(site)["configuration"]


def test_given_hours_that_reach_nobody_when_the_daemon_starts_then_that_is_no_reason_to_refuse(site: Installation) -> None:
    change(site, "    recipients:\n", "    on_call: [day]\n    recipients:\n")
    change(site, "      - {name: Nurse on duty, address: nurse@hospital.example, language: en}\n", "")
    change(site, "      - {name: Second nurse, address: nurse2@hospital.example, language: en}\n", "")
    change(site, "    recipients:\n", "")
    add(site, "people: {b: {name: N. B., address: nurse@hospital.example}}\n")
    add(site, 'on_call: {day: [{days: mon-fri, from: "07:00", until: "19:00", people: [b]}]}\n')
    assert "nobody" in site.call("check-config", code=2).out
    with running(site):
        until(lambda: "nobody-home" in troubles(site), seconds=60, what="the nightly look")
    assert set(troubles(site)) == {"nobody-home"}
    assert "at some hours of the week nobody would be told" in site.printed[-1]
