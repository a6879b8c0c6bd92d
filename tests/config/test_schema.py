"""The schemas that editors read are those of the code, and every key is explained in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.config import json_schema
from monitor.config.schema import policy_json_schema
from monitor.shipped import shipped

STALE = "stale: write json_schema() and policy_json_schema() to config/ again (tests/config/test_schema.py)"


@pytest.mark.parametrize(("name", "schema"), [("monitor", json_schema()), ("policy", policy_json_schema())])
def test_given_the_committed_schema_when_compared_then_it_is_fresh(name: str, schema: dict[str, Any]) -> None:
    committed = (shipped("config") / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(schema, indent=2) + "\n", STALE


@pytest.mark.parametrize("name", ["monitor", "policy"])
def test_given_a_shipped_file_when_opened_then_its_first_line_names_its_schema(name: str) -> None:
    first = (shipped("config") / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema=./{name}.schema.json"


def test_given_the_schema_when_read_then_every_key_has_a_description_and_no_other_key_is_allowed() -> None:
    schema = json_schema()
    for shape in (schema, *schema["$defs"].values()):
        assert shape["additionalProperties"] is False
        for name, found in shape["properties"].items():
            # pydantic leaves a description out where the shape it refers to has the same
            referred = schema["$defs"].get(found.get("$ref", "").rpartition("/")[2], {})
            assert found.get("description") or referred.get("description"), name
    assert schema["required"] == ["time_zone", "database", "guideline", "mail", "teams"]


def test_given_the_policy_schema_when_read_then_numbers_have_their_limits() -> None:
    points = policy_json_schema()["$defs"]["SumFall"]["properties"]["points"]
    assert (points["minimum"], points["maximum"]) == (1, 60)
