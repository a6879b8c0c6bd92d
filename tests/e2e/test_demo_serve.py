"""``demo --serve``: the board open on this machine, the mails beside it, and a link in a mail that leads to the board."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.e2e.installation import environment, until

PATIENT = "JK-2012"


@dataclass(frozen=True)
class Served:
    """A demo that serves, and where."""

    process: subprocess.Popen[bytes]
    board: str
    mails: str
    folder: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("demo")
    said = folder / "said"
    with said.open("wb") as file:
        command = [sys.executable, "-m", "monitor", "demo", "--serve", "--out", str(folder / "out")]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL, env=environment({}))
    try:
        until(lambda: b"The board: " in said.read_bytes() or process.poll() is not None, seconds=60, what="the board")
        words = said.read_text(encoding="utf-8")
        board, mails = (re.search(rf"The {what}: (\S+)", words) for what in ("board", "mails"))
        assert board is not None, words
        assert mails is not None, words
        yield Served(process, board[1], mails[1], folder / "out" / "mail")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_given_a_served_demo_when_its_list_of_mails_is_opened_then_each_mail_is_one_click_away(served: Served) -> None:
    page = urlopen(served.mails).read().decode()  # noqa: S310  # our own, on loopback
    names = re.findall(r'href="(\d+\.html)"', page)
    assert len(names) == len(list(served.folder.glob("*.eml")))
    assert names == sorted(names, reverse=True)  # the links to the board first
    assert "Your link to the board</a><br>to audit@demo.example<" in page
    assert all(urlopen(f"{served.mails}{name}").status == 200 for name in names)  # noqa: S310


def test_given_a_served_demo_when_a_nurse_follows_the_link_of_the_worst_mail_then_she_sees_the_patient(served: Served) -> None:
    mail = next(
        text for text in (path.read_text(encoding="utf-8") for path in sorted(served.folder.glob("*.txt"))) if "IMMEDIATE" in text
    )
    link = re.search(rf"{re.escape(served.board)}(/in/\S+)", mail)
    assert link is not None
    where = urlsplit(served.board)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    connection.request("POST", link[1], headers={"Origin": served.board, "Content-Length": "0"})
    signed_in = connection.getresponse()
    signed_in.read()
    assert signed_in.status == 303
    cookie = str(signed_in.getheader("Set-Cookie")).partition(";")[0]
    connection.request("GET", str(signed_in.getheader("Location")), headers={"Cookie": cookie})
    page = connection.getresponse().read().decode()
    connection.close()
    assert PATIENT in page
    assert "wheelchair" in page
