"""Somebody presses Ctrl-C while a mail is on its way: it is seen to its end, and what became of it is known."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.installation import Installation, until
from tests.smtp_server import SmtpServer


def test_given_a_mail_on_its_way_when_interrupted_then_its_end_is_waited_for_and_recorded(tmp_path: Path) -> None:
    with SmtpServer(delay_seconds=0.4) as relay:
        installed = Installation(tmp_path / "site", relay.port)
        installed.run("import", installed.case_files(until=datetime(2011, 3, 15, 20, tzinfo=UTC)))
        polling = installed.start("poll", "--at", "2011-03-15T21:00")
        until(lambda: relay.bodies == 1, what="the mail")
        polling.send_signal(signal.SIGINT)
        polling.communicate(timeout=20)
        assert polling.returncode != 0
        assert [mail.taken for mail in relay.mails] == [True]
        states = dict(installed.rows("SELECT state, count(*) FROM messages GROUP BY state"))
    assert states["accepted"] == 1
    assert "sending" not in states
    assert installed.rows("SELECT outcome, relay FROM attempts") == [("accepted", "relay")]
