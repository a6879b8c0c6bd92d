"""XOAUTH2: tokens from a real HTTP server on loopback, taken or refused by the scripted relay."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from monitor.delivery.conversation import RelayAddress
from monitor.delivery.email import Outcome, send
from monitor.delivery.oauth import Grant, TokenError, Tokens
from monitor.delivery.walk import walk
from tests.smtp_server import SmtpServer

SENDER, NURSE, SECRET = "alerts@hospital.example", "nurse@hospital.example", "the-secret"
MAIL = b"Subject: look\r\n\r\nbody\r\n"


class TokenServer:
    """Answers with ``replies`` in turn, the last again and again: a status and a body. ``asked`` are the forms that came."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, object]] = []
        self.asked: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                outer.asked.append({name: values[0] for name, values in form.items()})
                status, body = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # the library names it so
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> TokenServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def gives(self, *tokens: str, life: int = 3600) -> None:
        self.replies = [(200, {"access_token": token, "expires_in": life, "token_type": "Bearer"}) for token in tokens]


@pytest.fixture
def endpoint() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer(tokens={"monitor@hospital.example": "good"}) as running:
        yield running


def tokens_of(url: str) -> Tokens:
    return Tokens(Grant(token_url=url, client_id="app", scope="mail.send", secret=SECRET, timeout_seconds=5))


def address_of(relay: SmtpServer) -> RelayAddress:
    return RelayAddress(host="127.0.0.1", port=relay.port, tls="none", username="monitor@hospital.example", timeout_seconds=5)


def hand_over(relay: SmtpServer, tokens: Tokens) -> Outcome:
    return asyncio.run(send(address_of(relay), SENDER, NURSE, MAIL, tokens=tokens, deadline_seconds=10))


def test_given_a_token_when_sent_then_it_is_asked_for_once_and_logs_in_again_and_again(
    endpoint: TokenServer, relay: SmtpServer
) -> None:
    endpoint.gives("good")
    tokens = tokens_of(endpoint.url)
    assert [hand_over(relay, tokens).kind for _ in range(3)] == ["accepted"] * 3
    assert endpoint.asked == [
        {"grant_type": "client_credentials", "client_id": "app", "client_secret": SECRET, "scope": "mail.send"}
    ]
    assert relay.mails[0].user == "monitor@hospital.example"


def test_given_a_token_that_is_about_to_expire_when_sent_then_another_is_asked_for(
    endpoint: TokenServer, relay: SmtpServer
) -> None:
    endpoint.gives("good", life=59)
    tokens = tokens_of(endpoint.url)
    assert [hand_over(relay, tokens).kind for _ in range(2)] == ["accepted"] * 2
    assert len(endpoint.asked) == 2


def test_given_a_kept_token_that_the_relay_refuses_when_sent_then_one_is_fetched_anew_and_the_mail_goes(
    endpoint: TokenServer, relay: SmtpServer
) -> None:
    endpoint.gives("good", "better")
    tokens = tokens_of(endpoint.url)
    assert hand_over(relay, tokens).kind == "accepted"
    relay.tokens = {"monitor@hospital.example": "better"}
    assert hand_over(relay, tokens).kind == "accepted"
    assert len(endpoint.asked) == 2


def test_given_a_new_token_that_the_relay_refuses_when_sent_then_it_is_the_relay_s_fault_and_no_more_are_asked_for(
    endpoint: TokenServer, relay: SmtpServer
) -> None:
    endpoint.gives("bad")
    outcome = hand_over(relay, tokens_of(endpoint.url))
    assert (outcome.kind, outcome.code, outcome.at) == ("relay_fault", 535, "login")
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {"error": "invalid_client", "error_description": "the secret has expired"}, "401: invalid_client - the secret has"),
        (500, "<html>", "answered 500"),
        (200, "<html>", "holds no token"),
        (200, {"token": "x"}, "holds no token"),
        (200, {"access_token": "two words"}, "holds no token"),
        (302, "", "answered 302"),
    ],
)
def test_given_an_endpoint_that_gives_no_token_when_sent_then_the_relay_is_at_fault_at_the_step_token(
    endpoint: TokenServer, relay: SmtpServer, status: int, body: object, said: str
) -> None:
    endpoint.replies = [(status, body)]
    outcome = hand_over(relay, tokens_of(endpoint.url))
    assert (outcome.kind, outcome.at) == ("relay_fault", "token")
    assert said in outcome.words
    assert SECRET not in outcome.words
    assert not relay.mails


def test_given_an_endpoint_in_clear_text_or_gone_when_asked_then_the_secret_does_not_leave(endpoint: TokenServer) -> None:
    with pytest.raises(TokenError, match="not https"):
        asyncio.run(tokens_of("http://login.hospital.example/token").get())
    with TokenServer() as gone:
        url = gone.url
    with pytest.raises(TokenError, match="cannot be asked"):
        asyncio.run(tokens_of(url).get())


def test_given_a_relay_without_xoauth2_when_walked_then_that_is_said(endpoint: TokenServer) -> None:
    endpoint.gives("good")
    with SmtpServer(users={"a": "b"}) as plain:
        steps = asyncio.run(walk(address_of(plain), SENDER, NURSE, MAIL, tokens=tokens_of(endpoint.url), deadline_seconds=5))
    assert [(step.name, step.ok) for step in steps][-2:] == [("token", True), ("AUTH", False)]
    assert "offers no XOAUTH2" in steps[-1].words


def test_given_no_token_when_the_fallback_is_walked_then_the_step_is_named_with_the_fallback_s_settings(
    endpoint: TokenServer, relay: SmtpServer
) -> None:
    endpoint.replies = [(401, {"error": "invalid_client"})]
    tokens = tokens_of(endpoint.url)
    steps = asyncio.run(walk(address_of(relay), SENDER, NURSE, MAIL, tokens=tokens, deadline_seconds=5, fallback=True))
    assert (steps[-1].name, steps[-1].ok) == ("token", False)
    assert "invalid_client" in steps[-1].words
    assert "mail.fallback_relay.oauth" in steps[-1].words
    assert "smtp_oauth_secret_fallback" in steps[-1].words


def test_given_an_endpoint_that_spells_its_answer_for_ever_when_the_deadline_passes_then_nothing_waits_for_it(
    relay: SmtpServer,
) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def spell() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not over.wait(0.05):
                    connection.sendall(b"x")

        spelling = threading.Thread(target=spell)
        spelling.start()
        grant = Grant(token_url=f"http://127.0.0.1:{listener.getsockname()[1]}/", client_id="c", scope="s", secret=SECRET)
        address = RelayAddress(host="127.0.0.1", port=relay.port, tls="none", username="monitor@hospital.example")
        begun = time.monotonic()
        try:
            outcome = asyncio.run(send(address, SENDER, NURSE, MAIL, tokens=Tokens(grant), deadline_seconds=0.5))
            took = time.monotonic() - begun
        finally:
            over.set()
            spelling.join()
    assert (outcome.kind, outcome.at) == ("relay_fault", "token")
    assert took < 5
