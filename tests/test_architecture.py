"""Rules of the house that a linter cannot see."""

from __future__ import annotations

import ast
from pathlib import Path

import monitor
from monitor.clinical.rules import RULES

PACKAGE = Path(monitor.__file__).parent
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50


def test_given_the_rule_modules_when_listed_then_each_is_in_rules_under_its_own_name() -> None:
    modules = {path.stem.replace("_", "-") for path in (PACKAGE / "clinical" / "rules").glob("*.py") if path.stem != "__init__"}
    assert set(RULES) == modules


def test_given_all_modules_when_measured_then_none_outgrew_a_reader() -> None:
    too_long = []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST_MODULE:
            too_long.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and (node.end_lineno or 0) - node.lineno > LONGEST_FUNCTION
            ):
                too_long.append(f"{path.name}: {node.name}")
    assert too_long == []


def test_given_the_command_line_when_imported_then_nothing_heavy_comes_with_it() -> None:
    heavy = {"sqlalchemy", "sqlmodel", "pydantic", "jinja2", "alembic", "aiosmtplib", "apscheduler", "ruamel", "rich", "asyncio"}
    taken = set()
    for path in (PACKAGE / "cli").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                taken |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                taken.add(node.module)
    ours = {name for name in taken if name.startswith("monitor.") and not name.startswith(("monitor.cli", "monitor.errors"))}
    assert {name.split(".")[0] for name in taken} & heavy == set()
    assert ours == set()
