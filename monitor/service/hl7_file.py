"""The file that says how HL7 v2 is read, with every mistake in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.config.problems import Problem
from monitor.config.yaml_source import Document
from monitor.importers.hl7.mapping import Hl7Mapping, mistakes
from monitor.service.mapping_document import read_mapping


def load_hl7(path: Path) -> Hl7Mapping:
    """The mapping of a file. Raises InvalidConfigError with every mistake in it."""
    return read_mapping(path, Hl7Mapping, _check, mistakes)


def _check(document: Document) -> Iterator[Problem]:
    days = document.get(("medications", "surface_within_days"), int)
    if days is not None and not 0 <= days <= 3650:
        yield document.at(("medications", "surface_within_days"), "out-of-range", f"0 to 3650 days are expected, not {days}")
    encoding = document.get(("records", "encoding"), str)
    if encoding is not None and encoding not in ("utf-8", "iso-8859-1", "iso-8859-15", "ascii"):
        place = ("records", "encoding")
        yield document.at(place, "bad-encoding", "utf-8, iso-8859-1, iso-8859-15 or ascii is expected")
