"""YAML 1.2 with its marks: what is read, and what is refused at which line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Mark, read_document


def _document(folder: Path, text: str | bytes) -> Document:
    path = folder / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return read_document(path)


def _places(problems: list[Problem]) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.code) for problem in problems]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("22:00", "22:00"),
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e3", 1000.0),
        ("2026-11-23", "2026-11-23"),
        ("60 s", "60 s"),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("-1.5", -1.5),
    ],
)
def test_given_a_scalar_when_read_then_it_is_yaml_1_2(tmp_path: Path, written: str, read: object) -> None:
    document = _document(tmp_path, f"key: {written}\n")
    assert document.data == {"key": read}
    assert type(document.data["key"]) is type(read)
    assert document.problems == []


def test_given_keys_that_look_like_values_when_read_then_they_stay_text(tmp_path: Path) -> None:
    assert _document(tmp_path, "no: 1\n7: 2\n2026-01-01: 3\n").data == {"no": 1, "7": 2, "2026-01-01": 3}


def test_given_nested_values_when_read_then_each_key_and_value_has_its_mark(tmp_path: Path) -> None:
    document = _document(tmp_path, "a:\n  - b: 1\n    c: [x, yy]\n")
    assert document.keys[("a", 0, "c")] == Mark(3, 5)
    assert document.values[("a", 0, "c", 1)] == Mark(3, 12)


def test_given_duplicate_keys_at_several_levels_when_read_then_all_are_reported(tmp_path: Path) -> None:
    document = _document(tmp_path, "a: 1\nb: {x: 1, x: 2, x: 3}\na: 2\nc:\n  - y: 1\n    y: 2\n")
    assert _places(document.problems) == [
        (2, 11, "duplicate-key"),
        (2, 17, "duplicate-key"),
        (3, 1, "duplicate-key"),
        (6, 5, "duplicate-key"),
    ]
    assert document.problems[0].message == "'x' is already set on line 2; keep one of the two"


INDENTATION = "the indentation does not fit: this line must begin as far to the right as the others of its group"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a:\n\t- b\n", (2, 1), "a tab cannot be used for indentation; use spaces"),
        ("a: b: c\n", (1, 5), "a ':' cannot stand here; check the indentation, or put the text in quotes"),
        ("a: 1\n---\nb: 2\n", (2, 1), "'---' begins a second document; a configuration is one document"),
        ("sites: [*]\n", (1, 9), "a value that begins with '*' must be in quotes"),
        ("a: *x\n", (1, 4), "a value that begins with '*' must be in quotes"),
        ('a: "b\n', (2, 1), "a quote that was opened is never closed"),
        ("a: [1, 2\n", (2, 1), None),
        ("a: {x: 1, y: 2\nb: 3\n", (2, 2), "a ',' or '}' is expected here: what is opened on line 1 is not closed"),
        ("a:\n   b: 1\n  c: 2\n", (3, 3), INDENTATION),
        ("a:\n  - x: 1\n  y: 2\n", (3, 3), INDENTATION),
        ('a: "b\nc: 1\nd: "x"\n', (1, 4), "the quote opened here is closed on line 3 only; close it where the text ends"),
        ("a: 'it's'\n", (1, 8), "something follows a closing quote; put the whole text into one pair of quotes"),
        ("a:b\n\n# more\nc: 1\n", (1, 1), "a space is missing after the ':'"),
        ("a:b\nc: 1\n", (1, 1), "a space is missing after the ':'"),
        ("a: 1\nb\nc: 1\n", (2, 1), "'key: value' is expected, with a ':' and a space after the key"),
        ("", (1, 1), "the file is empty"),
        ("# only a comment\n", (1, 1), "the file is empty"),
        ("a: \x07\n", (1, 4), "an invisible control character (U+0007) is not allowed; remove it"),
        ("a: 1\nb: !env HOME\n", (2, 4), "a value that begins with '!' or '=' must be in quotes"),
        ("? [a]\n: b\n", (1, 3), "a key must be a plain word"),
    ],
)
def test_given_text_that_is_not_our_yaml_when_read_then_a_problem_says_where(
    tmp_path: Path, text: str, place: tuple[int, int], message: str | None
) -> None:
    (problem,) = _document(tmp_path, text).problems
    assert (problem.line, problem.column, problem.code) == (*place, "syntax")
    assert message is None or problem.message == message


@pytest.mark.parametrize("text", ["a: .inf\n", "a: .nan\n", "a: 1" + "0" * 5000 + "\n", "a: 1e999\n"])
def test_given_a_number_that_is_not_finite_when_read_then_it_is_refused(tmp_path: Path, text: str) -> None:
    assert _places(_document(tmp_path, text).problems) == [(1, 4, "out-of-range")]


def test_given_an_alias_when_read_then_it_is_refused_at_its_key(tmp_path: Path) -> None:
    assert _places(_document(tmp_path, "a: &x [1]\nb: *x\n").problems) == [(2, 1, "alias")]


def test_given_a_value_that_holds_itself_when_read_then_it_ends(tmp_path: Path) -> None:
    assert [problem.code for problem in _document(tmp_path, "a: &x [*x]\n").problems] == ["alias"]


def test_given_a_file_that_is_not_there_when_read_then_it_is_a_problem(tmp_path: Path) -> None:
    assert _places(read_document(tmp_path / "none.yaml").problems) == [(1, 1, "file-missing")]


def test_given_latin_1_when_read_then_the_line_is_named(tmp_path: Path) -> None:
    assert _places(_document(tmp_path, "a: 1\nb: Größe\n".encode("latin-1")).problems) == [(2, 1, "syntax")]


def test_given_a_byte_order_mark_and_crlf_when_read_then_marks_hold(tmp_path: Path) -> None:
    document = _document(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert document.data == {"a": 1, "b": 2}
    assert document.keys[("b",)] == Mark(2, 1)
    assert document.excerpt(2) == "b: 2"


def test_given_very_deep_nesting_when_read_then_it_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    assert [problem.code for problem in _document(tmp_path, "[" * 1200 + "]" * 1200).problems] == ["syntax"]


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab:{}[],-#&*!|>'\"%@` \n\t?~<=1.0\\u\x85"), max_size=40))
def test_given_any_text_when_read_then_nothing_is_raised(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    document = _document(tmp_path_factory.mktemp("any"), text)
    assert document.data is not None or document.problems or text.strip()
    for problem in document.problems:
        assert problem.line >= 1
        assert str(problem)
