"""Which letters stand on which ground in a rendered mail, by day and in the dark, and how well they can be told apart."""

from __future__ import annotations

import html.parser
import re
from dataclasses import dataclass

_NEVER_CLOSED = frozenset({"br", "img", "meta", "link", "hr", "input", "col"})
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


@dataclass(frozen=True)
class Seen:
    """A piece of text as it is seen."""

    text: str
    ink: str  # "#1a1a1a"
    ground: str
    pixels: float

    @property
    def contrast(self) -> float:
        """By WCAG 2.2: 1 (nothing to be seen) to 21."""
        lighter, darker = sorted((luminance(self.ink), luminance(self.ground)), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def seen(page: str, *, dark: bool) -> list[Seen]:
    """All visible text of a page whose styles are in its elements. ValueError for a colour that is not "#rrggbb"."""
    reader = _Reader(_dark_rules(page) if dark else {})
    reader.feed(page)
    return reader.found


def _dark_rules(page: str) -> dict[str, dict[str, str]]:
    """Selector ("body", ".part", ".part .link") -> what the page's rules for a dark screen say of it."""
    start = page.index("prefers-color-scheme: dark")
    block = page[page.index("{", start) + 1 : page.index("</style>", start)]
    rules: dict[str, dict[str, str]] = {}
    for selectors, declarations in _RULE.findall(block):
        for selector in selectors.split(","):
            rules.setdefault(selector.strip(), {}).update(_declared(declarations))
    return rules


def _declared(declarations: str) -> dict[str, str]:
    pairs = (each.split(":", 1) for each in declarations.replace("!important", "").split(";") if ":" in each)
    return {name.strip(): value.strip() for name, value in pairs}


class _Reader(html.parser.HTMLParser):
    def __init__(self, dark: dict[str, dict[str, str]]) -> None:
        super().__init__()
        self.found: list[Seen] = []
        self._dark = dark
        self._around: list[set[str]] = [set()]  # the element itself and all it stands in: names and classes
        self._looks = [("", {"color": "#000000", "background-color": "#ffffff", "font-size": "16px"})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NEVER_CLOSED:
            return
        given = dict(attrs)
        own = _declared(given.get("style") or "")
        names = {tag, *(f".{name}" for name in (given.get("class") or "").split())}
        for selector, declared in self._dark.items():
            *outer, last = selector.split()
            if last in names and set(outer) <= self._around[-1]:
                own |= declared
        self._around.append(self._around[-1] | names)
        look = self._looks[-1][1] | {name: value for name, value in own.items() if value != "inherit"}
        self._looks.append((tag, {**look, "display": own.get("display", "none" if _hidden(look) else "")}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _NEVER_CLOSED:
            self._around.pop()
            opened, _ = self._looks.pop()
            assert opened == tag, f"{opened} is closed as {tag}"

    def handle_data(self, data: str) -> None:
        tag, look = self._looks[-1]
        if data.strip() and tag not in ("style", "title") and not _hidden(look):
            pixels = float(look["font-size"].removesuffix("px"))
            self.found.append(Seen(data.strip(), look["color"], look["background-color"], pixels))


def _hidden(look: dict[str, str]) -> bool:
    return look.get("display") == "none"
