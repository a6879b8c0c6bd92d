"""Every page of the board as a browser shows it: for everybody, on every screen, without a script, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.chromium import DESKTOP, PHONE, serious
from tests.web.house import NURSE
from tests.web.screens import GERMAN_NURSE, PAGES, Screens, screens

EVERY_PAGE = pytest.mark.parametrize("name", PAGES)
OPENED = "document.querySelectorAll('details').forEach(each => each.open = true)"
SMALL = """
() => [...document.querySelectorAll('button, summary, nav a, a.open, a.button, textarea, label.choice, input')]
    .filter(each => each.checkVisibility() && !['radio', 'checkbox', 'hidden'].includes(each.type))
    .filter(each => each.getBoundingClientRect().height < 44).map(each => each.outerHTML.slice(0, 80))
"""
NARROW = ViewportSize(width=600, height=450)  # a desk's screen at 200 %


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    with screens(tmp_path_factory.mktemp("board")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _console_stays_empty(board: Screens) -> Iterator[None]:
    """A breach of the page's own content policy is an error of the console. That a page is missing is what was asked for."""
    board.console.clear()
    yield
    assert [line for line in board.console if "404 (Not Found)" not in line] == []


def shown(board: Screens, browser: Browser, name: str, *, german: bool = False, **screen: Any) -> Page:
    path, english_viewer, german_viewer = PAGES[name]
    screen |= {"locale": "de-DE"} if german else {}
    page = board.window(browser, german_viewer if german else english_viewer, **screen)
    page.goto(path)
    return page


@EVERY_PAGE
@pytest.mark.parametrize("german", [False, True], ids=["en", "de"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_given_a_page_when_axe_looks_then_it_finds_nothing_serious(
    board: Screens, browser: Browser, name: str, german: bool, scheme: str
) -> None:
    page = shown(board, browser, name, german=german, viewport=DESKTOP, color_scheme=scheme)
    assert page.locator("html").get_attribute("lang") == ("de" if german else "en")
    page.evaluate(OPENED)
    assert serious(page) == []
    page.context.close()


@EVERY_PAGE
@pytest.mark.parametrize("viewport", [PHONE, NARROW], ids=["phone", "at 200 %"])
def test_given_a_narrow_screen_when_shown_then_nothing_is_scrolled_sideways(
    board: Screens, browser: Browser, name: str, viewport: ViewportSize
) -> None:
    page = shown(board, browser, name, german=True, viewport=viewport)
    page.evaluate(OPENED)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.context.close()


@EVERY_PAGE
def test_given_a_phone_when_a_finger_is_to_hit_something_then_it_is_large_enough(
    board: Screens, browser: Browser, name: str
) -> None:
    page = shown(board, browser, name, viewport=PHONE, has_touch=True)
    page.evaluate(OPENED)
    small = page.evaluate(SMALL)
    assert small == []
    page.context.close()


@EVERY_PAGE
def test_given_a_page_when_its_outline_is_read_then_landmarks_and_headings_are_in_order(
    board: Screens, browser: Browser, name: str
) -> None:
    page = shown(board, browser, name, viewport=DESKTOP)
    levels = [int(tag[1]) for tag in page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(each => each.tagName)")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert [page.locator(landmark).count() for landmark in ("header.top", "main", "footer.foot")] == [1, 1, 1]
    assert page.locator("th:not([scope])").count() == 0
    page.context.close()


@EVERY_PAGE
def test_given_no_script_when_shown_then_the_page_is_the_same(board: Screens, browser: Browser, name: str) -> None:
    def words(**screen: Any) -> str:
        page = shown(board, browser, name, viewport=DESKTOP, **screen)
        text = page.locator("h1").inner_text()
        page.context.close()
        return text

    assert words(java_script_enabled=False) == words()


def test_given_a_page_when_its_source_is_read_then_there_is_no_script_and_no_style_in_it(
    board: Screens, browser: Browser
) -> None:
    page = shown(board, browser, "patient", viewport=DESKTOP)
    assert page.locator("figure svg").count() == 1
    assert page.locator("script, style, [style], [onclick], [onload]").count() == 0
    page.context.close()


def test_given_a_patient_page_when_printed_then_the_forms_are_gone_and_figure_and_numbers_stay(
    board: Screens, browser: Browser
) -> None:
    page = shown(board, browser, "patient", viewport=DESKTOP)
    page.emulate_media(media="print")
    assert not page.locator("section.acts").is_visible()
    assert not page.locator("nav").first.is_visible()
    assert page.locator("figure svg").is_visible()
    assert page.locator("table.stack").first.is_visible()
    printed = page.locator("p.printed")
    assert printed.is_visible()
    assert "P-1" in printed.inner_text()
    assert page.pdf().startswith(b"%PDF")
    page.context.close()


def test_given_a_keyboard_when_the_page_is_entered_then_the_first_stop_skips_to_the_content(
    board: Screens, browser: Browser
) -> None:
    page = shown(board, browser, "list", viewport=DESKTOP)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    page.context.close()


def test_given_the_list_when_a_patient_is_chosen_then_the_page_of_that_alert_opens(board: Screens, browser: Browser) -> None:
    page = board.window(browser, NURSE, viewport=DESKTOP)
    page.goto("/")
    page.get_by_role("link", name="P-1").click()
    assert page.url.endswith("/alerts/1")
    assert page.get_by_role("heading", level=1).inner_text() == "P-1"
    page.context.close()


def test_given_a_german_nurse_when_she_opens_a_patient_then_the_page_speaks_german(board: Screens, browser: Browser) -> None:
    page = board.window(browser, GERMAN_NURSE, viewport=DESKTOP)
    page.goto("/alerts/1")
    words = page.locator("body").inner_text()
    assert all(each in words for each in ("SOFORT", "Was sich geändert hat", "Bestätigen", "Erfüllt:"))
    assert "None" not in words
    page.context.close()
