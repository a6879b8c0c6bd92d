"""A mail of every kind, urgency and language as files to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.delivery.facts import AlertFacts, CorrectionFacts, Kind, MailFacts
from monitor.delivery.language import LANGUAGES, Language
from monitor.delivery.message import OutgoingMessage, Picture, build, figure_cid, mint_message_id, without_figure
from monitor.delivery.preview_page import SUFFIXES, Group, Said, Shown, index_page
from monitor.delivery.render import PARTS, file_of, render
from monitor.delivery.rendered import Rendered
from monitor.delivery.samples import samples

_DATE = datetime(2011, 3, 15, 9, 21, tzinfo=UTC)

Draw = Callable[[Language], bytes | None]
"""A sample of the trend figure in a language, as PNG; None where none can be drawn."""


@dataclass(frozen=True, slots=True)
class _Preview:
    folder: Path
    templates: Path | None
    pictures: dict[Language, bytes | None]
    written: list[Path] = field(default_factory=list)

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        self.written.append(path)


def preview_files(
    folder: Path, kinds: Iterable[Kind], *, templates: Path | None = None, draw: Draw = lambda _: None
) -> list[Path]:
    """Writes each sample of each kind as .eml, .txt and .html in each language. Returns the files, index.html the first.

    ``templates`` is the clinic's folder. Existing previews are overwritten. Raises TemplateBroken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = tuple(kinds)
    preview = _Preview(folder, templates, {language: draw(language) for language in LANGUAGES} if "alert" in chosen else {})
    for language, picture in preview.pictures.items():
        if picture is not None:
            preview.write(_picture_name(language), picture)
    groups = [_group(preview, kind) for kind in chosen]
    preview.write("index.html", index_page(groups).encode())
    return [preview.written.pop(), *preview.written]


def _picture_name(language: Language) -> str:
    return f"figure.{language}.png"


def _group(preview: _Preview, kind: Kind) -> Group:
    return Group(
        kind=kind,
        files=tuple((part, _whose(file_of(kind, part, preview.templates), preview.templates)) for part in PARTS),
        shown=tuple(_shown(preview, kind, facts, place) for place, facts in enumerate(samples()[kind])),
    )


def _whose(file: Path, templates: Path | None) -> str:
    """Which file won; one that came with the program is nobody's to edit, so its path is not told."""
    return str(file) if templates is not None and file.is_relative_to(templates) else "as shipped"


def _shown(preview: _Preview, kind: Kind, facts: MailFacts, place: int) -> Shown:
    """Samples come in pairs: with all facts, and without those that may be missing."""
    full, urgency = place % 2 == 0, getattr(facts, "urgency", None)
    words = [urgency.name] if urgency is not None else []
    how, title = ("full", "all facts") if full else ("least", "few facts")
    if isinstance(facts, CorrectionFacts) and facts.joined:  # beside the pairs
        how, title = "joined", "of a record that became part of another one"
    name = "-".join([kind, *words, how])
    return Shown(
        title=", ".join([*words, title]),
        said=tuple(_said(preview, kind, facts, f"{name}.{language}", language) for language in LANGUAGES),
    )


def _said(preview: _Preview, kind: Kind, facts: MailFacts, name: str, language: Language) -> Said:
    message_id = mint_message_id("hospital.example", name)
    png = preview.pictures.get(language)
    picture = None
    if isinstance(facts, AlertFacts) and facts.figure is not None and png is not None:
        picture = Picture(figure_cid("sample", message_id), png)
        facts = replace(facts, figure=replace(facts.figure, cid=picture.cid))
    rendered = render(kind, facts, folder=preview.templates, language=language)
    contents = {
        "html": _page(rendered.html, picture, language).encode(),
        "txt": rendered.text.encode(),
        "eml": build(_message(message_id, rendered, picture, language)),
    }
    for suffix in SUFFIXES:
        preview.write(f"{name}.{suffix}", contents[suffix])
    return Said(language=language, name=name, subject=rendered.subject)


def _page(html: str, picture: Picture | None, language: Language) -> str:
    """The page for a browser, which knows no other parts of a mail: the picture is the file beside it."""
    return without_figure(html) if picture is None else html.replace(f"cid:{picture.cid}", _picture_name(language))


def _message(message_id: str, rendered: Rendered, picture: Picture | None, language: Language) -> OutgoingMessage:
    return OutgoingMessage(
        message_id=message_id,
        sender="alerts@hospital.example",
        recipient="nurse@hospital.example",
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=_DATE,
        language=language,
        picture=picture,
    )
