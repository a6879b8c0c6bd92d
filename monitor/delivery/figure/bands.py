"""The bands of a figure, from the top: grades, walking, muscle power, doses, treatments. Their scales never change."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from monitor.delivery.figure import canvas
from monitor.delivery.figure.canvas import INK, QUIET, RULE, SMALL, WIDTH, Box, Page, day_number, points
from monitor.delivery.figure.labels import Name, write_names
from monitor.delivery.figure.sheet import Line, Point, Sheet, Span

HIGHEST_GRADE = 4
HIGHEST_DOSE = 2.0  # mg/m2; the shipped guidelines begin at 1.3. A higher one reaches the top, and its number says it
MARKER = 5.5
SHAPES = {"sensory": ("o", canvas.SENSORY, "-"), "motor": ("s", canvas.MOTOR, "-"), "walking": ("o", canvas.WALKING, "-")}
MUSCLE_SHAPES = tuple(zip(("v", "^", "D"), canvas.MUSCLES, ("-", (0, (5, 1.5)), (0, (2, 1.5))), strict=True))
SUM_SHAPE = ("P", canvas.SUM, (0, (4, 1.5, 1, 1.5)))


def grades(page: Page, box: Box, sheet: Sheet) -> None:
    """Sensory and motor grade 0-4, and when there was pain."""
    axes = _scale(page, box, sheet.bands[0], sheet.worse[0], [str(grade) for grade in range(HIGHEST_GRADE + 1)], head=1.3)
    for span in sheet.pain:
        _pain(page, box, axes, span)
    names = [
        _steps(page, box, axes, line, *SHAPES[line.style], shift=(-0.05, 0.05)[number])
        for number, line in enumerate(sheet.grades)
    ]
    write_names(page, box, names)
    if sheet.remark:
        page.write(WIDTH - page.right, box.top - 11, sheet.remark, size=SMALL, color=QUIET, ha="right")


def walking(page: Page, box: Box, sheet: Sheet) -> None:
    """From unaided at the top to bedbound."""
    axes = _scale(page, box, sheet.bands[1], sheet.worse[1], list(reversed(sheet.aids)))
    if sheet.walking is not None:
        best = len(sheet.aids) - 1
        turned = tuple(tuple(Point(on=point.on, value=best - point.value) for point in run) for run in sheet.walking.runs)
        _steps(page, box, axes, Line(label="", style="walking", runs=turned), *SHAPES["walking"])


def powers(page: Page, box: Box, sheet: Sheet) -> None:
    """The weakest muscles 0-5, and the sum on the same lines: 60 is twelve times 5."""
    axes = _scale(page, box, sheet.bands[2], sheet.worse[1], [str(power) for power in range(6)])
    names = []
    muscles = [line for line in sheet.powers if line.style == "muscle"]
    for number, line in enumerate(muscles):
        shift = 0.08 * (number - (len(muscles) - 1) / 2)
        names.append(_steps(page, box, axes, line, *MUSCLE_SHAPES[number % len(MUSCLE_SHAPES)], shift=shift))
    names += [_steps(page, box, axes, line, *SUM_SHAPE, shift=-0.12) for line in sheet.powers if line.style == "sum"]
    write_names(page, box, names)


def doses(page: Page, box: Box, sheet: Sheet) -> None:
    """A stroke for each dose, as high as mg/m2; a number where it changes; the last dose."""
    axes = page.band(box, 0, HIGHEST_DOSE)
    page.write(4, box.top - 6, sheet.bands[3], size=SMALL, bold=True)
    last = float("-inf")
    for bar in sheet.doses:
        x = day_number(bar.on)
        height = min(bar.mg_per_m2, HIGHEST_DOSE)
        axes.plot([x, x], [0, height], color=QUIET, linewidth=points(3), solid_capstyle="butt")
        pixels = page.x(bar.on)
        if bar.label and pixels - last > canvas.width_of(bar.label, size=SMALL) + 4:
            page.write(pixels, box.top + box.height * (1 - height / HIGHEST_DOSE) - 8, bar.label, size=SMALL, ha="center")
            last = pixels
    if sheet.stop is not None:
        x = page.x(sheet.stop.on)
        wide = canvas.width_of(sheet.stop.text)
        where = (x + 5, "left") if x + 5 + wide <= WIDTH else (x - 5, "right")
        page.write(where[0], box.top + box.height / 2, sheet.stop.text, ha=where[1], bold=True)


def blank(page: Page, top: float, title: str, words: str) -> None:
    """One line in place of a band that has no value."""
    page.write(4, top, title, size=SMALL, bold=True)
    page.write(4 + canvas.width_of(title, size=SMALL, bold=True) + 8, top, words, size=SMALL, color=QUIET)


def _scale(page: Page, box: Box, title: str, worse: str, ticks: Sequence[str], head: float = 0.35) -> Axes:
    """A band with its title, and a rule and a word for each of its steps, the lowest first; ``head`` steps are above them."""
    axes = page.band(box, -0.35, len(ticks) - 1 + head)
    for value, text in enumerate(ticks):
        axes.axhline(value, color=RULE, linewidth=points(1), zorder=0)
        page.write(page.left - 7, _y(box, axes, value), text, size=SMALL, ha="right", color=INK)
    written = canvas.width_of(title, size=SMALL, bold=True)
    page.write(4, box.top - 11, title, size=SMALL, bold=True)
    page.write(4 + written + 8, box.top - 11, worse, size=SMALL, color=QUIET)
    return axes


def _steps(page: Page, box: Box, axes: Axes, line: Line, marker: str, colour: str, dashes: object, shift: float = 0.0) -> Name:
    """A line that stays where it is until the next visit; the name it is to have at its end."""
    for run in line.runs:
        x = [day_number(point.on) for point in run]
        y = [point.value + shift for point in run]
        apart = run[0].apart
        axes.plot(x, y, drawstyle="steps-post", color=colour, linestyle=":" if apart else dashes, linewidth=points(2.2))
        face = canvas.PLATE if apart else colour
        axes.plot(
            x, y, linestyle="", marker="d" if apart else marker, markersize=points(MARKER + 2.5 * apart), color=colour,
            markerfacecolor=face, markeredgewidth=points(1.2), clip_on=False,
        )  # fmt: skip
    newest = line.runs[-1][-1]
    return Name(line.label, page.x(newest.on) + MARKER, _y(box, axes, newest.value + shift), colour)


def _pain(page: Page, box: Box, axes: Axes, span: Span) -> None:
    """A strip above grade 4, as long as it was recorded."""
    since, until = page.x(span.since) - MARKER, page.x(span.until or span.since) + MARKER
    middle = _y(box, axes, HIGHEST_GRADE + 0.8)
    page.line((since, middle), (until, middle), color=canvas.PAIN, linewidth=points(12), solid_capstyle="butt")
    if until - since > canvas.width_of(span.label, size=SMALL) + 6:
        page.write((since + until) / 2, middle, span.label, size=SMALL, ha="center")
    else:
        page.write(until + 3, middle, span.label, size=SMALL)


def _y(box: Box, axes: Axes, value: float) -> float:
    low, high = axes.get_ylim()
    return box.top + box.height * (high - value) / (high - low)
