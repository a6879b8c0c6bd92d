"""The paper a figure is drawn on: sizes in pixels of the page, fonts by path, colours that colour-blind readers tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D, Transform

WIDTH = 600
DPI = 150
"""1.5 pixels drawn for each pixel of the page (J): 900 nearly fill the width of a telephone's screen, and a mail has 100 kB."""

SMALL, NORMAL = 12.5, 13.5  # px of the page (J): on a telephone three fifths of it, and still larger than a leaflet's print
HALO = 3.0
WITHOUT_EDGE = "without-edge"
"""Words where no line runs need no white edge, which costs a third of the time; in an SVG their group is called so."""

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

DAYS_BESIDE = 0.012  # of the period, empty at either end

Place = tuple[float, float]
GAP: Place = (float("nan"), float("nan"))

_ANY: dict[str, Any] = {}
_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
_REGULAR = FontProperties(fname=str(_FONTS / "DejaVuSans.ttf"))
_BOLD = FontProperties(fname=str(_FONTS / "DejaVuSans-Bold.ttf"), weight="bold")


def points(pixels: float) -> float:
    """Pixels of the page in the units of matplotlib."""
    return pixels * 0.72


@dataclass(frozen=True, slots=True)
class Across:
    """Where the days lie: from ``left`` to ``right``, pixels from the left edge of the figure."""

    left: float
    right: float
    first_on: date
    last_on: date

    def x(self, day: date) -> float:
        """Pixels from the left edge."""
        beside = (self.last_on - self.first_on).days * DAYS_BESIDE + 0.5
        whole = (self.last_on - self.first_on).days + 2 * beside
        return self.left + ((day - self.first_on).days + beside) / whole * (self.right - self.left)


@dataclass(frozen=True, slots=True)
class Band:
    """A scale from ``low`` at the bottom to ``high`` at the top, in pixels from the top edge of the figure."""

    top: float
    height: float
    low: float
    high: float

    def y(self, value: float) -> float:
        """Pixels from the top edge."""
        return self.top + self.height * (self.high - value) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Page:
    """One figure in the making, places in pixels from its top left corner.

    ``halo``: letters have a white edge as strokes; an SVG is given it afterwards.
    """

    figure: Figure
    across: Across
    pixels: Transform
    halo: bool

    def write(
        self, x: float, y: float, text: str, *, size: float = NORMAL, bold: bool = False, edge: bool = True, **how: Any
    ) -> None:
        """Words with a white ``edge``, so that no line runs through them."""
        font = (_BOLD if bold else _REGULAR).copy()
        font.set_size(points(size))
        how = _ANY | {"color": INK, "va": "center", "ha": "left", "zorder": 10, "parse_math": False} | how
        written = self.figure.text(x, y, text, fontproperties=font, transform=self.pixels, **how)
        if not edge:
            written.set_gid(WITHOUT_EDGE)
        elif self.halo:
            written.set_path_effects([withStroke(linewidth=points(HALO), foreground=PLATE)])

    def line(self, places: Sequence[Place], **how: Any) -> None:
        """A line through places; where one is GAP it begins anew."""
        how = _ANY | {"color": RULE, "linewidth": points(1), "zorder": -1, "solid_capstyle": "butt"} | how
        line = Line2D([x for x, _ in places], [y for _, y in places], transform=self.pixels, **how)
        self.figure.add_artist(line)


def page_of(height: float, across: Across, *, halo: bool) -> Page:
    """An empty white page."""
    figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=DPI, facecolor=PLATE)
    pixels = Affine2D().scale(1 / WIDTH, -1 / height).translate(0, 1) + figure.transFigure
    return Page(figure, across, pixels, halo)


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
