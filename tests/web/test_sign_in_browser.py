"""Signing in, in a real browser: by the link of a mail, by a link on request, on a telephone and without JavaScript."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.chromium import PHONE, serious
from tests.web.house import NURSE, House, link_in, served
from tests.web.screens import beside


def test_given_a_nurse_with_a_telephone_when_she_opens_her_mails_link_then_one_button_leads_to_the_alert(
    house: House, browser: Browser
) -> None:
    with served(house) as address:
        link = link_in(beside(lambda: house.worse("P-1")), NURSE)
        context = browser.new_context(viewport=PHONE, java_script_enabled=False)
        page = context.new_page()
        page.goto(address + link)
        page.get_by_role("button", name="Continue as Nurse North").click()
        expect(page).to_have_url(f"{address}/alerts/1")
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{address}/")
        expect(page).to_have_url(f"{address}/sign-in")
        context.close()


def test_given_a_form_of_another_site_when_it_posts_to_the_board_then_the_browsers_word_gives_it_away(
    house: House, browser: Browser
) -> None:
    with served(house) as address:
        link = link_in(beside(lambda: house.worse("P-1")), NURSE)
        page = browser.new_page()
        elsewhere = f'<form method="post" action="{address}{link}"><button>Win a prize</button></form>'
        page.route("http://elsewhere.example/", lambda route: route.fulfill(body=elsewhere, content_type="text/html"))
        page.goto("http://elsewhere.example/")
        page.get_by_role("button").click()
        expect(page.get_by_text("This did not come from a page of the board.")).to_be_visible()
        assert page.context.cookies() == []
        page.close()


def test_given_the_pages_of_the_sign_in_when_examined_then_nothing_serious_keeps_anybody_out(
    house: House, browser: Browser
) -> None:
    with served(house) as address:
        link = link_in(beside(lambda: house.worse("P-1")), NURSE)
        for scheme in ("light", "dark"):
            page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
            for path in ("/sign-in", link, "/nothing"):
                page.goto(address + path)
                assert serious(page) == [], (path, scheme)
            page.close()


def test_given_a_link_asked_for_by_keyboard_when_sent_then_the_page_says_to_look_into_the_mail(
    house: House, browser: Browser
) -> None:
    with served(house) as address:
        page = browser.new_page()
        page.goto(f"{address}/sign-in")
        page.get_by_label("Your mail address").fill(NURSE)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
        page.close()
    assert house.woken == ["post"]
