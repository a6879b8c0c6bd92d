"""Every sentence of the program has its German: none is missing, none is left over, none lost a place for a value."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from monitor.clinical.words import sentence
from monitor.delivery.language import LANGUAGES, LOCALE
from monitor.shipped import shipped
from tests.builders import shipped_policy

KEYWORDS = {"say": None, "say_n": (1, 2), "N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
PACKAGE = LOCALE.parent
OPTIONS = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
OTHERS = [language for language in LANGUAGES if language != "en"]

Message = tuple[str, ...]


def said() -> set[Message]:
    """Every sentence in the code and in the templates, with its plural where it has one."""
    found: set[Message] = set()
    methods = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
    for folder in (PACKAGE, shipped("templates")):
        options = {"**.html": OPTIONS, "**.txt": OPTIONS}
        for _, _, message, _, _ in extract_from_dir(folder, methods, options, keywords=KEYWORDS):
            found.add(message if isinstance(message, tuple) else (message,))
    found |= {(sentence(text).template,) for text in _of_shipped_guidelines()}
    return {message for message in found if message[0] and any(letter.isalpha() for letter in _words(message[0]))}


def _of_shipped_guidelines() -> set[str]:
    """The words of the dose tables: sentences of data files, which no extraction from code finds."""
    policy = shipped_policy()
    tables = (policy.guideline, *policy.others)
    severe = [table.severe_autonomic.text for table in tables if table.severe_autonomic is not None]
    return {row.text for table in tables for row in table.rows} | set(severe)


def translated(language: str) -> dict[Message, tuple[str, ...]]:
    found: dict[Message, tuple[str, ...]] = {}
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    key = _tuple(message.id)
                    assert not message.fuzzy, (path.name, key)
                    assert key not in found, f"{path.name} says again what another file says: {key}"
                    found[key] = _tuple(message.string)
    return found


@pytest.mark.parametrize("language", OTHERS)
def test_given_what_the_program_says_when_looked_up_then_each_sentence_is_translated(language: str) -> None:
    known = {key for key, strings in translated(language).items() if all(strings)}
    assert sorted(said() - known) == []


@pytest.mark.parametrize("language", OTHERS)
def test_given_a_catalogue_when_compared_with_the_program_then_nothing_is_left_over(language: str) -> None:
    assert sorted(set(translated(language)) - said()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_given_a_translation_when_its_places_are_counted_then_they_are_the_places_of_the_sentence(language: str) -> None:
    wrong = [
        key for key, strings in translated(language).items() for each in strings if not _places(each) <= _places(" ".join(key))
    ]
    assert wrong == []


def _tuple(texts: object) -> tuple[str, ...]:
    return tuple(str(each or "") for each in texts) if isinstance(texts, tuple | list) else (str(texts or ""),)


def _places(template: str) -> set[str]:
    named = {name for _, name, _, _ in string.Formatter().parse(template.replace("%(", "%%(")) if name}
    return named | {part.partition(")")[0] for part in template.split("%(")[1:]}


def _words(template: str) -> str:
    """A sentence without its places."""
    return "".join(text for text, _, _, _ in string.Formatter().parse(template))


def test_given_the_catalogues_when_listed_then_each_is_a_file_of_its_room() -> None:
    assert {path.name for language in OTHERS for path in Path(LOCALE / language).iterdir()} <= {
        "acts.po",
        "clinical.po",
        "delivery.po",
        "door.po",
        "figure.po",
        "service.po",
        "templates.po",
        "web.po",
    }
