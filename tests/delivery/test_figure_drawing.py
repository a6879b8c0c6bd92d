"""Figures as they are really drawn, by the real process: the same every time, safe to show, and none where it fails."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from PIL import Image

from monitor.clinical.trend import Trend
from monitor.delivery.figure.drawer import PATIENCE, Drawer
from monitor.delivery.figure.making import sheet_of
from monitor.delivery.figure.sheet import Kind, sheet_json
from monitor.delivery.language import LANGUAGES, Language
from tests.delivery.figures import EMPTY, HOSTILE, HOSTILE_TREND, TREND, TRENDS

DATA = sheet_json(sheet_of(TREND, "en"))
KINDS: tuple[Kind, ...] = ("png", "svg")
HARMLESS = {"svg", "title", "desc", "defs", "g", "path", "text", "use", "clippath", "rect"}
SAID = "a figure was not drawn"


def a_drawer(folder: Path, *command: str, first_seconds: float = 60.0, seconds: float = 60.0) -> Drawer:
    if command:
        return Drawer(folder, command=command, seconds_now=time.monotonic, first_seconds=first_seconds, seconds=seconds)
    return Drawer(folder, seconds_now=time.monotonic, first_seconds=first_seconds, seconds=seconds)


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawer]:
    with a_drawer(tmp_path_factory.mktemp("fonts")) as found:
        yield found


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("kind", KINDS)
def test_given_one_sheet_when_drawn_by_two_processes_and_after_others_then_the_bytes_are_the_same(
    kind: Kind, drawer: Drawer, tmp_path: Path
) -> None:
    first = drawer.draw(DATA, kind)
    drawer.draw(sheet_json(sheet_of(HOSTILE_TREND, "de")), kind)
    with a_drawer(tmp_path) as another:
        assert first == drawer.draw(DATA, kind) == another.draw(DATA, kind)
    assert first is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_given_a_sheet_when_drawn_for_a_mail_then_it_is_600_wide_small_and_of_few_colours(
    language: Language, drawer: Drawer
) -> None:
    png = drawer.draw(sheet_json(sheet_of(TREND, language)), "png")
    assert png is not None
    assert len(png) <= 18_000
    with Image.open(BytesIO(png)) as image:
        assert image.width == 900
        assert image.mode == "P"
        assert image.info == {}  # neither a date nor a program's name
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_given_a_sheet_when_drawn_for_a_page_then_nothing_in_it_needs_a_style_or_another_server(drawer: Drawer) -> None:
    svg = drawer.draw(DATA, "svg")
    assert svg is not None
    page = Page(svg.decode())
    assert page.tags[0][0] == "svg"
    assert {tag for tag, _ in page.tags}.isdisjoint({"style", "script", "image", "metadata", "a", "foreignobject"})
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(name and name.startswith("figure-") for name in ids)
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert (attributes["href"] or "").removeprefix("#") in ids
    assert "http" not in svg.decode().replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_given_a_sheet_when_drawn_for_a_page_then_it_is_an_image_with_the_finding_as_its_description(drawer: Drawer) -> None:
    svg = drawer.draw(DATA, "svg")
    assert svg is not None
    page = Page(svg.decode())
    named = str(page.tags[0][1]["aria-labelledby"]).split()
    assert page.tags[0][1]["role"] == "img"
    assert [(tag, attributes["id"]) for tag, attributes in page.tags[1:3]] == list(zip(("title", "desc"), named, strict=True))
    assert "wheelchair on 19 Mar 2011" in page.text
    assert "last dose 28 Feb" in page.text  # words are words, to be found and read aloud


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trend", [HOSTILE_TREND, EMPTY], ids=["hostile", "empty"])
def test_given_hostile_names_or_nothing_at_all_when_drawn_then_there_is_a_figure(
    kind: Kind, trend: object, drawer: Drawer
) -> None:
    drawn = drawer.draw(sheet_json(sheet_of(trend, "en")), kind)  # type: ignore[arg-type]  # of the parameters
    assert drawn is not None
    if kind == "svg":
        assert "<script" not in drawn.decode()
        assert {tag for tag, _ in Page(drawn.decode()).tags} <= {
            "svg",
            "title",
            "desc",
            "defs",
            "g",
            "path",
            "text",
            "use",
            "clippath",
            "rect",
        }


def test_given_several_who_ask_at_once_when_drawn_then_each_has_his_own(drawer: Drawer) -> None:
    sheets = [sheet_json(sheet_of(trend, language)) for trend in (TREND, EMPTY) for language in LANGUAGES]
    alone = [drawer.draw(sheet, "svg") for sheet in sheets]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda sheet: drawer.draw(sheet, "svg"), sheets * 2)) == alone * 2


def test_given_a_sheet_that_cannot_be_drawn_when_asked_then_none_and_the_next_one_is(
    drawer: Drawer, caplog: pytest.LogCaptureFixture
) -> None:
    for broken in ("{}", DATA.replace("2011-01-03", "P-0007"), HOSTILE):
        assert drawer.draw(broken, "png") is None
    assert drawer.draw(DATA, "png") is not None
    assert [record.message for record in caplog.records] == [f"{SAID}, the mail or page goes without"] * 3
    assert "P-0007" not in " ".join(str(vars(record)) for record in caplog.records)


ANSWERS = {
    "not there": ["/nowhere/python"],
    "no library": [sys.executable, "-c", "import a_library_that_is_not_installed"],
    "ends": [sys.executable, "-c", "input()"],
    "hangs": [sys.executable, "-c", "import time; time.sleep(3600)"],
    "answers no figure": [sys.executable, "-c", "input(); print('ok 5'); print('hello')"],
    "answers for ever": [sys.executable, "-c", "input()\nwhile True: print('x' * 60_000, end='')"],
    "promises too much": [sys.executable, "-c", "input(); print('ok 99999999999')"],
    "half an answer": [sys.executable, "-c", "input(); print('ok 500')"],
}


@pytest.mark.parametrize("command", ANSWERS.values(), ids=ANSWERS)
def test_given_a_process_that_fails_in_some_way_when_asked_then_none_in_time_and_it_is_gone(
    command: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = children()
    with a_drawer(tmp_path, *command, first_seconds=1.0, seconds=1.0) as drawer:
        assert drawer.draw(DATA, "png") is None
        assert children() == before
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_given_a_process_that_hangs_when_asked_again_and_again_then_soon_nobody_waits_for_it(tmp_path: Path) -> None:
    seconds = [0.0]
    command = [sys.executable, "-c", "import time; time.sleep(3600)"]
    with Drawer(tmp_path, command=command, seconds_now=lambda: seconds[0], first_seconds=0.2, seconds=0.2) as drawer:
        for _ in range(PATIENCE):
            assert drawer.draw(DATA, "png") is None
        begun = time.monotonic()
        for _ in range(100):
            assert drawer.draw(DATA, "png") is None
        assert time.monotonic() - begun < 0.2  # not one more was begun
        seconds[0] += 301.0
        assert drawer.draw(DATA, "png") is None
        assert time.monotonic() - begun >= 0.2  # it is tried again


def test_given_a_process_that_was_killed_when_asked_then_another_draws_the_same(tmp_path: Path) -> None:
    before = children()
    with a_drawer(tmp_path) as drawer:
        first = drawer.draw(DATA, "png")
        (worker,) = children() - before
        os.kill(worker, signal.SIGKILL)
        assert drawer.draw(DATA, "png") == first
    assert children() == before


def test_given_a_process_that_is_killed_at_work_when_asked_then_an_answer_comes_and_nothing_is_left(
    tmp_path: Path,
) -> None:
    before = children()
    with a_drawer(tmp_path) as drawer:
        answers: list[bytes | None] = []
        asking = threading.Thread(target=lambda: answers.append(drawer.draw(DATA, "png")))
        asking.start()
        wait_for(lambda: children() != before)
        for worker in children() - before:
            os.kill(worker, signal.SIGKILL)  # it has not even loaded its library
        asking.join()
        assert answers == [None]
        assert drawer.draw(DATA, "png") is not None
    assert children() == before


def test_given_a_process_that_nobody_closed_when_its_input_ends_then_it_ends(tmp_path: Path) -> None:
    before = children()
    drawer = a_drawer(tmp_path)
    assert drawer.draw(DATA, "svg") is not None
    drawer.close()
    assert children() == before
    assert drawer.draw(DATA, "svg") is not None  # and begins anew
    drawer.close()


def test_given_a_process_that_nobody_asks_when_left_alone_then_it_ends_and_leaves_nothing(tmp_path: Path) -> None:
    soon = "import monitor.delivery.figure.worker as worker; worker.IDLE_SECONDS = 0.3; worker.main()"
    before = children()
    with a_drawer(tmp_path, sys.executable, "-c", soon) as drawer:
        first = drawer.draw(DATA, "png")
        assert first is not None
        wait_for(lambda: children() == before)
        assert drawer.draw(DATA, "png") == first


@settings(max_examples=25, deadline=None)
@given(trend=TRENDS)
def test_given_any_course_when_drawn_then_there_is_a_figure(drawer: Drawer, trend: Trend) -> None:
    for language in LANGUAGES:
        assert drawer.draw(sheet_json(sheet_of(trend, language)), "png") is not None


def test_given_secrets_in_our_environment_when_a_figure_is_drawn_then_its_process_has_none_of_them(tmp_path: Path) -> None:
    """What the process was given is read from the system, not from what we say."""
    os.environ["BIPN_MONITOR_SMTP_PASSWORD"] = "open sesame"  # noqa: S105  # it opens nothing
    before = children()
    try:
        with a_drawer(tmp_path) as drawer:
            assert drawer.draw(DATA, "svg") is not None
            (worker,) = children() - before
            given = Path(f"/proc/{worker}/environ").read_bytes()
    finally:
        del os.environ["BIPN_MONITOR_SMTP_PASSWORD"]
    assert b"sesame" not in given
    assert b"BIPN" not in given.replace(b"BIPN_MONITOR_FIGURE_SCRATCH", b"")
    assert b"OPENBLAS_NUM_THREADS=1" in given


def children() -> set[int]:
    """Processes that this one began and has not waited for, ended ones too."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        found.update(map(int, (thread / "children").read_text().split()))
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)
