"""Many patients at once, as after a first import: one digest that names every immediate patient, and no flood after it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.service.round import PATIENTS_PER_COMMIT, run_round
from tests.service.clinic import FIRST_ON, NORTH, SOUTH, Clinic, on
from tests.service.test_escalate import reminded
from tests.service.test_rounds_and_mails import LAME, LOST, WELL

pytestmark = pytest.mark.both_engines

Found = dict[str, object]


def a_ward(clinic: Clinic, found: dict[str, Found], *, site: str = "") -> None:
    """Patients in bulk: well on day 30, and on day 36 as found; all of it known on that day."""
    names = list(found)
    at = on(36, 14)
    clinic.tell("patients", *[Found(patient_id=name, site=site) for name in names], now=at)
    course = {"started_on": FIRST_ON, "schedule": "weekly"}
    clinic.tell("courses", *({"patient_id": name, "source_id": f"{name}-c"} | course for name in names), now=at)
    doses = [
        {
            "patient_id": name,
            "given_at": FIRST_ON + timedelta(days=number),
            "dose_mg_per_m2": 1.3,
            "source_id": f"{name}-d{number}",
        }
        for name in names
        for number in range(0, 36, 7)
    ]
    clinic.tell("doses", *doses, now=at)
    base = {"ctcae_version": "4.03"}
    for number, each in ((30, dict.fromkeys(names, WELL)), (36, found)):
        rows = [
            {"patient_id": name, "assessed_at": FIRST_ON + timedelta(days=number), "source_id": f"{name}-a{number}"}
            | base
            | values
            for name, values in each.items()
        ]
        clinic.tell("assessments", *rows, now=at)


def names(count: int, word: str = "P") -> list[str]:
    return [f"{word}-{number:03}" for number in range(count)]


def test_given_more_patients_than_the_limit_when_polled_then_one_digest_each_names_the_immediate_at_the_top(
    clinic: Clinic,
) -> None:
    lost, lame = names(3, "L"), names(19, "P")
    a_ward(clinic, dict.fromkeys(lame, LAME) | dict.fromkeys(lost, LOST))
    a_ward(clinic, {"S-1": LOST}, site="South")
    polled = clinic.watch(on(36, 15))
    assert polled.recipients == sorted([*NORTH, *SOUTH])
    for mail in polled.mails:
        mine = ["S-1"] if mail.recipient in SOUTH else lost
        assert mail.message["Subject"].startswith(f"IMMEDIATE - digest: {1 if mail.recipient in SOUTH else 22} patient")
        lines = mail.text.replace("\r\n", "\n").split("Immediate, a line each\n")[1].split("\n\n")[0].splitlines()
        assert [line.split()[1].strip(",") for line in lines] == mine
        assert "findings about 23 patients" in " ".join(mail.text.split())
    for mail in polled.mails:
        if mail.recipient in NORTH:
            assert all(name in mail.text for name in [*lost, *lame])
    assert clinic.watch(on(36, 15, 1)).mails == ()
    assert reminded(clinic.watch(on(37, 15))) == sorted([*NORTH, *SOUTH])


def test_given_as_many_patients_as_the_limit_when_polled_then_each_has_a_mail_of_his_own(clinic: Clinic) -> None:
    a_ward(clinic, dict.fromkeys(names(20), LAME))
    assert len(clinic.watch(on(36, 15)).mails) == 40


def test_given_several_batches_with_few_to_tell_when_polled_then_each_of_the_few_has_a_mail_of_his_own(clinic: Clinic) -> None:
    everybody = names(PATIENTS_PER_COMMIT + 3)
    a_ward(clinic, {name: LOST if number in (1, 130) else WELL for number, name in enumerate(everybody)})
    polled = clinic.watch(on(36, 15))
    assert polled.recipients == sorted([*NORTH] * 2)
    assert all("digest" not in mail.message["Subject"] for mail in polled.mails)


def test_given_a_round_cut_short_in_a_storm_when_the_next_one_comes_then_it_tells_all_of_it_in_one_digest(clinic: Clinic) -> None:
    everybody = names(PATIENTS_PER_COMMIT + 12)
    a_ward(clinic, dict.fromkeys(everybody, LAME))
    asked = iter([False, True])
    cut = run_round(clinic.site, on(36, 15), stopping=lambda: next(asked))
    assert (cut.patients_evaluated, cut.queued) == (PATIENTS_PER_COMMIT, 0)
    polled = clinic.watch(on(36, 15, 1))
    assert polled.round.patients_evaluated == 12
    assert polled.recipients == sorted(NORTH)
    for mail in polled.mails:
        assert f"{len(everybody)} patients" in mail.message["Subject"]
        assert all(name in mail.text for name in everybody)
        assert len(mail.data) < 150_000
        assert "Built-in text" not in mail.text
    assert clinic.watch(on(36, 15, 2)).mails == ()


def test_given_alerts_that_were_told_when_everything_is_looked_at_again_then_nobody_is_told_again(clinic: Clinic) -> None:
    """As after a backup of this evening was put back."""
    a_ward(clinic, dict.fromkeys(names(25), LAME))
    assert len(clinic.watch(on(36, 15)).mails) == 2
    with clinic.another_program() as sql:
        sql.execute("INSERT INTO changes (patient_id) SELECT patient_id FROM patients")
    again = clinic.watch(on(36, 15, 30))
    assert (again.round.patients_evaluated, again.mails) == (25, ())
