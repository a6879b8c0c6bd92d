"""The pictures of the README, taken of the demo's own mails and board: ``make pictures``. Needs Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).parent
OUT = DOCS.parent / "build" / "pictures"
MAIL = "018"
"""The mail about the published patient on 15 March 2011, in English."""
DESKTOP, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
WITHIN_SECONDS = 120


def main() -> None:
    """Run the demo, take the pictures, end it."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    said = OUT / "said.txt"
    with said.open("w", encoding="utf-8") as file:
        command = [sys.executable, "-m", "monitor", "demo", "--serve", "--out", str(OUT / "demo")]
        demo = subprocess.Popen(command, stdout=file)  # noqa: S603  # our own program
    try:
        mails = _address(said, "mails")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            _mails(browser, mails)
            _board(browser, mails)
            browser.close()
    finally:
        demo.terminate()
        demo.wait()


def _address(said: Path, what: str) -> str:
    end = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < end:
        found = re.search(rf"The {what}: (\S+)", said.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.2)
    raise SystemExit("the demo did not begin to serve")


def _mails(browser: Browser, mails: str) -> None:
    for name, viewport, scheme in (("mail", {"width": 700, "height": 1250}, "light"), ("mail-phone", PHONE, "dark")):
        page = browser.new_page(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]  # a literal of theirs
        page.goto(f"{mails}{MAIL}.html")
        page.screenshot(path=DOCS / f"{name}.png")
        page.close()
    shutil.copyfile(OUT / "demo" / "mail" / f"{MAIL}.png", DOCS / "figure.png")


def _board(browser: Browser, mails: str) -> None:
    """As the nurse of the published patient's ward, by the link of her mail."""
    page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]  # a typed dictionary of theirs
    page.goto(f"{mails}{MAIL}.html")
    page.goto(str(page.locator("a[href*='/in/']").first.get_attribute("href")))
    page.get_by_role("button").first.click()
    page.wait_for_url("**/alerts/*")
    page.screenshot(path=DOCS / "patient.png")
    page.goto(re.sub(r"/alerts/.*", "/", page.url))
    page.screenshot(path=DOCS / "board.png")
    page.close()


if __name__ == "__main__":
    main()
