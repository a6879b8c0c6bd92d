"""Looking codes up, as the mapping spells them. Two codings of one concept that mean different things are no answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.importers.fhir.structs import Coding, Concept

Key = tuple[str, str]


class RefusedError(ValueError):
    """A resource that cannot be taken. The text says what was found and what to do, never a value."""

    def __init__(self, problem: str, column: str | None = None) -> None:
        super().__init__(problem)
        self.column = column


class PassedOverError(Exception):
    """A resource that is no matter of this program; the text is the reason, the same for all of its kind."""


class Systems:
    """The short names of code systems."""

    def __init__(self, short: Mapping[str, str]) -> None:
        self._short = short

    def key(self, written: str) -> Key:
        """System and code of ``system|code``.

        >>> Systems({"loinc": "http://loinc.org"}).key("loinc|2880-3")
        ('http://loinc.org', '2880-3')
        """
        system, _, code = written.rpartition("|")
        return self._short.get(system, system), code


class Lookup:
    """What codes mean: words of ours by code."""

    def __init__(self, systems: Systems, codes_of: Mapping[str, Iterable[str]]) -> None:
        self._meanings: dict[Key, str] = {}
        for meaning, codes in codes_of.items():
            for written in codes:
                self._meanings[systems.key(written)] = meaning

    def codings(self, codings: Iterable[Coding]) -> str | None:
        """What the codings mean, or None for what is not in the mapping. Raises RefusedError where they disagree."""
        found = {meaning for each in codings if (meaning := self._meanings.get((each.system or "", each.code or ""))) is not None}
        if len(found) > 1:
            raise RefusedError(f"its codes mean {' and '.join(sorted(found))} at once; correct the record, or the mapping")
        return found.pop() if found else None

    def of(self, concept: Concept | None) -> str | None:
        """As ``codings``, of a concept that may be absent."""
        return None if concept is None else self.codings(concept.coding)

    def among(self, concepts: Iterable[Concept]) -> str | None:
        """As ``codings``, of all codings of several concepts."""
        return self.codings([coding for concept in concepts for coding in concept.coding])


def texts(concept: Concept | None) -> list[str]:
    """All that a concept says in words."""
    if concept is None:
        return []
    return [text for text in (concept.text, *(each.display for each in concept.coding)) if text]
