"""The entries of a Bundle one by one, however long it is: the file is never in memory as a whole.

The standard decoder finds where each entry ends, a chunk of the file at a time; what is in it is decoded elsewhere.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

CHUNK = 1 << 20
LONGEST = 1 << 24
"""Characters of one entry or line, 16 MB: no record that is read here is as long; a scanned document may be."""


class BrokenError(ValueError):
    """The file cannot be read on. The text says why."""


class _ConstantError(ValueError):
    """NaN and the infinities are no JSON."""


def _refuse_constant(_: str) -> Any:
    raise _ConstantError


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=len, parse_float=len)
_SPACE = " \t\r\n"


class Entries:
    """Reads a JSON object; gives the entries of its ``entry``, and keeps ``resourceType`` and ``type``."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._ended = "", 0, False
        self.said: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        """The text of each entry. Raises BrokenError."""
        self._expect("{")
        if self._next() == "}":
            return
        while True:
            key, _ = self._value()
            self._expect(":")
            if key == "entry" and self._next() == "[":
                yield from self._array()
            else:
                value, _ = self._value()
                if key in ("resourceType", "type") and isinstance(value, str):
                    self.said[key] = value
            if self._separator("}"):
                return

    def _array(self) -> Iterator[str]:
        self._expect("[")
        if self._next() == "]":
            self._at += 1
            return
        while True:
            _, text = self._value()
            yield text
            if self._separator("]"):
                return

    def _separator(self, end: str) -> bool:
        found = self._next()
        if found not in (",", end):
            raise BrokenError("it is not JSON")
        self._at += 1
        return found == end

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise BrokenError("it is not JSON")
        self._at += 1

    def _next(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise BrokenError("it ends in the middle")

    def _value(self) -> tuple[Any, str]:
        self._next()
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except _ConstantError:
                raise BrokenError("it is not JSON: NaN and Infinity are no numbers") from None
            except RecursionError:
                raise BrokenError("it is nested too deeply") from None
            except ValueError:
                if not self._more():
                    raise BrokenError("it is not JSON, or ends in the middle") from None
                continue
            if end == len(self._text) and not self._ended and self._more():
                continue  # a number may go on in the next chunk
            text = self._text[self._at : end]
            self._at = end
            return value, text

    def _more(self) -> bool:
        """Read on; what was read before the present value is forgotten."""
        if self._ended:
            return False
        if len(self._text) - self._at > LONGEST:
            raise BrokenError(f"it holds something longer than {LONGEST >> 20} MB in one piece, or is no JSON")
        chunk = self._stream.read(CHUNK)
        self._ended = not chunk
        try:
            self._text = self._text[self._at :] + self._decode.decode(chunk, final=self._ended)
        except UnicodeDecodeError:
            raise BrokenError("it is not UTF-8") from None
        self._at = 0
        return True
