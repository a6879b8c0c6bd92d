"""An SVG that may stand in a page whose content policy allows no style: attributes instead, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from monitor.delivery.figure.canvas import WITHOUT_EDGE

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
FONTS = "DejaVu Sans, Verdana, sans-serif"
EDGE = {"paint-order": "stroke", "stroke": "#ffffff", "stroke-width": "2.2"}
"""The white edge of words, which the picture of a mail has as strokes."""

LEFT_OUT = frozenset({"metadata", "style"})


def inline_svg(drawn: bytes, *, title: str, description: str, prefix: str) -> bytes:
    """What matplotlib drew as one ``svg`` element with a title and a description, its ids beginning with ``prefix``.

    All text is escaped by the XML library. Raises ValueError for what is no SVG.
    """
    try:
        root = Xml.fromstring(drawn)  # noqa: S314  # our own drawing of a moment ago
    except Xml.ParseError as error:
        raise ValueError("not an SVG") from error
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in LEFT_OUT:
                parent.remove(child)
    bare = {text for group in root.iter() if group.get("id") == WITHOUT_EDGE for text in group}
    for element in root.iter():
        _without_style(element)
        if element.tag == f"{{{SVG}}}text" and element not in bare:
            element.attrib |= EDGE
    _rename(root, prefix)
    words = [_words("title", title, f"{prefix}-title"), _words("desc", description, f"{prefix}-desc")]
    root[:0] = words
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {"role": "img", "aria-labelledby": f"{prefix}-title {prefix}-desc"}
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    Xml.register_namespace("", SVG)
    written: str = Xml.tostring(root, encoding="unicode")
    return written.encode()


def _without_style(element: Xml.Element) -> None:
    """Its style as attributes. Of the fonts, those that pages may have."""
    element.attrib |= dict(_declarations(element.attrib.pop("style", "")))
    if element.tag == f"{{{SVG}}}text":
        element.attrib.pop("transform", None)  # a rotation by nothing
        element.attrib |= {"font-family": FONTS}
    if HREF in element.attrib:
        element.set("href", element.attrib.pop(HREF))


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            yield name.strip(), value.strip()


def _rename(root: Xml.Element, prefix: str) -> None:
    """Ids that something refers to begin with the prefix; the others go."""
    used = {element.get("href", "")[1:] for element in root.iter()}
    used |= {element.get("clip-path", "")[5:-1] for element in root.iter()}
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in used - {""}:
            element.set("id", f"{prefix}-{name}")
        if "href" in element.attrib:
            element.set("href", f"#{prefix}-{element.attrib['href'][1:]}")
        if "clip-path" in element.attrib:
            element.set("clip-path", f"url(#{prefix}-{element.attrib['clip-path'][5:-1]})")


def _words(tag: str, text: str, name: str) -> Xml.Element:
    element = Xml.Element(f"{{{SVG}}}{tag}", {"id": name})
    element.text = text
    return element
