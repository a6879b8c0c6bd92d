"""How the mails look: told apart by everybody, in every mail program, at a desk and on a phone, by day and in the dark."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from monitor.clinical.findings import Urgency
from monitor.delivery.facts import KINDS, Kind, MailFacts
from monitor.delivery.language import LANGUAGES, Language
from monitor.delivery.render import render
from monitor.delivery.samples import samples
from monitor.delivery.samples_alert import sample_alert
from tests.chromium import PHONE, serious
from tests.delivery.colours import Seen, seen
from tests.delivery.mails import FULLEST, SAID

LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3 (AA)
SMALLEST_LETTERS = 14
OURS = ("name", "word", "shape", "cid")  # words of an urgency, which are short


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("kind", "facts", "language"), SAID)
def test_given_any_mail_when_its_letters_are_compared_with_their_ground_then_they_can_be_read(
    kind: Kind, facts: MailFacts, language: Language, dark: bool
) -> None:
    texts = seen(render(kind, facts, language=language).html, dark=dark)
    assert texts
    assert [each for each in texts if each.contrast < LEAST_CONTRAST] == []
    assert [each for each in texts if each.pixels < SMALLEST_LETTERS] == []


def test_given_grey_on_white_when_compared_then_the_ratio_is_the_published_one() -> None:
    assert round(Seen("x", "#000000", "#ffffff", 16).contrast, 1) == 21.0
    assert round(Seen("x", "#767676", "#ffffff", 16).contrast, 2) == 4.54


@pytest.mark.parametrize(("kind", "facts", "language"), SAID)
def test_given_any_mail_when_read_as_source_then_it_needs_nothing_from_elsewhere_and_nothing_that_outlook_drops(
    kind: Kind, facts: MailFacts, language: Language
) -> None:
    page = render(kind, facts, language=language).html
    assert not re.search(r"<(link|script|iframe|form|svg|video|object)\b|url\(|@import|@font-face|position:|float:", page)
    assert not re.search(r"display:\s*(flex|grid|inline-block)|background(-image)?:|\bvar\(|<style>", page)
    assert all(address.startswith("cid:") for address in re.findall(r"<img[^>]* src=\"([^\"]*)", page))
    assert all(link.startswith(("mailto:", "https://alerts.")) for link in re.findall(r"<a [^>]*href=\"([^\"]*)", page))
    assert f'<html lang="{language}">' in page
    for table in re.findall(r"<table[^>]*>", page):
        assert all(f' {each}="0"' in table for each in ("cellpadding", "cellspacing", "border")), table
    for start, table in ((each.start(), each[0]) for each in re.finditer(r"<table[^>]*>", page)):
        own = page[start : page.find("</table>", start)]
        assert 'role="presentation"' in table or "<th " in own, table
    assert all('scope="' in head for head in re.findall(r"<th\b[^>]*>", page))


@pytest.mark.parametrize(("kind", "facts", "language"), SAID)
def test_given_any_mail_when_an_inbox_shows_how_it_begins_then_no_patient_is_in_it(
    kind: Kind, facts: MailFacts, language: Language
) -> None:
    begins = re.sub(r"<style.*?</style>|<title.*?</title>|<[^>]*>", "", render(kind, facts, language=language).html, flags=re.S)
    begins = " ".join(begins.split(" "))
    assert not re.search(r"SAMPLE-\d|bortezomib|[Nn]europath|day-clinic", begins.strip()[:200])


def test_given_a_site_that_names_its_patients_when_an_inbox_shows_how_a_mail_begins_then_no_name_is_in_it() -> None:
    facts = sample_alert(Urgency.IMMEDIATE)
    assert facts.patient is not None
    named = replace(facts, patient=replace(facts.patient, display_name="Quibberling", born_on="23 Nov 1911"))
    page = re.sub(r"<style.*?</style>|<title.*?</title>|<[^>]*>", "", render("alert", named).html, flags=re.S)
    assert "Quibberling" in page
    assert "Quibberling" not in page.strip()[:300]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("kind", "facts", "language"), FULLEST)
def test_given_a_mail_when_axe_reads_it_then_nothing_is_serious(
    page: Page, kind: Kind, facts: MailFacts, language: Language, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_content(render(kind, facts, language=language).html)
    assert serious(page) == []


def test_given_any_mail_when_read_on_a_phone_then_nothing_runs_over_its_edge(browser: Browser) -> None:
    phone = browser.new_page(viewport=PHONE)
    for kind, facts, language in (each.values for each in FULLEST):
        phone.set_content(render(kind, facts, language=language).html)  # type: ignore[arg-type]  # values of parameters have no types
        assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"], (kind, language)
    phone.close()


@pytest.mark.parametrize("kind", KINDS)
def test_given_words_as_long_as_german_has_when_read_on_a_phone_then_nothing_runs_over_its_edge(
    browser: Browser, kind: Kind
) -> None:
    phone = browser.new_page(viewport=PHONE)
    phone.set_content(render(kind, in_long_words(samples()[kind][0]), language="de").html)
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    phone.close()


def in_long_words(value: Any) -> Any:
    """The facts with a word of 50 letters in front of each of their texts."""
    if isinstance(value, tuple):
        return tuple(in_long_words(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        texts = {each.name: getattr(value, each.name) for each in fields(value) if each.name not in OURS}
        return replace(value, **{name: in_long_words(text) for name, text in texts.items()})
    return f"Rückenmarkskompressionsverdachtsabklärungsauftrag {value}" if isinstance(value, str) and value else value


@pytest.mark.parametrize("language", LANGUAGES)
def test_given_an_immediate_alert_when_opened_on_a_phone_then_all_that_is_needed_is_seen_without_scrolling(
    browser: Browser, language: Language
) -> None:
    phone = browser.new_page(viewport=PHONE)
    phone.set_content(render("alert", sample_alert(Urgency.IMMEDIATE), language=language).html)
    button = phone.locator("a.pushed").bounding_box()
    assert button is not None
    assert button["y"] + button["height"] < 700
    phone.close()
