"""Who may be told how much, as written (R5, R16): staff's mailboxes only, and names only where nobody else can read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import check
from monitor.config.privacy import domain_of, may_be_named
from monitor.config.settings import load_settings
from tests.config.files import BOARD, line_of, monitor_file

STAFF = "staff_domains: [h.example, Clinic.h.example]"
SMIME = "smime: {certificate: own.pem, encrypt: true}"


def _private(folder: Path, *exchanges: tuple[str, str]) -> Path:
    for name in ("own.pem", "b.pem"):
        (folder / name).write_text("", encoding="utf-8")
    return monitor_file(folder, *exchanges, text=BOARD.read_text(encoding="utf-8"))


def _told(path: Path) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in check(path)]


def test_given_staff_domains_when_loaded_then_they_are_in_small_letters(tmp_path: Path) -> None:
    settings = load_settings(_private(tmp_path))
    assert settings.mail.staff_domains == ("h.example", "clinic.h.example")
    assert settings.privacy == "identified"


@pytest.mark.parametrize(
    ("exchange", "code"),
    [
        (("desk@h.example", "desk@portal.example"), "not-staff"),
        (("desk@h.example", "desk@sub.h.example"), "not-staff"),
        (("b@clinic.h.example", "b@gmail.example"), "not-staff"),
        (("{address: it@h.example", "{address: it@home.example"), "not-staff"),
        (("audit@h.example", "audit@auditors.example"), "not-staff"),
        (("metrics:", "answers: {address: a@elsewhere.example, maildir: box}\nmetrics:"), "not-staff"),
        (("desk@h.example", "desk"), "bad-address"),
        (("Clinic.h.example]", "'@Clinic.h.example']"), "bad-domain"),
        (("Clinic.h.example]", "Clinic.h.example, '*.h.example']"), "bad-domain"),
        (("Clinic.h.example]", "Clinic.h.example, H.EXAMPLE]"), "duplicate-name"),
        (("Clinic.h.example]", "Clinic.h.example, 7]"), "wrong-type"),
        (("[h.example, Clinic.h.example]", "[]"), "nobody-home"),
        ((f"{STAFF}", "staff_domain: [h.example]"), "unknown-key"),
    ],
)
@pytest.mark.parametrize("privacy", ["identified", "pseudonym", "none"])
def test_given_one_mistake_when_checked_then_exactly_it_is_told_at_every_level(
    tmp_path: Path, exchange: tuple[str, str], code: str, privacy: str
) -> None:
    told = check(_private(tmp_path, exchange, ("privacy: identified", f"privacy: {privacy}")))
    only = [problem for problem in told if problem.code != "not-private"]
    assert [problem.code for problem in only] == [code]
    if "staff_domain:" not in exchange[1]:  # without any domain the level cannot hold
        assert len(told) == 1


def test_given_an_address_that_is_nearly_staff_when_checked_then_what_was_meant_is_suggested(tmp_path: Path) -> None:
    (problem,) = check(_private(tmp_path, ("b@clinic.h.example", "b@clinc.h.example")))
    assert (problem.code, problem.suggestion) == ("not-staff", "b@clinic.h.example")
    assert "a patient portal or private mailbox is no channel" in problem.message


def test_given_names_and_a_relay_in_clear_when_checked_then_each_address_is_named_at_its_line(tmp_path: Path) -> None:
    path = _private(tmp_path, ("username: monitor", "port: 25, insecure: true"))
    assert _told(path) == [(line_of(path, "b@clinic"), "not-private"), (line_of(path, "desk@"), "not-private")]
    assert "mail.relay has insecure: true" in check(path)[0].message


def test_given_names_and_a_fallback_in_clear_when_checked_then_that_is_enough_to_refuse(tmp_path: Path) -> None:
    fallback = "username: monitor}\n  fallback_relay: {host: 127.0.0.1, port: 25, insecure: true"
    told = check(_private(tmp_path, ("username: monitor", fallback)))
    assert [problem.code for problem in told] == ["not-private", "not-private"]
    assert "mail.fallback_relay has insecure: true" in told[0].message


def test_given_names_and_no_staff_domains_when_checked_then_each_address_is_named(tmp_path: Path) -> None:
    path = _private(tmp_path, (f"  {STAFF}\n", ""))
    told = check(path)
    assert [(problem.line, problem.code) for problem in told] == [
        (line_of(path, "b@clinic"), "not-private"),
        (line_of(path, "desk@"), "not-private"),
    ]
    assert "there are no mail.staff_domains, and there is no mail.smime with encrypt: true" in told[0].message


def test_given_mails_that_are_encrypted_for_their_owners_when_checked_then_names_need_neither_domain_nor_tls(
    tmp_path: Path,
) -> None:
    encrypted = [
        (f"  {STAFF}\n", f"  {SMIME}\n"),
        ("username: monitor", "port: 25, insecure: true"),
        ("user: berger", "user: berger, certificate: b.pem"),
    ]
    (problem,) = check(_private(tmp_path, *encrypted))
    assert (problem.code, "no `certificate` here" in problem.message) == ("not-private", True)
    assert check(_private(tmp_path, *encrypted, ("user: desk", "user: desk, certificate: b.pem"))) == []


def test_given_a_certificate_and_mails_that_are_only_signed_when_checked_then_it_does_not_count(tmp_path: Path) -> None:
    path = _private(
        tmp_path,
        (f"  {STAFF}\n", f"  {SMIME.replace('true', 'false')}\n"),
        ("user: berger", "user: berger, certificate: b.pem"),
        ("user: desk", "user: desk, certificate: b.pem"),
    )
    assert [problem.code for problem in check(path)] == ["not-private", "not-private"]


@pytest.mark.parametrize("privacy", ["pseudonym", "none"])
def test_given_no_names_when_checked_then_a_relay_in_clear_is_no_mistake(tmp_path: Path, privacy: str) -> None:
    path = _private(tmp_path, ("privacy: identified", f"privacy: {privacy}"), ("username: monitor", "port: 25, insecure: true"))
    assert check(path) == []


def test_given_what_is_no_address_when_its_domain_is_asked_then_there_is_none() -> None:
    assert (domain_of("a@B.example"), domain_of("nobody"), domain_of("")) == ("b.example", "", "")
    assert not may_be_named("nobody", staff_domains=("b.example",), tls_everywhere=True, certificate=False, encrypt=True)
    assert may_be_named("a@B.example", staff_domains=("b.example",), tls_everywhere=True, certificate=False, encrypt=False)
