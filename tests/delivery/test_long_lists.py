"""Digests and reminders of as many alerts as are told at length stay within what mail programs show."""

from __future__ import annotations

from dataclasses import replace

from monitor.delivery.facts import DigestFacts, ReminderFacts
from monitor.delivery.lists import AT_LENGTH, REMINDED_AT_LENGTH
from monitor.delivery.render import render
from monitor.delivery.samples import samples

LONG = "Sensory grade 2 with neuropathic pain on 15 Mar 2011; last dose 1.3 mg/m2 on 8 Mar 2011; " * 3


def test_given_the_longest_digest_when_rendered_then_no_built_in_text_has_to_stand_in() -> None:
    facts = samples()["digest"][0]
    assert isinstance(facts, DigestFacts)
    entry = replace(facts.entries[0], headline=LONG)
    assert entry.acknowledge_by_mail is not None
    assert len(render("digest", replace(facts, entries=(entry,) * AT_LENGTH)).html) < 90_000


def test_given_the_longest_reminder_when_rendered_then_no_built_in_text_has_to_stand_in() -> None:
    facts = samples()["reminder"][0]
    assert isinstance(facts, ReminderFacts)
    entry = replace(facts.entries[0], headline=LONG)
    assert entry.acknowledge_by_mail is not None
    assert len(render("reminder", replace(facts, entries=(entry,) * REMINDED_AT_LENGTH)).html) < 90_000
