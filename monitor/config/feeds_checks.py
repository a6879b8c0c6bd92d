"""What a shape cannot say about feeds and mappings: names that would clash, and files that are not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from monitor.config.feed_fhir import check_fhir
from monitor.config.feed_folder import check_folder
from monitor.config.feed_mllp import check_mllp
from monitor.config.feed_omop import check_omop
from monitor.config.feed_redcap import check_redcap
from monitor.config.feeds_file import MAPPINGS
from monitor.config.problems import Problem
from monitor.config.yaml_source import Document, Loc

CHECKS: Mapping[str, Callable[[Document, Loc], Iterator[Problem]]] = {
    "fhir": check_fhir,
    "folder": check_folder,
    "redcap": check_redcap,
    "omop": check_omop,
    "mllp": check_mllp,
}
RESERVED = ("files", "sql")
"""Names that stand for what comes without a feed."""

MOST_FEEDS = 20
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def check_feeds(document: Document) -> Iterator[Problem]:
    """All that is wrong with ``feeds`` and ``mappings``, each at its line."""
    feeds = document.get(("feeds",), dict) or {}
    if len(feeds) > MOST_FEEDS:
        yield document.at(("feeds",), "out-of-range", f"at most {MOST_FEEDS} feeds, not {len(feeds)}", on_key=True)
    for name in feeds:
        here: Loc = ("feeds", name)
        if not _NAME.fullmatch(name) or name in RESERVED:
            message = "a feed's name is small letters, digits and '-', begins with a letter, and is neither files nor sql"
            near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            good = near if _NAME.fullmatch(near) and near not in RESERVED and near not in feeds else None
            yield document.at(here, "bad-name", message, on_key=True, suggestion=good)
        kind = document.get((*here, "kind"), str) or ""
        if kind in CHECKS:
            yield from CHECKS[kind](document, here)
    for name in MAPPINGS:
        written = document.get(("mappings", name), str)
        file = document.path.resolve().parent / written if written else None
        if file is not None and ("\0" in str(file) or not file.is_file()):
            yield document.at(("mappings", name), "file-missing", f"there is no file {file}")
