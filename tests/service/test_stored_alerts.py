"""Every stored alert holds what it rests on: rule, policy and who approved it, the facts read, the numbers, the citations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from monitor.clinical.rules import RULES
from monitor.service import ingest
from monitor.service.demo_feed import demo_steps, write_step
from tests.engines import Other
from tests.service.clinic import ZONE, Clinic, a_clinic

PARTS = ("criteria", "evidence", "missing")
MARK = re.compile(r"\b(V2|V|M|C|J)\b")
NUMBER = re.compile(r"\d")
Stored = dict[str, Any]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stored]]:
    """The cohort's alerts as they lie in the database, each with its facts and what the journal has of its policy."""
    with a_clinic(tmp_path_factory.mktemp("stored")) as clinic:
        feed = clinic.folder / "feed"
        feed.mkdir()
        before: datetime | None = None
        for at in demo_steps()[::8]:
            if files := write_step(feed, before, at):
                assert ingest.import_paths(clinic.site.database, files, zone=ZONE, now=at).rejected == []
            clinic.poll(at)
            before = at
        yield list(_alerts(clinic))


def _alerts(clinic: Clinic) -> Iterator[Stored]:
    with clinic.another_program() as sql:
        policies = {row["subject"]: json.loads(row["body"]) for row in named(sql, "SELECT * FROM journal WHERE event = 'policy'")}
        for alert in named(sql, "SELECT * FROM alerts"):
            alert |= {part: json.loads(alert[part]) for part in PARTS}
            for item in alert["evidence"]:
                of_kind = f"SELECT * FROM {item['kind']}s WHERE patient_id = ? AND coalesce(version, id) = ?"  # kinds are ours
                rows = named(sql, of_kind, alert["patient_id"], item["version"])
                item["fact"] = rows[0] if rows else None
            yield {"alert": alert, "policy": policies.get(alert["policy_sha256"])}


def named(sql: Other, statement: str, *values: object) -> list[dict[str, Any]]:
    """The rows of a query, each by the names of its columns."""
    found = sql.execute(statement, values)
    return [{column[0]: value for column, value in zip(found.description, row, strict=True)} for row in found]


def faults(stored: Stored) -> list[str]:
    """What a stored alert lacks."""
    alert, policy = stored["alert"], stored["policy"] or {}
    found = [] if alert.get("rule") in RULES else ["no rule"]
    found += [] if re.fullmatch("[0-9a-f]{64}", alert.get("policy_sha256") or "") else ["no hash of the policy"]
    found += [f"no {name} of the policy" for name in ("guideline", "version", "thresholds") if not policy.get(name)]
    found += [] if "approved_by" in policy else ["nothing about who approved"]
    found += [] if NUMBER.search(alert.get("headline") or "") else ["no value and no date in the headline"]
    found += [] if alert.get("clinical_at") and alert.get("raised_at") else ["no instant"]
    criteria, evidence = alert.get("criteria") or [], alert.get("evidence") or []
    found += [] if any(each.get("met") for each in criteria) else ["no criterion that is met"]
    for each in criteria:
        found += [] if each.get("id") and each.get("text") else ["a criterion without its values"]
        found += [] if MARK.search(each.get("source") or "") else [f"no citation with its mark: {each.get('id')}"]
    found += [] if evidence else ["no evidence"]
    for each in evidence:
        fact = each.get("fact") or {}
        found += [] if fact.get("stored_at") and each.get("at") else [f"evidence without its record: {each.get('kind')}"]
    return found


def test_given_the_cohort_when_its_alerts_are_read_back_then_none_lacks_what_it_rests_on(stored: list[Stored]) -> None:
    assert len(stored) > 15
    assert {each["alert"]["rule"] for each in stored} >= {"dose-modification", "rapid-motor-decline", "assessment-overdue"}
    lacking = [(each["alert"]["rule"], faults(each)) for each in stored if faults(each)]
    assert lacking == []


@pytest.mark.parametrize(
    "path",
    [
        ("alert", "rule"),
        ("alert", "policy_sha256"),
        ("alert", "headline"),
        ("alert", "clinical_at"),
        ("alert", "raised_at"),
        ("alert", "criteria"),
        ("alert", "criteria", "id"),
        ("alert", "criteria", "met"),
        ("alert", "criteria", "text"),
        ("alert", "criteria", "source"),
        ("alert", "evidence"),
        ("alert", "evidence", "at"),
        ("alert", "evidence", "fact"),
        ("policy", "guideline"),
        ("policy", "version"),
        ("policy", "thresholds"),
        ("policy", "approved_by"),
    ],
)
def test_given_an_alert_that_lost_a_field_when_checked_then_it_is_noticed(stored: list[Stored], path: tuple[str, ...]) -> None:
    mutant = deepcopy(stored[0])
    outer, name, *inner = path
    if not inner:
        mutant[outer].pop(name)
    else:
        for item in mutant[outer][name]:
            item.pop(inner[0])
    assert faults(mutant) != []
