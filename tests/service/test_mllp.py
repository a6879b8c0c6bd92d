"""HL7 v2 over real sockets: a message is answered once it is stored, and whatever a sender does harms nobody else."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config.feed_mllp import MllpFeed
from monitor.errors import ConfigError
from monitor.service.mllp import Listener
from monitor.store import rejects
from tests.service.clinic import Clinic, on

pytestmark = pytest.mark.both_engines

START, END = b"\x0b", b"\x1c\r"
FEED = MllpFeed(kind="mllp", listen="127.0.0.1:0")


def oru(grade: str = "2", control: str = "M1", status: str = "F", patient: str = "P-1") -> bytes:
    segments = [
        rf"MSH|^~\&|LAB|HOSPITAL|BIPN|CLINIC|20260110120000+0100||ORU^R01|{control}|P|2.5.1|||||DEU|UNICODE UTF-8",
        f"PID|1||{patient}^^^HOSPITAL^MR",
        "OBR|1|P-90|F-90|NEURO^Visit^L|||20260110113000+0100",
        f"OBX|1|NM|motor_grade^^99BIPN||{grade}||||||{status}",
    ]
    return START + "\r".join(segments).encode() + END


class Ward:
    """A listener in front of a clinic."""

    def __init__(self, clinic: Clinic, feed: MllpFeed) -> None:
        self.woken: list[str] = []
        self.clinic = clinic
        self.listener = Listener(lambda: clinic.site, "lab", feed, lambda: on(36), self.woken.append)
        self.listener.begin()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.listener.port), timeout=20)

    def send(self, *messages: bytes) -> list[bytes]:
        """The answers to some messages on one connection."""
        with closing(self.connect()) as connection:
            connection.sendall(b"".join(messages))
            return [answer_on(connection) for _ in messages]

    def grades(self) -> list[tuple[str, int]]:
        with self.clinic.site.database.read() as connection:
            query = "SELECT patient_id, motor_grade FROM assessments WHERE superseded_at IS NULL"
            return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


def answer_on(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(END):
        more = connection.recv(4096)
        if not more:
            return found
        found += more
    return found


def code_of(answer: bytes) -> str:
    return answer.split(b"\rMSA|")[1].split(b"|")[0].decode()


@contextmanager
def a_ward(clinic: Clinic, feed: MllpFeed = FEED) -> Iterator[Ward]:
    ward = Ward(clinic, feed)
    try:
        yield ward
    finally:
        ward.listener.end()


@pytest.fixture
def ward(clinic: Clinic) -> Iterator[Ward]:
    with a_ward(clinic) as found:
        yield found


def test_given_a_message_when_sent_then_it_is_stored_before_it_is_accepted_and_a_round_is_woken(ward: Ward) -> None:
    (answer,) = ward.send(oru())
    assert code_of(answer) == "AA"
    assert answer.startswith(START + rb"MSH|^~\&|BIPN|CLINIC|LAB|HOSPITAL|")
    assert b"MSA|AA|M1|" in answer
    assert ward.grades() == [("P-1", 2)]
    assert ward.woken == ["watch"]


def test_given_a_message_when_sent_again_then_it_is_accepted_and_changes_nothing(ward: Ward) -> None:
    assert [code_of(each) for each in ward.send(oru(), oru())] == ["AA", "AA"]
    assert ward.grades() == [("P-1", 2)]
    assert ward.woken == ["watch"]


def test_given_a_sender_who_goes_before_the_answer_when_he_sends_again_then_nothing_comes_twice(ward: Ward) -> None:
    connection = ward.connect()
    connection.sendall(oru())
    connection.close()
    assert [code_of(each) for each in ward.send(oru())] == ["AA"]
    assert ward.grades() == [("P-1", 2)]


def test_given_a_value_that_is_refused_when_sent_then_the_answer_and_the_record_say_why_and_not_what_it_was(ward: Ward) -> None:
    (answer,) = ward.send(oru(grade="77", patient="P-SECRET"))
    assert code_of(answer) == "AE"
    assert b"refused" in answer
    assert b"77" not in answer.split(b"MSA")[1]
    assert b"P-SECRET" not in answer
    with ward.clinic.site.database.read() as connection:
        assert [each.origin for each in rejects.still_open(connection, at_most=5)] == ["message M1"]
    ward.send(oru(grade="2"))
    with ward.clinic.site.database.read() as connection:
        assert rejects.still_open(connection, at_most=5) == []


@pytest.mark.parametrize("block", [b"GET / HTTP/1.1\r\n\r\n", b"", b"MSH", b"\xff\xfe\x00", b"PID|1||P-1"])
def test_given_what_is_no_message_when_sent_then_it_is_rejected_and_the_next_one_is_taken(ward: Ward, block: bytes) -> None:
    assert [code_of(each) for each in ward.send(START + block + END, oru())] == ["AR", "AA"]


def test_given_a_message_in_pieces_when_sent_then_it_is_taken_whole(ward: Ward) -> None:
    with closing(ward.connect()) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(0, len(oru()), 40):
            connection.sendall(oru()[place : place + 40])
        assert code_of(answer_on(connection)) == "AA"


def test_given_a_message_that_ends_half_way_when_the_sender_goes_then_nothing_of_it_is_stored(ward: Ward) -> None:
    with closing(ward.connect()) as connection:
        connection.sendall(oru()[:-10])
    assert code_of(ward.send(oru(control="M2", patient="P-2"))[0]) == "AA"
    assert ward.grades() == [("P-2", 2)]


def test_given_a_message_beyond_all_measure_when_sent_then_the_connection_ends_and_others_are_served(ward: Ward) -> None:
    with closing(ward.connect()) as connection, suppress(OSError):
        for _ in range(200):
            connection.sendall(b"x" * (1 << 16))
        assert connection.recv(1) == b""
    assert code_of(ward.send(oru())[0]) == "AA"


def test_given_several_senders_at_once_when_they_send_then_each_has_his_answer(ward: Ward) -> None:
    def one(number: int) -> str:
        return code_of(ward.send(oru(control=f"M{number}", patient="P-1"))[0])

    with ThreadPoolExecutor(6) as senders:
        assert list(senders.map(one, range(6))) == ["AA"] * 6


def test_given_a_database_that_refuses_when_a_message_is_sent_then_there_is_no_answer_and_it_is_taken_later(ward: Ward) -> None:
    with ward.clinic.another_program() as other:
        other.execute("ALTER TABLE feeds RENAME TO feeds_away")
    with closing(ward.connect()) as connection:
        connection.sendall(oru())
        assert answer_on(connection) == b""
    assert ward.grades() == []
    with ward.clinic.another_program() as other:
        other.execute("ALTER TABLE feeds_away RENAME TO feeds")
    assert code_of(ward.send(oru())[0]) == "AA"
    assert ward.grades() == [("P-1", 2)]


def test_given_a_sender_who_says_nothing_when_he_idles_then_his_connection_ends(clinic: Clinic) -> None:
    with a_ward(clinic, replace(FEED, idle=timedelta(milliseconds=100))) as ward, closing(ward.connect()) as connection:
        assert connection.recv(1) == b""


def test_given_a_listener_when_ended_then_the_port_is_free_and_open_connections_end(clinic: Clinic) -> None:
    ward = Ward(clinic, FEED)
    with closing(ward.connect()) as connection:
        connection.sendall(oru())
        assert code_of(answer_on(connection)) == "AA"
        ward.listener.end()
        assert connection.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        ward.connect()


def test_given_a_port_that_is_taken_when_begun_then_the_mistake_says_so(clinic: Clinic) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        feed = replace(FEED, listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ConfigError, match="cannot listen on"):
            Listener(lambda: clinic.site, "lab", feed, lambda: on(36), _silent).begin()


def test_given_a_certificate_when_a_sender_speaks_tls_then_he_is_served_and_one_in_clear_is_not(
    clinic: Clinic, certificate: tuple[Path, Path]
) -> None:
    feed = replace(FEED, certificate=str(certificate[0]), key=str(certificate[1]))
    context = ssl.create_default_context(cafile=str(certificate[0]))
    with a_ward(clinic, feed) as ward:
        with context.wrap_socket(ward.connect(), server_hostname="localhost") as secured:
            secured.sendall(oru())
            assert code_of(answer_on(secured)) == "AA"
        with closing(ward.connect()) as clear:
            clear.sendall(oru())
            assert b"MSA" not in _rest(lambda: clear.recv(4096))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of localhost, signed by itself, and its key."""
    found = tmp_path / "certificate.pem", tmp_path / "key.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, "-out", str(found[0]), "-keyout"]
    subprocess.run([*new, str(found[1])], check=True, capture_output=True)
    return found


def _rest(receive: Callable[[], bytes]) -> bytes:
    try:
        return receive()
    except OSError:
        return b""


def _silent(_job: str) -> None:
    """Wakes nobody."""
