"""One ward, two hundred daemons, each killed at some moment nobody chose, while another program goes on writing facts.

BIPN_MONITOR_KILLS_SEED draws other moments, BIPN_MONITOR_KILLS is another number of them; a failure names its seed.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.crash_story import SECONDS
from tests.e2e.installation import Installation
from tests.e2e.nursery import Nursery
from tests.e2e.ward import admit, assert_told, assess, copies, daemon, held_back, is_known, waiting
from tests.smtp_server import SmtpServer

SEED = int(os.environ.get("BIPN_MONITOR_KILLS_SEED", "3"))
KILLS = int(os.environ.get("BIPN_MONITOR_KILLS", "200"))
PATIENTS = [f"P-{number:04}" for number in range(KILLS)]
IN_A_SENDING_AT_LEAST = KILLS // 20
"""So many of the kills have to fall into the sending of a mail; else they would prove little."""


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def test_given_a_daemon_killed_again_and_again_when_it_is_left_alone_at_last_then_everybody_was_told_of_everything(
    tmp_path: Path, relay: SmtpServer
) -> None:
    draw = random.Random(SEED)  # noqa: S311  # nothing is kept secret by it
    installed = Installation(tmp_path / "site", relay.port)
    admit(installed, PATIENTS)
    installed.call("poll")
    with Nursery(installed) as nursery:
        for patient in PATIENTS:
            a_fact(draw, installed, patient)
            watching = nursery.start(installed, "run")
            if draw.random() < 0.5:  # from its start on
                time.sleep(draw.uniform(0, 0.8))
            else:  # about when it sends
                said = len(relay.commands)
                end = time.monotonic() + 2
                while len(relay.commands) == said and time.monotonic() < end:
                    time.sleep(0.001)
                time.sleep(draw.uniform(0, 0.06))
            watching.kill()
        with daemon(nursery, installed) as last:
            end = time.monotonic() + SECONDS
            while installed.rows("SELECT id FROM changes") or held_back(installed) or waiting(installed):
                assert time.monotonic() < end, f"seed {SEED}: the last daemon does not come to its end\n{last.log}"
                time.sleep(0.1)
    told = copies(relay.mails)
    assert all(is_known(installed, patient) for patient in PATIENTS), f"seed {SEED}"
    assert_told(installed, told, most=KILLS)
    unknown = Counter(dict(installed.rows(UNKNOWN)))
    times = Counter(copy.message_id for copy in told)
    too_often = {message: count for message, count in times.items() if count > 1 + unknown[message]}
    assert too_often == {}, f"seed {SEED}: more copies than kills that fell into their sending"
    assert unknown.total() >= IN_A_SENDING_AT_LEAST, f"seed {SEED}: {unknown.total()} kills fell into a sending"


UNKNOWN = """\
SELECT message_id, count(*) FROM attempts JOIN messages ON messages.id = attempts.message
WHERE outcome = 'indeterminate' GROUP BY message_id
"""


CORRECTED = "UPDATE assessments SET walking = 'unaided', motor_grade = 0 WHERE patient_id = ? AND walking = 'wheelchair'"


def a_fact(draw: random.Random, installed: Installation, patient: str) -> None:
    """One patient gets worse; now and then one of before does again, or was not so ill after all."""
    assess(installed, patient)
    other = draw.choice(PATIENTS)
    match draw.randrange(4):
        case 0:
            assess(installed, other, "bedbound")
        case 1:
            corrected = (
                "UPDATE assessments SET walking = 'unaided', motor_grade = 0 WHERE patient_id = ? AND walking = 'wheelchair'"
            )
            installed.write(corrected, other)
