"""The names of the lines, at their right: never on a line, never on each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.delivery.figure.canvas import SMALL, WIDTH, Band, Page, wrapped

LINE_HEIGHT = 15.0
GAP = 3.0
INDENT = 8.0


@dataclass(frozen=True, slots=True)
class Name:
    """A name that belongs to a line which ends at ``x``, ``y`` (pixels from the top left corner)."""

    text: str
    x: float
    y: float
    colour: str


def write_names(page: Page, band: Band, names: Sequence[Name]) -> None:
    """Each at the height where its line ends, or as near as the others let it."""
    edge = page.across.right
    room = WIDTH - edge - INDENT - 6
    blocks = [(name, wrapped(name.text, room, size=SMALL)) for name in sorted(names, key=lambda name: (name.y, name.text))]
    heights = [LINE_HEIGHT * len(lines) for _, lines in blocks]
    for (name, lines), top in zip(blocks, _tops(band, [name.y for name, _ in blocks], heights), strict=True):
        middle = top + LINE_HEIGHT * len(lines) / 2
        if name.x < edge - 4:
            page.line([(name.x, name.y), (edge, name.y)], color=name.colour, linestyle=(0, (1, 2)), zorder=-0.5)
        page.line([(edge, name.y), (edge + INDENT - 2, middle)], color=name.colour, zorder=-0.5)
        for number, line in enumerate(lines):
            page.write(edge + INDENT, top + LINE_HEIGHT * (number + 0.5), line, size=SMALL, color=name.colour, edge=False)


def _tops(band: Band, wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Where each block begins: around the middle it wants, below the one before, and all of them within the band if they fit."""
    tops: list[float] = []
    for middle, height in zip(wanted, heights, strict=True):
        least = tops[-1] + heights[len(tops) - 1] + GAP if tops else band.top - LINE_HEIGHT
        tops.append(max(middle - height / 2, least))
    lowest = band.top + band.height + LINE_HEIGHT / 2
    for place in range(len(tops) - 1, -1, -1):
        tops[place] = min(tops[place], lowest - heights[place])
        lowest = tops[place] - GAP
    return tops
