"""The paper a figure is drawn on: sizes in pixels of the page, fonts by path, colours that colour-blind readers tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

if TYPE_CHECKING:
    from matplotlib.text import Text

WIDTH = 600
DPI = 150
"""1.5 pixels drawn for each pixel of the page (J): 900 nearly fill the width of a telephone's screen, and a mail has 100 kB."""

SMALL, NORMAL = 12.5, 13.5  # px of the page (J): on a telephone three fifths of it, and still larger than a leaflet's print
HALO = 3.0
WITHOUT_EDGE = "without-edge"
"""Words on a bar of their own need no white edge; in an SVG their group is called so."""

INK, QUIET, RULE, PLATE = "#1a1a1a", "#595959", "#d9d9d9", "#ffffff"
SENSORY, MOTOR, FINDING = "#0072b2", "#a63603", "#8b0000"
MUSCLES = ("#a63603", "#00664d", "#5e3c99")
SUM = "#595959"
WALKING = "#1a1a1a"
TREATMENT = "#cfe3f3"
PAIN = "#f3d9c7"

PALETTE = tuple(dict.fromkeys((PLATE, INK, QUIET, SENSORY, MOTOR, FINDING, *MUSCLES, SUM, WALKING, RULE, TREATMENT, PAIN)))
EDGES = (INK, SENSORY, MOTOR, FINDING, MUSCLES[1])
"""All colours of the picture of a mail: these, and half of the last ones at the edges of letters. More are not seen (J), and
the picture grows by a fifth."""

_ANY: dict[str, Any] = {}
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
_REGULAR = FontProperties(fname=str(_FONTS / "DejaVuSans.ttf"))
_BOLD = FontProperties(fname=str(_FONTS / "DejaVuSans-Bold.ttf"), weight="bold")


@dataclass(frozen=True, slots=True)
class Box:
    """A band on the page, in pixels from the top left corner of the figure."""

    top: float
    height: float


def points(pixels: float) -> float:
    """Pixels of the page in the units of matplotlib."""
    return pixels * 0.72


def day_number(day: date) -> float:
    """Where a day lies on the axis."""
    return float(day.toordinal())


@dataclass(frozen=True, slots=True)
class Page:
    """One figure in the making. ``halo``: letters have a white edge as strokes; an SVG is given it afterwards."""

    figure: Figure
    height: float
    left: float
    right: float
    days: tuple[float, float]
    halo: bool

    def band(self, box: Box, low: float, high: float) -> Axes:
        """A band across the figure with values from ``low`` to ``high``, without any frame."""
        width = WIDTH - self.left - self.right
        bottom = self.height - box.top - box.height
        axes = self.figure.add_axes((self.left / WIDTH, bottom / self.height, width / WIDTH, box.height / self.height))
        axes.set_xlim(*self.days)
        axes.set_ylim(low, high)
        axes.axis("off")
        return axes

    def x(self, day: date) -> float:
        """Pixels from the left edge of the figure."""
        first, last = self.days
        return self.left + (day_number(day) - first) / (last - first) * (WIDTH - self.left - self.right)

    def write(
        self, x: float, y: float, text: str, *, size: float = NORMAL, bold: bool = False, edge: bool = True, **how: Any
    ) -> Text:
        """Words at pixels from the top left corner, with a white ``edge``, so that no line runs through them."""
        font = (_BOLD if bold else _REGULAR).copy()
        font.set_size(points(size))
        how = _ANY | {"color": INK, "va": "center", "ha": "left", "zorder": 10, "parse_math": False} | how
        written = self.figure.text(x / WIDTH, 1 - y / self.height, text, fontproperties=font, **how)
        if not edge:
            written.set_gid(WITHOUT_EDGE)
        elif self.halo:
            written.set_path_effects([withStroke(linewidth=points(HALO), foreground=PLATE)])
        return written

    def line(self, start: tuple[float, float], end: tuple[float, float], **how: Any) -> None:
        """A straight line between two places in pixels from the top left corner, behind the bands."""
        across = (start[0] / WIDTH, end[0] / WIDTH)
        down = (1 - start[1] / self.height, 1 - end[1] / self.height)
        how = _ANY | {"color": RULE, "linewidth": points(1), "zorder": -1} | how
        self.figure.add_artist(Line2D(across, down, transform=self.figure.transFigure, **how))


def width_of(text: str, *, size: float = NORMAL, bold: bool = False) -> float:
    """How many pixels wide a text is."""
    font = get_font(str(_FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")))
    font.set_size(size, 72)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64


def wrapped(text: str, width: float, *, size: float = NORMAL) -> list[str]:
    """A text in lines of at most so many pixels; a word that is longer stays whole."""
    lines: list[str] = []
    for word in text.split(" "):  # not at a space that does not break
        if lines and width_of(f"{lines[-1]} {word}", size=size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
