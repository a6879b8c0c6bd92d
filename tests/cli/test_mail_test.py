"""``test-mail`` with one relay and with two: each is walked to, and the step that fails is named with what to do."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.installation import Installation
from tests.smtp_server import SmtpServer

NURSE = "nurse@hospital.example"


def with_fallback(folder: Path, relay: SmtpServer, fallback: SmtpServer, more: str = "") -> Installation:
    installed = Installation(folder, relay.port)
    second = f"  fallback_relay: {{host: 127.0.0.1, port: {fallback.port}, insecure: true{more}}}\n"
    text = installed.config.read_text(encoding="utf-8")
    installed.config.write_text(text.replace("teams:\n", f"{second}teams:\n"), encoding="utf-8")
    return installed


def test_given_one_relay_when_tested_then_its_steps_stand_alone(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        installed = Installation(tmp_path / "site", relay.port)
        lines = installed.call("test-mail", NURSE).out.splitlines()
        told = installed.call("test-mail", NURSE, "--format", "json").json
    assert [line.split()[:2] for line in lines] == [
        ["ok", step] for step in ("resolve", "connect", "banner", "EHLO", "MAIL", "RCPT", "DATA", "accepted")
    ]
    assert set(told) == {"ok", "steps"}
    assert [mail.recipient for mail in relay.mails] == [NURSE, NURSE]


def test_given_two_relays_when_the_fallback_fails_then_it_is_named_and_so_are_its_settings(tmp_path: Path) -> None:
    with SmtpServer() as relay, SmtpServer(users={"monitor": "right"}) as fallback:
        installed = with_fallback(tmp_path / "site", relay, fallback, ", username: monitor")
        ran = installed.call("test-mail", NURSE, code=4)
        told = installed.call("test-mail", NURSE, "--format", "json", code=4).json
    assert f"relay: 127.0.0.1, port {relay.port}" in ran.out
    assert f"fallback: 127.0.0.1, port {fallback.port}" in ran.out
    last = ran.out.splitlines()[-1]
    assert last.startswith("FAIL  AUTH")
    assert "smtp_password_fallback" in last
    assert (told["ok"], told["steps"][-1]["name"]) == (False, "accepted")
    assert (told["fallback"]["ok"], told["fallback"]["steps"][-1]["name"]) == (False, "AUTH")
    assert len(relay.mails) == 2


def test_given_two_relays_when_both_take_mail_then_0(tmp_path: Path) -> None:
    with SmtpServer() as relay, SmtpServer() as fallback:
        with_fallback(tmp_path / "site", relay, fallback).call("test-mail", NURSE)
        assert len(relay.mails) == len(fallback.mails) == 1
        assert relay.mails[0].message["Message-ID"] != fallback.mails[0].message["Message-ID"]
        assert f"port {fallback.port}" in fallback.mails[0].text


def test_given_answers_are_read_when_tested_then_the_relay_is_asked_about_the_sender_that_mails_will_have(tmp_path: Path) -> None:
    with SmtpServer() as relay:
        installed = Installation(tmp_path / "site", relay.port)
        text = installed.config.read_text(encoding="utf-8")
        (installed.folder / "answers").mkdir()
        installed.config.write_text(f"{text}answers: {{address: seen@hospital.example, maildir: answers}}\n", encoding="utf-8")
        installed.call("test-mail", NURSE)
        assert relay.mails[0].sender.startswith("seen+b-0-")
