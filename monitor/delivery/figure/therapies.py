"""The treatments of the neuropathy: a bar each, in as few rows as they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.delivery.figure.canvas import INK, SMALL, TREATMENT, WIDTH, Across, Page, points, width_of
from monitor.delivery.figure.sheet import Span

ROW_HEIGHT = 19.0
ROWS = 4
"""At most so many rows (J); who had more treatments at once is told by the last row."""

SHORTEST = 7.0
PADDING = 5.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A bar and its words, in pixels from the left edge. ``text_x`` is where the words begin."""

    row: int
    since: float
    until: float
    text: str
    text_x: float


def placed(across: Across, spans: Sequence[Span]) -> list[Placed]:
    """Each in the first row where neither its bar nor its words meet those before."""
    ends: list[float] = []
    found = []
    for number, span in enumerate(spans):
        since = across.x(span.since)
        until = across.right if span.until is None else max(across.x(span.until), since + SHORTEST)
        text = span.label if span.until is not None else f"{span.label} →"
        begins, ends_at, text_x = _extent(since, until, width_of(text, size=SMALL))
        row = next((row for row, end in enumerate(ends) if end + PADDING < begins), len(ends))
        if row == ROWS:
            left_out = len(spans) - number
            found.append(Placed(ROWS - 1, -1.0, -1.0, f"+ {left_out}", across.right + PADDING))
            break
        ends[row : row + 1] = [ends_at]
        found.append(Placed(row, since, until, text, text_x))
    return found


def draw_therapies(page: Page, top: float, bars: Sequence[Placed]) -> None:
    """The bars below ``top``."""
    for bar in bars:
        middle = top + (bar.row + 0.5) * ROW_HEIGHT
        if bar.until > bar.since:
            for colour, inset in ((INK, 0), (TREATMENT, 1)):
                ends = [(bar.since + inset, middle), (bar.until - inset, middle)]
                page.line(ends, color=colour, linewidth=points(ROW_HEIGHT - 3 - 2 * inset), zorder=1 + inset)
        page.write(bar.text_x, middle, bar.text, size=SMALL, edge=not bar.since < bar.text_x < bar.until)


def _extent(since: float, until: float, wide: float) -> tuple[float, float, float]:
    """From where to where bar and words go, and where the words begin: in the bar, right of it, or left of it."""
    if until - since >= wide + 2 * PADDING:
        return since, until, since + PADDING
    if until + PADDING + wide <= WIDTH:
        return since, until + PADDING + wide, until + PADDING
    return since - PADDING - wide, until, since - PADDING - wide
