"""JSON Schemas of the files a clinic edits, for the editors that understand them."""

from __future__ import annotations

from typing import Any

from monitor.clinical.policy import Thresholds
from monitor.config.monitor_file import MonitorFile
from monitor.config.threshold_tables import RANGES
from monitor.config.validation import adapter

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Of ``monitor.yaml``."""
    return _closed({"$schema": _DIALECT, **adapter(MonitorFile).json_schema()}, ranges={})


def policy_json_schema() -> dict[str, Any]:
    """Of ``policy.yaml``, with the lowest and highest value of each number."""
    return _closed({"$schema": _DIALECT, **adapter(Thresholds).json_schema()}, ranges=RANGES)


def _closed(schema: dict[str, Any], *, ranges: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """No key beside those named, as in the reader."""
    for shape in (schema, *schema.get("$defs", {}).values()):
        properties = shape.get("properties")
        if properties is None:
            continue
        shape["additionalProperties"] = False
        for name, found in properties.items():
            if name in ranges and found.get("type") in {"integer", "number"}:
                found["minimum"], found["maximum"] = ranges[name]
    return schema
