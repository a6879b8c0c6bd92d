"""A mail of every kind and urgency as files to look at."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from monitor.delivery.facts import Kind, MailFacts
from monitor.delivery.message import OutgoingMessage, build, mint_message_id
from monitor.delivery.render import render
from monitor.delivery.rendered import Rendered
from monitor.delivery.samples import samples

_DATE = datetime(2011, 3, 15, 9, 21, tzinfo=UTC)


def preview_files(folder: Path, kinds: Iterable[Kind], *, templates: Path | None = None) -> list[Path]:
    """Writes each sample of each kind as .eml, .txt and .html, and index.html over all. Raises TemplateBroken.

    ``templates`` is the clinic's folder. Existing previews are overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    entries: list[tuple[str, str]] = []
    made = samples()
    for kind in kinds:
        for place, facts in enumerate(made[kind]):
            name = _name(kind, facts, place)
            rendered = render(kind, facts, folder=templates)
            written += _write(folder, name, rendered)
            entries.append((name, rendered.subject))
    index = folder / "index.html"
    index.write_text(_index(entries), encoding="utf-8")
    return [index, *written]


def _name(kind: Kind, facts: MailFacts, place: int) -> str:
    urgency = getattr(facts, "urgency", None)
    return "-".join([kind, *([urgency.name] if urgency is not None else []), "full" if place % 2 == 0 else "least"])


def _write(folder: Path, name: str, rendered: Rendered) -> list[Path]:
    message = OutgoingMessage(
        message_id=mint_message_id("hospital.example", name),
        sender="alerts@hospital.example",
        recipient="nurse@hospital.example",
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=_DATE,
    )
    contents = {"eml": build(message), "txt": rendered.text.encode(), "html": rendered.html.encode()}
    paths = []
    for suffix, content in contents.items():
        path = folder / f"{name}.{suffix}"
        path.write_bytes(content)
        paths.append(path)
    return paths


def _index(entries: list[tuple[str, str]]) -> str:
    rows = "\n".join(
        f"<li>{html.escape(subject)}: "
        + ", ".join(
            f'<a href="{name}.{suffix}">{word}</a>' for suffix, word in (("html", "HTML"), ("txt", "text"), ("eml", "mail"))
        )
        for name, subject in entries
    )
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Mails</title>\n<ul>\n{rows}\n</ul></html>\n'
