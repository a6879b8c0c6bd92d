"""From what a spreadsheet holds in a cell to the text that an import file would hold there.

A spreadsheet knows numbers, days, times and truth; an import file knows text. Each is turned on purpose, and what has no
text that means the same is refused.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

Cell = str | int | float | bool | date | datetime | time | timedelta

MOST_DIGITS = 15
"""A spreadsheet keeps so many digits of a number and makes the others zeros."""

ERROR = "found an error of the spreadsheet, such as #N/A; correct the formula, or leave the cell empty if it was not recorded"
NOT_COMPUTED = "found a formula without a result; open and save the file in a spreadsheet program, or write the value"
MERGED = "found merged cells; split them and write the value into each"


class NoTextError(ValueError):
    """A cell that has no text of the same meaning. The words say what to write, never the value."""


def text_of_cell(value: Cell) -> str:
    """The text of one cell. Raises NoTextError.

    A time of day 00:00 is taken as the day alone: a day is stored as midnight, and nobody can tell the two apart.

    >>> text_of_cell(49.0), text_of_cell(1.3), text_of_cell(True), text_of_cell(datetime(2026, 11, 23, 9, 30))
    ('49', '1.3', 'yes', '2026-11-23T09:30:00')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != time.min else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        raise NoTextError("found a time of day without its day; write both in one cell, such as 2026-11-23 09:30")
    raise NoTextError("found a duration; format the cell as a number, a day or text")


def _number(value: float) -> str:
    if abs(value) >= 10**MOST_DIGITS:
        raise NoTextError(
            f"found a number of more than {MOST_DIGITS} digits, of which a spreadsheet loses some; write it as text"
        )
    return f"{value:.{MOST_DIGITS}g}" if value != 0 else "0"
