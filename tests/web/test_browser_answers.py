"""From the link in a mail to the answer, in a real browser: by mouse, by keyboard alone, without a script, and two at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium import DESKTOP, PHONE, serious
from tests.service.clinic import on
from tests.web.house import FOREIGN_NURSE, NURSE, link_in
from tests.web.screens import Screens, beside, screens

SECOND = "north-2@hospital.example"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Screens]:
    with screens(tmp_path) as opened:
        yield opened


def reminded(board: Screens) -> list[str]:
    """Whom the daemon reminds of P-1 when an hour has passed."""
    mails = beside(lambda: board.house.clinic.watch(on(36, 10))).mails
    return [mail.recipient for mail in mails if "P-1" in str(mail.message)]


def opened(board: Screens, browser: Browser, viewer: str) -> Page:
    page = board.window(browser, viewer, viewport=DESKTOP)
    page.goto("/alerts/1")
    return page


@pytest.mark.parametrize("with_script", [True, False], ids=["script", "no script"])
def test_given_the_link_of_a_mail_when_followed_to_the_answer_then_the_alert_is_gone_and_reminders_stop(
    board: Screens, browser: Browser, with_script: bool
) -> None:
    page = board.window(browser, None, viewport=PHONE, java_script_enabled=with_script)
    page.goto(link_in([mail for mail in board.mails if "P-1" in str(mail.message)], NURSE))
    page.get_by_role("button", name="Continue as Nurse North").click()
    assert page.url == f"{board.address}/alerts/1"
    page.get_by_label("Held").check()
    page.get_by_label("Note").first.fill("Dose held, neurology called")
    page.get_by_role("button", name="Acknowledge").click()
    assert "Acknowledged. Nobody else is told" in page.get_by_role("status").first.inner_text()
    assert "dose reviewed: held" in page.locator("body").inner_text()
    page.goto("/")
    assert page.locator("section[aria-labelledby=u-immediate]").get_by_role("link", name="P-1").count() == 0
    assert page.locator("section[aria-labelledby=taken]").get_by_role("link", name="P-1").count() == 1
    assert reminded(board) == []
    assert board.console == []


def test_given_nobody_answers_when_an_hour_has_passed_then_there_are_reminders(board: Screens) -> None:
    assert reminded(board) != []


def test_given_a_keyboard_alone_when_used_then_an_alert_is_acknowledged(board: Screens, browser: Browser) -> None:
    page = board.window(browser, NURSE, viewport=DESKTOP)
    page.goto("/")

    def tab_to(words: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent").strip() == words:
                return
        raise AssertionError(f"no stop of the keyboard is {words!r}")

    tab_to("P-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts/1")
    tab_to("Acknowledge")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("said=acknowledged"))
    assert "Acknowledged. Nobody else is told" in page.get_by_role("status").first.inner_text()


def test_given_two_nurses_at_once_when_both_answer_then_the_second_learns_who_was_first(board: Screens, browser: Browser) -> None:
    first, second = opened(board, browser, NURSE), opened(board, browser, SECOND)
    first.get_by_role("button", name="Acknowledge").click()
    second.get_by_role("button", name="Acknowledge").click()
    words = second.get_by_role("status").first.inner_text()
    assert words.startswith("Nurse North had acknowledged it before you")
    assert serious(second) == []
    assert board.house.clinic.alert("P-1", "rapid-motor-decline").acknowledged_by == "Nurse North"


def test_given_an_alert_when_passed_on_then_the_page_says_to_whom_and_the_alert_stays(board: Screens, browser: Browser) -> None:
    page = opened(board, browser, NURSE)
    page.get_by_text("Not mine: pass it on").click()
    page.get_by_role("button", name="Pass it on").click()
    assert "Pflege Nord" in page.get_by_role("status").first.inner_text()
    assert "post" in board.house.woken
    assert board.house.clinic.alert("P-1", "rapid-motor-decline").state == "open"
    assert serious(page) == []


def test_given_a_link_of_another_team_when_opened_then_the_patient_is_not_shown(board: Screens, browser: Browser) -> None:
    page = board.window(browser, FOREIGN_NURSE, viewport=DESKTOP)
    page.goto("/alerts/1")
    assert "P-1" not in page.locator("body").inner_text()
    page.goto(link_in(board.mails, NURSE))
    assert "P-1" not in page.locator("body").inner_text()
    assert serious(page) == []


def test_given_an_expired_link_when_opened_then_a_clear_page_offers_a_new_one(board: Screens, browser: Browser) -> None:
    link = link_in(board.mails, NURSE)
    board.house.later(days=8)
    page = board.window(browser, None, viewport=PHONE)
    page.goto(link)
    assert "This link has expired" in page.locator("main").inner_text()
    assert page.get_by_role("textbox").count() == 1
    assert serious(page) == []


def test_given_every_link_of_every_mail_when_fetched_by_a_scanner_then_nothing_changes(board: Screens, browser: Browser) -> None:
    before = board.house.rows_but_the_journal()
    page = board.window(browser, None, viewport=DESKTOP)
    for recipient in sorted({mail.recipient for mail in board.mails}):
        page.goto(link_in(board.mails, recipient))
    assert board.house.rows_but_the_journal() == before
