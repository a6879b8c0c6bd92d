"""Whatever happens, in whatever order: facts, corrections, clock steps, a relay that fails, people, reloads, kills.

Hypothesis draws the story and looks for one that breaks a promise. A kill is real: a child process that does the round
and the sending ends itself at a crash point, with nothing cleaned up, and the next one finds what it left.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter, defaultdict
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from monitor.clinical.alerts import SPEAKS
from monitor.clinical.findings import Urgency
from monitor.delivery.message import REPEAT
from monitor.errors import UsageError
from monitor.service import acts
from monitor.service.cycle import watch_once
from monitor.service.holder import has_died
from monitor.service.opening import open_site
from monitor.service.passing_on import pass_on
from monitor.service.post import send_due
from monitor.store import claims
from tests.service.clinic import CONFIG, NORTH, Clinic, on
from tests.smtp_server import DROP, SmtpServer

PATIENTS = ("P-1", "P-2", "P-3")
CHAIN = """\
people:
  chief: {name: Chief, address: chief@hospital.example, language: en}
"""
ESCALATION = """\
    escalation:
      immediate: [{to: [chief]}]
      same-day: [{to: [chief]}]
"""
QUIET = """\
    quiet_hours: {from: "20:00", until: "07:00"}
"""
FAULTS = {
    "busy for one": (f"RCPT {NORTH[0]}", "450 4.2.0 busy"),
    "unknown recipient": (f"RCPT {NORTH[1]}", "550 5.1.1 no such user"),
    "mailbox full": (f"RCPT {NORTH[0]}", "552 5.2.2 full"),
    "not let in": ("MAIL", "535 5.7.8 no"),
    "content refused": (".", "554 5.6.0 not this content"),
    "answer lost": (".", DROP),
    "hangs up": ("banner", DROP),
    "closing": ("MAIL", "421 4.3.2 closing"),
}
KILLS = (
    "before commit: round", "after commit: round", "before commit: claim", "after commit: claim", "after MAIL", "after RCPT",
    "after DATA", "after 250", "before commit: outcome", "after commit: outcome", "before commit: escalation",
    "after commit: escalation", "before commit: digest", "after commit: digest",
)  # fmt: skip


class Ward(RuleBasedStateMachine):
    """One clinic and its story so far. ``now`` is the clinic's clock: it goes on, jumps, and is set back."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        memory = Path("/dev/shm")  # noqa: S108  # hundreds of stories: what a sync costs is measured elsewhere
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.relay = self.stack.enter_context(SmtpServer())
        self.now = on(30, 9)
        self.visits = 0
        self.files = count()
        self.open(QUIET)
        self.acknowledged: dict[int, tuple[datetime, int]] = {}  # alert: (raised_at, newest message then)
        self.killed = 0

    def open(self, more: str) -> None:
        written = CONFIG.format(port=self.relay.port, north=ESCALATION + more)
        (self.folder / "monitor.yaml").write_text(CHAIN + written, encoding="utf-8")
        self.site = open_site(self.folder / "monitor.yaml", create=True)
        self.clinic = Clinic(self.folder, self.relay, self.site, self.files)

    @initialize()
    def three_patients(self) -> None:
        self.clinic.on_bortezomib(*PATIENTS, until_day=28)
        for patient in PATIENTS:
            self.clinic.assess(patient, 0, walking="unaided", sensory_grade=0, neuropathic_pain="no", known=on(0, 10))

    @rule(
        patient=st.sampled_from(PATIENTS),
        walking=st.sampled_from(("unaided", "cane", "wheelchair")),
        grade=st.integers(0, 3),
        pain=st.sampled_from(("yes", "no", "")),
    )
    def visit(self, patient: str, walking: str, grade: int, pain: str) -> None:
        self.visits += 1
        day = (self.now - on(0, 0)).days
        found = {"walking": walking, "sensory_grade": grade, "neuropathic_pain": pain}
        self.clinic.assess(patient, day, known=self.now, source=f"{patient}-v{self.visits}", **found)

    @precondition(lambda self: self.visits)
    @rule(patient=st.sampled_from(PATIENTS), number=st.integers(1, 5))
    def correct(self, patient: str, number: int) -> None:
        with self.clinic.another_program() as sql:
            sql.execute(
                "UPDATE assessments SET walking = 'unaided', sensory_grade = 0, recorded_at = ?"
                " WHERE patient_id = ? AND source_id = ? AND superseded_at IS NULL",
                (self.now.isoformat(), patient, f"{patient}-v{number}"),
            )

    @rule(minutes=st.sampled_from((1, 5, 61, 600, 1500, 4400)))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(hours=st.sampled_from((-1, 1)))
    def clock_is_set(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(fault=st.sampled_from(sorted(FAULTS)), once=st.booleans())
    def relay_fails(self, fault: str, once: bool) -> None:
        key, reply = FAULTS[fault]
        if once:
            self.relay.script(key, reply)
        else:
            self.relay.always(key, reply)

    @rule()
    def relay_is_mended(self) -> None:
        self.relay.forget_script()

    @rule()
    def tick(self) -> None:
        watch_once(self.site, self.now)
        send_due(self.site, self.now)

    @rule(point=st.sampled_from(KILLS), times=st.integers(1, 2))
    def killed_at(self, point: str, times: int) -> None:
        self.site.database.close()
        child = os.fork()
        if child == 0:
            os.environ["BIPN_MONITOR_CRASH_AT"] = f"{point}:{times}"
            try:
                with open_site(self.folder / "monitor.yaml") as site:
                    watch_once(site, self.now)
                    send_due(site, self.now)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        self.killed += os.waitstatus_to_exitcode(status) != 0
        with self.site.database.write() as connection:  # as the daemon does when it starts
            claims.release_dead(connection, self.now, has_died)

    @rule(more=st.sampled_from((QUIET, "")))
    def reload(self, more: str) -> None:
        self.site.database.close()
        self.open(more)

    @rule(number=st.integers(1, 6))
    def acknowledge(self, number: int) -> None:
        try:
            after = acts.acknowledge(self.site, f"A-{number}", by="Nurse", note=None, now=self.now)
        except UsageError:  # there is no such alert, or it is closed
            return
        if number not in self.acknowledged or self.acknowledged[number][0] != after.raised_at:
            self.acknowledged[number] = (after.raised_at, self.rows("SELECT coalesce(max(id), 0) FROM messages")[0][0])

    @rule(number=st.integers(1, 6))
    def snooze(self, number: int) -> None:
        try:
            acts.snooze(
                self.site, f"A-{number}", until=self.now + timedelta(hours=20), by="Nurse", reason="visit is booked", now=self.now
            )
        except UsageError:
            return

    @rule(number=st.integers(1, 6), address=st.sampled_from((*NORTH, "chief@hospital.example")))
    def pass_on(self, number: int, address: str) -> None:
        try:
            pass_on(self.site, f"A-{number}", by=address, address=address, reason=None, now=self.now)
        except UsageError:  # there is no such alert, somebody has taken it on, or it is closed or over
            return

    @invariant()
    def whatever_is_open_is_told_will_be_told_or_says_why_not(self) -> None:
        told = self.messages_of_alerts()
        waiting = {row[0] for row in self.rows("SELECT alert_id FROM escalations WHERE done_at IS NULL")}
        for alert in self.clinic.alerts(open_only=True):
            assert alert.alert_id is not None
            in_digest = self.rows("SELECT 1 FROM digest_entries WHERE alert_id = ?", alert.alert_id)
            if alert.state == "open" and alert.holds:
                assert told[alert.alert_id] or in_digest, f"nobody is told of {alert}"
                assert alert.alert_id in waiting or in_digest, f"nobody will be asked again about {alert}"
        for state, reason, kind in self.rows("SELECT state, reason, kind FROM messages WHERE state IN ('dead', 'cancelled')"):
            assert reason, f"a {kind} message is {state} without a reason"

    @invariant()
    def what_is_acknowledged_does_not_speak_unless_worse(self) -> None:
        by_id = {alert.alert_id: alert for alert in self.clinic.alerts()}
        for number, (raised_at, newest) in self.acknowledged.items():
            if by_id[number].raised_at == raised_at and by_id[number].state == "acknowledged":
                spoke = [each for each in self.messages_of_alerts()[number] if each[0] > newest]
                # A plain mail stands in for one that was decided before.
                late = [each for each in spoke if each[1] not in ("correction", "plain")]
                assert late == [], f"A-{number} spoke after it was acknowledged"

    @invariant()
    def copies_are_marked_and_in_order(self) -> None:
        numbers = {message_id: id_ for id_, message_id in self.rows("SELECT id, message_id FROM messages")}
        unsure = Counter(row[0] for row in self.rows("SELECT message FROM attempts WHERE outcome = 'indeterminate'"))
        copies: Counter[str] = Counter()
        newest: dict[tuple[str, int], int] = defaultdict(int)
        alerts_of = {id_: json.loads(ids) for id_, ids in self.rows("SELECT id, alert_ids FROM messages")}
        kinds = dict(self.rows("SELECT id, kind FROM messages"))
        for mail in self.relay.mails:
            message_id = str(mail.message["Message-ID"])
            copies[message_id] += 1
            number = numbers[message_id]
            if copies[message_id] > 1:
                assert REPEAT in mail.text, "a second copy that does not say that it may be one"
                assert copies[message_id] <= 1 + unsure[number], "more copies than attempts that ended unknown"
                continue
            if kinds[number] == "digest":
                continue  # a list as of a day, not a word about one episode
            for alert in alerts_of[number]:
                assert number > newest[mail.recipient, alert], "an older mail of the episode came after a newer one"
                newest[mail.recipient, alert] = number

    def teardown(self) -> None:
        try:
            if self.visits:
                self.everybody_hears_in_the_end()
        finally:
            self.site.database.close()
            self.stack.close()
            shutil.rmtree(self.folder)

    def everybody_hears_in_the_end(self) -> None:
        """The relay is mended and some days pass: nothing waits any more, and all that spoke was told to each of the team."""
        self.relay.forget_script()
        for _ in range(12):
            self.now += timedelta(hours=7)
            watch_once(self.site, self.now)
            send_due(self.site, self.now)
        waiting = self.rows(
            "SELECT id, kind, state, attempts, next_attempt_at, lease_until FROM messages"
            " WHERE state IN ('pending', 'sending') AND created_at < ?",
            (self.now - timedelta(hours=15)).strftime("%Y-%m-%d %H:%M:%S"),
        )
        assert waiting == [], self.now
        assert self.rows("SELECT count(*) FROM digest_entries") in ([(0,)], [(1,)], [(2,)])  # of today, at most
        spoken = {
            row[0]
            for row in self.rows(
                f"SELECT alert_id FROM alert_events WHERE reason IN ({', '.join(repr(str(each)) for each in SPEAKS)}) AND at < ?",
                (self.now - timedelta(hours=30)).strftime("%Y-%m-%d %H:%M:%S"),
            )
        }
        told = self.messages_of_alerts()
        by_id = {alert.alert_id: alert for alert in self.clinic.alerts()}
        cancelled = self.rows("SELECT recipient_address, alert_ids FROM messages WHERE state = 'cancelled'")
        for alert in spoken:
            if by_id[alert].state in ("resolved", "withdrawn") and by_id[alert].urgency is Urgency.REVIEW and not told[alert]:
                continue  # over before the day's digest
            heard = {address for _, _, state, address in told[alert] if state == "accepted"}
            refused = {address for _, _, state, address in told[alert] if state == "dead"}
            spared = {address for address, alerts in cancelled if alert in json.loads(alerts)}
            assert heard | refused | spared >= set(NORTH), f"A-{alert} was not told to everybody"
            if by_id[alert].urgency is not Urgency.REVIEW and by_id[alert].acknowledged_at is None:  # review: again after a week
                assert heard, f"A-{alert} was told to nobody"

    def messages_of_alerts(self) -> dict[int, list[tuple[int, str, str, str]]]:
        """Number, kind, state and recipient of each message that names an alert; cancelled ones told nobody."""
        found: dict[int, list[tuple[int, str, str, str]]] = defaultdict(list)
        for id_, kind, state, address, alert_ids in self.rows(
            "SELECT id, kind, state, recipient_address, alert_ids FROM messages WHERE state != 'cancelled'"
        ):
            for alert in json.loads(alert_ids):
                found[alert].append((id_, kind, state, address))
        return found

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.clinic.another_program() as sql:
            return list(sql.execute(statement, values))


Ward.TestCase.settings = settings(
    max_examples=int(os.environ.get("BIPN_STORIES", "15")),  # more on a quiet evening
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
TestWard = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")(Ward.TestCase)
