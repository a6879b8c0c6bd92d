"""A listener for HL7 v2 as written: on loopback in clear, elsewhere only with a certificate or a word that it may be in clear."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import check
from monitor.config.feed_mllp import MllpFeed
from monitor.config.problems import InvalidConfigError
from monitor.config.settings import load_settings
from monitor.service.hl7_file import load_hl7
from tests.config.test_feeds import written


@pytest.mark.parametrize("listen", ["127.0.0.1:2575", "[::1]:2575", "localhost:2575"])
def test_given_a_listener_on_loopback_when_checked_then_it_may_be_in_clear(tmp_path: Path, listen: str) -> None:
    path = written(tmp_path, f"feeds: {{lab: {{kind: mllp, listen: '{listen}'}}}}\n")
    assert check(path) == []
    assert load_settings(path).feeds == {"lab": MllpFeed(kind="mllp", listen=listen, idle=timedelta(minutes=10))}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("listen: '0.0.0.0:2575'", "insecure"),
        ("listen: '127.0.0.1'", "bad-address"),
        ("listen: '127.0.0.1:99999'", "bad-address"),
        ("listen: '127.0.0.999:2575'", "bad-address"),
        ("listen: 'lab.hospital.example:2575'", "bad-address"),
        ("listen: '127.0.0.1:2575', certificate: nowhere.pem, key: nowhere.pem", "file-missing"),
    ],
)
def test_given_a_mistake_in_a_listener_when_checked_then_it_is_named(tmp_path: Path, more: str, code: str) -> None:
    path = written(tmp_path, f"feeds: {{lab: {{kind: mllp, {more}}}}}\n")
    assert code in {problem.code for problem in check(path)}


def test_given_a_certificate_without_its_key_when_checked_then_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.pem").write_text("", encoding="utf-8")
    path = written(tmp_path, "feeds: {lab: {kind: mllp, listen: '0.0.0.0:2575', certificate: c.pem}}\n")
    assert [problem.code for problem in check(path)] == ["incomplete"]


def test_given_a_listener_for_others_when_it_says_that_it_may_be_in_clear_or_has_a_certificate_then_it_is_taken(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "feeds: {lab: {kind: mllp, listen: '0.0.0.0:2575', insecure: true}}\n")
    assert check(path) == []
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("", encoding="utf-8")
    path = written(tmp_path, "feeds: {lab: {kind: mllp, listen: '0.0.0.0:2575', certificate: c.pem, key: k.pem}}\n")
    assert check(path) == []
    feed = load_settings(path).feeds["lab"]
    assert isinstance(feed, MllpFeed)
    assert feed.certificate == str(tmp_path / "c.pem")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("measures: {heartbeat: {codes: [LN|1]}}", "no such column"),
        ("measures: {motor_grade: {codes: [LN1]}}", "system|code"),
        ("measures: {motor_grade: {codes: [LN|1]}, sensory_grade: {codes: [ln|1]}}", "motor_grade too"),
    ],
)
def test_given_a_mistake_in_a_mapping_of_hl7_when_checked_then_it_is_named_at_its_line(
    tmp_path: Path, line: str, words: str
) -> None:
    least = "medications: {drugs: {}, routes: {}, mg_per_m2_units: [], mg_units: []}\nlabs: {}\n"
    (tmp_path / "own.yaml").write_text(f"{least}{line}\n", encoding="utf-8")
    with pytest.raises(InvalidConfigError) as caught:
        load_hl7(tmp_path / "own.yaml")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.line == 3
