"""A real Chromium for every test that looks at a page. The fixtures ``browser`` and ``page`` are known to all tests.

    from playwright.sync_api import Page
    from tests.chromium import serious

    def test_...(page: Page) -> None:
        page.set_content(...)  # or page.goto("http://127.0.0.1:...")
        assert serious(page) == []

``browser.new_page(viewport=PHONE, color_scheme="dark")`` for another screen. Playwright keeps an event loop running in the
thread of the tests while a browser is open: what needs ``asyncio.run`` in such a module goes into a thread of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # has no types
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

DESKTOP = ViewportSize(width=1200, height=900)
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module. Not for the whole session: its event loop would be in the way of other modules' own."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium here; `make machine` installs it")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own, with no cookie of another test, as wide as a desk's screen."""
    context = browser.new_context(viewport=DESKTOP)
    yield context.new_page()
    context.close()


def serious(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is now: "color-contrast: li:nth-child(2)", worst first.

    axe is put in from outside, so a page's own rules against foreign scripts do not stop it.
    """
    found = Axe().run(page).response["violations"]
    grave = sorted((each for each in found if each["impact"] in ("serious", "critical")), key=lambda each: str(each["impact"]))
    return [f"{each['id']}: {' '.join(map(str, node['target']))}" for each in grave for node in each["nodes"]]
