"""A real Postfix of one's own: its own folder, queue, certificate and port on loopback. Nothing of the machine's is touched.

    with Postfix.here() as relay:                                              # skips the test where there is none
        relay.set("smtpd_tls_security_level", "none")                          # any line of main.cf, in force at once
        relay.answer("nurse@hospital.example", "450 4.2.0 busy")               # at RCPT; None: taken again
        relay.mails()                                                          # what reached a mailbox

Every address at hospital.example has a mailbox. Postfix changes to its own user, which only root may do.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.smtp_server import Certificate, self_signed

PROGRAM = "/usr/sbin/postfix"
DOMAIN = "hospital.example"
SECONDS_TO_START = 20.0

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
error     unix  - - n -     - error
retry     unix  - - n -     - error
virtual   unix  - n n -     - virtual
anvil     unix  - - n -     1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class DeliveredMail:
    """One mail in a mailbox. ``recipient`` is who Postfix delivered it to, whatever its headers say."""

    recipient: str
    message: email.message.EmailMessage

    @property
    def text(self) -> str:
        """The text/plain part."""
        part = self.message.get_body(preferencelist=("plain",))
        assert part is not None
        return str(part.get_content())


@dataclass
class Postfix:
    """See the module. ``certificate`` is made anew for each, and self-signed."""

    folder: Path
    port: int
    certificate: Certificate
    _set: dict[str, str] = field(default_factory=dict)
    _answers: dict[str, str] = field(default_factory=dict)
    _running: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def here(cls) -> Iterator[Postfix]:
        """A running one. Skips the test, visibly, where Postfix is not installed or we are not root."""
        if not Path(PROGRAM).exists():
            pytest.skip("Postfix is not installed: apt install --no-install-recommends postfix")
        if os.geteuid() != 0:
            pytest.skip("Postfix needs root to change to its own user")
        folder = Path(tempfile.mkdtemp(prefix="postfix-"))  # not pytest's own: Postfix's user must be able to reach it
        folder.chmod(0o755)
        relay = cls(folder, _free_port(), _certificate(folder))
        try:
            relay.start()
            yield relay
        finally:
            relay.stop()
            shutil.rmtree(folder)

    def start(self) -> None:
        """Runs it and waits until it is ready."""
        self._lay_out()
        starts = self.log.count("daemon started")
        self._running = subprocess.Popen(
            [PROGRAM, "-c", str(self.folder / "etc"), "start-fg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._until_it_runs(starts)

    def stop(self) -> None:
        """Ends it by the process group of its master. Nothing to do where it does not run."""
        if self._running is None:
            return
        with (self.folder / "spool" / "pid" / "master.pid").open("r+") as pid_file:
            os.killpg(int(pid_file.read()), signal.SIGTERM)
            self._running.wait(timeout=20)
            fcntl.flock(pid_file, fcntl.LOCK_EX)  # held until the last of its processes has ended
        self._running = None

    def set(self, name: str, value: str | None) -> None:
        """One line of main.cf, None for what it was at first; in force when this returns."""
        self._set.pop(name, None)
        if value is not None:
            self._set[name] = value
        self._again()

    def answer(self, address: str, reply: str | None) -> None:
        """What RCPT for this address is answered from now on; None takes it again."""
        self._answers.pop(address, None)
        if reply is not None:
            self._answers[address] = reply
        self._again()

    def mails(self) -> list[DeliveredMail]:
        """Everything that was delivered, oldest first."""
        paths = sorted((self.folder / "mail" / "all" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [_delivered(path.read_bytes()) for path in paths]

    def wait_for(self, count: int, *, seconds: float = 15) -> list[DeliveredMail]:
        """The mails once there are ``count``; AssertionError, with Postfix's log, when there are not in time."""
        until = time.monotonic() + seconds
        while len(found := self.mails()) < count:
            assert time.monotonic() < until, f"{len(found)} of {count} mails came\n{self.log}"
            time.sleep(0.05)
        return found

    @property
    def log(self) -> str:
        """What Postfix wrote about itself."""
        path = self.folder / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _lay_out(self) -> None:
        for name in ("etc", "spool", "data", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
        owner = pwd.getpwnam("postfix")
        for name in ("data", "mail"):
            os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        (self.folder / "etc" / "master.cf").write_text(MASTER.format(port=self.port), encoding="ascii")
        self._write_main()

    def _write_main(self) -> None:
        etc = self.folder / "etc"
        whole = "".join(f"{name} = {value}\n" for name, value in {**self._at_first(), **self._set}.items())
        (etc / "main.cf").write_text(whole, encoding="ascii")
        answers = "".join(f"{address} {reply}\n" for address, reply in self._answers.items())
        (etc / "answers").write_text(answers, encoding="ascii")
        for name in ("main.cf", "answers"):
            os.utime(etc / name, (0, 0))  # Postfix waits two seconds before it trusts a file that has just changed

    def _at_first(self) -> dict[str, str]:
        owner, answers = pwd.getpwnam("postfix"), f"texthash:{self.folder}/etc/answers"
        return {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.folder}/spool",
            "data_directory": f"{self.folder}/data",
            "maillog_file": f"{self.folder}/log",
            "maillog_file_prefixes": f"{self.folder}",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "myhostname": "localhost.localdomain",
            "mydestination": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "smtpd_peername_lookup": "no",
            "default_transport": "error:this relay leads nowhere",
            "relay_transport": "error:this relay leads nowhere",
            "alias_maps": "",
            "local_recipient_maps": "",
            "notify_classes": "",
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_base": f"{self.folder}/mail",
            "virtual_mailbox_maps": "static:all/",
            "virtual_minimum_uid": "1",
            "virtual_uid_maps": f"static:{owner.pw_uid}",
            "virtual_gid_maps": f"static:{owner.pw_gid}",
            "smtpd_tls_cert_file": f"{self.certificate.certificate}",
            "smtpd_tls_key_file": f"{self.certificate.key}",
            "smtpd_tls_security_level": "may",
            "smtpd_delay_reject": "no",
            "smtpd_error_sleep_time": "0",
            "smtpd_recipient_restrictions": f"check_recipient_access {answers}, reject_unauth_destination",
        }

    def _again(self) -> None:
        """Not by a reload: a process of before might still take the next connection."""
        self._write_main()
        if self._running is not None:
            self.stop()
            self.start()

    def _until_it_runs(self, starts: int) -> None:
        """It listens before that, and would then miss a signal."""
        until = time.monotonic() + SECONDS_TO_START
        while self.log.count("daemon started") == starts:
            assert time.monotonic() < until, f"Postfix does not start\n{self.log}"
            time.sleep(0.02)


def _certificate(folder: Path) -> Certificate:
    made = self_signed(folder)
    made.key.chmod(0o600)
    return made


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _delivered(data: bytes) -> DeliveredMail:
    message = email.message_from_bytes(data, policy=email.policy.default)
    return DeliveredMail(recipient=str(message["Delivered-To"]), message=message)
