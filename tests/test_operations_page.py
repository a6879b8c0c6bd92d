"""The page for operations says what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.cli.program import COMMANDS
from monitor.service import scrape

ROOT = Path(__file__).parent.parent
NAMES = {name for functions in COMMANDS.values() for name in functions}


@pytest.fixture
def text() -> str:
    path = ROOT / "docs" / "operations.md"
    if not path.is_file():
        pytest.skip("the pages are in the checkout, not in the wheel")
    return path.read_text(encoding="utf-8")


def test_given_the_page_when_it_calls_the_program_then_the_command_exists(text: str) -> None:
    called = set(re.findall(r"bipn-monitor(?: --config \S+| --database \S+)? ([a-z][a-z-]+)", text))
    plain = {"is", "as", "may", "takes", "would"}  # words of a sentence
    assert called - NAMES - plain == set()
    assert {"status", "import", "migrate", "check-config", "test-mail", "alerts"} <= called


def test_given_the_page_when_it_names_a_file_of_ours_then_it_is_there(text: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
    assert [path for path in re.findall(r"(?<![/\w])systemd/[\w@.-]+", text) if not (ROOT / path).exists()] == []


def test_given_the_page_when_it_watches_a_figure_then_the_daemon_shows_it(text: str) -> None:
    shown = Path(scrape.__file__).read_text(encoding="utf-8")
    for name in set(re.findall(r"bipn_monitor_(\w+)", text)):
        assert f'"{name.removesuffix("_timestamp_seconds")}"' in shown, name


def test_given_the_program_when_it_sets_a_trouble_by_a_fixed_name_then_the_page_explains_it(text: str) -> None:
    names = set()
    for path in Path(scrape.__file__).parent.glob("*.py"):
        names |= set(re.findall(r'^(?:TROUBLE|METRICS) = "([a-z-]+)"', path.read_text(encoding="utf-8"), re.MULTILINE))
    names -= {"nobody-home"}  # in the sentences of the gaps themselves
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
    assert {"answers", "clock", "metrics"} <= names
