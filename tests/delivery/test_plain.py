"""The mail that stands in for one that cannot be sent: urgency, alerts, what to do, and nothing that could fail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.clinical.findings import Urgency
from monitor.delivery.message import OutgoingMessage, build
from monitor.delivery.plain import plain


@pytest.mark.parametrize("urgency", list(Urgency))
@pytest.mark.parametrize("count", [1, 2, 40])
def test_given_alerts_when_written_plainly_then_it_is_ascii_of_short_lines_and_names_each(urgency: Urgency, count: int) -> None:
    written = plain(urgency, range(1, count + 1))
    assert written.subject.isascii()
    assert len(written.subject) < 100
    assert written.text.isascii()
    assert max(map(len, written.text.splitlines())) <= 78
    words = written.text.replace("\n", " ")
    assert all(f"A-{number}" in words for number in range(1, count + 1))
    assert words.startswith(urgency.value.upper().replace("-", " "))
    assert "bipn-monitor alerts" in words


def test_given_an_alarm_when_written_plainly_then_the_administrator_is_sent_to_the_status() -> None:
    written = plain(Urgency.SAME_DAY, (), for_operations=True)
    assert "administrator" in written.subject
    assert "bipn-monitor status" in written.text


def test_given_a_plain_text_when_built_then_the_mail_has_one_part_and_no_line_too_long() -> None:
    written = plain(Urgency.IMMEDIATE, (1,))
    message = OutgoingMessage(
        message_id="<1@hospital.example>",
        sender="alerts@hospital.example",
        recipient="nurse@hospital.example",
        subject=written.subject,
        text=written.text,
        html=None,
        date=datetime(2026, 3, 1, tzinfo=UTC),
        urgent=True,
    )
    data = build(message)
    assert b"multipart" not in data
    assert data == build(message)
    assert data.isascii()
