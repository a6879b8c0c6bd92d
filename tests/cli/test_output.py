"""Tables fit, and colour is only for those who look and want it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from monitor.cli.output import fitted, table

PROGRAM = "from monitor.cli.output import urgency; print(urgency('immediate'))"


LONG = "  one: " + "word " * 40
FIT = f"from monitor.cli.output import fitted; print(fitted({LONG!r}))"


def printed_on_a_terminal(program: str = PROGRAM, **environ: str) -> str:
    ours, theirs = pty.openpty()
    wanted = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | environ
    subprocess.run([sys.executable, "-c", program], stdout=theirs, env=wanted, check=True)
    os.close(theirs)
    text = os.read(ours, 1000).decode()
    os.close(ours)
    return text.strip()


def test_given_a_terminal_when_an_urgency_is_printed_then_it_is_coloured_and_still_a_word() -> None:
    assert printed_on_a_terminal() == "\x1b[1;31mimmediate\x1b[0m"


def test_given_no_color_when_an_urgency_is_printed_then_it_is_plain() -> None:
    assert printed_on_a_terminal(NO_COLOR="1") == "immediate"


def test_given_a_terminal_when_a_long_line_is_printed_then_it_is_wrapped_below_its_beginning() -> None:
    first, *others = printed_on_a_terminal(FIT, COLUMNS="60").splitlines()
    assert len(first) <= 60
    assert others
    assert all(line.startswith("      word") and len(line) <= 60 for line in others)
    assert fitted(LONG) == LONG  # no terminal here


def test_given_rows_when_made_a_table_then_columns_align_and_the_last_cell_goes_below() -> None:
    rows = [("A-1", "immediate", "walking: unaided, then wheelchair " * 5), ("A-12", "review", "short")]
    lines = table(("alert", "urgency", ""), rows)
    assert lines[0] == "alert  urgency"
    assert lines[1] == "A-1    immediate"
    assert lines[2].startswith("    walking")
    assert max(len(line) for line in lines) <= 100
    assert lines[-2:] == ["A-12   review", "    short"]


def test_given_no_rows_when_made_a_table_then_nothing() -> None:
    assert table(("alert", ""), []) == []
