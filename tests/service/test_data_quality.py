"""The mail to whoever owns the data: what is in it, and that it leaves only where there is something to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.service import ingest
from monitor.service.acts import acknowledge
from monitor.service.cycle import daily_once
from monitor.service.post import send_due
from monitor.store import feeds, rejects
from tests.service.clinic import ZONE, Clinic, a_clinic, on
from tests.smtp_server import ReceivedMail

pytestmark = pytest.mark.both_engines

OWNER = "data@hospital.example"
MORE = (
    f"data_quality: {{owner: {{name: Data Office, address: {OWNER}}}, at: '07:00', again_after: 7 d}}\nfeed_quiet_after: 30 d\n"
)
BAD = "patient_id,given_at,dose_mg_per_m2,source_id\nP-9,2026-01-05,much,x1\nP-9,2026-01-06,1.3,x2\n"


@pytest.fixture
def clinic(tmp_path: Path, engine: str) -> Iterator[Clinic]:
    with a_clinic(tmp_path, more=MORE) as found:
        yield found


def bring(clinic: Clinic, text: str, at: datetime, *, feed: str = ingest.FILES) -> None:
    path = clinic.folder / "doses.csv"
    path.write_text(text, encoding="utf-8")
    ingest.import_paths(clinic.site.database, [path], zone=ZONE, now=at, feed=feed)


def morning(clinic: Clinic, day: int, *, hour: int = 8) -> list[ReceivedMail]:
    """The mails to the owner of the data that leave on a day."""
    before = len(clinic.relay.mails)
    daily_once(clinic.site, on(day, hour))
    send_due(clinic.site, on(day, hour))
    return [mail for mail in clinic.relay.mails[before:] if mail.recipient == OWNER]


def flat(mail: ReceivedMail) -> str:
    return " ".join(mail.text.split())


def test_given_a_refused_row_when_the_hour_comes_then_the_owner_is_told_where_and_not_what(clinic: Clinic) -> None:
    bring(clinic, BAD, on(0, 9))
    (mail,) = morning(clinic, 1)
    assert mail.message["Subject"] == "Data quality: 1 refused, 0 contradictions"
    assert f"{clinic.folder}/doses.csv, line 2, dose_mg_per_m2:" in flat(mail)
    assert "1 open, 1 of them new" in flat(mail)
    assert "much" not in mail.text


def test_given_the_hour_before_when_looked_then_nothing_leaves_yet_and_on_one_day_only_once(clinic: Clinic) -> None:
    morning(clinic, 0)
    bring(clinic, BAD, on(0, 9))
    assert morning(clinic, 1, hour=6) == []
    assert len(morning(clinic, 1)) == 1
    assert morning(clinic, 1, hour=20) == []


def test_given_nothing_new_when_the_hour_comes_then_no_mail_until_it_has_been_open_for_long(clinic: Clinic) -> None:
    bring(clinic, BAD, on(0, 9))
    assert len(morning(clinic, 1)) == 1
    assert [morning(clinic, day) for day in range(2, 8)] == [[]] * 6
    (mail,) = morning(clinic, 8)
    assert "nothing new; still open since the mail of" in flat(mail)


def test_given_the_same_export_every_night_when_the_hour_comes_then_that_is_no_news(clinic: Clinic) -> None:
    bring(clinic, BAD, on(0, 9))
    assert len(morning(clinic, 1)) == 1
    bring(clinic, BAD, on(1, 22))
    assert morning(clinic, 2) == []


def test_given_another_mistake_when_the_hour_comes_then_it_is_told_as_new_among_the_old(clinic: Clinic) -> None:
    bring(clinic, BAD, on(0, 9))
    morning(clinic, 1)
    bring(clinic, BAD + "P-9,someday,1.3,x3\n", on(1, 9))
    (mail,) = morning(clinic, 2)
    assert "2 open, 1 of them new" in flat(mail)
    assert "1 new since 6 Jan 2026, 07:00 +01:00" in flat(mail)


def test_given_nothing_open_when_the_hour_comes_then_no_mail(clinic: Clinic) -> None:
    bring(clinic, BAD.replace("much", "1.3"), on(0, 9))
    assert [morning(clinic, day) for day in range(1, 12)] == [[]] * 11


def test_given_records_that_contradict_each_other_when_the_hour_comes_then_they_are_named_until_settled(clinic: Clinic) -> None:
    clinic.on_bortezomib("P-1", until_day=28)
    clinic.assess("P-1", 28, source="a", motor_grade=0, walking="unaided")
    clinic.assess("P-1", 28, source="b", motor_grade=3, walking="wheelchair")
    clinic.poll(on(28, 15))
    alert = clinic.alert("P-1", "conflicting-record")
    (mail,) = morning(clinic, 29)
    assert mail.message["Subject"] == "Data quality: 0 refused, 1 contradiction"
    assert f"A-{alert.alert_id}, P-1, of 2 Feb 2026:" in flat(mail)
    assert acknowledge(clinic.site, f"A-{alert.alert_id}", by="K. Lang", note=None, now=on(29, 9)).state in (
        "acknowledged",
        "resolved",
    )
    assert morning(clinic, 30) == []


def test_given_a_feed_that_went_quiet_when_the_hour_comes_then_that_is_told_once(tmp_path: Path, engine: str) -> None:
    more = MORE + "feeds: {ward: {kind: folder, path: drop, quiet_after: 1 d}}\n"
    (tmp_path / "drop").mkdir()
    with a_clinic(tmp_path, more=more) as clinic:
        with clinic.site.database.write() as connection:
            feeds.record(connection, "ward", "folder", now=on(0, 9), received=True)
        assert morning(clinic, 1) == []
        (mail,) = morning(clinic, 2)
        assert "1 feed is quiet" in flat(mail)
        assert "ward 1 day old, quiet" in flat(mail)
        assert morning(clinic, 3) == []


@pytest.mark.parametrize(("privacy", "shown"), [("none", False), ("pseudonym", True)])
def test_given_what_mails_may_show_when_told_then_the_patient_is_shown_as_elsewhere(
    tmp_path: Path, engine: str, privacy: str, shown: bool
) -> None:
    with a_clinic(tmp_path, more=f"{MORE}privacy: {privacy}\n") as clinic:
        clinic.on_bortezomib("P-1", until_day=28)
        clinic.assess("P-1", 28, source="a", motor_grade=0, walking="unaided")
        clinic.assess("P-1", 28, source="b", motor_grade=3, walking="wheelchair")
        clinic.poll(on(28, 15))
        (mail,) = morning(clinic, 29)
        assert ("P-1" in mail.text) is shown


def test_given_a_thousand_mistakes_when_told_then_the_mail_is_short_and_says_how_many_there_are(clinic: Clinic) -> None:
    rows = "".join(f"P-9,2026-01-05,much,y{number}\n" for number in range(1500))
    bring(clinic, "patient_id,given_at,dose_mg_per_m2,source_id\n" + rows, on(0, 9) + timedelta(minutes=1))
    (mail,) = morning(clinic, 1)
    assert "and 941 more" in flat(mail)
    assert len(mail.text) < 20_000


@pytest.mark.parametrize(("privacy", "shown"), [("none", False), ("pseudonym", True)])
def test_given_a_refused_record_whose_name_is_a_patients_when_mails_name_nobody_then_the_page_alone_has_it(
    tmp_path: Path, engine: str, privacy: str, shown: bool
) -> None:
    with a_clinic(tmp_path, more=f"{MORE}privacy: {privacy}\n") as clinic:
        refused = rejects.Reject(at=on(0, 9), feed="warehouse", origin="omop/P-9|x", line=None, column=None, problem="no value")
        with clinic.site.database.write() as connection:
            rejects.replace(connection, [refused], feed=refused.feed, origin=refused.origin, now=refused.at)
        (mail,) = morning(clinic, 1)
        assert "1 open, 1 of them new" in flat(mail)
        assert ("P-9" in mail.text) is shown
