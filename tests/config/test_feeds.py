"""Feeds and mappings as written: one mistake, one message, at its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.config import check
from monitor.config.feed_fhir import SEARCHES, FhirFeed
from monitor.config.feed_folder import FolderFeed
from monitor.config.feed_omop import OmopFeed
from monitor.config.mail_file import OAuthFile
from monitor.config.secrets import feed_secret
from monitor.config.settings import load_settings
from monitor.errors import ConfigError
from monitor.shipped import shipped
from tests.config.files import line_of, monitor_file

URL = "https://fhir.h.example/r4"
LEAST = FhirFeed(kind="fhir", url=URL)


def written(folder: Path, feeds: str) -> Path:
    """The least of a configuration, with these lines at its end."""
    path = monitor_file(folder)
    path.write_text(path.read_text(encoding="utf-8") + feeds, encoding="utf-8")
    return path


def test_given_no_feeds_when_loaded_then_there_are_none_and_mappings_are_those_shipped(tmp_path: Path) -> None:
    settings = load_settings(monitor_file(tmp_path))
    assert settings.feeds == {}
    assert settings.mappings["fhir"] == shipped("config") / "fhir.yaml"
    assert settings.feed_trouble_after == timedelta(hours=1)


def test_given_the_least_of_a_feed_when_loaded_then_all_else_has_its_default(tmp_path: Path) -> None:
    path = written(tmp_path, f"feeds: {{hospital: {{kind: fhir, url: '{URL}'}}}}\n")
    assert check(path) == []
    assert load_settings(path).feeds == {"hospital": LEAST}
    assert (LEAST.every, LEAST.overlap, LEAST.look_back) == (timedelta(minutes=5), timedelta(minutes=10), timedelta(days=2))
    assert (LEAST.searches, LEAST.sign_in, LEAST.needs_secret) == (SEARCHES, "none", False)


def test_given_everything_of_a_fhir_feed_when_loaded_then_it_is_taken_as_written(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"feeds:\n  h-1: {{kind: fhir, url: '{URL}', every: 1 h, searches: [Patient, 'Observation?category=exam&status=final'],\n"
        "    since: 2026-01-31, overlap: 1 h, look_back: 5 d, page_size: 50, timeout: 5 s, quiet_after: 1 d,\n"
        "    oauth: {token_url: 'https://id.h.example/token', client_id: us, scope: system/*.read}}\n",
    )
    assert check(path) == []
    assert load_settings(path).feeds["h-1"] == FhirFeed(
        kind="fhir",
        url=URL,
        every=timedelta(hours=1),
        searches=("Patient", "Observation?category=exam&status=final"),
        since=date(2026, 1, 31),
        overlap=timedelta(hours=1),
        look_back=timedelta(days=5),
        page_size=50,
        timeout=timedelta(seconds=5),
        quiet_after=timedelta(days=1),
        oauth=OAuthFile(token_url="https://id.h.example/token", client_id="us", scope="system/*.read"),  # noqa: S106  # an address
    )


def test_given_paths_of_feeds_and_mappings_when_loaded_then_they_are_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "own.yaml").write_bytes((shipped("config") / "fhir.yaml").read_bytes())
    path = written(
        tmp_path,
        "feeds: {a: {kind: folder, path: drop}, b: {kind: omop, database: 'sqlite:///cdm.db'}}\nmappings: {fhir: own.yaml}\n",
    )
    assert check(path) == []
    settings = load_settings(path)
    folder, omop = settings.feeds["a"], settings.feeds["b"]
    assert isinstance(folder, FolderFeed)
    assert isinstance(omop, OmopFeed)
    assert (folder.path, omop.database) == (str(tmp_path / "drop"), f"sqlite:///{tmp_path}/cdm.db")
    assert settings.mappings["fhir"] == tmp_path / "own.yaml"


FHIR = f"kind: fhir, url: '{URL}'"


@pytest.mark.parametrize(
    ("feed", "code", "words", "suggestion"),
    [
        ("a: {}", "missing-key", "'kind' is required here", None),
        ("a: {kind: fihr}", "wrong-value", "expected one of fhir, folder, redcap, omop, mllp", "fhir"),
        ("a: {kind: 3}", "wrong-value", "expected one of fhir", None),
        ("a: 3", "wrong-type", "settings (lines of 'key: value') is expected", None),
        ("a:", "wrong-type", "'a' has no value", None),
        ("a: {kind: fhir}", "missing-key", "'url' is required here", None),
        (f"a: {{{FHIR}, evry: 5 min}}", "unknown-key", "unknown key 'evry'", "every"),
        (f"a: {{{FHIR}, every: 5}}", "bad-duration", "the number 5 has no unit", "5 s"),
        (
            f"a: {{{FHIR}, token: abcdef}}",
            "secret-in-file",
            "the systemd credential or the file feed_a, or in BIPN_MONITOR_FEED_A",
            None,
        ),
        (f"Ward_A: {{{FHIR}}}", "bad-name", "a feed's name is small letters", "ward-a"),
        (f"files: {{{FHIR}}}", "bad-name", "a feed's name is small letters", None),
        (
            "a: {kind: fhir, url: 'http://fhir.h.example/r4'}",
            "insecure-url",
            "would travel in clear",
            "https://fhir.h.example/r4",
        ),
        ("a: {kind: fhir, url: fhir.h.example/r4}", "bad-url", "whole address is expected", "https://fhir.h.example/r4"),
        ("a: {kind: fhir, url: 'https://u:p@fhir.h.example'}", "secret-in-file", "does not belong into the address", None),
        ("a: {kind: fhir, url: 'https://fhir.h.example/r4?x=1'}", "bad-url", "before any '?'", "https://fhir.h.example/r4"),
        ("a: {kind: fhir, url: 'https://['}", "bad-url", "whole address is expected", None),
        (f"a: {{{FHIR}, searches: []}}", "out-of-range", "name one search at least", None),
        (f"a: {{{FHIR}, searches: [Patiet]}}", "wrong-value", "no type of resource that this program reads", "Patient"),
        (f"a: {{{FHIR}, searches: ['Patient?']}}", "wrong-value", "after '?' come parameters", None),
        (f"a: {{{FHIR}, searches: ['Patient?_count=5']}}", "wrong-value", "_count is set by this program", None),
        (f"a: {{{FHIR}, searches: ['Patient?_lastUpdated:x=5']}}", "wrong-value", "_lastUpdated is set by this program", None),
        (f"a: {{{FHIR}, searches: [Patient, Patient]}}", "duplicate-search", "is in the list already", None),
        (f"a: {{{FHIR}, page_size: 0}}", "out-of-range", "page_size must be at least 1", None),
        (
            f"a: {{{FHIR}, oauth: {{token_url: 'http://id.h.example', client_id: a, scope: b}}}}",
            "insecure-url",
            "the token's secret travels to this address",
            None,
        ),
        (
            f"a: {{{FHIR}, sign_in: bearer, oauth: {{token_url: 'https://id.h.example', client_id: a, scope: b}}}}",
            "wrong-value",
            "keep one of the two",
            None,
        ),
        (
            "a: {kind: omop, database: 'postgresql://u:p@h/cdm'}",
            "secret-in-file",
            "a password does not belong in this file",
            None,
        ),
        ("a: {kind: omop, database: 'mysql://h/cdm'}", "bad-database", "a database is written", None),
    ],
)
def test_given_a_mistake_in_a_feed_when_checked_then_it_is_the_only_one_and_at_its_line(
    tmp_path: Path, feed: str, code: str, words: str, suggestion: str | None
) -> None:
    path = written(tmp_path, f"feeds:\n  {feed}\n")
    (problem,) = check(path)
    assert (problem.code, problem.suggestion) == (code, suggestion)
    assert words in problem.message
    assert problem.line == line_of(path, feed)
    assert "abcdef" not in str(problem)


def test_given_a_mapping_that_is_not_there_when_checked_then_it_is_told(tmp_path: Path) -> None:
    (problem,) = check(written(tmp_path, "mappings: {fhir: own.yaml}\n"))
    assert (problem.code, problem.message) == ("file-missing", f"there is no file {tmp_path}/own.yaml")


def test_given_too_many_feeds_when_checked_then_it_is_told(tmp_path: Path) -> None:
    (problem,) = check(written(tmp_path, "feeds:\n" + "".join(f"  f{n}: {{{FHIR}}}\n" for n in range(21))))
    assert problem.message == "at most 20 feeds, not 21"


def test_given_a_secret_of_a_feed_when_read_then_it_is_found_where_others_are(tmp_path: Path) -> None:
    assert feed_secret("ward-a", {}, tmp_path) is None
    (tmp_path / "feed_ward-a").write_text("of the file\n", encoding="utf-8")
    (tmp_path / "feed_ward-a").chmod(0o600)
    assert feed_secret("ward-a", {}, tmp_path) == "of the file"
    assert feed_secret("ward-a", {"BIPN_MONITOR_FEED_WARD_A": "of the variable"}, tmp_path) == "of the variable"
    (tmp_path / "feed_ward-a").chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by everybody"):
        feed_secret("ward-a", {}, tmp_path)


def test_given_feeds_that_sign_in_when_asked_then_they_need_a_secret() -> None:
    assert replace(LEAST, sign_in="bearer").needs_secret
    assert replace(LEAST, oauth=OAuthFile(token_url="https://x.example", client_id="a", scope="b")).needs_secret  # noqa: S106
