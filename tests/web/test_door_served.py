"""The board behind a real socket: what slow, many and broken clients come to, and its end."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse, Response

from monitor.errors import ConfigError
from monitor.service import clock
from monitor.store import troubles
from monitor.web.app import THREADS
from monitor.web.asked import Asked
from monitor.web.beside import board_if_possible
from monitor.web.patience import MOST_CONNECTIONS, PatientProtocol
from monitor.web.routes import Route
from monitor.web.server import start_board
from tests.service.clinic import a_clinic
from tests.web.house import BOARD, NURSE, House, served


class Impatient(PatientProtocol):
    """Waits a second where the real one waits half a minute."""

    patience_seconds = 1.0


@dataclass(frozen=True)
class Served:
    """A board with the alert of a patient of a nurse who is signed in by ``cookie``."""

    address: str
    cookie: str


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with a_clinic(tmp_path_factory.mktemp("served"), more=BOARD) as clinic:
        house = House(clinic)
        house.worse("P-1")
        with served(house) as address:
            yield Served(address, f"bipn-session={house.session_of(NURSE)}")


def _get(address: str, path: str, **headers: str) -> tuple[int, str]:
    parts = urlsplit(address)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)) as connection:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _connected(address: str) -> socket.socket:
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)


def test_given_a_served_board_when_a_nurse_asks_then_she_gets_her_page(house: House) -> None:
    with served(house) as address:
        assert _get(address, "/")[0] == 303
        status, text = _get(address, "/", Cookie=f"bipn-session={house.session_of(NURSE)}")
        assert (status, "Nurse North" in text) == (200, True)


def test_given_a_connection_when_it_is_taken_up_then_no_answer_waits_for_the_clients_acknowledgement(house: House) -> None:
    at_once: list[int] = []

    class Noting(PatientProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            taken = transport.get_extra_info("socket")
            at_once.append(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    with served(house, protocol=Noting) as address:
        _get(address, "/sign-in")
    assert at_once == [1]


def test_given_a_client_that_sends_a_byte_now_and_then_when_its_time_is_over_then_it_is_cut(house: House) -> None:
    with served(house, protocol=Impatient) as address, closing(_connected(address)) as slow:
        began = clock.monotonic_seconds()
        slow.settimeout(0.2)
        cut = False
        for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 100:
            try:
                slow.sendall(bytes([byte]))
                cut = slow.recv(1) == b""
            except TimeoutError:
                continue  # no answer yet: the next byte
            except OSError:
                cut = True
            if cut:
                break
        assert cut
        assert clock.monotonic_seconds() - began < 5
        assert _get(address, "/sign-in")[0] == 200


def test_given_a_client_whose_form_never_arrives_when_its_time_is_over_then_it_is_cut(house: House) -> None:
    with served(house, protocol=Impatient) as address, closing(_connected(address)) as slow:
        host = urlsplit(address).netloc
        head = f"POST /sign-in HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\nSec-Fetch-Site: same-origin\r\n\r\na"
        slow.sendall(head.encode())
        assert _until_cut(slow) == b""


def test_given_a_client_that_reads_nothing_when_its_time_is_over_then_it_is_cut(house: House) -> None:
    def much(_: Asked) -> Response:
        return PlainTextResponse("x" * 20_000_000)

    large = House(house.clinic, more_routes=[Route("GET", "/much", "anyone", much)])
    with served(large, protocol=Impatient) as address, closing(_connected(address)) as slow:
        slow.sendall(f"GET /much HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\n\r\n".encode())
        began = clock.monotonic_seconds()
        while clock.monotonic_seconds() - began < 2:
            _get(address, "/sign-in")  # meanwhile the others are served
        assert len(_until_cut(slow)) < 20_000_000


def test_given_too_many_connections_when_one_more_comes_then_it_is_not_taken_up(house: House) -> None:
    with served(house) as address:
        held = [_connected(address) for _ in range(MOST_CONNECTIONS)]
        try:
            with closing(_connected(address)) as late:
                assert _until_cut(late) == b""
        finally:
            for each in held:
                each.close()


def test_given_a_page_that_takes_its_time_when_the_board_stops_then_it_does_so_within_5_seconds(house: House) -> None:
    begun, over = threading.Event(), threading.Event()

    def slowly(_: Asked) -> Response:
        begun.set()
        over.wait(20)
        return PlainTextResponse("at last")

    slow = House(house.clinic, more_routes=[Route("GET", "/slowly", "anyone", slowly)])
    with closing(socket.socket()) as channel:
        try:
            with served(slow) as address:
                parts = urlsplit(address)
                channel.connect((parts.hostname or "", parts.port or 0))
                channel.sendall(f"GET /slowly HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
                assert begun.wait(10)
                began = clock.monotonic_seconds()
            assert clock.monotonic_seconds() - began < 6
        finally:
            over.set()


def test_given_more_requests_than_threads_when_all_wait_then_few_are_at_work_and_all_are_answered(house: House) -> None:
    at_work, most, lock, over = [0], [0], threading.Lock(), threading.Event()

    def slowly(_: Asked) -> Response:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        over.wait(20)
        with lock:
            at_work[0] -= 1
        return PlainTextResponse("done")

    slow = House(house.clinic, more_routes=[Route("GET", "/slowly", "anyone", slowly)])
    answers: list[int] = []
    with served(slow) as address:
        askers = [threading.Thread(target=lambda: answers.append(_get(address, "/slowly")[0])) for _ in range(10)]
        for each in askers:
            each.start()
        while at_work[0] < THREADS:
            over.wait(0.01)
        over.set()
        for each in askers:
            each.join(20)
    assert (answers, most[0]) == ([200] * 10, THREADS)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS on a plain port
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_given_no_request_as_browsers_send_it_when_it_comes_then_it_is_refused_and_the_board_goes_on(
    house: House, sent: bytes
) -> None:
    with served(house, protocol=Impatient) as address:
        with closing(_connected(address)) as client:
            client.sendall(sent)
            assert b" 500 " not in _until_cut(client).split(b"\r\n")[0]
        assert _get(address, "/sign-in")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in/",
        "//sign-in",
        "/./sign-in",
        "/x/../sign-in",
        "/%73ign-in",
        "/sign%2Din",
        "/static/..%2Fserver.py",
        "/static/../server.py",
        "/static/server.py",
        "/static/",
        "/..",
        "/...",
        "/\\sign-in",
        "/alerts//1",
        "/alerts/1%0d%0aX:y",
        "/sign-in;x=1",
        "/sign-in%00",
        "/SIGN-IN",
        "/alerts/0",
        "/alerts/-1",
        "/alerts/+1",
        "/alerts/01",
        "/alerts/1e3",
        "/alerts/0x1",
        "/alerts/1.0",
        "/alerts/%D9%A1",  # an Arabic one
        "/alerts/9999999999999999999",
        f"/alerts/{'9' * 250}",
        f"/alerts/{'9' * 2500}",
        "/alerts/1/",
        "/alerts/1/acknowledge/x",
        "/in/",
        "/in/a%2Fb",
        "/in/" + "x" * 400,
    ],
)
def test_given_a_path_with_a_trick_when_asked_for_as_it_stands_then_there_is_no_such_page(worse: Served, path: str) -> None:
    assert _get(worse.address, "/alerts/1", Cookie=worse.cookie)[0] == 200
    assert _get(worse.address, path, Cookie=worse.cookie)[0] == 404


def test_given_a_port_that_is_taken_when_the_daemon_starts_then_that_is_a_trouble_and_no_reason_to_stop(house: House) -> None:
    with served(house):
        with pytest.raises(ConfigError, match="cannot listen"):
            start_board(lambda: house.clinic.site, lambda: house.now, house.woken.append)
        board_if_possible(lambda: house.clinic.site, lambda: house.now, house.woken.append)()
    with house.clinic.site.database.read() as connection:
        (trouble,) = troubles.all_troubles(connection)
    assert trouble.name == "board"
    assert "change `port` or `listen`" in trouble.words
    board_if_possible(lambda: house.clinic.site, lambda: house.now, house.woken.append)()
    with house.clinic.site.database.read() as connection:
        assert troubles.all_troubles(connection) == []


def test_given_no_board_any_more_after_a_reload_when_a_page_is_asked_for_then_it_says_so(house: House) -> None:
    with served(house) as address:
        house.clinic.site = replace(house.clinic.site, settings=replace(house.clinic.site.settings, board=None))
        assert _get(address, "/") == (503, "The board is switched off.\n")


def _until_cut(channel: socket.socket) -> bytes:
    """All that comes until the other end hangs up."""
    got = bytearray()
    try:
        while part := channel.recv(65536):
            got += part
    except ConnectionError:
        pass
    return bytes(got)
