"""Mailboxes as they are: a maildir on this machine, or a folder of an IMAP server. Read, flagged as seen, never deleted.

A mail is flagged only after what it brought was committed; whoever is interrupted between the two reads it again and
knows it by its hash. A mail that cannot be read is passed over and stays; the ones after it are read.
"""

from __future__ import annotations

import imaplib
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from monitor.delivery.email import cleaned
from monitor.delivery.inbound import LARGEST_MAIL
from monitor.errors import MonitorError

MOST_AT_ONCE = 200
"""Mails of one reading; the others wait for the next, so that a flood cannot hold up what else there is to do."""

_SEEN = "S"
_LITERAL = re.compile(rb"BODY\[\]")


class MailboxError(MonitorError):
    """The mailbox cannot be read. The text says what to do; no address and no password is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapAddress:
    """Where the mailbox is. ``tls`` "none" is a plain connection."""

    host: str
    port: int
    tls: Literal["implicit", "starttls", "none"]
    username: str
    mailbox: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail that nobody has dealt with; at most its first 256 KB. ``handled`` flags it. Raises MailboxError."""

    data: bytes
    handled: Callable[[], None]

    @property
    def key(self) -> str:
        """What the mail is known by for ever: the hash of its bytes."""
        return sha256(self.data).hexdigest()


Mailbox = Callable[[], AbstractContextManager[Iterator[Mail]]]


@contextmanager
def open_maildir(folder: Path) -> Iterator[Iterator[Mail]]:
    """The mails in ``new`` and ``cur`` that are not flagged as seen, the oldest name first. Raises MailboxError."""
    try:
        waiting = sorted(_unseen(folder), key=lambda path: path.name)[:MOST_AT_ONCE]
    except OSError as error:
        raise MailboxError(f"the maildir {folder} cannot be read: {error.strerror}; it needs the folders new and cur") from None
    yield _read_files(waiting, folder)


@contextmanager
def open_imap(address: ImapAddress, password: str, *, tls_context: ssl.SSLContext | None = None) -> Iterator[Iterator[Mail]]:
    """The unseen mails of an IMAP folder. Raises MailboxError. Blocks for at most ``timeout_seconds`` a step."""
    with _told(address):
        client = _connected(address, tls_context or ssl.create_default_context())
    try:
        with _told(address):
            client.login(address.username, password)
            _expect(client.select(_quoted(address.mailbox)), "the mailbox cannot be opened")
            found = _expect(client.uid("SEARCH", "UNSEEN"), "the mailbox cannot be searched")
            uids = (found[0] or b"").split()[:MOST_AT_ONCE]
        yield _fetched(client, address, uids)
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            client.logout()


def _unseen(folder: Path) -> Iterator[Path]:
    for place in ("new", "cur"):
        for entry in os.scandir(folder / place):
            _, _, flags = entry.name.partition(":2,")
            if not entry.name.startswith(".") and _SEEN not in flags and entry.is_file():
                yield Path(entry.path)


def _read_files(waiting: list[Path], folder: Path) -> Iterator[Mail]:
    """Raises MailboxError after the last one where some could not be read: an answer may be among them."""
    unread, why = 0, ""
    for path in waiting:
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_MAIL)
        except FileNotFoundError:  # another program moved it meanwhile; it is read the next time
            continue
        except OSError as error:
            unread, why = unread + 1, error.strerror or type(error).__name__
            continue
        yield Mail(data=data, handled=partial(_flag, path, folder / "cur"))
    if unread:
        raise MailboxError(f"{unread} mail{'s' if unread > 1 else ''} in {folder} cannot be opened ({why}); the others are read")


def _flag(path: Path, seen: Path) -> None:
    name, _, flags = path.name.partition(":2,")
    try:
        path.rename(seen / f"{name}:2,{''.join(sorted({*flags, _SEEN}))}")
    except FileNotFoundError:  # moved meanwhile
        return
    except OSError as error:
        raise MailboxError(f"a mail in {path.parent} cannot be flagged as seen: {error.strerror}") from None


def _connected(address: ImapAddress, tls_context: ssl.SSLContext) -> imaplib.IMAP4:
    if address.tls == "implicit":
        return imaplib.IMAP4_SSL(address.host, address.port, ssl_context=tls_context, timeout=address.timeout_seconds)
    client = imaplib.IMAP4(address.host, address.port, timeout=address.timeout_seconds)
    if address.tls == "starttls":
        try:
            client.starttls(ssl_context=tls_context)
        except BaseException:
            with suppress(OSError):  # the connection may be closed already
                client.shutdown()
            raise
    return client


def _fetched(client: imaplib.IMAP4, address: ImapAddress, uids: list[bytes]) -> Iterator[Mail]:
    """Raises MailboxError after the last one where some were not handed out: an answer may be among them."""
    unread = 0
    for uid in uids:
        with _told(address):
            answer = client.uid("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{LARGEST_MAIL}>)")
        data = next((part[1] for part in answer[1] if isinstance(part, tuple) and _LITERAL.search(part[0])), None)
        if answer[0] != "OK" or data is None:
            unread += 1
            continue
        yield Mail(data=data, handled=partial(_store, client, address, uid.decode()))
    if unread:
        raise MailboxError(f"the mail server does not hand out {unread} of the mails; the others are read")


def _store(client: imaplib.IMAP4, address: ImapAddress, uid: str) -> None:
    with _told(address):
        _expect(client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"), "a mail cannot be flagged as seen")


def _expect(answer: tuple[str, list[Any]], problem: str) -> list[Any]:
    if answer[0] != "OK":
        words = b" ".join(part for part in answer[1] if isinstance(part, bytes)).decode(errors="replace")
        raise MailboxError(f"{problem}: {cleaned(words)}")
    return answer[1]


def _words_of(error: imaplib.IMAP4.error) -> str:
    """The server's words; imaplib hands them on as bytes, or as their representation."""
    words = error.args[0] if error.args else ""
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)


def _quoted(mailbox: str) -> str:
    return '"' + mailbox.replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextmanager
def _told(address: ImapAddress) -> Iterator[None]:
    """A fault of the server as a MailboxError."""
    where = f"{address.host}, port {address.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise MailboxError(f"the certificate of the mail server at {where} is not trusted: {error.verify_message}") from None
    except TimeoutError:
        raise MailboxError(f"the mail server at {where} does not answer within {address.timeout_seconds:g} s") from None
    except imaplib.IMAP4.error as error:
        raise MailboxError(f"the mail server at {where} says: {cleaned(_words_of(error))}") from None
    except OSError as error:
        raise MailboxError(f"the mail server at {where} cannot be reached: {cleaned(str(error))}") from None
    except ValueError:  # imaplib refuses a name or password with control or non-ASCII characters; its words would quote it
        raise MailboxError("the mailbox's name, username or password has characters that IMAP cannot carry here") from None
