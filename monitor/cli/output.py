"""Printing: data to stdout, notes to stderr, colour only where someone looks and has not refused it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import typer

COLOURS = {"immediate": "1;31", "same-day": "33", "review": "36"}  # beside the word, never instead of it


def emit(text: str) -> None:
    """One piece of data to stdout. Ends the command quietly when the reader went away."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def emit_json(value: object) -> None:
    """A JSON document to stdout."""
    emit(json.dumps(value, ensure_ascii=False, indent=2))


def emit_json_lines(values: Iterable[object]) -> None:
    """One JSON object a line, each printed as soon as it is known."""
    for value in values:
        emit(json.dumps(value, ensure_ascii=False))


class Counted:
    """What passes through, once, and how much of it has passed."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = values
        self.count = 0

    def __iter__(self) -> Iterator[Any]:
        for value in self._values:
            self.count += 1
            yield value


def note(text: str) -> None:
    """A note for the person at the terminal, to stderr."""
    print(text, file=sys.stderr, flush=True)


def width() -> int:
    """Columns to write in: the terminal's, at most 100; 80 where there is none."""
    return min(100, shutil.get_terminal_size((80, 24)).columns)


def fitted(text: str) -> str:
    """Each line wrapped to the terminal, further lines indented below it; as it is where no terminal is."""
    if not sys.stdout.isatty():
        return text
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())] + "    "
        lines.append("\n".join(textwrap.wrap(line, width(), subsequent_indent=indent)))
    return "\n".join(lines)


def urgency(word: str) -> str:
    """The word, coloured on a terminal unless NO_COLOR is set."""
    if word in COLOURS and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"\x1b[{COLOURS[word]}m{word}\x1b[0m"
    return word


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of an aligned table. The last cell of a row goes below it, indented and wrapped."""
    body = [list(row) for row in rows]
    columns = range(len(heads) - 1)
    widths = [max(len(heads[column]), *(len(row[column]) for row in body), 0) for column in columns]
    lines = ["  ".join(heads[column].ljust(widths[column]) for column in columns).rstrip()] if body else []
    for row in body:
        cells = [urgency(row[column]) + " " * (widths[column] - len(row[column])) for column in columns]
        lines.append("  ".join(cells).rstrip())
        lines += textwrap.wrap(row[-1], width(), initial_indent="    ", subsequent_indent="    ")
    return lines
