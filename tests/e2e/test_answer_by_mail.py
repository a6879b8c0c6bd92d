"""The whole way of an answer: the program as processes, the mail as the nurse has it, her answer in the mailbox."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor import crash_points
from monitor.service import clock
from tests.e2e.installation import NURSES, Installation, until, write_csv
from tests.e2e.test_daemon import PATIENT, a_patient_on_bortezomib
from tests.postfix import Postfix
from tests.smtp_server import ReceivedMail, SmtpServer

EVENING = datetime(2011, 3, 15, 20, tzinfo=UTC)
LOST_WALKING, SOON_AFTER = "2011-03-15T21:00", "2011-03-15T21:05"
ADDRESS, CHIEF = "alerts-reply@hospital.example", "chief@hospital.example"
MORE = f"""\
    escalation:
      immediate: [{{to: [chief]}}]
people:
  chief: {{name: C. Chief, address: {CHIEF}, language: en}}
answers: {{address: {ADDRESS}, maildir: answers}}
"""


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def installed(tmp_path: Path, relay: SmtpServer) -> Installation:
    """One that knows the published case."""
    installation = an_installation(tmp_path, relay.port)
    installation.call("import", installation.case_files(until=EVENING))
    return installation


def an_installation(tmp_path: Path, port: int) -> Installation:
    """One that reads answers and has somebody to pass alerts on to."""
    installation = Installation(tmp_path / "site", port)
    installation.config.write_text(installation.config.read_text(encoding="utf-8") + MORE, encoding="utf-8")
    for place in ("new", "cur", "tmp"):
        (installation.folder / "answers" / place).mkdir(parents=True)
    return installation


class Links(HTMLParser):
    """What a mail program, or a scanner, finds to open in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src", "action", "background") and value]


def links(mail: ReceivedMail) -> list[str]:
    page = mail.message.get_body(preferencelist=("html",))
    assert page is not None
    return Links(str(page.get_content())).found


def arrives(installed: Installation, name: str, *lines: str) -> None:
    (installed.folder / "answers" / "tmp" / name).write_text("\n".join(lines), encoding="utf-8")
    (installed.folder / "answers" / "tmp" / name).rename(installed.folder / "answers" / "new" / name)


def answer(installed: Installation, mail: ReceivedMail, note: str) -> None:
    """What the nurse's mail program sends after a click on the first link: to whom and under which subject it says."""
    parts = urlsplit(links(mail)[0])
    subject = parse_qs(parts.query)["subject"][0]
    assert (parts.scheme, parts.path) == ("mailto", ADDRESS)
    arrives(installed, "1.answer", f"From: {mail.recipient}", f"To: {parts.path}", f"Subject: {subject}", "", note)


def open_alerts(installed: Installation) -> dict[str, str | None]:
    """The state of each alert about lost walking, and who acknowledged it."""
    return dict(installed.rows("SELECT state, acknowledged_by FROM alerts WHERE rule = 'rapid-motor-decline'"))


def test_given_a_nurse_who_sends_the_mail_when_polled_then_the_alert_is_acknowledged_and_nobody_else_is_told(
    installed: Installation, relay: SmtpServer
) -> None:
    installed.run("poll", "--at", LOST_WALKING)
    mail = next(mail for mail in relay.mails if mail.recipient == NURSES[0])
    assert mail.sender.startswith("alerts-reply+b-")
    answer(installed, mail, "On my way.")
    installed.run("poll", "--at", SOON_AFTER)
    assert open_alerts(installed) == {"acknowledged": "Nurse on duty (by mail)"}
    installed.call("poll", "--at", "2011-03-16T09:00")
    assert CHIEF not in [mail.recipient for mail in relay.mails]
    assert [path.name for path in (installed.folder / "answers" / "cur").iterdir()] == ["1.answer:2,S"]
    assert "On my way." in "".join(str(row) for row in installed.rows("SELECT acknowledged_note FROM alerts"))


def test_given_an_out_of_office_reply_when_polled_then_the_next_is_told_at_once_and_nothing_is_acknowledged(
    installed: Installation, relay: SmtpServer
) -> None:
    installed.run("poll", "--at", LOST_WALKING)
    mail = next(mail for mail in relay.mails if mail.recipient == NURSES[0])
    arrives(
        installed,
        "1.vacation",
        "Return-Path: <>",
        f"From: {NURSES[0]}",
        f"To: {mail.sender}",
        f"Subject: Automatic reply: {mail.message['Subject']}",
        "Auto-Submitted: auto-replied",
        "",
        "Back in January.",
    )
    installed.run("poll", "--at", SOON_AFTER)
    assert [mail.recipient for mail in relay.mails if mail.recipient == CHIEF] == [CHIEF]
    assert open_alerts(installed) == {"open": None}
    passed_on = next(mail for mail in relay.mails if mail.recipient == CHIEF)
    assert "an out-of-office reply" in " ".join(passed_on.text.split())
    answer(installed, passed_on, "")
    installed.call("poll", "--at", "2011-03-15T21:10")
    assert open_alerts(installed) == {"acknowledged": "C. Chief (by mail)"}


