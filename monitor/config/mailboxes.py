"""Where the people stand in ``monitor.yaml``."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.config.yaml_source import Document, Loc


def items(document: Document, loc: Loc) -> list[Loc]:
    """The places of a list's items; none where there is no list."""
    return [(*loc, index) for index in range(len(document.get(loc, list) or ()))]


def mailboxes(document: Document) -> Iterator[Loc]:
    """Everybody who can be told of an alert: the teams' recipients, then the people."""
    for team in document.get(("teams",), dict) or ():
        yield from items(document, ("teams", team, "recipients"))
    for key in document.get(("people",), dict) or ():
        yield ("people", key)


def board_users(document: Document) -> Iterator[Loc]:
    """Those who use the board and get no alerts."""
    yield from items(document, ("board", "users"))
