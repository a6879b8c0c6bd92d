"""REDCap's API over HTTP: one form for each question, an answer that is whole or none."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta

import httpx2
import msgspec

from monitor.importers.redcap import Record, plain
from monitor.service.aside import TooLongError, aside

SILENT_FOR = timedelta(seconds=60)
"""So long the server may say nothing (J): REDCap gathers an export before it answers."""

WITHIN = timedelta(minutes=10)
LARGEST_ANSWER = 64 * 2**20
_WORDS = {
    400: "it does not know what was asked: check the names of fields in the mapping",
    401: "check the token",
    403: "check the token, and that its user may export by the API",
    404: "check the url; it ends in /api/",
    501: "it does not know what was asked: check that the url ends in /api/",
}


class NoAnswerError(Exception):
    """There is no whole answer. The words hold no secret and nothing of a patient."""


class RedcapHttp:
    """One conversation with a project. Use it as a context manager."""

    def __init__(self, url: str, token: str, stopping: Callable[[], bool], *, silent_for: timedelta = SILENT_FOR) -> None:
        self._url, self._token, self._stopping = url, token, stopping
        self._client = httpx2.Client(
            verify=ssl.create_default_context(),
            timeout=httpx2.Timeout(silent_for.total_seconds()),
            follow_redirects=False,  # a form that holds a token goes nowhere else
            headers={"Accept": "application/json"},
        )

    def __enter__(self) -> RedcapHttp:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def records(self, form: Mapping[str, str]) -> list[Record]:
        """The rows of an export. Raises NoAnswerError, StoppedError."""
        asked = {
            "token": self._token,
            "content": "record",
            "action": "export",
            "format": "json",
            "type": "flat",
            "rawOrLabel": "raw",
            "exportDataAccessGroups": "true",
            "returnFormat": "json",
            **form,
        }
        try:
            status, body = aside(lambda: self._heard(asked), within=WITHIN, stopping=self._stopping)
        except (httpx2.TimeoutException, TooLongError):
            raise NoAnswerError("the server does not answer in time") from None
        except httpx2.TransportError as error:
            raise NoAnswerError(f"the server cannot be reached or broke off ({type(error).__name__})") from None
        if 300 <= status < 400:
            raise NoAnswerError(
                f"the server answers {status} and sends us elsewhere; write the API's own address, which ends in /api/"
            )
        if status != 200:
            raise NoAnswerError(f"the server answers {status}{': ' if status in _WORDS else ''}{_WORDS.get(status, '')}")
        try:
            return [plain(each) for each in msgspec.json.decode(body, type=list[dict[str, object]])]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise NoAnswerError("the answer is cut off, or none of REDCap's; check that the url ends in /api/") from None

    def _heard(self, form: Mapping[str, str]) -> tuple[int, bytes]:
        with self._client.stream("POST", self._url, data=dict(form)) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise NoAnswerError(f"an answer is larger than {LARGEST_ANSWER // 2**20} MB")
            return response.status_code, bytes(body)