@pytest.mark.parametrize("point", ["before commit: answers", "after commit: answers"])
def test_given_a_crash_around_the_commit_when_polled_again_then_the_answer_counts_once(
    installed: Installation, relay: SmtpServer, point: str
) -> None:
    installed.call("poll", "--at", LOST_WALKING)
    answer(installed, next(mail for mail in relay.mails if mail.recipient == NURSES[0]), "")
    crashed = installed.start("poll", "--at", SOON_AFTER, BIPN_MONITOR_CRASH_AT=point)
    crashed.communicate(timeout=60)
    assert crashed.returncode == crash_points.EXIT_CODE
    assert [path.name for path in (installed.folder / "answers" / "new").iterdir()] == ["1.answer"]
    installed.call("poll", "--at", SOON_AFTER)
    assert open_alerts(installed) == {"acknowledged": "Nurse on duty (by mail)"}
    assert installed.rows("SELECT kind, count(*) FROM answers") == [("acknowledged", 1)]
    events = installed.rows("SELECT count(*) FROM alert_events WHERE reason = 'acknowledged' GROUP BY alert_id")
    assert set(events) == {(1,)}


def test_given_a_real_postfix_that_took_a_mail_it_cannot_deliver_when_polled_then_its_bounce_hands_over(tmp_path: Path) -> None:
    with Postfix.here() as postfix:
        postfix.set("virtual_alias_maps", f"inline:{{ {{ {NURSES[0]} = gone@elsewhere.example }} }}")
        installed = an_installation(tmp_path, postfix.port)
        mailbox = postfix.folder / "mail" / "all"  # of every address here, so that our own mails are in it too
        written = installed.config.read_text(encoding="utf-8").replace("maildir: answers", f"maildir: {mailbox}")
        installed.config.write_text(f"{written}operations: {{address: it-duty@hospital.example}}\n", encoding="utf-8")
        installed.call("import", installed.case_files(until=EVENING))
        installed.call("poll", "--at", LOST_WALKING, code=None)  # there is no mailbox yet: it is made by the first mail
        postfix.wait_for(2)  # the other nurse's, and the bounce
        installed.call("poll", "--at", SOON_AFTER)
        told = {mail.recipient: mail.text for mail in postfix.wait_for(4)}
        assert installed.rows("SELECT words FROM answers WHERE kind = 'bounce'") == [
            ("not delivered, status 5.0.0; 3 brought forward",)
        ]
    assert "a mail that did not arrive" in " ".join(told[CHIEF].split())
    assert "came back: not delivered, status 5.0.0" in " ".join(told["it-duty@hospital.example"].split())


def test_given_every_link_of_every_mail_when_a_scanner_opens_them_then_there_is_nothing_to_get(
    installed: Installation, relay: SmtpServer
) -> None:
    installed.call("poll", "--at", LOST_WALKING)
    installed.call("poll", "--at", "2011-03-16T09:00")
    assert len(relay.mails) > 2
    for mail in relay.mails:
        assert all(link.startswith(("mailto:", "cid:")) for link in links(mail))  # cid: the figure, which is in the mail itself
        assert not re.search(r"https?:", mail.text)


def test_given_a_daemon_when_an_answer_waits_then_it_is_read_without_being_asked(tmp_path: Path, relay: SmtpServer) -> None:
    installed = an_installation(tmp_path, relay.port)
    today = clock.now().date()
    a_patient_on_bortezomib(installed, today)
    seen = {"patient_id": PATIENT, "assessed_at": f"{today}", "ctcae_version": "5", "walking": "wheelchair"}
    installed.call("import", write_csv(installed.folder / "assessments.csv", [seen]))
    installed.call("poll")
    answer(installed, next(mail for mail in relay.mails if mail.recipient == NURSES[0]), "")
    daemon = installed.start("run")
    try:
        until(lambda: installed.rows("SELECT 1 FROM answers WHERE kind = 'acknowledged'"), seconds=30, what="the answer")
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=60)
    assert "Traceback" not in err
    assert installed.rows("SELECT DISTINCT acknowledged_by FROM alerts") == [("Nurse on duty (by mail)",)]
    assert NURSES[0] not in err
