"""JSON into structs. What cannot be decoded is refused with the place of the mistake, never with what stands there."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from monitor.importers.fhir.codes import RefusedError


def decoded(text: bytes | str, shape: type[Any]) -> Any:
    """JSON as a struct. Raises RefusedError; the problem names the field, never what is in it."""
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError as error:
        place = str(error).rpartition("`$.")[2].rstrip("`") if "`$." in str(error) else None
        expected = str(error).partition(",")[0].partition(" - at")[0]
        words = expected if expected.startswith(("Expected", "Object missing")) else "a value that FHIR does not allow"
        raise RefusedError(f"found what FHIR does not have there ({words.replace('`', '')})", place) from None
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, ValueError):
        raise RefusedError("it is not JSON in UTF-8") from None
    except RecursionError:
        raise RefusedError("it is nested too deeply") from None


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _TwiceError


def no_key_twice(text: bytes | str) -> None:
    """A key that stands twice says two things, and which of them is read is chance. Raises RefusedError."""
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=len, parse_float=len)
    except _TwiceError:
        raise RefusedError("a key stands twice in it; correct the export") from None
    except (ValueError, RecursionError):
        raise RefusedError("it is not JSON in UTF-8") from None
