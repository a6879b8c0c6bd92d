"""A real maildir and a real IMAP server: read, flagged when dealt with, never emptied."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.delivery.inbound import LARGEST_MAIL
from monitor.delivery.mailbox import ImapAddress, MailboxError, open_imap, open_maildir
from tests.dovecot import PASSWORD, USER, Dovecot

ONE, TWO = b"Subject: one\r\n\r\n1\r\n", b"Subject: two\r\n\r\n2\r\n"


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for place in ("new", "cur", "tmp"):
        (tmp_path / "mail" / place).mkdir(parents=True)
    (tmp_path / "mail" / "new" / "1.host").write_bytes(ONE)
    (tmp_path / "mail" / "cur" / "2.host:2,F").write_bytes(TWO)
    (tmp_path / "mail" / "cur" / "0.host:2,S").write_bytes(b"seen before")
    (tmp_path / "mail" / "new" / ".hidden").write_bytes(b"no mail")
    return tmp_path / "mail"


def names(maildir: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in maildir.rglob("*") if path.is_file())


def test_given_a_maildir_when_read_then_unseen_mails_come_and_stay_until_handled(maildir: Path) -> None:
    before = names(maildir)
    with open_maildir(maildir) as mails:
        assert [mail.data for mail in mails] == [ONE, TWO]
    assert names(maildir) == before
    with open_maildir(maildir) as mails:
        for mail in mails:
            mail.handled()
    assert names(maildir) == ["cur/0.host:2,S", "cur/1.host:2,S", "cur/2.host:2,FS", "new/.hidden"]
    with open_maildir(maildir) as mails:
        assert list(mails) == []


def test_given_a_mail_that_cannot_be_read_when_the_maildir_is_read_then_the_others_come(maildir: Path) -> None:
    (maildir / "new" / "0.gone").symlink_to(maildir / "nowhere")
    (maildir / "new" / "0.large").write_bytes(b"x" * (LARGEST_MAIL + 1))
    with open_maildir(maildir) as mails:
        assert [len(mail.data) for mail in mails] == [LARGEST_MAIL, len(ONE), len(TWO)]


def test_given_a_mail_moved_meanwhile_when_handled_then_nothing_fails(maildir: Path) -> None:
    with open_maildir(maildir) as mails:
        mail = next(mails)
        (maildir / "new" / "1.host").rename(maildir / "cur" / "1.host:2,")
        mail.handled()
    assert "cur/1.host:2," in names(maildir)


def test_given_no_maildir_when_read_then_it_is_told_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="needs the folders new and cur"), open_maildir(tmp_path / "nowhere"):
        pass
    (tmp_path / "half" / "new").mkdir(parents=True)
    with pytest.raises(MailboxError, match="half cannot be read"), open_maildir(tmp_path / "half"):
        pass


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with Dovecot.here() as server:
        yield server


@pytest.fixture
def dovecot(running: Dovecot) -> Dovecot:
    """The server with an empty mailbox."""
    for place in ("new", "cur"):
        for path in (running.folder / "mail" / place).iterdir():
            path.unlink()
    return running


def at(server: Dovecot, **changes: object) -> ImapAddress:
    usual: dict[str, object] = {
        "host": "localhost",
        "port": server.tls_port,
        "tls": "implicit",
        "username": USER,
        "mailbox": "INBOX",
        "timeout_seconds": 10.0,
    }
    return ImapAddress(**(usual | changes))  # type: ignore[arg-type]  # names and types as in the class


def test_given_an_imap_server_when_read_then_unseen_mails_come_and_are_seen_once_handled(dovecot: Dovecot) -> None:
    dovecot.deliver(ONE)
    dovecot.deliver(TWO)
    trusting = dovecot.certificate.trusting()
    with open_imap(at(dovecot), PASSWORD, tls_context=trusting) as mails:
        read = list(mails)
        assert [mail.data for mail in read] == [ONE, TWO]
        assert dovecot.flags() == ["", ""]
        read[1].handled()
    assert dovecot.flags() == ["", "S"]
    with open_imap(at(dovecot), PASSWORD, tls_context=trusting) as mails:
        (left,) = mails
        assert (left.data, left.key) == (ONE, read[0].key)


def test_given_starttls_when_read_then_mails_come(dovecot: Dovecot) -> None:
    dovecot.deliver(ONE)
    address = at(dovecot, port=dovecot.port, tls="starttls")
    with open_imap(address, PASSWORD, tls_context=dovecot.certificate.trusting()) as mails:
        assert [mail.data for mail in mails] == [ONE]


def test_given_a_large_mail_when_read_then_its_beginning_comes(dovecot: Dovecot) -> None:
    dovecot.deliver(ONE + b"x" * LARGEST_MAIL)
    with open_imap(at(dovecot), PASSWORD, tls_context=dovecot.certificate.trusting()) as mails:
        assert [len(mail.data) for mail in mails] == [LARGEST_MAIL]


@pytest.mark.parametrize(
    ("changes", "password", "words"),
    [
        ({}, "wrong-horse", "says: "),
        ({"mailbox": "Nowhere"}, PASSWORD, "the mailbox cannot be opened"),
        ({"mailbox": "Gr\u00fc\u00dfe"}, PASSWORD, "characters that IMAP cannot carry"),
    ],
)
def test_given_a_refusal_when_read_then_it_is_told_without_the_password(
    dovecot: Dovecot, changes: dict[str, object], password: str, words: str
) -> None:
    with (
        pytest.raises(MailboxError, match=words) as told,
        open_imap(at(dovecot, **changes), password, tls_context=dovecot.certificate.trusting()),
    ):
        pass
    assert password not in str(told.value)


def test_given_a_certificate_nobody_vouches_for_when_read_then_the_password_is_not_sent(dovecot: Dovecot) -> None:
    for address in (at(dovecot), at(dovecot, port=dovecot.port, tls="starttls")):
        with pytest.raises(MailboxError, match="certificate of the mail server at localhost"), open_imap(address, PASSWORD):
            pass


def test_given_a_plain_connection_on_this_machine_when_read_then_mails_come(dovecot: Dovecot) -> None:
    dovecot.deliver(ONE)
    with open_imap(at(dovecot, port=dovecot.port, tls="none"), PASSWORD) as mails:
        assert [mail.data for mail in mails] == [ONE]


def test_given_a_server_that_is_silent_or_gone_when_read_then_it_is_told_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = ImapAddress(host="127.0.0.1", port=port, tls="none", username=USER, mailbox="INBOX", timeout_seconds=0.2)
        with pytest.raises(MailboxError, match=r"does not answer within 0\.2 s"), open_imap(silent, PASSWORD):
            pass
    with pytest.raises(MailboxError, match="cannot be reached"), open_imap(silent, PASSWORD):
        pass
