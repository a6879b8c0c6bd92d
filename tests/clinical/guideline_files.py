"""The shipped guideline files as the engine takes them, read without the configuration package."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter
from ruamel.yaml import YAML

from monitor.clinical.guideline import Guideline
from monitor.shipped import shipped

NAMES = ("us-label", "eu-smpc", "imwg-2012")


@cache
def guideline(name: str) -> Guideline:
    """The shipped guideline of this name. Raises pydantic.ValidationError where the file and the words differ."""
    document = YAML(typ="safe", pure=True).load((shipped("config") / "guidelines" / f"{name}.yaml").read_text("utf-8"))
    return TypeAdapter(Guideline).validate_python(document, extra="forbid")
