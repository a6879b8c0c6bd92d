"""A FHIR server's answers over HTTP: bounded in time and size, from the configured place only, and signed in to nobody else."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import httpx2
import msgspec

from monitor.config.feed_fhir import FhirFeed, origin
from monitor.service import clock
from monitor.service.aside import TooLongError, aside, wait

LARGEST_ANSWER = 64 * 2**20  # bytes, unpacked (J)
LARGEST_REFUSAL = 64 * 2**10
PAGE_TIMES = 4
"""A page may take so many times as long as the server may be silent."""

TRIES = 3
REDIRECTS = 5
WAITED_FOR = timedelta(seconds=60)
"""A server that asks for a longer pause is asked again at another time. (J)"""

BUSY = (429, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)


class ServerError(Exception):
    """Nothing can be asked of the server now. The words hold no secret and nothing of a patient."""

    def __init__(self, words: str, retry_after: timedelta | None = None) -> None:
        super().__init__(words)
        self.retry_after = retry_after


class SearchError(Exception):
    """This cannot be asked, or its answer is not whole; others can. ``status`` is HTTP's, where it was that."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """A body, and when the server gave it, by its own clock."""

    body: bytes
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _Heard:
    status: int
    headers: Mapping[str, str]
    body: bytes


class FhirHttp:
    """One conversation with a server. Use it as a context manager."""

    def __init__(self, feed: FhirFeed, secret: str | None, stopping: Callable[[], bool]) -> None:
        self._feed, self._secret, self._stopping = feed, secret, stopping
        self._origin = origin(feed.url)
        self._client = httpx2.Client(
            verify=ssl.create_default_context(),
            timeout=httpx2.Timeout(feed.timeout.total_seconds()),
            follow_redirects=False,
            headers={"Accept": "application/fhir+json", "Accept-Encoding": "gzip", "Cache-Control": "no-cache"},
        )
        self._token: str | None = secret if feed.sign_in == "bearer" else None

    def __enter__(self) -> FhirHttp:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, *, tries: int = TRIES) -> Answer:
        """The answer to a question. Raises ServerError, SearchError, StoppedError."""
        for attempt in range(1, tries + 1):
            try:
                heard = self._followed(url)
            except httpx2.InvalidURL:
                raise SearchError("the address of the next page cannot be read") from None
            except (httpx2.RequestError, TooLongError) as error:
                if attempt == tries:
                    raise ServerError(_unreached(error)) from None
                pause = timedelta(seconds=attempt)
            else:
                if heard.status not in BUSY:
                    return _answer(heard)
                pause = _retry_after(heard) or timedelta(seconds=attempt)
                if attempt == tries or pause > WAITED_FOR:
                    raise ServerError(f"the server answers {heard.status}, it is busy or under maintenance", _retry_after(heard))
            wait(pause, stopping=self._stopping)
        raise AssertionError("the last attempt returns or raises")

    def inside(self, url: str) -> bool:
        """Whether an address is the configured server's."""
        try:
            return origin(url) == self._origin
        except ValueError:
            return False

    def _followed(self, url: str) -> _Heard:
        fetched_anew = False
        for _ in range(REDIRECTS + 1):
            heard = self._ask("GET", url, self._signed())
            if heard.status == 401 and self._feed.oauth is not None and not fetched_anew:
                self._token, fetched_anew = None, True  # it may have expired within a long read
                continue
            if heard.status not in _REDIRECTS:
                return heard
            try:
                url = urljoin(url, heard.headers.get("location", ""))
            except ValueError:
                url = ""
            if not self.inside(url):
                raise ServerError(
                    "the server sends us to another address; nothing is asked there: write that one as the feed's url"
                )
        raise ServerError("the server sends us round in circles")

    def _signed(self) -> dict[str, str]:
        if self._feed.oauth is not None and self._token is None:
            self._token = self._fetched()
        return {} if self._token is None else {"Authorization": f"Bearer {self._token}"}

    def _fetched(self) -> str:
        """A token by the client-credentials grant (RFC 6749 section 4.4). Raises ServerError."""
        oauth = self._feed.oauth
        if oauth is None or self._secret is None:
            raise AssertionError("asked for a token without a grant")
        form = {
            "grant_type": "client_credentials",
            "client_id": oauth.client_id,
            "client_secret": self._secret,
            "scope": oauth.scope,
        }
        try:
            heard = self._ask("POST", oauth.token_url, {"Accept": "application/json"}, form)
        except (httpx2.RequestError, TooLongError) as error:
            raise ServerError(f"no token: {_unreached(error)}") from None
        except SearchError as error:
            raise ServerError(f"no token: {error}") from None
        if heard.status != 200:
            raise ServerError(f"no token: its endpoint answers {heard.status}; check client_id, scope and the feed's secret")
        try:
            token = msgspec.json.decode(heard.body, type=_Token).access_token
        except msgspec.MsgspecError:
            token = ""
        if not is_token(token):
            raise ServerError("no token: the answer of its endpoint holds none")
        return token

    def _ask(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None) -> _Heard:
        return aside(
            lambda: self._heard(method, url, headers, form),
            within=self._feed.timeout * PAGE_TIMES,
            stopping=self._stopping,
        )

    def _heard(self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> _Heard:
        data = None if form is None else dict(form)
        with self._client.stream(method, url, headers=dict(headers), data=data) as response:
            if response.headers.get("content-encoding", "identity").lower() not in ("identity", "gzip", ""):
                raise SearchError("the answer is packed in a way that was not asked for")
            limit = LARGEST_ANSWER if response.status_code == 200 else LARGEST_REFUSAL
            body, until = bytearray(), clock.monotonic_seconds() + (self._feed.timeout * PAGE_TIMES).total_seconds()
            for chunk in response.iter_bytes():
                if clock.monotonic_seconds() > until:  # nobody waits for it any more: its thread ends here
                    raise TooLongError
                body += chunk
                if len(body) > limit:
                    if response.status_code != 200:
                        break
                    raise SearchError(f"an answer is larger than {LARGEST_ANSWER // 2**20} MB; make page_size smaller")
            return _Heard(response.status_code, dict(response.headers), bytes(body))


def is_token(text: str) -> bool:
    """Whether a text can be shown as a token: in a header of HTTP anything else would be an error that quotes it."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


class _Token(msgspec.Struct):
    access_token: str


@dataclass(slots=True)
class _Words:
    """What to do about a refusal."""

    by_status: Mapping[int, str] = field(
        default_factory=lambda: {
            401: "we are not signed in: check the feed's secret, sign_in and oauth",
            403: "we may not read this: ask for the right to, or leave it out of the feed's searches",
            404: "there is no such thing: check the feed's url, or leave it out of the feed's searches",
            410: "a page of the answer is gone: it took too long to read; make page_size larger",
        }
    )


_WORDS = _Words().by_status


def _answer(heard: _Heard) -> Answer:
    """Raises ServerError, SearchError."""
    if heard.status == 200:
        return Answer(heard.body, _date(heard.headers.get("date", "")))
    words = f"the server answers {heard.status}{_issue(heard.body)}"
    words += f": {_WORDS[heard.status]}" if heard.status in _WORDS else ""
    if heard.status == 401 or heard.status >= 500:
        raise ServerError(words)
    raise SearchError(words, heard.status)


class _Issue(msgspec.Struct):
    code: str = ""
    severity: str = ""


class _Outcome(msgspec.Struct):
    issue: list[_Issue] = []


def _issue(body: bytes) -> str:
    """The code of an OperationOutcome. Its diagnostics may quote a record."""
    try:
        code = next((each.code for each in msgspec.json.decode(body, type=_Outcome).issue), "")
    except msgspec.MsgspecError:
        return ""
    return f" ({code})" if code.isascii() and code.replace("-", "").isalnum() and len(code) < 40 else ""


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _retry_after(heard: _Heard) -> timedelta | None:
    """Seconds, or an instant by the server's own clock (RFC 9110)."""
    text = heard.headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) < 9:
        return timedelta(seconds=int(text))
    until, at = _date(text), _date(heard.headers.get("date", ""))
    return max(until - at, timedelta(0)) if until and at else None


def _unreached(error: Exception) -> str:
    """Why, without an address: that may be long, and is in the configuration."""
    match error:
        case httpx2.ConnectTimeout() | httpx2.ReadTimeout() | httpx2.WriteTimeout() | httpx2.PoolTimeout() | TooLongError():
            return "the server does not answer in time"
        case httpx2.ConnectError() if "CERTIFICATE" in str(error).upper():
            return f"the server's certificate is not trusted: {str(error)[:200]}"
        case httpx2.ConnectError():
            return f"the server cannot be reached: {str(error)[:200]}"
        case httpx2.DecodingError():
            return "the server's answer cannot be unpacked"
        case _:
            return f"the server broke off ({type(error).__name__})"
