"""The sentences of a finding as they were made, beside its plain columns: what another language is said from.

The plain columns are the truth. A sentence that is its template, without values, is left out: the text says it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from monitor.clinical.findings import Finding
from monitor.clinical.guideline import DoseAction
from monitor.clinical.words import sentence
from monitor.said import Said, from_json, to_json


def said_of(finding: Finding) -> Any:
    """What JSON keeps of headline, criteria and the notes of the action, in this order; None where none of them was said."""
    texts = (finding.headline, *(criterion.text for criterion in finding.criteria), *_notes(finding.action))
    if not any(isinstance(text, Said) for text in texts):
        return None
    return [to_json(text) if isinstance(text, Said) and text.values else None for text in texts]


def again(finding: Finding, said: Any) -> Finding:
    """The finding of the plain columns with its sentences as ``said_of`` kept them."""
    kept = iter(said)
    headline = _again(finding.headline, next(kept))
    criteria = tuple(replace(criterion, text=_again(criterion.text, next(kept))) for criterion in finding.criteria)
    action = None if finding.action is None else _noted(finding.action, kept)
    return replace(finding, headline=headline, criteria=criteria, action=action)


def _notes(action: DoseAction | None) -> Iterator[str]:
    if action is not None:
        yield action.note
        for other in action.alternatives:
            yield from _notes(other)


def _noted(action: DoseAction, kept: Iterator[Any]) -> DoseAction:
    note = _again(action.note, next(kept))
    return replace(action, note=note, alternatives=tuple(_noted(other, kept) for other in action.alternatives))


def _again(plain: str, kept: Any) -> str:
    """The sentence; the plain text where somebody else wrote it since."""
    if kept is None:
        return sentence(plain) if plain else ""
    said = from_json(kept)
    return said if said == plain else plain
