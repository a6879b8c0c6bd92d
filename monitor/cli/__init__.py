"""The commands, one file each. Only typer is imported before a command is chosen; each command imports what it needs."""

from __future__ import annotations

import contextlib
import os
import sys

from monitor.cli.program import program
from monitor.errors import OUR_DEFECT, MonitorError


def main() -> None:
    """The console script: runs one command and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """One command, to its exit code. Every failure ends here: a message for a person, a traceback only for our defects."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a letter shows its code instead of failing
            stream.reconfigure(errors="backslashreplace")
    try:
        program()(arguments, prog_name="bipn-monitor")
        return 0
    except SystemExit as done:
        return _flushed(done.code if isinstance(done.code, int) else 0)
    except MonitorError as error:
        print(error, file=sys.stderr)
        return _flushed(error.exit_code)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _our_defect(error)


def _our_defect(error: Exception) -> int:
    """The traceback names files and lines only; the error's own words stay out of it, they may quote a patient's record."""
    import traceback

    print("Traceback (most recent call last):", file=sys.stderr)
    traceback.print_tb(error.__traceback__)
    print(type(error).__name__, file=sys.stderr)
    print(
        "bipn-monitor: this is a defect of ours, not of your data or configuration; please report the lines above",
        file=sys.stderr,
    )
    return OUR_DEFECT


def _flushed(code: int) -> int:
    """``code``, after what was printed has left; a reader that went away (``| head``) is no failure."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
