"""What the pages say exists, and what exists is on the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.cli.program import COMMANDS
from monitor.clinical.rules import RULES
from monitor.clinical.scales.mrc import MUSCLES
from monitor.importers.columns import COLUMNS

ROOT = Path(__file__).parent.parent
NAMES = [name for functions in COMMANDS.values() for name in functions]


def page(path: str) -> str:
    if not (ROOT / path).is_file():
        pytest.skip("the pages are in the checkout, not in the wheel")
    return (ROOT / path).read_text(encoding="utf-8")


def test_given_the_readme_when_read_then_it_lists_every_command_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z-]+)[ `]", page("README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("path", ["README.md", "docs/admin.md"])
def test_given_a_page_when_it_calls_the_program_then_the_command_exists(path: str) -> None:
    called = re.findall(r"bipn-monitor(?: --config \S+)? ([a-z][a-z-]+)", page(path))
    assert set(called) - set(NAMES) == set()
    assert called


def test_given_the_clinical_page_when_read_then_every_rule_is_on_it() -> None:
    text = page("docs/clinical.md")
    assert [rule for rule in RULES if rule not in text] == []


def test_given_the_clinical_page_when_compared_with_the_policy_then_every_code_of_the_policy_is_on_it() -> None:
    codes = set(re.findall(r"# (?:.*\()?([MDROAI]\d{1,2})\b", page("config/policy.yaml")))
    assert {code for code in codes if f"| {code} |" not in page("docs/clinical.md")} == set()


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "CHANGELOG.md",
        *(f"docs/{name}.md" for name in ("admin", "answers", "clinical", "coverage", "fhir", "hl7", "import", "sql")),
    ],
)
def test_given_a_page_when_it_links_then_the_file_is_there(path: str) -> None:
    text = page(path)
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if not link.startswith("http")]
    assert [link for link in links if not ((ROOT / path).parent / link).exists()] == []


@pytest.mark.parametrize("kind", COLUMNS)
def test_given_the_import_page_when_compared_with_the_importer_then_each_column_is_there_and_marked(kind: str) -> None:
    section = page("docs/import.md").split(f"### {kind}\n", 1)[1].split("\n#", 1)[0]
    muscles = {f"mrc_{muscle}_{side}" for muscle in MUSCLES for side in ("right", "left")}
    columns = [column for column in COLUMNS[kind] if column.name not in muscles]
    assert [column.name for column in columns if f"`{column.name}`" not in section] == []
    assert [column.name for column in columns if column.required != (f"**`{column.name}`**" in section)] == []
    if kind == "assessments":
        assert [muscle for muscle in MUSCLES if f"`{muscle}`" not in section] == []
