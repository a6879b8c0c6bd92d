"""The pages of a FHIR search, to the last one, onto a file: one resource a line. Nothing is read of them but their names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO
from urllib.parse import quote, urljoin

import msgspec

from monitor.service.fhir_cursor import instant
from monitor.service.fhir_http import FhirHttp, SearchError, ServerError

MOST_PAGES = 100_000
IDS_AT_ONCE = 50
NAMED = ("Patient", "Medication")
"""Types that others refer to, and cannot be understood without."""

_REFERENCE = re.compile(rb'"reference"\s*:\s*"(?:[^"\\]*/)?(Patient|Medication)/([A-Za-z0-9.-]{1,64})(?:/_history/[^"]*)?"')


class _Meta(msgspec.Struct):
    lastUpdated: str | None = None  # noqa: N815  # FHIR's name


class _Link(msgspec.Struct):
    relation: str = ""
    url: str = ""


class _How(msgspec.Struct):
    mode: str = "match"


class _Request(msgspec.Struct):
    method: str = ""
    url: str = ""


class _Response(msgspec.Struct):
    lastModified: str | None = None  # noqa: N815


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw()
    search: _How | None = None
    request: _Request | None = None
    response: _Response | None = None


class _Bundle(msgspec.Struct):
    resourceType: str  # noqa: N815
    meta: _Meta | None = None
    total: int | None = None
    link: list[_Link] = []
    entry: list[_Entry] = []


class _Issue(msgspec.Struct):
    severity: str = ""


class _Resource(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    id: str = ""
    meta: _Meta | None = None
    issue: list[_Issue] = []


@dataclass(slots=True)
class Spool:
    """What was read so far. ``wanted`` is who is referred to, by type and id, ``seen`` those of them that came."""

    file: IO[bytes]
    watched: frozenset[str]  # "Observation/17": of these it is noted that they came
    resources: int = 0
    came: set[str] = field(default_factory=set)
    deleted: dict[tuple[str, str], str] = field(default_factory=dict)  # by type and id, when
    wanted: set[tuple[str, str]] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def missing(self) -> set[tuple[str, str]]:
        """Who is referred to and did not come."""
        return self.wanted - self.seen


@dataclass(slots=True)
class Found:
    """Of one search: the times that the server gave for its first page, and of the newest resource."""

    times: list[datetime] = field(default_factory=list)
    newest: datetime | None = None


def search_url(base: str, search: str, asked_from: datetime | None, page_size: int) -> str:
    """The first question.

    The newest first: what is changed while pages are turned moves to a place that is past, and pushes others where they are
    read twice. With the oldest first it would move to the end, and one at the edge of a page would be read by nobody.
    """
    resource, _, parameters = search.partition("?")
    own = [parameters] if parameters else []
    if asked_from is not None:
        own.append(f"_lastUpdated=ge{instant(asked_from)}")
    return f"{base.rstrip('/')}/{resource}?{'&'.join([*own, '_sort=-_lastUpdated', f'_count={page_size}'])}"


def read_search(http: FhirHttp, url: str, spool: Spool) -> Found:
    """All pages from ``url`` on, onto the spool. Raises ServerError, SearchError, StoppedError: then none of them counts."""
    found, total = None, None
    for bundle, at in _pages(http, url):
        if found is None:
            found = Found(times=[each for each in (at, _instant(bundle.meta)) if each is not None])
        if total is not None and bundle.total is not None and bundle.total < total:
            raise SearchError("records were removed while it was read, so some may have been passed over; it is read again")
        total = bundle.total if total is None else total
        for entry in bundle.entry:
            _keep(entry, found, spool)
    return found or Found()


def history_url(base: str, type_: str, since: datetime, page_size: int) -> str:
    """The first question for what became of the resources of a type."""
    return f"{base.rstrip('/')}/{type_}/_history?_since={instant(since)}&_count={page_size}"


def read_deleted(http: FhirHttp, url: str, spool: Spool) -> None:
    """What a history says was deleted, and when. Raises as ``read_search``."""
    for bundle, _ in _pages(http, url):
        for entry in bundle.entry:
            if entry.request is None or entry.request.method != "DELETE":
                continue
            type_, _, id_ = entry.request.url.partition("?")[0].rstrip("/").rpartition("/")
            name = (type_.rpartition("/")[2], id_)
            at = (entry.response.lastModified if entry.response else None) or ""
            spool.deleted[name] = max(at, spool.deleted.get(name, ""))
            if f"{name[0]}/{name[1]}" in spool.watched:
                spool.came.add(f"{name[0]}/{name[1]}")


def _pages(http: FhirHttp, url: str) -> Iterator[tuple[_Bundle, datetime | None]]:
    """Each page, and when the server gave it."""
    asked: set[str] = set()
    place: str | None = url
    while place is not None:
        if place in asked or len(asked) >= MOST_PAGES:
            raise SearchError("the pages of the answer have no end")
        asked.add(place)
        answer = http.get(place)
        bundle = _bundle(answer.body)
        yield bundle, answer.at
        place = _next(bundle, place, http)


def named_urls(base: str, names: set[tuple[str, str]]) -> Iterator[str]:
    """Questions for resources by their ids."""
    for type_ in NAMED:
        ids = sorted(id_ for each, id_ in names if each == type_)
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE]
            yield f"{base.rstrip('/')}/{type_}?_id={quote(','.join(some), safe=',')}&_count={IDS_AT_ONCE}"


def _bundle(body: bytes) -> _Bundle:
    try:
        bundle = msgspec.json.decode(body, type=_Bundle)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        what = "a page of HTML: is the url that of the FHIR server?" if body.lstrip()[:1] == b"<" else "no FHIR Bundle in JSON"
        raise SearchError(f"the server's answer is {what}") from None
    if bundle.resourceType != "Bundle":
        raise SearchError("the server's answer is no FHIR Bundle")
    return bundle


def _keep(entry: _Entry, found: Found, spool: Spool) -> None:
    raw = bytes(entry.resource)
    if raw in (b"", b"null"):
        return
    try:
        resource = msgspec.json.decode(raw, type=_Resource)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        resource = _Resource()  # the reader of records says what is wrong with it
    if resource.resourceType == "OperationOutcome":
        if any(issue.severity in ("error", "fatal") for issue in resource.issue):
            raise SearchError("the server says that its answer is not whole")
        return
    if entry.search is None or entry.search.mode == "match":
        at = _instant(resource.meta)
        found.newest = max((each for each in (found.newest, at) if each is not None), default=None)
    name = (resource.resourceType, resource.id)
    if name[0] in NAMED:
        spool.seen.add(name)
    if f"{name[0]}/{name[1]}" in spool.watched:
        spool.came.add(f"{name[0]}/{name[1]}")
    spool.wanted.update((each[0].decode(), each[1].decode()) for each in _REFERENCE.findall(raw))
    try:
        spool.file.write(raw.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
    except OSError as error:
        raise ServerError(f"what the server sends cannot be kept on this machine's disk: {error.strerror}") from None
    spool.resources += 1


def _next(bundle: _Bundle, place: str, http: FhirHttp) -> str | None:
    link = next((each.url for each in bundle.link if each.relation == "next"), None)
    if not link:
        return None
    try:
        following = urljoin(place, link)
    except ValueError:
        raise SearchError("the address of the next page cannot be read") from None
    if not http.inside(following):
        raise SearchError(
            "the next page is at another address, and nothing is asked there: the server's own base address is wrong"
        )
    return following


def _instant(meta: _Meta | None) -> datetime | None:
    try:
        at = datetime.fromisoformat((meta.lastUpdated if meta else None) or "")
    except ValueError:
        return None
    return at if at.tzinfo else None
