"""A sheet drawn by matplotlib, without pyplot and without any state of its own: the same sheet makes the same bytes.

Only the drawing process imports this module.
"""

from __future__ import annotations

from io import BytesIO

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from monitor.delivery.figure import bands
from monitor.delivery.figure.canvas import (
    EDGES,
    FINDING,
    GAP,
    INK,
    PALETTE,
    PLATE,
    QUIET,
    SMALL,
    WIDTH,
    Across,
    Band,
    Page,
    Place,
    page_of,
    points,
    width_of,
)
from monitor.delivery.figure.plain_svg import inline_svg
from monitor.delivery.figure.sheet import Flag, Kind, Sheet, sheet_hash, sheet_json
from monitor.delivery.figure.therapies import ROW_HEIGHT, draw_therapies, placed

LEFT, RIGHT = 92.0, 132.0
FLAG_ROW = 20.0
TITLE = 28.0
TOP = 8.0
HEIGHTS = (98.0, 86.0, 92.0, 50.0)
SCALES = ((-0.35, 5.3), (-0.35, 4.35), (-0.35, 5.35), (0.0, bands.HIGHEST_DOSE))
AXIS = 38.0
BANDS = (bands.grades, bands.walking, bands.powers, bands.doses)
SHAPES = {"immediate": "■", "same-day": "▲", "review": "●"}


def draw(sheet: Sheet, kind: Kind) -> bytes:
    """The figure as PNG, or as SVG for a page."""
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "figure", "path.simplify": False}):
        figure = _figure(sheet, halo=kind == "png")
        return _png(figure) if kind == "png" else _svg(figure, sheet)


def _figure(sheet: Sheet, *, halo: bool) -> Figure:
    across = Across(LEFT, WIDTH - RIGHT, sheet.first_on, sheet.last_on)
    bars = placed(across, sheet.therapies)
    rows = 1 + max((bar.row for bar in bars), default=-1)
    begin = TOP + FLAG_ROW * len(sheet.flags)
    tops, end = [], begin
    for height, there in zip(HEIGHTS, _there(sheet), strict=True):
        tops.append(end + TITLE)
        end += TITLE + (height if there else 0)
    bottom = end + 4 + rows * ROW_HEIGHT
    page = page_of(bottom + AXIS, across, halo=halo)
    _axis(page, sheet, begin + TITLE, bottom)
    words = (sheet.empty[0], sheet.empty[0], sheet.empty[1], sheet.empty[0])
    for number, (draw_band, there) in enumerate(zip(BANDS, _there(sheet), strict=True)):
        if there:
            draw_band(page, Band(tops[number], HEIGHTS[number], *SCALES[number]), sheet)
        else:
            bands.blank(page, tops[number] - 11, sheet.bands[number], words[number])
    draw_therapies(page, end + 2, bars)
    for number, flag in enumerate(reversed(sheet.flags)):  # the latest at the top: words mostly go left of their line
        _flag(page, flag, TOP + FLAG_ROW * (number + 0.5), bottom)
    return page.figure


def _there(sheet: Sheet) -> tuple[bool, ...]:
    """Which bands have a value; the others are a line of words."""
    return bool(sheet.grades or sheet.pain), sheet.walking is not None, bool(sheet.powers), bool(sheet.doses)


def _axis(page: Page, sheet: Sheet, top: float, bottom: float) -> None:
    """The dates, and the last dose through all bands."""
    line: list[Place] = [(page.across.left, bottom), (page.across.right, bottom), GAP]
    for note in sheet.days:
        x = page.across.x(note.on)
        line += [(x, bottom), (x, bottom + 4), GAP]
        for number, text in enumerate(note.text.splitlines()):
            page.write(x, bottom + 13 + 14.5 * number, text, size=SMALL, ha="center", edge=False)
    page.line(line, color=INK)
    if sheet.stop is not None:
        x = page.across.x(sheet.stop.on)
        page.line([(x, top), (x, bottom)], color=QUIET, linewidth=points(1.4), linestyle=(0, (4, 3)))


def _flag(page: Page, flag: Flag, y: float, bottom: float) -> None:
    """Where something was found: a line through all bands, with a shape and words at its head."""
    x = page.across.x(flag.on)
    page.line([(x, y), (x, bottom)], color=FINDING, linewidth=points(1.3))
    text = f"{SHAPES.get(flag.urgency, '●')} {flag.text}"
    wide = width_of(text, bold=True)
    if x - 5 + wide <= WIDTH:
        page.write(x - 5, y, text, bold=True, color=FINDING)
    else:
        page.write(max(x + 6, wide + 2), y, text, bold=True, color=FINDING, ha="right")


def _png(figure: Figure) -> bytes:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib's
    width, height = canvas.get_width_height()
    drawn = bytes(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", (width, height), drawn, "raw", "RGBA", 0, 1).convert("RGB")
    few = image.quantize(palette=_palette(), dither=Image.Dither.NONE)
    file = BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def _palette() -> Image.Image:
    """Our colours and no others: none drifts. More than sixteen entries keep a byte for each pixel, which packs better."""
    entries = [_rgb(colour) for colour in PALETTE]
    entries += [tuple((255 + each) // 2 for each in _rgb(colour)) for colour in EDGES]
    entries += [_rgb(PLATE)] * max(0, 17 - len(entries))
    palette = Image.new("P", (1, 1))
    palette.putpalette([each for entry in entries for each in entry])
    return palette


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _svg(figure: Figure, sheet: Sheet) -> bytes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = BytesIO()
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(figure).print_svg(file, metadata=metadata)  # type: ignore[no-untyped-call]
    prefix = f"figure-{sheet_hash(sheet_json(sheet))[:8]}"
    return inline_svg(file.getvalue(), title=sheet.title, description=sheet.description, prefix=prefix)
