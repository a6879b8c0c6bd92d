"""A real IMAP server of one's own: Debian's Dovecot in a private folder, on loopback, with a self-signed certificate.

with Dovecot.here() as server:                     # skips the test where there is none
    server.deliver(data)                           # a new mail in the mailbox
    server.port, server.tls_port, server.certificate, server.flags()
"""

from __future__ import annotations

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
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.smtp_server import Certificate, self_signed

USER, PASSWORD = "alerts-reply", "correct-horse"
SECONDS_TO_START = 20.0
CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
auth_failure_delay = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """See the module."""

    folder: Path
    port: int
    tls_port: int
    certificate: Certificate

    def __post_init__(self) -> None:
        self._numbers = count()

    @classmethod
    @contextmanager
    def here(cls) -> Iterator[Dovecot]:
        """Started, and stopped afterwards."""
        if shutil.which("dovecot") is None:
            pytest.skip("no dovecot here: apt-get install dovecot-imapd")
        version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout
        if not version.startswith("2.3."):
            pytest.skip(f"the configuration below is for Dovecot 2.3, not {version.split()[0]}")
        if os.geteuid() != 0:
            pytest.skip("Dovecot changes to another user, which only root may do")
        folder = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))  # its sockets need a short path
        try:
            server = cls(folder, _free_port(), _free_port(), self_signed(folder))
            with server._running():
                yield server
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def deliver(self, data: bytes) -> None:
        """Put a mail into the mailbox as a mail server does."""
        name = f"{next(self._numbers):06}.test.localhost"
        (self.folder / "mail" / "tmp" / name).write_bytes(data)
        shutil.chown(self.folder / "mail" / "tmp" / name, "nobody")
        (self.folder / "mail" / "tmp" / name).rename(self.folder / "mail" / "new" / name)

    def flags(self) -> list[str]:
        """The flags of each mail that a client saw, in the order of delivery; "" for none."""
        names = sorted(path.name for place in ("new", "cur") for path in (self.folder / "mail" / place).iterdir())
        return [name.partition(":2,")[2] for name in names]

    @contextmanager
    def _running(self) -> Iterator[None]:
        nobody = pwd.getpwnam("nobody")
        for place in ("", "run", "state", "mail", "mail/new", "mail/cur", "mail/tmp"):
            (self.folder / place).mkdir(exist_ok=True)
            (self.folder / place).chmod(0o755)
            os.chown(self.folder / place, nobody.pw_uid, nobody.pw_gid)
        config = self.folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                folder=self.folder,
                certificate=self.certificate.certificate,
                key=self.certificate.key,
                user="nobody",
                group="nogroup",
                password=PASSWORD,
                port=self.port,
                tls_port=self.tls_port,
            ),
            encoding="utf-8",
        )
        process = subprocess.Popen(["dovecot", "-F", "-c", str(config)], stderr=subprocess.PIPE, text=True)
        try:
            self._await_start(process)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)

    def _await_start(self, process: subprocess.Popen[str]) -> None:
        end = time.monotonic() + SECONDS_TO_START
        while True:
            log = self.folder / "dovecot.log"
            told = log.read_text(encoding="utf-8") if log.exists() else ""
            assert process.poll() is None, f"dovecot ended: {process.communicate()[1]}{told}"
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                    if connection.recv(4) == b"* OK":
                        return
            except OSError:
                pass
            assert time.monotonic() < end, f"dovecot did not start: {told}"
            time.sleep(0.05)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
