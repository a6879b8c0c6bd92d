"""Rules of the house that a linter cannot see."""

from __future__ import annotations

import ast
import subprocess
import sys
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
        if "migrations" in path.parts:
            continue
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
    heavy = "aiosmtplib alembic apscheduler asyncio jinja2 pydantic rich ruamel sqlalchemy monitor.service monitor.clinical"
    program = f"import sys, monitor.cli; print([name for name in {heavy.split()} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_given_a_configuration_when_checked_then_no_database_library_is_loaded() -> None:
    program = "import sys, monitor.config.checking, monitor.service.broken_templates; print('sqlalchemy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
