"""What an administrator does wrong, and what he is told then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.smtp_server import SmtpServer


@pytest.fixture(scope="module")
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, relay: SmtpServer) -> Installation:
    """A configuration and an empty database."""
    installed = Installation(tmp_path / "site", relay.port)
    installed.call("migrate")
    return installed


def configure(site: Installation, old: str, new: str) -> None:
    text = site.config.read_text(encoding="utf-8")
    assert old in text
    site.config.write_text(text.replace(old, new), encoding="utf-8")


def test_given_a_password_that_cannot_be_used_when_looking_or_sending_then_only_sending_is_refused(site: Installation) -> None:
    secret = site.folder / "smtp_password"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o644)  # as refused as one that is root's alone
    for words in (["status"], ["alerts"], ["replay"]):
        assert "smtp_password" not in site.call(*words, code=None).err
    site.call("poll")  # this relay asks for none
    configure(site, "insecure: true", "insecure: true, username: monitor")
    assert site.call("status").err == ""
    for command in ("poll", "run"):
        assert "smtp_password can be read by everybody" in site.call(command, code=2).err


def test_given_a_place_that_cannot_be_written_when_mails_are_previewed_then_2_and_no_traceback(site: Installation) -> None:
    refused = site.call("preview", "test", "--out", site.config, code=2)
    assert "cannot be written" in refused.err
    assert refused.out == ""
