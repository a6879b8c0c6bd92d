"""Whatever is missing of the facts of a mail, no mail of any kind says None, in no language, by template or without."""

from __future__ import annotations

import re
import types
import typing
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.delivery.builtin import builtin
from monitor.delivery.facts import KINDS, Kind
from monitor.delivery.language import LANGUAGES, Language, in_language
from monitor.delivery.render import render
from monitor.delivery.samples import samples
from monitor.delivery.sandbox import one_line_each

SAMPLES = samples()
OF_THE_MAIL = frozenset({"alerts", "entries", "findings", "changed", "changes", "ask", "acknowledge_with", "counts", "why"})
"""Tuples that are never empty: a mail is about something."""

NOTHING = re.compile(r"\bNone\b|Undefined|\(\)|Said\(|\{\w*\}")


def with_gaps(draw: st.DrawFn, facts: Any) -> Any:
    """The facts with any of what may be missing left out, however deep it lies."""
    hints = typing.get_type_hints(type(facts))
    changed: dict[str, Any] = {}
    for field in fields(facts):
        value = getattr(facts, field.name)
        optional = isinstance(hints[field.name], types.UnionType) and type(None) in typing.get_args(hints[field.name])
        if optional and value is not None and draw(st.booleans()):
            changed[field.name] = None
        elif isinstance(value, tuple) and value and field.name not in OF_THE_MAIL and draw(st.booleans()):
            changed[field.name] = ()
        elif isinstance(value, tuple) and value and is_dataclass(value[0]):
            changed[field.name] = tuple(with_gaps(draw, each) for each in value)
        elif is_dataclass(value):
            changed[field.name] = with_gaps(draw, value)
    return replace(facts, **changed)


@st.composite
def facts_with_gaps(draw: st.DrawFn, kind: Kind) -> Any:
    """A sample of the kind with gaps."""
    return with_gaps(draw, draw(st.sampled_from(SAMPLES[kind])))


@pytest.mark.parametrize("kind", KINDS)
def test_given_any_facts_missing_when_told_then_no_mail_says_none(kind: Kind) -> None:
    @settings(max_examples=20, deadline=None)
    @given(facts=facts_with_gaps(kind), language=st.sampled_from(LANGUAGES))
    def in_any_language(facts: Any, language: Language) -> None:
        whole = render(kind, facts, language=language)
        bare = builtin(one_line_each(in_language(facts, language)), language)
        for mail in (whole, bare):
            assert not NOTHING.search(mail.subject + "\n" + mail.text), mail.text
            assert not re.search(r"\bNone\b|Undefined|Said\(", mail.html)

    in_any_language()
