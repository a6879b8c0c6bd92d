"""The file that says how an OMOP database is read, with every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from monitor.config.problems import Problem
from monitor.config.yaml_source import Document
from monitor.importers.omop_mapping import OmopMapping, mistakes
from monitor.service.mapping_document import read_mapping

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_LIMITS = {"most_gone_percent": (0, 100), "surface_days": (0, 365)}


def load_omop(path: Path) -> OmopMapping:
    """The mapping of a file. Raises InvalidConfigError with every mistake in it."""
    return read_mapping(path, OmopMapping, _check, mistakes)


def _check(document: Document) -> Iterator[Problem]:
    for section in ("drugs", "measures"):
        for name in document.get((section,), dict) or {}:
            if not _NAME.fullmatch(str(name)):
                yield document.at((section, name), "bad-name", "a name is letters, digits, '-' and '_'", on_key=True)
    for name, (low, high) in _LIMITS.items():
        written = document.get((name,), int)
        if written is not None and not low <= written <= high:
            yield document.at((name,), "out-of-range", f"{name} must be {low} to {high}, not {written}")
