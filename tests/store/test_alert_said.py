"""What a finding says is kept as it was made: read back, it can be said in another language."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.clinical.alerts import Alert, Reason, Transition
from monitor.clinical.days import in_days
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Criterion, Finding
from monitor.clinical.history import History
from monitor.delivery.language import in_language
from monitor.said import Said, say
from monitor.store import alerts
from monitor.store.alert_json import finding_columns, finding_of
from tests.builders import a_finding, shipped_policy
from tests.drawn_histories import drawn_histories, instants
from tests.store.databases import NOW, a_database

POLICY = shipped_policy()


def stored(finding: Finding, **other: object) -> Finding:
    return finding_of(SimpleNamespace(**{**finding_columns(finding), **other}))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_histories, instants)
def test_given_the_findings_of_any_history_when_stored_and_read_then_they_say_the_same_in_german(
    history: History, now: datetime
) -> None:
    for finding in evaluate(history, POLICY, now).findings:
        again = stored(finding)
        assert again == finding
        assert in_language(again, "de") == in_language(finding, "de")


def test_given_a_row_from_before_sentences_were_kept_when_read_then_it_is_plain_english() -> None:
    finding = replace(a_finding(), headline=say("{count} days", count=3))
    again = stored(finding, said=None)
    assert (again.headline, type(again.headline)) == ("3 days", str)


def test_given_a_headline_that_another_program_wrote_when_read_then_its_text_is_what_is_said() -> None:
    finding = replace(a_finding(), headline=say("{dose} once weekly", dose="0.7"))
    again = stored(finding, headline="call the ward")
    assert in_language(again, "de").headline == "call the ward"


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "[",
        "null",
        "[]",
        "7",
        '[{"say": "{dose}", "values": {}}]',
        '[{"say": "x"}]',
        "[[]]",
        '[{"say": 7, "values": {"x": 1}}]',
    ],
)
def test_given_sentences_that_were_not_kept_whole_when_read_then_the_columns_are_what_is_said(kept: str) -> None:
    finding = replace(a_finding(), headline=say("{count} days", count=3))
    assert stored(finding, said=kept) == finding


def test_given_a_sentence_without_values_when_stored_then_it_is_not_written_twice() -> None:
    criterion = Criterion(id="schedule", met=False, text=say("schedule not known"), source="J")
    columns = finding_columns(replace(a_finding(), headline="", criteria=(criterion,)))
    assert columns["said"] == "[null,null]"
    (again,) = finding_of(SimpleNamespace(**columns)).criteria
    assert isinstance(again.text, Said)


def test_given_a_finding_of_plain_texts_when_stored_then_nothing_is_kept_beside_them() -> None:
    plain = replace(a_finding(), headline="plain", criteria=())
    assert finding_columns(plain)["said"] is None


def test_given_an_alert_in_the_database_when_another_headline_takes_its_place_then_the_newest_is_said_in_german(
    tmp_path: Path,
) -> None:
    database = a_database(tmp_path)
    finding = replace(a_finding(), headline=say("{count} days", count=3))
    alert = Alert(alert_id=None, patient_id="P-1", state="open", finding=finding, opened_at=NOW, raised_at=NOW)
    with database.write() as connection:
        (saved,) = alerts.save(connection, [Transition(before=None, after=alert, reason=Reason.NEW)], now=NOW)
        later = replace(finding, headline=in_days(5))
        alerts.update_alerts(connection, [saved.after.changed(finding=later)])
    with database.read() as connection:
        (read,) = alerts.all_alerts(connection)
    assert (read.finding.headline, in_language(read.finding, "de").headline) == ("5 days", "5 Tage")
