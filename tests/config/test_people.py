"""Who hears and when, as written: people, calendars, steps, the second relay, the mailbox of the answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from monitor.clinical.findings import Urgency
from monitor.clinical.on_call import Absence, QuietHours, Rota, Shift, Step
from monitor.config import check
from monitor.config.settings import (
    Answers,
    Coverage,
    Imap,
    Metrics,
    OAuth,
    Recipient,
    Smime,
    Team,
    load_settings,
)
from tests.config.files import WHO_HEARS, line_of, monitor_file

TOKENS = "https://login.h.example/t"
MORE_MAIL = f"""insecure: true, connections: 2}}
  fallback_relay: {{host: mail.h.example, username: a, oauth: {{token_url: "{TOKENS}", client_id: c, scope: s}}}}
  smime: {{certificate: own.pem, encrypt: true}}
"""


def test_given_who_hears_and_when_when_loaded_then_it_is_taken_as_written(tmp_path: Path) -> None:
    for name in ("b.pem", "own.pem"):
        (tmp_path / name).write_text("", encoding="utf-8")
    settings = load_settings(monitor_file(tmp_path, ("insecure: true}", MORE_MAIL), text=WHO_HEARS.read_text(encoding="utf-8")))
    berger = settings.directory.people["berger"]
    assert berger.recipient == Recipient(
        name="N. Berger", address="b@h.example", language="de", certificate=str(tmp_path / "b.pem")
    )
    assert berger.away == (Absence(from_on=date(2026, 12, 20), until_on=date(2027, 1, 5), instead=("lang",)),)
    shift = Shift(days=frozenset({4, 5, 6, 0}), from_minute=1170, until_minute=420, people=("lang",))
    assert settings.directory.rotas == {"nights": Rota(name="nights", shifts=(shift,))}
    assert settings.teams == (
        Team(
            name="day-clinic",
            sites=("*",),
            recipients=(Recipient(name="Desk", address="desk@h.example"),),
            on_call=("nights",),
            quiet_hours=QuietHours(from_minute=1200, until_minute=420),
            escalation={Urgency.IMMEDIATE: (Step(to=("nights", "berger")),)},
        ),
    )
    assert settings.answers == Answers(address="answers@h.example", imap=Imap(host="imap.h.example", username="answers"))
    assert settings.coverage == Coverage(at=time(5, 15), days=3, ping=True, synthetic_patient=True)
    assert settings.metrics == Metrics(port=9105)
    assert settings.remind_every[Urgency.IMMEDIATE] == timedelta(hours=2)
    assert (settings.digest_at, settings.storm_above, settings.feed_quiet_after) == (time(6, 45), 5, timedelta(days=2))
    assert settings.mail.relay.connections == 2
    assert settings.mail.fallback_relay is not None
    assert settings.mail.fallback_relay.oauth == OAuth(token_url=TOKENS, client_id="c", scope="s")
    assert settings.mail.smime == Smime(certificate=tmp_path / "own.pem", encrypt=True)


NOW = datetime(2026, 11, 23, tzinfo=UTC)


def _who_hears(folder: Path, *exchanges: tuple[str, str]) -> Path:
    (folder / "b.pem").write_text("", encoding="utf-8")
    return monitor_file(folder, *exchanges, text=WHO_HEARS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("exchange", "code"),
    [
        (("people: [lang]", "people: [lnag]"), "unknown-name"),
        (("people: [lang]", "people: [nights]"), "unknown-name"),
        (("instead: [lang]", "instead: [nights]"), "unknown-name"),
        (("instead: [lang]", "instead: [berger]"), "bad-absence"),
        (("until: 2027-01-05", "until: 2026-12-19"), "bad-absence"),
        (("until: 2027-01-05", "until: 2027-02-30"), "bad-date"),
        (("on_call: [nights]", "on_call: [night]"), "unknown-name"),
        (("to: [nights, berger]", "to: [nights, bergr]"), "unknown-name"),
        (("to: [nights, berger]", "to: [nights, nights]"), "duplicate-name"),
        (("to: [nights, berger]", "to: []"), "nobody-home"),
        (("people: [lang]", "people: []"), "nobody-home"),
        (
            ("  nights: [{days", "  lang: [{days: mon, from: 7:00, until: 8:00, people: [lang]}]\n  nights: [{days"),
            "duplicate-name",
        ),
        (("days: fri-mon", "days: mo-fr"), "bad-days"),
        (("days: fri-mon", "days: 5"), "bad-days"),
        (("days: fri-mon", "days: []"), "bad-days"),
        (("until: 7:00", "until: 7"), "bad-clock-time"),
        (("until: 7:00", "until: '24:01'"), "bad-clock-time"),
        (('from: 20:00, until: "07:00"', "from: 20:00, until: 20:00"), "quiet-for-ever"),
        (('from: 20:00, until: "07:00"', "from: 00:00, until: 24:00"), "quiet-for-ever"),
        (("berger]}", "berger], after: 169 h}"), "out-of-range"),
        (("immediate: [{to", "urgent: [{to"), "unknown-key"),
        (("answers@h.example, imap", "answers@h.example, maildir: box, imap"), "wrong-value"),
        ((", imap: {host: imap.h.example, username: answers}", ""), "missing-key"),
        (("imap: {host: imap.h.example, username: answers}", "maildir: b.pem"), "file-missing"),
        (("imap: {host: imap.h.example, username: answers}", 'maildir: "\\0"'), "file-missing"),
        (("imap.h.example, username", "imap.h.example, insecure: true, username"), "insecure-imap"),
        (("imap.h.example, username", "localhost, insecure: true, tls: starttls, username"), "insecure-imap"),
        (("address: answers@h.example", "address: answers"), "bad-address"),
        (("operations: {address: it@h.example}\n", ""), "nobody-home"),
        (("port: 9105", "port: 1023"), "out-of-range"),
        (("immediate: 2 h", "immediate: 25 h"), "threshold-contradiction"),
        (("storm_above: 5", "storm_above: 0"), "out-of-range"),
        (("digest_at: 6:45", "digest_at: 24:00"), "bad-clock-time"),
        (("address: l@h.example", "address: l"), "bad-address"),
        (("name: O. Lang", 'name: "O.\\nLang"'), "bad-name"),
        (("b.pem", "c.pem"), "file-missing"),
        (("insecure: true}", "insecure: true}\n  fallback_relay: {host: 127.0.0.1, port: 25}"), "duplicate-relay"),
        (("insecure: true}", "insecure: true}\n  fallback_relay: {host: a b}"), "bad-host"),
        (("insecure: true}", "insecure: true}\n  smime: {certificate: none.pem}"), "file-missing"),
        (("insecure: true}", "oauth: {token_url: https://h/t, client_id: c, scope: s}}"), "missing-key"),
        (("insecure: true}", "username: a, oauth: {token_url: http://h/t, client_id: c, scope: s}}"), "insecure-url"),
        (("insecure: true}", "username: a, oauth: {token_url: h/t, client_id: c, scope: s}}"), "insecure-url"),
        (("insecure: true}", "username: a, connections: 0}"), "out-of-range"),
        (("feed_quiet_after: 2 d", "feed_quiet_after:"), "wrong-type"),
        (("metrics: {port: 9105}", "metrics:"), "wrong-type"),
    ],
)
def test_given_one_mistake_when_checked_then_exactly_it_is_told(tmp_path: Path, exchange: tuple[str, str], code: str) -> None:
    assert [problem.code for problem in check(_who_hears(tmp_path, exchange))] == [code]


@pytest.mark.parametrize(
    "exchange",
    [
        ("recipients: [{name: Desk, address: desk@h.example}]\n    on_call: [nights]", "recipients: []\n    on_call: [berger]"),
        ("recipients: [{name: Desk, address: desk@h.example}]\n    on_call: [nights]", "on_call: [nights, lang]"),
        ("berger]}", "berger], after: 7 d}"),
        ("imap: {host: imap.h.example", "imap: {host: 127.0.0.1, insecure: true"),
        ("imap: {host: imap.h.example, username: answers}", "maildir: box"),
        ("insecure: true}", "username: a, oauth: {token_url: http://localhost:8080/t, client_id: c, scope: s}}"),
        ("insecure: true}", "insecure: true}\n  fallback_relay: {host: 127.0.0.1, port: 2525, insecure: true}"),
        ("  lang: {name", "  secretary: {name: Secretary, address: s@h.example}\n  lang: {name"),
    ],
)
def test_given_what_looks_like_a_mistake_and_is_none_when_checked_then_it_is_clean(
    tmp_path: Path, exchange: tuple[str, str]
) -> None:
    assert check(_who_hears(tmp_path, exchange)) == []


def test_given_a_team_without_recipients_and_calendar_when_checked_then_recipients_are_missing(tmp_path: Path) -> None:
    path = _who_hears(tmp_path, ("    recipients: [{name: Desk, address: desk@h.example}]\n    on_call: [nights]\n", ""))
    assert [(problem.code, problem.message) for problem in check(path)] == [("missing-key", "'recipients' is required here")]


def test_given_a_step_that_reaches_nobody_when_checked_then_the_gap_is_told_at_the_team(tmp_path: Path) -> None:
    path = _who_hears(tmp_path, ("to: [nights, berger]", "to: [nights]"))
    problems = check(path)
    assert {(problem.line, problem.code) for problem in problems} == {(line_of(path, "day-clinic:"), "nobody-home")}
    words = "team 'day-clinic' (every site), immediate: escalation step 1 would reach nobody"
    assert [problem.message for problem in problems] == [
        f"{words} Saturday to Monday 07:00 - 19:30",
        f"{words} Tuesday 07:00 - Friday 19:30",
    ]


def test_given_an_absence_without_a_stand_in_when_checked_now_then_its_gap_is_told_and_the_settings_still_load(
    tmp_path: Path,
) -> None:
    path = _who_hears(tmp_path, (", instead: [lang]", ""), ("to: [nights, berger]", "to: [berger]"))
    (problem,) = check(path, now=NOW)
    assert problem.code == "nobody-home"
    assert problem.message.endswith("escalation step 1 would reach nobody at any hour, 2026-12-20 to 2027-01-05: berger away")
    assert check(path, now=datetime(2027, 1, 5, 23, tzinfo=UTC)) == []  # midnight in Berlin: the absence is over
    assert load_settings(path).directory.people["berger"].away


def test_given_a_secret_of_another_kind_when_checked_then_its_own_name_is_the_remedy(tmp_path: Path) -> None:
    path = _who_hears(
        tmp_path,
        ("username: answers", "username: answers, password: x"),
        ("ping: true", "ping: true, ping_url: x"),
        ("insecure: true}", "insecure: true}\n  fallback_relay: {host: b, username: c, oauth: {client_secret: x}}"),
    )
    told = [problem.message for problem in check(path) if problem.code == "secret-in-file"]
    names = ("smtp_oauth_secret_fallback", "imap_password", "ping_url")
    assert [name in message for name, message in zip(names, told, strict=True)] == [True] * 3
