"""The demo cohort in every way it can arrive: step by step or at once, in any order, it comes to the same alerts."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.clinical.alerts import Alert
from monitor.clinical.lifecycle import ACTIVE
from monitor.clinical.replay import replay
from monitor.importers.columns import COLUMNS
from monitor.service import ingest, replaying
from monitor.service.demo_feed import COHORT, demo_steps, write_step
from monitor.store import histories
from tests.service.clinic import ZONE, Clinic, a_clinic

END = demo_steps()[-1]
SEEN_AT = (datetime(2011, 3, 15, 20, tzinfo=UTC), datetime(2011, 6, 1, tzinfo=UTC))
Told = tuple[str, str, str]


@pytest.fixture(scope="module")
def told_step_by_step(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Every morning and every instant of news a poll, as the daemon would."""
    with a_clinic(tmp_path_factory.mktemp("steps")) as clinic:
        feed = clinic.folder / "feed"
        feed.mkdir()
        before: datetime | None = None
        for at in demo_steps():
            files = write_step(feed, before, at)
            if files:
                assert ingest.import_paths(clinic.site.database, files, zone=ZONE, now=at).rejected == []
            polled = clinic.poll(at)
            assert polled.round.failed_patients == polled.sent.failed == 0
            before = at
        yield clinic


def replayed(clinic: Clinic) -> dict[tuple[str, str], Alert]:
    """The alerts that are active at the end of a replay of what is stored."""
    active: dict[tuple[str, str], Alert] = {}
    with clinic.site.database.read() as connection:
        loaded = histories.load(connection, histories.patients_with_facts(connection), ZONE)
    assert loaded.unreadable == {}
    for name, history in loaded.histories.items():
        for _, _, transitions in replay(history, clinic.site.policy, until=END):
            for transition in transitions:
                active[name, transition.after.finding.rule] = transition.after
    return {key: alert for key, alert in active.items() if alert.state in ACTIVE}


def test_given_the_cohort_polled_step_by_step_when_replayed_then_the_open_alerts_are_the_same(told_step_by_step: Clinic) -> None:
    at_the_end = replayed(told_step_by_step)
    assert told_step_by_step.holding() == {(name, rule, alert.urgency.value) for (name, rule), alert in at_the_end.items()}
    live = {(each.patient_id, each.finding.rule): each for each in told_step_by_step.alerts(open_only=True)}
    assert {key: alert.holds for key, alert in live.items()} == {key: alert.holds for key, alert in at_the_end.items()}
    assert {key: alert.finding.headline for key, alert in live.items()} == {
        key: alert.finding.headline for key, alert in at_the_end.items()
    }


def test_given_the_cohort_polled_step_by_step_when_replayed_then_everything_that_was_raised_is_raised_again(
    told_step_by_step: Clinic,
) -> None:
    printed = replaying.replay(told_step_by_step.site, policy=told_step_by_step.site.policy, from_at=None, to_at=END)
    raised: Counter[Told] = Counter((line["patient_id"], line["rule"], line["urgency"]) for line in printed)
    with told_step_by_step.another_program() as sql:
        rows = sql.execute(
            "SELECT patient_id, rule, event.urgency FROM alert_events AS event JOIN alerts ON alerts.id = alert_id"
            " WHERE reason IN ('new', 'worse', 'again', 'new-occasion')"
        ).fetchall()
    assert raised == Counter(rows)


def test_given_the_silent_patients_when_the_story_is_over_then_nothing_was_said_of_them(told_step_by_step: Clinic) -> None:
    assert {alert.patient_id for alert in told_step_by_step.alerts()}.isdisjoint({"DEMO-01", "DEMO-12", "DEMO-13"})


def test_given_every_mail_of_the_story_when_read_then_each_has_one_recipient_and_an_id_of_its_own(
    told_step_by_step: Clinic,
) -> None:
    mails = told_step_by_step.relay.mails
    ids = [mail.message["Message-ID"] for mail in mails]
    assert len(set(ids)) == len(ids) > 10
    assert all(len(mail.recipients) == 1 for mail in mails)
    answered = {mail.message["In-Reply-To"] for mail in mails} - {None}
    assert answered <= set(ids)


@pytest.mark.parametrize("seed", [1, 2])
def test_given_the_same_rows_in_other_batches_and_another_order_when_polled_then_the_alerts_are_the_same(
    tmp_path: Path, seed: int
) -> None:
    found = []
    for name, shuffled in (("whole", None), ("shuffled", random.Random(seed))):  # noqa: S311  # no secret
        folder = tmp_path / name
        folder.mkdir()
        with a_clinic(folder) as clinic:
            for batch in [COHORT] if shuffled is None else batches(folder, shuffled):
                ingest.import_paths(clinic.site.database, [batch], zone=ZONE, now=END)
            for at in SEEN_AT:
                clinic.poll(at)
            found.append({(each.patient_id, each.finding.rule, each.urgency, each.finding.headline) for each in clinic.alerts()})
    assert found[0] == found[1] != set()


def batches(folder: Path, shuffled: random.Random) -> list[Path]:
    """The cohort's rows dealt into four folders of files, in any order; a kind may come before its patients."""
    files = []
    for number in range(4):
        (folder / f"batch-{number}").mkdir()
    for kind in COLUMNS:
        with (COHORT / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        shuffled.shuffle(rows)
        for number in range(4):
            dealt = rows[number::4]
            if not dealt:
                continue
            path = folder / f"batch-{number}" / f"{kind}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(dealt[0]))
                writer.writeheader()
                writer.writerows(dealt)
            files.append(path)
    shuffled.shuffle(files)
    return files
