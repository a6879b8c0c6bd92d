"""The board and the names for single sign-on, as written: one mistake, one message."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import check
from monitor.config.settings import Board, BoardUser, Operations, Proxy, load_settings
from tests.config.files import BOARD, line_of, monitor_file


def _board(folder: Path, *exchanges: tuple[str, str]) -> Path:
    return monitor_file(folder, *exchanges, text=BOARD.read_text(encoding="utf-8"))


def test_given_a_board_when_loaded_then_it_is_taken_as_written(tmp_path: Path) -> None:
    settings = load_settings(_board(tmp_path))
    assert check(settings.source) == []
    assert settings.board == Board(
        port=8480,
        address="https://alerts.h.example",
        listen="127.0.0.1",
        link_valid=timedelta(days=3),
        session=timedelta(hours=8),
        proxy=Proxy(networks=("127.0.0.1/32", "10.1.2.0/24"), user_header="X-Remote-User", address_header="X-Real-IP"),
        users=(
            BoardUser(name="IT", address="it@h.example", role="admin", language="de", user="it"),
            BoardUser(name="Audit", address="audit@h.example", role="auditor"),
        ),
    )
    assert settings.operations == Operations(address="it@h.example", language="de")
    assert settings.teams[0].recipients[0].user == "desk"
    assert settings.directory.people["berger"].recipient.user == "berger"


def test_given_the_least_of_a_board_when_loaded_then_all_else_has_its_default(tmp_path: Path) -> None:
    path = monitor_file(tmp_path, ("poll_every: 60 s", "board: {port: 8480, address: 'http://localhost:8480'}"))
    assert check(path) == []
    board = load_settings(path).board
    assert board == Board(port=8480, address="http://localhost:8480")
    assert board is not None
    assert (board.listen, board.link_valid, board.session) == ("127.0.0.1", timedelta(days=7), timedelta(hours=12))
    assert (board.proxy, board.users) == (None, ())
    assert Proxy(networks=()) == Proxy(networks=(), user_header=None, address_header="X-Forwarded-For")


def test_given_no_board_when_loaded_then_there_is_none(tmp_path: Path) -> None:
    settings = load_settings(monitor_file(tmp_path))
    assert (settings.board, settings.mail.staff_domains) == (None, ())
    assert settings.teams[0].recipients[0].user is None


PROXY = ", user_header: X-Remote-User, address_header: X-Real-IP}"


@pytest.mark.parametrize(
    ("exchange", "code"),
    [
        (("https://alerts.h.example/", "http://alerts.h.example"), "insecure-url"),
        (("https://alerts.h.example/", "alerts.h.example"), "bad-url"),
        (("https://alerts.h.example/", "https://alerts.h.example/board"), "bad-url"),
        (("https://alerts.h.example/", "'https://alerts.h.example?'"), "bad-url"),
        (("https://alerts.h.example/", "https://me@alerts.h.example"), "bad-url"),
        (("https://alerts.h.example/", "https://"), "bad-url"),
        (("https://alerts.h.example/", "https://alerts.h.example:x"), "bad-url"),
        (("https://alerts.h.example/", "'https://[alerts'"), "bad-url"),
        (("https://alerts.h.example/", "ftp://alerts.h.example"), "bad-url"),
        (("https://alerts.h.example/", "'https://alerts.h.example\"'"), "bad-url"),
        (("https://alerts.h.example/", "''"), "bad-url"),
        (("  address: https://alerts.h.example/\n", ""), "missing-key"),
        (("port: 8480", "port: 443"), "out-of-range"),
        (("port: 8480", "port: 9105"), "duplicate-port"),
        (("listen: 127.0.0.1", "listen: localhost"), "bad-host"),
        (("listen: 127.0.0.1", "listen: '127.0.0.1:8480'"), "bad-host"),
        (("link_valid: 3 d", "link_valid: 9 min"), "out-of-range"),
        (("link_valid: 3 d", "link_valid: 31 d"), "out-of-range"),
        (("link_valid: 3 d", "link_valid: 3"), "bad-duration"),
        (("session: 8 h", "session: 1 min"), "out-of-range"),
        (("session: 8 h", "session: 8 d"), "out-of-range"),
        (('[127.0.0.1/32, "10.1.2.0/24"]', "[]"), "nobody-home"),
        (("127.0.0.1/32", "proxy.h.example"), "bad-network"),
        (("127.0.0.1/32", "127.0.0.1"), "bad-network"),
        (("127.0.0.1/32", "10.9.8.7/24"), "bad-network"),
        (("127.0.0.1/32", "0.0.0.0/0"), "bad-network"),
        (("127.0.0.1/32", "'::/0'"), "bad-network"),
        (("X-Remote-User", "X_Remote_User"), "bad-header"),
        (("X-Remote-User", "Authorization"), "bad-header"),
        (("X-Remote-User", "'X-Remote-User:'"), "bad-header"),
        (("X-Real-IP", "'X Real'"), "bad-header"),
        (("X-Real-IP", "x-remote-user"), "bad-header"),
        ((PROXY, ", user_header: X-Forwarded-For}"), "bad-header"),
        (("role: auditor", "role: nurse"), "wrong-value"),
        (("role: auditor", "role: auditor, password: x"), "secret-in-file"),
        (("audit@h.example", "desk@h.example"), "duplicate-address"),
        (("audit@h.example", "B@clinic.h.example"), "duplicate-address"),
        (("audit@h.example", "IT@h.example"), "duplicate-address"),
        (("audit@h.example", "audit"), "bad-address"),
        (("name: Audit", 'name: "Au\\ndit"'), "bad-name"),
        (("user: berger", "user: DESK"), "duplicate-user"),
        (("user: it}", "user: Berger}"), "duplicate-user"),
        (("user: berger", "user: ' berger'"), "bad-name"),
        (("user: berger", "user: ''"), "out-of-range"),
        (("user: it}", "user: 7}"), "wrong-type"),
        (("language: de}", "language: fr}"), "wrong-value"),
    ],
)
def test_given_one_mistake_when_checked_then_exactly_it_is_told(tmp_path: Path, exchange: tuple[str, str], code: str) -> None:
    assert [problem.code for problem in check(_board(tmp_path, exchange))] == [code]


@pytest.mark.parametrize(
    "exchange",
    [
        ("https://alerts.h.example/", "https://alerts.h.example:8443"),
        ("https://alerts.h.example/", "http://127.0.0.1:8480"),
        ("https://alerts.h.example/", "'http://[::1]:8480'"),
        ("listen: 127.0.0.1", "listen: '::1'"),
        ("listen: 127.0.0.1", "listen: 10.1.2.3"),
        ("user_header: X-Remote-User, ", ""),
        (", user: it}", "}"),
        ("people:\n", "people:\n  again: {name: Desk too, address: Desk@h.example, user: desk}\n"),
    ],
)
def test_given_what_looks_like_a_mistake_and_is_none_when_checked_then_it_is_clean(
    tmp_path: Path, exchange: tuple[str, str]
) -> None:
    assert check(_board(tmp_path, exchange)) == []


@pytest.mark.parametrize("listen", ["'::'", "10.1.2.3"])
def test_given_other_machines_may_call_in_clear_when_checked_then_a_proxy_or_the_explicit_word_is_asked_for(
    tmp_path: Path, listen: str
) -> None:
    proxy = next(line for line in BOARD.read_text(encoding="utf-8").splitlines(keepends=True) if "proxy:" in line)
    path = _board(tmp_path, ("listen: 127.0.0.1", f"listen: {listen}"), (proxy, ""))
    (problem,) = check(path)
    assert (problem.code, problem.line, problem.suggestion) == ("insecure-board", line_of(path, "listen"), "127.0.0.1")
    path = _board(tmp_path, ("listen: 127.0.0.1", f"listen: {listen}\n  insecure: true"), (proxy, ""))
    assert check(path) == []


def test_given_a_sign_on_that_names_mail_addresses_when_checked_then_nobody_needs_a_user(tmp_path: Path) -> None:
    assert check(_board(tmp_path, (", user: berger", ""), (", user: desk", ""), (", user: it}", "}"))) == []


@pytest.mark.parametrize(
    ("exchange", "suggestion"),
    [
        (("https://alerts.h.example/", "http://alerts.h.example"), "https://alerts.h.example"),
        (("https://alerts.h.example/", "alerts.h.example"), "https://alerts.h.example"),
        (("https://alerts.h.example/", "http://alerts.h.example/board"), "https://alerts.h.example"),
        (("https://alerts.h.example/", "http://localhost:1/board"), "http://localhost:1"),
        (("127.0.0.1/32", "10.9.8.7/24"), "10.9.8.7/32"),
        (("127.0.0.1/32", "127.0.0.1"), "127.0.0.1/32"),
        (("X-Remote-User", "X_Remote_User"), "X-Remote-User"),
        (("role: auditor", "role: auditr"), "auditor"),
        (("link_valid", "link_vald"), "link_valid"),
        (("listen: 127.0.0.1", "listen: localhost"), "127.0.0.1"),
    ],
)
def test_given_a_mistake_that_is_nearly_right_when_checked_then_what_was_meant_is_suggested(
    tmp_path: Path, exchange: tuple[str, str], suggestion: str
) -> None:
    (problem,) = check(_board(tmp_path, exchange))
    assert problem.suggestion == suggestion


def test_given_the_extra_is_not_installed_when_checked_then_what_to_install_is_said_and_the_settings_still_load(
    tmp_path: Path,
) -> None:
    program = (
        "import sys; sys.modules['starlette'] = None\n"  # as where it is not installed
        "from pathlib import Path\n"
        "from monitor.config import check\n"
        "from monitor.config.settings import load_settings\n"
        "assert load_settings(Path(sys.argv[1])).board\n"
        "print(*check(Path(sys.argv[1])), sep='\\n')\n"
    )
    path = _board(tmp_path)
    here = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, cwd=here, check=True)
    first, *_ = ran.stdout.splitlines()
    assert first == f"{path}:{line_of(path, 'board:')}:1: the board needs an extra: run pip install 'bipn-monitor[web]'"
