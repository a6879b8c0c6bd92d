"""The bands of a figure, from the top: grades, walking, muscle power, doses, treatments. Their scales never change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest

from monitor.delivery.figure import canvas
from monitor.delivery.figure.canvas import GAP, QUIET, SMALL, WIDTH, Band, Page, Place, points
from monitor.delivery.figure.labels import Name, write_names
from monitor.delivery.figure.sheet import Line, Point, Sheet, Span

HIGHEST_GRADE = 4
HIGHEST_DOSE = 2.0  # mg/m2; the shipped guidelines begin at 1.3. A higher one reaches the top, and its number says it
MARKER = 5.5
SHAPES = {"sensory": ("o", canvas.SENSORY, "-"), "motor": ("s", canvas.MOTOR, "-"), "walking": ("o", canvas.WALKING, "-")}
MUSCLE_SHAPES = tuple(zip(("v", "^", "D"), canvas.MUSCLES, ("-", (0, (5, 1.5)), (0, (2, 1.5))), strict=True))
SUM_SHAPE = ("P", canvas.SUM, (0, (4, 1.5, 1, 1.5)))


def grades(page: Page, band: Band, sheet: Sheet) -> None:
    """Sensory and motor grade 0-4, and when there was pain."""
    _scale(page, band, sheet.bands[0], sheet.worse[0], [str(grade) for grade in range(HIGHEST_GRADE + 1)])
    for span in sheet.pain:
        _pain(page, band, span)
    names = [
        _steps(page, band, line, *SHAPES[line.style], shift=(-0.05, 0.05)[number]) for number, line in enumerate(sheet.grades)
    ]
    write_names(page, band, names)
    if sheet.remark:
        page.write(page.across.right, band.top - 11, sheet.remark, size=SMALL, color=QUIET, ha="right")


def walking(page: Page, band: Band, sheet: Sheet) -> None:
    """From unaided at the top to bedbound."""
    _scale(page, band, sheet.bands[1], sheet.worse[1], list(reversed(sheet.aids)))
    if sheet.walking is not None:
        best = len(sheet.aids) - 1
        turned = tuple(tuple(Point(on=point.on, value=best - point.value) for point in run) for run in sheet.walking.runs)
        _steps(page, band, Line(label="", style="walking", runs=turned), *SHAPES["walking"])


def powers(page: Page, band: Band, sheet: Sheet) -> None:
    """The weakest muscles 0-5, and the sum on the same lines: 60 is twelve times 5."""
    _scale(page, band, sheet.bands[2], sheet.worse[1], [str(power) for power in range(6)])
    names = []
    muscles = [line for line in sheet.powers if line.style == "muscle"]
    for number, line in enumerate(muscles):
        shift = 0.08 * (number - (len(muscles) - 1) / 2)
        names.append(_steps(page, band, line, *MUSCLE_SHAPES[number % len(MUSCLE_SHAPES)], shift=shift))
    names += [_steps(page, band, line, *SUM_SHAPE, shift=-0.12) for line in sheet.powers if line.style == "sum"]
    write_names(page, band, names)


def doses(page: Page, band: Band, sheet: Sheet) -> None:
    """A stroke for each dose, as high as mg/m2; a number where it changes; the last dose."""
    page.write(4, band.top - 6, sheet.bands[3], size=SMALL, bold=True)
    strokes: list[Place] = []
    last = float("-inf")
    for bar in sheet.doses:
        x, top = page.across.x(bar.on), band.y(min(bar.mg_per_m2, HIGHEST_DOSE))
        strokes += [(x, band.y(0)), (x, top), GAP]
        if bar.label and x - last > canvas.width_of(bar.label, size=SMALL) + 4:
            page.write(x, top - 8, bar.label, size=SMALL, ha="center")
            last = x
    page.line(strokes, color=QUIET, linewidth=points(3), zorder=2)
    if sheet.stop is not None:
        x = page.across.x(sheet.stop.on)
        fits = x + 5 + canvas.width_of(sheet.stop.text, bold=True) <= WIDTH
        middle = band.top + band.height / 2
        page.write(x + 5 if fits else x - 5, middle, sheet.stop.text, ha="left" if fits else "right", bold=True)


def blank(page: Page, top: float, title: str, words: str) -> None:
    """One line in place of a band that has no value."""
    page.write(4, top, title, size=SMALL, bold=True)
    page.write(4 + canvas.width_of(title, size=SMALL, bold=True) + 8, top, words, size=SMALL, color=QUIET)


def _scale(page: Page, band: Band, title: str, worse: str, ticks: Sequence[str]) -> None:
    """A band's title, and a rule and a word for each of its steps, the lowest first."""
    rules: list[Place] = []
    for value, text in enumerate(ticks):
        rules += [(page.across.left, band.y(value)), (page.across.right, band.y(value)), GAP]
        page.write(page.across.left - 7, band.y(value), text, size=SMALL, ha="right", edge=False)
    page.line(rules, zorder=-2)
    blank(page, band.top - 11, title, worse)


def _steps(page: Page, band: Band, line: Line, marker: str, colour: str, dashes: object, shift: float = 0.0) -> Name:
    """A line that stays where it is until the next visit; the name it is to have at its end."""
    for run in line.runs:
        places = [(page.across.x(point.on), band.y(point.value + shift)) for point in run]
        apart = run[0].apart
        page.line(_stepped(places), color=colour, linestyle=":" if apart else dashes, linewidth=points(2.2), zorder=2)
        page.line(
            places,
            color=colour,
            linestyle="",
            marker="d" if apart else marker,
            markersize=points(MARKER + 2.5 * apart),
            markerfacecolor=canvas.PLATE if apart else colour,
            markeredgewidth=points(1.2),
            zorder=3,
        )
    x, y = places[-1]
    return Name(line.label, x + MARKER, y, colour)


def _stepped(places: Sequence[Place]) -> list[Place]:
    corners = [(later[0], earlier[1]) for earlier, later in pairwise(places)]
    return [place for pair in zip_longest(places, corners) for place in pair if place is not None]


def _pain(page: Page, band: Band, span: Span) -> None:
    """A strip above grade 4, as long as it was recorded."""
    since, until = page.across.x(span.since) - MARKER, page.across.x(span.until or span.since) + MARKER
    middle = band.y(HIGHEST_GRADE + 0.8)
    page.line([(since, middle), (until, middle)], color=canvas.PAIN, linewidth=points(12), zorder=-1.5)
    if until - since > canvas.width_of(span.label, size=SMALL) + 6:
        page.write((since + until) / 2, middle, span.label, size=SMALL, ha="center")
    else:
        page.write(until + 3, middle, span.label, size=SMALL)
