"""A real SMTP server on loopback that does as its script says. For every test that sends mail.

    with SmtpServer() as server:                                       # takes everything
        server.script("RCPT", "450 4.2.0 busy")                        # the next RCPT; later ones are taken again
        server.always("RCPT nurse@hospital.example", "550 no such user")
        server.always(".", DROP)                                       # has the mail, and hangs up before its 250
    server.mails[0].recipient, server.mails[0].message["Subject"]

Keys: "banner", an SMTP verb, a verb and an address ("RCPT a@b", "MAIL a@b"), "DATA" (before the body), "." (after it).
"""

from __future__ import annotations

import base64
import contextlib
import email
import email.message
import email.policy
import re
import socket
import ssl
import subprocess
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

DROP = "DROP"  # hang up
SILENT = "SILENT"  # say nothing until the client goes away

_ADDRESS = re.compile(r"<([^>]*)>")


@dataclass(frozen=True)
class ReceivedMail:
    """One message that the server has, dots unstuffed. ``taken`` is whether the client was told 250."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    over_tls: bool
    user: str | None
    taken: bool

    @property
    def recipient(self) -> str:
        """The only recipient. ValueError if there were several."""
        (only,) = self.recipients
        return only

    @property
    def message(self) -> email.message.EmailMessage:
        """The parsed mail."""
        return email.message_from_bytes(self.data, policy=email.policy.default)

    @property
    def text(self) -> str:
        """The text/plain part."""
        part = self.message.get_body(preferencelist=("plain",))
        assert part is not None
        return str(part.get_content())


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of localhost. ``trusting`` is a client's context that knows it."""

    certificate: Path
    key: Path

    def serving(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def self_signed(folder: Path, *, names: str = "DNS:localhost,IP:127.0.0.1") -> Certificate:
    """Made by the ``openssl`` program, good for two days and for these names."""
    made = Certificate(certificate=folder / "certificate.pem", key=folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", f"subjectAltName={names}",
         "-addext", "keyUsage=critical,digitalSignature,keyCertSign", "-keyout", str(made.key), "-out", str(made.certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


class SmtpServer:
    """See the module. ``tls`` offers STARTTLS, or TLS from the first byte with ``implicit_tls``; ``users`` demands AUTH.

    ``tokens`` are the XOAUTH2 tokens that are good, by user. Every reply comes after ``delay_seconds``, as from afar.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        users: dict[str, str] | None = None,
        tokens: dict[str, str] | None = None,
        delay_seconds: float = 0.0,
        port: int = 0,
    ) -> None:
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.users = users
        self.tokens = tokens
        self.delay_seconds = delay_seconds
        self.most_at_once = 0  # connections that were open at the same time
        self.mails: list[ReceivedMail] = []
        self.commands: list[str] = []  # every line that came outside a body, AUTH without its secret
        self.connections = 0
        self.bodies = 0  # that came, refused ones too
        self._once: dict[str, list[str]] = defaultdict(list)
        self._always: dict[str, str] = {}
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def script(self, key: str, *replies: str) -> None:
        """The next replies to ``key``, one each; afterwards what ``always`` says, or success."""
        self._once[key].extend(replies)

    def always(self, key: str, reply: str) -> None:
        """The reply to ``key`` from now on."""
        self._always[key] = reply

    def forget_script(self) -> None:
        """Takes everything again."""
        self._once.clear()
        self._always.clear()

    @property
    def taken(self) -> list[ReceivedMail]:
        """The mails answered with 250."""
        return [mail for mail in self.mails if mail.taken]

    def wait_for(self, count: int, *, seconds: float = 10) -> list[ReceivedMail]:
        """The mails once there are ``count``; AssertionError when there are not in time."""
        until = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < until, f"{len(self.mails)} of {count} mails came"
            time.sleep(0.02)
        return self.mails

    def hang_up(self) -> None:
        """Ends the connections that are open now; new ones are taken."""
        for connection in list(self._open):
            _hang_up(connection)

    def __enter__(self) -> SmtpServer:
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed by __exit__
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        self.most_at_once = max(self.most_at_once, len(self._open))
        try:
            if self._stopping:
                return
            _Dialogue(self, connection).run()
        except (OSError, EOFError):  # the client went away, refused our certificate, or we are stopping
            pass
        finally:
            self._open.discard(connection)
            connection.close()

    def reply_to(self, verb: str, address: str = "") -> str | None:
        """What the script says, the more particular key first; None when it says nothing."""
        for key in (f"{verb} {address}", verb) if address else (verb,):
            if self._once[key]:
                return self._once[key].pop(0)
            if key in self._always:
                return self._always[key]
        return None


class _Dialogue:
    """One connection."""

    def __init__(self, server: SmtpServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.lines = connection.makefile("rb")
        self.over_tls = False
        self.user: str | None = None
        self.sender = ""
        self.recipients: list[str] = []

    def run(self) -> None:
        try:
            if self.server.implicit_tls:
                self._wrap()
            self._answer("banner", "220 localhost ready")
            while self._one_command():
                pass
        finally:
            self.lines.close()
            self.connection.close()

    def _one_command(self) -> bool:
        line = self._line()
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        self.server.commands.append(line if verb != "AUTH" else " ".join(line.split()[:2]))
        match verb:
            case "EHLO":
                self._answer(verb, self._greeting())
            case "STARTTLS" if self.server.tls is not None:
                if self._answer(verb, "220 go ahead").startswith("220"):
                    self._wrap()
            case "AUTH":
                self._authenticate(rest)
            case "MAIL":
                self._mail(rest)
            case "RCPT":
                address = _address_in(rest)
                if self._answer(verb, "250 recipient taken", address).startswith("250"):
                    self.recipients.append(address)
            case "DATA":
                if self._answer(verb, "354 go on").startswith("354"):
                    self._body()
            case "QUIT":
                self._answer(verb, "221 bye")
                return False
            case "RSET" | "NOOP" | "HELO":
                self._answer(verb, "250 done")
            case _:
                self._say("502 not known here")
        return True

    def _mail(self, rest: str) -> None:
        if (self.server.users is not None or self.server.tokens is not None) and self.user is None:
            self._say("530 5.7.0 authentication required")
            return
        self.sender, self.recipients = _address_in(rest), []
        self._answer("MAIL", "250 sender taken", self.sender)

    def _body(self) -> None:
        data = b""
        while (line := self.lines.readline()) != b".\r\n":
            if not line:
                raise EOFError
            data += line[1:] if line.startswith(b".") else line
        reply = self.server.reply_to(".") or "250 2.0.0 taken"
        mail = ReceivedMail(self.sender, tuple(self.recipients), data, self.over_tls, self.user, reply.startswith("250"))
        self.server.bodies += 1
        if reply in (DROP, SILENT) or mail.taken:
            self.server.mails.append(mail)
        self._say(reply)

    def _authenticate(self, rest: str) -> None:
        method, _, initial = rest.partition(" ")
        if method.upper() == "XOAUTH2":
            self._authenticate_by_token(initial)
            return
        if method.upper() == "PLAIN":
            secret = base64.b64decode(initial or self._ask("334 "))
            user, password = secret.decode().split("\0")[1:]
        else:
            user = base64.b64decode(initial or self._ask("334 VXNlcm5hbWU6")).decode()
            password = base64.b64decode(self._ask("334 UGFzc3dvcmQ6")).decode()
        known = self.server.users is not None and self.server.users.get(user) == password
        if self._answer("AUTH", "235 welcome" if known else "535 5.7.8 wrong name or password").startswith("235"):
            self.user = user

    def _authenticate_by_token(self, initial: str) -> None:
        """RFC 7628 in Google's and Microsoft's older words: a refusal is a challenge that the client answers with nothing."""
        name, bearer, *_ = base64.b64decode(initial).decode().split("\1")
        user, token = name.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
        if self.server.tokens is not None and self.server.tokens.get(user) == token:
            if self._answer("AUTH", "235 2.7.0 accepted").startswith("235"):
                self.user = user
            return
        self._ask("334 " + base64.b64encode(b'{"status":"400","schemes":"Bearer"}').decode())
        self._say("535 5.7.3 Authentication unsuccessful")

    def _greeting(self) -> str:
        offers = ["localhost", "SIZE 10000000", "8BITMIME"]
        if self.server.tls is not None and not self.over_tls:
            offers.append("STARTTLS")
        if self.server.users is not None:
            offers.append("AUTH PLAIN LOGIN")
        if self.server.tokens is not None:
            offers.append("AUTH XOAUTH2")
        return "\r\n".join([f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"])

    def _wrap(self) -> None:
        assert self.server.tls is not None
        self.lines.close()
        self.server._open.discard(self.connection)  # noqa: SLF001  # two halves of one server
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.server._open.add(self.connection)  # noqa: SLF001
        self.lines = self.connection.makefile("rb")
        self.over_tls = True

    def _ask(self, challenge: str) -> str:
        self._say(challenge)
        return self._line()

    def _answer(self, verb: str, reply: str, address: str = "") -> str:
        said = self.server.reply_to(verb, address) or reply
        self._say(said)
        return said

    def _say(self, reply: str) -> None:
        if reply == DROP:
            raise EOFError
        if reply == SILENT:
            while self.lines.readline():
                pass
            raise EOFError
        if self.server.delay_seconds:
            time.sleep(self.server.delay_seconds)
        self.connection.sendall(reply.encode() + b"\r\n")

    def _line(self) -> str:
        line = self.lines.readline()
        if not line:
            raise EOFError
        return line.decode("utf-8", "replace").strip()


def _address_in(rest: str) -> str:
    found = _ADDRESS.search(rest)
    return found.group(1) if found else ""


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is gone already
        connection.shutdown(socket.SHUT_RDWR)
