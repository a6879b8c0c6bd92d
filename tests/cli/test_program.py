"""The command line before any command does something: help, version, mistakes of typing, defects of ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

from monitor import __version__
from monitor.cli.program import COMMANDS
from tests.cli.conftest import Command

NAMES = [name for functions in COMMANDS.values() for name in functions]
BROKEN = """
import sys
from monitor.cli import run
from monitor.cli.program import COMMANDS
def broken():
    patient = "Erika Mustermann"
    raise ValueError("a defect")
COMMANDS["Watch"]["broken"] = broken
sys.exit(run(["broken"]))
"""


@pytest.mark.parametrize("name", NAMES)
def test_given_a_command_when_asked_for_help_then_it_explains_itself(command: Command, name: str) -> None:
    ran = command(name, "--help")
    assert ran.code == 0
    assert f"bipn-monitor {name}" in ran.out


def test_given_the_program_when_asked_for_help_then_every_command_has_one_line_of_80_columns(command: Command) -> None:
    lines = command("--help").out.splitlines()
    for name in NAMES:
        assert [line for line in lines if line.startswith(f"  {name} ") and line.endswith(".") and len(line) <= 80], name


def test_given_the_program_when_asked_for_its_version_then_it_says_it(command: Command) -> None:
    assert command("--version").out == f"bipn-monitor {__version__}\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["pol"], "Did you mean 'poll'?"),
        (["poll", "--att", "2011-03-15"], "--at"),
        (["alerts", "--format", "xml"], "'xml' is not one of"),
        (["ack", "A-1"], "--by"),
        (["preview", "alrt"], "did you mean 'alert'?"),
    ],
)
def test_given_a_slip_of_typing_when_run_then_it_ends_in_2_and_says_what_was_meant(
    command: Command, words: list[str], hint: str
) -> None:
    ran = command(*words)
    assert (ran.code, ran.out) == (2, "")
    assert hint in ran.err
    assert "Traceback" not in ran.err


def test_given_no_command_when_run_then_help_and_2(command: Command) -> None:
    ran = command()
    assert ran.code == 2
    assert "check-config" in ran.out + ran.err


def test_given_a_defect_of_ours_when_run_then_it_ends_in_70_with_a_traceback_that_holds_no_values() -> None:
    ran = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False)
    assert ran.returncode == 70
    assert "\nValueError\n" in ran.stderr
    assert "defect of ours" in ran.stderr
    assert "Mustermann" not in ran.stderr


def test_given_a_reader_that_goes_away_when_data_is_printed_then_it_ends_quietly() -> None:
    program = f"{sys.executable} -m monitor schema | head -n 1"
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
