"""``bipn-monitor schema``: the configuration for editors."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from monitor.cli.output import emit_json
    from monitor.config.schema import json_schema

    emit_json(json_schema())
