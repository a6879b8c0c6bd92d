"""A relay that fails: nothing is burnt, the fallback takes over, one mail tries it again, and it heals without a hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.delivery.message import REPEAT
from monitor.service import back_off
from monitor.service.holder import has_died, own_holder
from monitor.service.opening import open_site
from monitor.service.post import send_due
from monitor.store import claims
from monitor.store.troubles import all_troubles
from tests.delivery.test_oauth import TokenServer
from tests.engines import instant_of
from tests.service.clinic import Clinic, on
from tests.service.test_post import enqueued, rows
from tests.smtp_server import DROP, SmtpServer

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOON = on(36, 15)
DOWN = "421 4.3.2 not now"


@pytest.fixture
def fallback() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@contextmanager
def configured(clinic: Clinic, fallback: SmtpServer | None, more: str = "") -> Iterator[Clinic]:
    """The clinic with a second relay, and whatever else its configuration says."""
    path = clinic.folder / "monitor.yaml"
    second = f"  fallback_relay: {{host: 127.0.0.1, port: {fallback.port}, insecure: true}}\n" if fallback else ""
    path.write_text(path.read_text(encoding="utf-8").replace("teams:\n", f"{second}teams:\n") + more, encoding="utf-8")
    with open_site(path) as site:
        yield Clinic(clinic.folder, clinic.relay, site)


def troubles(clinic: Clinic) -> list[str]:
    with clinic.site.database.read() as connection:
        return sorted(trouble.name for trouble in all_troubles(connection))


def test_given_a_relay_that_fails_when_it_was_tried_then_it_is_left_alone_until_one_mail_tries_it_again(clinic: Clinic) -> None:
    enqueued(clinic, 6)
    clinic.relay.always("banner", DOWN)
    sent = send_due(clinic.site, NOON)
    assert (sent.accepted, sent.failed) == (0, 1)
    assert sent.relay_fault is not None
    assert "not now (at connect)" in sent.relay_fault
    tried = clinic.relay.connections
    assert send_due(clinic.site, NOON + 10 * SECOND).relay_fault is None
    assert clinic.relay.connections == tried
    assert send_due(clinic.site, NOON + 16 * SECOND).failed == 1
    assert clinic.relay.connections == tried + 1
    assert troubles(clinic) == ["relay"]
    assert rows(clinic, "SELECT state, sum(attempts), count(*) FROM messages GROUP BY state") == [("pending", 0, 6)]
    clinic.relay.forget_script()
    assert send_due(clinic.site, NOON + 2 * MINUTE).accepted == 6
    assert not any(REPEAT in mail.text for mail in clinic.relay.mails)
    assert troubles(clinic) == []
    assert rows(clinic, "SELECT * FROM circuits") == []


def test_given_a_relay_that_stays_away_when_tried_again_and_again_then_the_waits_grow_to_five_minutes(clinic: Clinic) -> None:
    enqueued(clinic, 1)
    clinic.relay.always("EHLO", DOWN)
    at, waits = NOON, []
    for _ in range(7):
        assert send_due(clinic.site, at).failed == 1
        ((probe_at,),) = rows(clinic, "SELECT probe_at FROM circuits")
        wait = (instant_of(probe_at) - at).total_seconds()
        waits.append(wait)
        at += timedelta(seconds=wait + 1)
    for wait, most in zip(waits, [15, 30, 60, 120, 300, 300, 300], strict=True):
        assert most * 0.79 <= wait <= most + 1
    clinic.relay.forget_script()
    assert send_due(clinic.site, at).accepted == 1


def test_given_somebody_who_waits_when_a_relay_failed_a_moment_ago_then_it_is_tried_at_once(clinic: Clinic) -> None:
    enqueued(clinic, 1)
    clinic.relay.script("banner", DOWN)
    send_due(clinic.site, NOON)
    assert send_due(clinic.site, NOON + SECOND).accepted == 0
    assert send_due(clinic.site, NOON + SECOND, force_probe=True).accepted == 1


@pytest.mark.parametrize(("key", "reply"), [("banner", DROP), ("MAIL", "550 5.7.1 sender refused"), ("RCPT", "530 5.7.0 log in")])
def test_given_a_fallback_when_the_relay_fails_then_every_mail_takes_it_in_the_same_burst(
    clinic: Clinic, fallback: SmtpServer, key: str, reply: str
) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 6)
        clinic.relay.always(key, reply)
        sent = send_due(clinic.site, NOON)
        assert (sent.accepted, sent.failed, sent.relay_fault) == (6, 0, None)
        assert len(fallback.mails) == 6
        assert not any(REPEAT in mail.text for mail in fallback.mails)
        assert troubles(clinic) == ["relay"]
        assert rows(clinic, "SELECT relay, count(*) FROM attempts WHERE outcome = 'accepted' GROUP BY relay") == [("fallback", 6)]


def test_given_a_relay_that_works_again_when_its_time_has_come_then_it_heals_and_takes_the_mail(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 1)
        clinic.relay.script("banner", DOWN)
        send_due(clinic.site, NOON)
        assert (len(clinic.relay.mails), len(fallback.mails)) == (0, 1)
        assert send_due(clinic.site, NOON + MINUTE).accepted == 0  # nothing waits: a greeting is enough
        assert troubles(clinic) == []
        assert "MAIL" not in " ".join(clinic.relay.commands)


def test_given_both_relays_down_when_they_come_back_then_everything_goes_once(clinic: Clinic, fallback: SmtpServer) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 5)
        for relay in (clinic.relay, fallback):
            relay.always("EHLO", DOWN)
        sent = send_due(clinic.site, NOON)
        assert sent.accepted == 0
        assert sent.relay_fault is not None
        assert troubles(clinic) == ["fallback-relay", "relay"]
        fallback.forget_script()
        assert send_due(clinic.site, NOON + MINUTE).accepted == 5
        assert troubles(clinic) == ["relay"]
        clinic.relay.forget_script()
        send_due(clinic.site, NOON + 3 * MINUTE)
        assert troubles(clinic) == []
        assert (len(clinic.relay.mails), len(fallback.mails)) == (0, 5)


def test_given_a_fallback_that_is_configured_no_more_when_mail_is_sent_then_its_trouble_is_over(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    without = (clinic.folder / "monitor.yaml").read_text(encoding="utf-8")
    with configured(clinic, fallback) as both:
        enqueued(both, 1)
        for relay in (clinic.relay, fallback):
            relay.always("EHLO", DOWN)
        send_due(both.site, NOON)
    (clinic.folder / "monitor.yaml").write_text(without, encoding="utf-8")
    send_due(clinic.site, NOON + SECOND)
    assert troubles(clinic) == ["relay"]


def test_given_a_relay_that_fails_for_longer_when_another_one_works_then_operations_are_told_once_a_day(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    with configured(clinic, fallback, "operations: {address: it@hospital.example}\n") as clinic:
        enqueued(clinic, 1)
        clinic.relay.always("banner", DOWN)
        for minutes in range(6):
            send_due(clinic.site, NOON + minutes * MINUTE)
        alarms = [mail for mail in fallback.mails if mail.recipient == "it@hospital.example"]
        assert len(alarms) == 1
        words = " ".join(alarms[0].text.split())
        assert "the mail relay takes no mail: 4.3.2 not now (at connect)" in words
        assert "test-mail" in words
        send_due(clinic.site, NOON + timedelta(days=1))
        assert len([mail for mail in fallback.mails if mail.recipient == "it@hospital.example"]) == 2


def test_given_a_relay_that_swallows_mails_when_it_did_so_twice_then_the_others_take_the_fallback(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 4)
        clinic.relay.always(".", DROP)
        sent = send_due(clinic.site, NOON)
        assert (sent.accepted, sent.failed) == (2, 2)
        assert len(clinic.relay.mails) == 2
        sent = send_due(clinic.site, NOON + 2 * MINUTE)
        assert len(fallback.mails) >= 3
        assert all(REPEAT in mail.text for mail in fallback.mails[2:])


def test_given_a_clock_that_was_set_back_when_a_relay_had_failed_then_it_is_tried_all_the_same(clinic: Clinic) -> None:
    enqueued(clinic, 1)
    clinic.relay.script("banner", DOWN)
    send_due(clinic.site, NOON + timedelta(hours=1))
    assert send_due(clinic.site, NOON).accepted == 1


def test_given_a_claim_of_a_process_that_died_when_a_daemon_starts_then_it_goes_at_once_and_says_so(clinic: Clinic) -> None:
    enqueued(clinic, 2)
    with clinic.site.database.write() as connection:
        claims.claim_due(connection, now=NOON, limit=1, lease=3 * MINUTE, holder=own_holder(NOON).replace(":", ":9", 1))
    assert send_due(clinic.site, NOON + SECOND).accepted == 1
    with clinic.site.database.write() as connection:
        assert claims.release_dead(connection, NOON + SECOND, has_died) == 1
    assert send_due(clinic.site, NOON + SECOND).accepted == 1
    assert [REPEAT in mail.text for mail in clinic.relay.mails] == [False, True]


def test_given_an_outcome_that_this_process_did_not_record_when_it_sends_again_then_the_lease_is_not_waited_for(
    clinic: Clinic,
) -> None:
    enqueued(clinic, 1)
    with clinic.site.database.write() as connection:
        claims.claim_due(connection, now=NOON, limit=1, lease=3 * MINUTE, holder="ours")
    assert send_due(clinic.site, NOON + SECOND, holder="another's").accepted == 0
    assert send_due(clinic.site, NOON + SECOND, holder="ours").accepted == 1
    assert REPEAT in clinic.relay.mails[0].text


def test_given_waits_when_asked_for_again_then_they_are_the_same_and_differ_between_messages() -> None:
    waits = [back_off.after_refusal(f"<{number}@clinic>", 2) for number in range(50)]
    assert waits == [back_off.after_refusal(f"<{number}@clinic>", 2) for number in range(50)]
    assert 5 * MINUTE <= min(waits) < max(waits) <= 6 * MINUTE
    assert len(set(waits)) == 50
    assert back_off.after_fault("relay.example", 99) <= 5 * MINUTE


def test_given_a_progress_that_is_watched_when_sending_then_every_mail_is_a_step_of_it(clinic: Clinic, tmp_path: Path) -> None:
    enqueued(clinic, 5)
    steps: list[int] = []
    send_due(clinic.site, NOON, progress=lambda: steps.append(1))
    assert len(steps) == 5


@pytest.mark.parametrize("reply", ["451 4.3.0 lookup failed", "554 5.7.1 client host rejected"])
def test_given_a_relay_that_lets_nobody_be_written_to_when_another_one_does_then_it_takes_them_in_the_same_burst(
    clinic: Clinic, fallback: SmtpServer, reply: str
) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 6)
        clinic.relay.always("RCPT", reply)
        assert send_due(clinic.site, NOON).accepted == 6
        assert len(fallback.mails) == 6
        assert rows(clinic, "SELECT relay, outcome FROM attempts WHERE message = 1")[-1] == ("fallback", "accepted")
        assert troubles(clinic) == ["relay"]  # that the other one helps out does not hide it


def test_given_a_relay_that_refuses_what_a_mail_says_when_another_one_takes_it_then_no_plain_mail_is_needed(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 3)
        clinic.relay.always(".", "554 5.7.1 content refused")
        assert send_due(clinic.site, NOON).accepted == 3
        assert rows(clinic, "SELECT DISTINCT kind, state FROM messages") == [("alert", "accepted")]
        assert troubles(clinic) == []


def test_given_a_mailbox_that_is_full_when_there_is_a_fallback_then_it_does_not_hide_that(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    with configured(clinic, fallback) as clinic:
        enqueued(clinic, 1)
        clinic.relay.always("RCPT", "452 4.2.2 mailbox full")
        assert send_due(clinic.site, NOON).accepted == 0
        assert fallback.mails == []


def test_given_a_defect_on_the_way_to_a_relay_when_another_one_works_then_everybody_gets_theirs_from_it(
    clinic: Clinic, fallback: SmtpServer
) -> None:
    with TokenServer() as endpoint:
        endpoint.replies = [(200, "[" * 60_000)]  # deeper than Python reads: no error that a client library is known to raise
        oauth = f"username: monitor, oauth: {{token_url: '{endpoint.url}', client_id: monitor, scope: mail}}"
        path = clinic.folder / "monitor.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("insecure: true", f"insecure: true, {oauth}"), encoding="utf-8")
        (clinic.folder / "smtp_oauth_secret").write_text("secret", encoding="utf-8")
        (clinic.folder / "smtp_oauth_secret").chmod(0o600)
        with configured(clinic, fallback) as changed:
            enqueued(changed, 6)
            assert send_due(changed.site, NOON).accepted == 6
            assert len(fallback.mails) == 6
            (said,) = {reply for (reply,) in rows(changed, "SELECT reply FROM attempts WHERE outcome <> 'accepted'")}
            assert said == "a defect of the program: RecursionError"
