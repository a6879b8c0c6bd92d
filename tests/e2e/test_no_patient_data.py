"""A planted name, birth date and note, through good, failing and refused paths: no word of them in what we print or log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.service.logs import KeyValue
from tests.e2e.installation import BORN, CASE, NAME, NOTE, NURSES, Installation, write_csv
from tests.smtp_server import SmtpServer

EVENING = datetime(2011, 3, 15, 20, tzinfo=UTC)
PLANTED = (NAME, *NAME.split(), BORN, NOTE, "flugelhorn")


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def everything_said(installed: Installation, logged: pytest.LogCaptureFixture) -> str:
    records = "\n".join(f"{KeyValue().format(record)} {record.__dict__}" for record in logged.records)
    return "\n".join([*installed.printed, records])


def test_given_planted_words_when_good_failing_and_refused_paths_are_taken_then_nobody_says_them(
    tmp_path: Path, relay: SmtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    installed = Installation(tmp_path / "site", relay.port)
    feed = installed.case_files(until=EVENING)
    installed.call("import", feed)
    # refused rows: the planted words stand where numbers and days belong, in known and unknown columns
    spoilt = installed.folder / "spoilt"
    spoilt.mkdir()
    write_csv(spoilt / "patients.csv", [{"patient_id": "P-2", "birth_date": NAME, "sex": NOTE, "baseline_motor_grade": BORN}])
    row = {"patient_id": CASE, "assessed_at": NOTE, "walking": NAME, "pain_nrs": BORN, "mrc_biceps_left": NOTE, "red_flags": NOTE}
    write_csv(spoilt / "assessments.csv", [row])
    write_csv(spoilt / "doses.csv", [{"patient_id": CASE, "given_at": BORN, "dose_mg_per_m2": NAME, "route": NOTE}])
    (spoilt / "labs.csv").write_bytes(b"patient_id,collected_at,analyte,value,unit\n\xff\xfe" + NOTE.encode())
    refused = installed.call("import", spoilt, "--format", "json", code=3)
    assert len(refused.json["rejected"]) >= 8
    installed.call("import", spoilt, "--dry-run", code=3)
    # good rounds, a relay that repeats what it was told, a relay that refuses
    installed.call("poll", "--at", "2011-02-15T21:00")
    relay.always(f"RCPT {NURSES[0]}", f"550 5.1.1 {NURSES[0]} has moved")
    installed.call("poll", "--at", "2011-03-15T21:00", code=4)
    # a row that nobody can read, written by another program
    installed.write(
        "INSERT INTO assessments (patient_id, assessed_at, notes, source_id) VALUES (?, '2011-13-45', ?, 'ehr-1')", CASE, NOTE
    )
    installed.call("poll", "--at", "2011-03-16T21:00", code=4)  # the other is reminded, and refused again
    status = installed.call("status", code=1)
    assert "column assessed_at cannot be read" in status.out
    assert "2011-13-45" not in status.out
    installed.call("status", "--format", "json", code=1)
    installed.call("explain", CASE, code=5)
    installed.call("replay", "--format", "jsonl", code=5)
    installed.write("DELETE FROM assessments WHERE source_id = 'ehr-1'")
    # readers
    installed.call("explain", CASE, "--at", "2011-03-15T21:00")
    installed.call("explain", CASE, "--at", "2011-03-15T21:00", "--format", "json")
    installed.call("alerts")
    installed.call("alerts", "--format", "json")
    installed.call("replay", "--format", "jsonl")
    # a table that another program took away
    installed.write("ALTER TABLE look_again RENAME TO elsewhere")
    installed.call("poll", "--at", "2011-03-17T21:00", code=5)
    said = everything_said(installed, caplog)
    for planted in PLANTED:
        assert planted not in said, planted
    for address in NURSES:
        assert address not in "\n".join(record.getMessage() for record in caplog.records)
