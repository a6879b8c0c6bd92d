"""A file that says how records of another system are read: in its shape, by the checks of its file, and by its importer's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from monitor.config.problems import InvalidConfigError, Problem
from monitor.config.validation import validate
from monitor.config.yaml_source import Document, Loc, read_document

Shape = TypeVar("Shape")
Mistakes = Callable[[Shape], Iterator[tuple[Loc, str]]]
"""Places of a mapping, and what an importer finds wrong there."""


def read_mapping(
    path: Path, shape: type[Shape], check: Callable[[Document], Iterator[Problem]], mistakes: Mistakes[Shape]
) -> Shape:
    """The mapping of a file. Raises InvalidConfigError with every mistake in it."""
    document = read_document(path)
    mapping, problems = validate(document, shape, check)
    if mapping is not None:
        problems = [document.at(place, "bad-mapping", words) for place, words in mistakes(mapping)]
    if mapping is None or problems:
        raise InvalidConfigError(problems)
    return mapping
