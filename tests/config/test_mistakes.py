"""Files with many mistakes against the text an admin reads, word by word."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from monitor.config import check
from monitor.config.problems import InvalidConfigError, Problem, nearest
from monitor.config.settings import load_settings
from tests.config.files import monitor_file

GOLDEN = Path(__file__).parent / "golden"


def _report(folder: Path, name: str) -> str:
    shutil.copy(GOLDEN / f"{name}.yaml", folder)
    text = "\n".join(str(problem) for problem in check(folder / f"{name}.yaml")) + "\n"
    return text.replace(f"{folder}/", "")


@pytest.mark.parametrize("name", ["mistakes", "references", "people", "board"])
def test_given_a_file_with_many_mistakes_when_checked_then_all_are_told_as_on_the_golden_page(tmp_path: Path, name: str) -> None:
    assert _report(tmp_path, name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_given_mistakes_when_loaded_then_the_error_has_the_same_text(tmp_path: Path) -> None:
    path = monitor_file(tmp_path, ("Europe/Berlin", "Europe/Berln"), ("port: 25", "prot: 25"))
    with pytest.raises(InvalidConfigError) as refused:
        load_settings(path)
    assert str(refused.value) == "\n".join(str(problem) for problem in check(path))
    assert [problem.code for problem in refused.value.problems] == ["unknown-zone", "unknown-key"]


def test_given_mistakes_in_three_files_when_checked_then_all_come_in_file_and_line_order(tmp_path: Path) -> None:
    (tmp_path / "a-policy.yaml").write_text("version: 1\n", encoding="utf-8")
    (tmp_path / "b-table.yaml").write_text("rows: []\nnmae: x\n", encoding="utf-8")
    path = monitor_file(
        tmp_path,
        ("guideline: us-label  ", "policy: a-policy.yaml\nguideline: b-table.yaml"),
        ("Europe/Berlin", "Mars"),
    )
    problems = check(path)
    assert problems == sorted(problems)
    assert {Path(problem.file).name for problem in problems} == {"a-policy.yaml", "b-table.yaml", "monitor.yaml"}
    assert {(Path(problem.file).name, problem.line, problem.code) for problem in problems} >= {
        ("a-policy.yaml", 1, "wrong-type"),
        ("a-policy.yaml", 1, "missing-key"),
        ("b-table.yaml", 1, "threshold-gap"),
        ("b-table.yaml", 2, "unknown-key"),
        ("monitor.yaml", 1, "unknown-zone"),
    }


def test_given_a_problem_when_shown_as_json_then_the_keys_are_those_of_the_contract() -> None:
    problem = Problem(file="f.yaml", line=12, column=5, code="unknown-key", message="m", suggestion="s", excerpt="hidden")
    keys = ["file", "line", "column", "code", "message", "suggestion"]
    assert list(json.loads(json.dumps(problem.as_json()))) == keys


def test_given_templates_that_do_not_render_when_checked_then_their_problems_are_among_the_others(tmp_path: Path) -> None:
    broken = Problem(file="templates/mail.txt", line=3, column=1, code="template-broken", message="no end")
    assert check(monitor_file(tmp_path), also=[lambda settings: [broken]]) == [broken]


def test_given_settings_that_do_not_hold_when_checked_then_templates_are_not_tried(tmp_path: Path) -> None:
    path = monitor_file(tmp_path, ("port: 25", "port: many"))
    problems = check(path, also=[lambda settings: pytest.fail("was asked to render")])
    assert [problem.code for problem in problems] == ["wrong-type"]


def test_given_a_file_that_is_missing_when_checked_then_that_is_the_problem(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "none.yaml")
    assert (problem.code, problem.line, problem.column) == ("file-missing", 1, 1)


def test_given_a_list_instead_of_settings_when_checked_then_one_problem_says_so(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("- 1\n", encoding="utf-8")
    assert [problem.code for problem in check(tmp_path / "monitor.yaml")] == ["wrong-type"]


def test_given_words_when_the_nearest_is_looked_for_then_case_does_not_matter() -> None:
    assert nearest("EUROPE/berln", ["Europe/Berlin", "Asia/Tokyo"]) == "Europe/Berlin"
    assert nearest("zzz", ["Europe/Berlin"]) is None
