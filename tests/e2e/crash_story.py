"""A ward where everything is about to happen: at its next start the daemon tells, corrects, reminds, collects and is answered.

``told_ward`` makes it once; ``copy_of`` gives it to as many daemons as wanted, each with a relay of its own.
"""

from __future__ import annotations

import re
import shutil
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

from monitor.service import clock
from tests.e2e.installation import NURSES, Installation
from tests.e2e.nursery import Nursery
from tests.e2e.ward import admit, assess, daemon, is_known, waiting
from tests.smtp_server import SmtpServer

NEW, CORRECTED, UNANSWERED, ANSWERED, LATE = "P-NEW", "P-CORRECTED", "P-UNANSWERED", "P-ANSWERED", "P-LATE"
MORE = """\
operations:
  address: it-duty@hospital.example
answers:
  address: alerts-reply@hospital.example
  maildir: answers
"""
_MAILTO = re.compile(r'href="mailto:[^"?]*\?subject=([^"&]*)')
SECONDS = 60.0


def told_ward(folder: Path) -> Path:
    """Two hours ago three patients were told of. Since then one record was corrected, one alert was answered by mail, one
    patient more got worse, and of another it became known only now.
    """
    with SmtpServer() as relay:
        installed = Installation(folder, relay.port)
        with installed.config.open("a", encoding="utf-8") as config:
            config.write(MORE)
        for place in ("new", "cur", "tmp"):
            (folder / "answers" / place).mkdir(parents=True)
        admit(installed, (NEW, CORRECTED, UNANSWERED, ANSWERED))
        admit(installed, (LATE,), days_ago=40)
        for patient in (CORRECTED, UNANSWERED, ANSWERED):
            assess(installed, patient, days_ago=1)
        installed.call("poll", "--at", (clock.now() - timedelta(hours=2)).isoformat())
        assert len(relay.taken) == 3 * len(NURSES)
        (key,) = installed.rows("SELECT message_id FROM messages WHERE patient_id = ? LIMIT 1", ANSWERED)[0]
        answered = next(mail for mail in relay.mails if mail.message["Message-ID"] == key)
    html = answered.message.get_body(preferencelist=("html",))
    assert html is not None
    link = _MAILTO.search(str(html.get_content()))
    assert link is not None
    reply = (
        f"From: <{answered.recipient}>\nTo: alerts-reply@hospital.example\nSubject: {unquote(link[1])}\nMessage-ID: <1@x>\n\n\n"
    )
    (folder / "answers" / "new" / "1").write_text(reply, encoding="utf-8")
    installed.write("UPDATE assessments SET walking = 'unaided', motor_grade = 0 WHERE patient_id = ?", CORRECTED)
    assess(installed, NEW)
    assess(installed, LATE, days_ago=40)
    return folder


def copy_of(folder: Path, into: Path, relay: SmtpServer) -> Installation:
    """The ward, with ``relay`` as its relay."""
    shutil.copytree(folder, into)
    installed = Installation(into, relay.port)
    with installed.config.open("a", encoding="utf-8") as config:
        config.write(MORE)
    return installed


def last_told(installed: Installation) -> int:
    """The number of the last message that had arrived before."""
    (number,) = installed.rows("SELECT max(id) FROM messages WHERE state = 'accepted'")[0]
    return int(number)


def all_happened(installed: Installation) -> bool:
    """Whether all of the story was told, recorded and answered, and nothing is left to do."""
    kinds = {kind for (kind,) in installed.rows("SELECT kind FROM messages WHERE state = 'accepted'")}
    states = dict(installed.rows("SELECT patient_id, state FROM alerts WHERE rule = 'rapid-motor-decline'"))
    return (
        kinds >= {"alert", "correction", "reminder", "digest"}
        and (states.get(CORRECTED), states.get(ANSWERED)) == ("withdrawn", "acknowledged")
        and is_known(installed, NEW)
        and is_known(installed, LATE)
        and not installed.rows("SELECT id FROM changes")
        and not waiting(installed)
    )


def runs_to_the_end(nursery: Nursery, installed: Installation, **environ: str) -> None:
    """A daemon until all has happened, then stopped in good order."""
    with daemon(nursery, installed, **environ) as watching:
        end = time.monotonic() + SECONDS
        while watching.code is None and not all_happened(installed):
            assert time.monotonic() < end, "the story did not come to its end"
            time.sleep(0.1)
