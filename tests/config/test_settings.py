"""Settings as the program gets them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.clinical.findings import Urgency
from monitor.clinical.on_call import Step
from monitor.config import check, json_schema
from monitor.config.addresses import is_address
from monitor.config.database_url import resolve_database
from monitor.config.policy_files import shipped_policy
from monitor.config.settings import (
    AcknowledgeWithin,
    Coverage,
    Metrics,
    Operations,
    Recipient,
    Relay,
    Team,
    load_settings,
)
from monitor.errors import UsageError
from monitor.shipped import shipped
from tests.config.files import MINIMAL, line_of, monitor_file

SAMPLE = shipped("config") / "monitor.yaml"


def test_given_the_least_of_the_contract_when_loaded_then_all_else_has_its_default(tmp_path: Path) -> None:
    settings = load_settings(monitor_file(tmp_path))
    assert settings.source == tmp_path / "monitor.yaml"
    assert settings.time_zone == ZoneInfo("Europe/Berlin")
    assert settings.database == f"sqlite:///{tmp_path}/bipn-monitor.db"
    assert settings.guideline == "us-label"
    assert settings.policy == shipped_policy()
    assert settings.templates is None
    assert settings.poll_every == timedelta(seconds=60)
    assert settings.announce_within == timedelta(days=14)
    assert settings.acknowledge_within == AcknowledgeWithin(
        immediate=timedelta(hours=1), same_day=timedelta(hours=8), review=timedelta(days=3)
    )
    assert settings.privacy == "pseudonym"
    assert settings.operations is None
    assert settings.remind_every == {
        Urgency.IMMEDIATE: timedelta(hours=4),
        Urgency.SAME_DAY: timedelta(days=1),
        Urgency.REVIEW: timedelta(days=7),
    }
    assert (settings.digest_at, settings.storm_above, settings.feed_quiet_after) == (time(7, 30), 20, timedelta(days=7))
    assert (settings.answers, settings.coverage, settings.metrics) == (None, None, None)
    assert (settings.mail.fallback_relay, settings.mail.smime) == (None, None)
    assert settings.mail.sender == "alerts@hospital.example"
    assert settings.mail.relay == Relay(
        host="127.0.0.1", port=25, insecure=True, tls="starttls", username=None, timeout=timedelta(seconds=30)
    )
    assert settings.teams == (
        Team(
            name="day-clinic",
            sites=("*",),
            recipients=(
                Recipient(name="Nurse on duty", address="nurse@hospital.example", language="en"),
                Recipient(name="Second nurse", address="nurse2@hospital.example", language="de"),
            ),
        ),
    )
    assert check(settings.source) == []


def test_given_everything_written_when_loaded_then_everything_is_taken(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for name in ("own/policy.yaml", "own/table.yaml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    more = (
        "announce_within_days: 0\nacknowledge_within: {same-day: 4 h}\nprivacy: none\n"
        "operations: {address: it@hospital.example}\npolicy: own/policy.yaml\ntemplates: own\nmail:"
    )
    path = monitor_file(
        tmp_path,
        ("mail:", more),
        ("guideline: us-label", "guideline: own/table.yaml"),
        ("port: 25, insecure: true", "port: 465, tls: implicit, username: monitor, timeout: 5 s"),
    )
    settings = load_settings(path)
    assert settings.announce_within == timedelta(0)
    assert settings.acknowledge_within == AcknowledgeWithin(
        immediate=timedelta(hours=1), same_day=timedelta(hours=4), review=timedelta(days=3)
    )
    assert settings.privacy == "none"
    assert settings.operations == Operations(address="it@hospital.example")
    assert settings.policy == tmp_path / "own/policy.yaml"
    assert settings.guideline == f"{tmp_path}/own/table.yaml"
    assert settings.templates == tmp_path / "own"
    assert settings.mail.relay == Relay(
        host="127.0.0.1", port=465, insecure=False, tls="implicit", username="monitor", timeout=timedelta(seconds=5)
    )


def test_given_the_sample_when_checked_then_it_is_clean_and_explains_every_key() -> None:
    assert check(SAMPLE) == []
    text = SAMPLE.read_text(encoding="utf-8")
    schema = json_schema()
    for shape in (schema, *(shape for name, shape in schema["$defs"].items() if name != "RelayFile")):
        for key in shape["properties"]:
            # a value by its default, or one written elsewhere in the same words
            assert re.search(rf"\b{key}\b", text), key


def test_given_the_sample_with_its_optional_lines_when_loaded_then_they_are_understood(tmp_path: Path) -> None:
    (tmp_path / "our-templates").mkdir()
    (tmp_path / "our-policy.yaml").write_bytes(shipped_policy().read_bytes())
    (tmp_path / "drop").mkdir()
    for name in ("alerts.pem", *(f"our-{each}.yaml" for each in ("fhir", "hl7", "redcap", "omop"))):
        (tmp_path / name).write_text("", encoding="utf-8")
    _, text = SAMPLE.read_text(encoding="utf-8").split("\n", 1)  # the first line is for editors
    text = re.sub(r"^( *)# ( *(?:[a-z_-]+:(?: |$)|- \{))", r"\1\2", text, flags=re.MULTILINE)
    path = monitor_file(tmp_path, ("    insecure: true ", "    # insecure: true "), text=text)
    assert check(path, now=datetime(2026, 11, 23, tzinfo=UTC)) == []
    settings = load_settings(path)
    assert settings.policy == tmp_path / "our-policy.yaml"
    assert set(settings.directory.people) == {"berger", "lang", "chief"}
    assert settings.teams[0].escalation[Urgency.IMMEDIATE][0] == Step(to=("ward-nurse",), after=timedelta(minutes=30))
    assert settings.coverage == Coverage()
    assert settings.metrics == Metrics(port=9105)


def _codes(path: Path) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in check(path)]


@pytest.mark.parametrize("key", ["time_zone", "database", "guideline", "mail", "teams"])
def test_given_a_required_key_is_missing_when_checked_then_it_is_named(tmp_path: Path, key: str) -> None:
    path = monitor_file(tmp_path, (f"{key}:", f"# {key}:")) if key not in {"mail", "teams"} else tmp_path / "monitor.yaml"
    if key in {"mail", "teams"}:
        blocks = {"mail": MINIMAL[MINIMAL.index("mail:") : MINIMAL.index("teams:")], "teams": MINIMAL[MINIMAL.index("teams:") :]}
        path = monitor_file(tmp_path, (blocks[key], ""))
    assert [(problem.code, problem.message) for problem in check(path)] == [("missing-key", f"'{key}' is required here")]


def test_given_a_missing_key_inside_when_checked_then_the_key_above_is_marked(tmp_path: Path) -> None:
    path = monitor_file(tmp_path, ("  sender: alerts@hospital.example\n", ""))
    assert _codes(path) == [(line_of(path, "mail:"), "missing-key")]


@pytest.mark.parametrize(
    ("zone", "suggestion"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Tokyo", "Asia/Tokyo"),
        ("../etc/passwd", None),
        ("Qqqq", None),
    ],
)
def test_given_an_unknown_zone_when_checked_then_the_nearest_is_suggested(
    tmp_path: Path, zone: str, suggestion: str | None
) -> None:
    (problem,) = check(monitor_file(tmp_path, ("Europe/Berlin  ", zone + "  ")))
    assert (problem.line, problem.column, problem.code, problem.suggestion) == (1, 12, "unknown-zone", suggestion)


@pytest.mark.parametrize(
    ("exchange", "code"),
    [
        (('sites: ["*"]', "sites: [ward-1]"), "nobody-home"),
        (('sites: ["*"]', "sites: []"), "nobody-home"),
        (("Second nurse, address: nurse2@", "Second nurse, address: nurse@"), "duplicate-address"),
        (("nurse2@", "NURSE@"), "duplicate-address"),
        (("nurse2@hospital.example", "nurse2"), "bad-address"),
        (("nurse2@hospital.example", "nürse@hospital.example"), "bad-address"),
        (("alerts@hospital.example", "a@b@c"), "bad-address"),
        (("Nurse on duty", '"a\\r\\nBcc: x"'), "bad-name"),
        (("Nurse on duty", '""'), "out-of-range"),
        (("day-clinic", '" "'), "bad-name"),
        (("language: de", "language: fr"), "wrong-value"),
        (("port: 25", "port: 0"), "out-of-range"),
        (("host: 127.0.0.1", "host: 'a b'"), "bad-host"),
        (("host: 127.0.0.1", "host: ''"), "out-of-range"),
        (("insecure: true", "insecure: 'true'"), "wrong-type"),
        (("insecure: true", "insecure: true, tls: starttls"), "insecure-relay"),
        (("poll_every: 60 s", "poll_every: 0 s"), "bad-duration"),
        (("poll_every: 60 s", "poll_every: true"), "bad-duration"),
        (("poll_every: 60 s", "announce_within_days: true"), "wrong-type"),
        (("poll_every: 60 s", "announce_within_days: -1"), "out-of-range"),
        (("poll_every: 60 s", "acknowledge_within: {red: 1 h}"), "unknown-key"),
        (("poll_every: 60 s", "acknowledge_within: {immediate: 9 h}"), "threshold-contradiction"),
        (("poll_every: 60 s", "acknowledge_within: {same-day: 8 h, review: 2 h}"), "threshold-contradiction"),
        (("poll_every: 60 s", "operations:"), "wrong-type"),
        (("insecure: true", "insecure: true, username: null"), "wrong-type"),
        (("poll_every: 60 s", "privacy: name"), "wrong-value"),
        (("poll_every: 60 s", "templates: nowhere"), "file-missing"),
        (("poll_every: 60 s", "policy: nowhere.yaml"), "file-missing"),
        (("guideline: us-label", "guideline: ./nowhere.yaml"), "file-missing"),
        (("guideline: us-label", "guideline: nccn"), "unknown-guideline"),
        (("guideline: us-label", "guideline: ''"), "out-of-range"),
    ],
)
def test_given_one_mistake_when_checked_then_exactly_it_is_told(tmp_path: Path, exchange: tuple[str, str], code: str) -> None:
    path = monitor_file(tmp_path, exchange)
    written = exchange[1].partition("\n")[0]
    lines = {problem.line for problem in check(path) if problem.code == code}
    assert lines
    assert lines <= {line_of(path, written), line_of(path, "teams:")}
    assert {problem.code for problem in check(path)} == {code}


def test_given_a_sign_in_without_encryption_when_the_relay_is_elsewhere_then_it_is_refused(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    assert check(monitor_file(here, ("insecure: true", "insecure: true, username: monitor"))) == []
    path = monitor_file(
        elsewhere, ("127.0.0.1", "smtp.hospital.example"), ("insecure: true", "insecure: true, username: monitor")
    )
    assert [problem.code for problem in check(path)] == ["insecure-relay"]


def test_given_one_team_for_listed_sites_and_one_for_all_when_checked_then_it_is_clean(tmp_path: Path) -> None:
    extra = "teams:\n  ward:\n    sites: [ward-1]\n    recipients: [{name: A, address: a@hospital.example}]"
    settings = load_settings(monitor_file(tmp_path, ("teams:", extra)))
    assert [team.name for team in settings.teams] == ["ward", "day-clinic"]


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("sqlite:///bipn.db", "sqlite:////srv/x/bipn.db"),
        ("sqlite:///data/bipn.db", "sqlite:////srv/x/data/bipn.db"),
        ("sqlite:////var/lib/bipn.db", "sqlite:////var/lib/bipn.db"),
    ],
)
def test_given_a_database_when_resolved_then_it_is_absolute(url: str, resolved: str) -> None:
    assert resolve_database(url, folder=Path("/srv/x")) == resolved


@pytest.mark.parametrize("url", ["postgresql://h/d", "postgresql+psycopg://h/d", "postgres://h/d"])
def test_given_postgresql_when_resolved_then_it_names_the_driver(url: str) -> None:
    assert resolve_database(url, folder=Path("/")) == "postgresql+psycopg://h/d"


@pytest.mark.parametrize("url", ["postgresql://h", "postgresql://h:port/d", "postgresql+asyncpg://h/d"])
def test_given_a_server_without_a_database_or_another_driver_when_resolved_then_a_sentence_says_how_to_write_it(url: str) -> None:
    with pytest.raises(UsageError, match="postgresql://user@host/database"):
        resolve_database(url, folder=Path("/"))


@pytest.mark.parametrize(
    "url", ["", "bipn.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "mysql://h/d"]
)
def test_given_a_database_that_cannot_be_used_when_resolved_then_it_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        resolve_database(url, folder=Path("/"))


@pytest.mark.parametrize("address", ["a@b", "first.last+tag@ward-1.hospital.example", "root@localhost"])
def test_given_a_plain_address_when_asked_then_it_is_one(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b",
        "a@",
        "a b@c",
        "a@b c",
        "a@-b",
        "a@b.",
        ".a@b",
        "a..b@c",
        "a@b\n",
        "a@b\r\nBcc: c@d",
        "A <a@b>",
        "ä@b",
        "a@ä",
        "x" * 65 + "@b",
    ],
)
def test_given_anything_else_when_asked_then_it_is_none(address: str) -> None:
    assert not is_address(address)
