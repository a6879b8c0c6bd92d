"""Whatever stands where, the readers answer with problems, never with an exception."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.checking import check
from monitor.config.policy_files import read_guideline, read_thresholds, shipped_guidelines, shipped_policy
from monitor.config.problems import Problem
from monitor.config.settings import read_settings
from monitor.config.yaml_source import read_document
from monitor.shipped import shipped
from tests.config.files import BOARD, WHO_HEARS

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "immediate",
            "*",
            "withhold",
            "7:00",
            "sat",
            "2026-12-20",
            "berger",
            "nights",
            "\ud800",
            "a@b",
            "1 h",
            "us-label",
            "sqlite:///x.db",
            "/",
            "a.yaml",
            "\0.yaml",
            "https://a",
            "10.0.0.1/8",
            "X-User",
        ]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
READERS: dict[str, tuple[Path, Callable[[Path], Iterable[Problem]]]] = {
    "monitor": (shipped("config") / "monitor.yaml", lambda path: read_settings(read_document(path))[1]),
    "people": (WHO_HEARS, lambda path: check(path, now=datetime(2026, 11, 23, tzinfo=UTC))),
    "board": (BOARD, lambda path: check(path, now=datetime(2026, 11, 23, tzinfo=UTC))),
    "policy": (shipped_policy(), lambda path: read_thresholds(path).problems),
    "guideline": (shipped_guidelines()["eu-smpc"], lambda path: read_guideline(path).problems),
}
DATA = {name: read_document(path).data for name, (path, _) in READERS.items()}
del DATA["people"]["people"]["berger"]["certificate"]  # not beside the file that is tried


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place, *(below for step in steps for below in _places(value[step], (*place, step)))]


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    changed = value.copy()
    changed[place[0]] = _with(value[place[0]], place[1:], new)
    return changed


def _read(folder: Path, name: str, data: Any) -> list[str]:
    path = folder / "any.yaml"
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")  # JSON is YAML
    return [str(problem) for problem in READERS[name][1](path)]


@pytest.mark.parametrize("name", READERS)
def test_given_the_shipped_values_as_json_when_read_then_they_are_clean(tmp_path: Path, name: str) -> None:
    assert _read(tmp_path, name, DATA[name]) == []


@settings(max_examples=120, deadline=None)
@given(name=st.sampled_from(sorted(READERS)), new=ANYTHING, data=st.data())
def test_given_anything_in_any_place_when_read_then_nothing_is_raised(
    tmp_path_factory: pytest.TempPathFactory, name: str, new: object, data: st.DataObject
) -> None:
    place = data.draw(st.sampled_from(_places(DATA[name])))
    for text in _read(tmp_path_factory.mktemp("any"), name, _with(DATA[name], place, new)):
        assert text.partition(": ")[2]
