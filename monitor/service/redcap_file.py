"""The file that says how a REDCap project is read, with every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from monitor.config.problems import Problem
from monitor.config.yaml_source import Document
from monitor.importers.redcap_mapping import RedcapMapping, mistakes
from monitor.service.mapping_document import read_mapping

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def load_redcap(path: Path) -> RedcapMapping:
    """The mapping of a file. Raises InvalidConfigError with every mistake in it."""
    return read_mapping(path, RedcapMapping, _check, mistakes)


def _check(document: Document) -> Iterator[Problem]:
    for name in document.get(("rows",), dict) or {}:
        if not _NAME.fullmatch(str(name)):
            yield document.at(("rows", name), "bad-name", "a row's name is letters, digits, '-' and '_'", on_key=True)
    percent = document.get(("most_gone_percent",), int)
    if percent is not None and not 0 <= percent <= 100:
        yield document.at(("most_gone_percent",), "out-of-range", f"a percentage is expected, 0 to 100, not {percent}")
