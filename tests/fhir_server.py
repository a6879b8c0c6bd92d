"""A FHIR server on loopback that stores what tests put into it, answers searches page by page, and fails as it is told to.

    with FhirServer() as server:
        server.put(a_patient("p1"), an_observation("o1", patient="p1"))    # a new version of each, changed now by server.clock
        server.instead("page=3", Reply(503))                               # for the next question whose address holds this
        server.always("AdverseEvent", Reply(404))
    server.asked[-1].query["_lastUpdated"]

Its clock is its own, and stands still until a test moves it.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

Resource = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One question as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str

    @property
    def type(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Reply:
    """What is answered in place of a Bundle; with ``drip`` a byte at a time, so many seconds apart."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0


class FhirServer:
    """See the module. ``token``: what must be presented; None lets everybody in. ``tls`` encrypts."""

    def __init__(self, *, token: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.clock = datetime(2026, 3, 2, 8, tzinfo=UTC)
        self.token = token
        self.asked: list[Asked] = []
        self.stored: dict[tuple[str, str], Resource] = {}
        self.deleted: list[tuple[str, str, str]] = []
        self.says_when = True
        self._replies: list[tuple[str, Reply, bool]] = []
        self._gone = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}/fhir"
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> FhirServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._gone.set()
        self._http.shutdown()
        self._http.server_close()

    def put(self, *resources: Resource) -> None:
        """Store a version of each, changed now."""
        for resource in resources:
            name = (resource["resourceType"], resource["id"])
            version = int(self.stored.get(name, {"meta": {"versionId": "0"}})["meta"]["versionId"]) + 1
            self.stored[name] = resource | {"meta": {"versionId": str(version), "lastUpdated": _instant(self.clock)}}

    def delete(self, type_: str, id_: str) -> None:
        """Store it no more; its history says when it went."""
        del self.stored[type_, id_]
        self.deleted.append((type_, id_, _instant(self.clock)))

    def pass_time(self, span: timedelta) -> None:
        self.clock += span

    def instead(self, part: str, reply: Reply) -> None:
        """Answer this to the next question whose address holds ``part``."""
        self._replies.append((part, reply, False))

    def always(self, part: str, reply: Reply) -> None:
        """Answer this to every such question."""
        self._replies.append((part, reply, True))

    def mend(self) -> None:
        """Answer what is stored again."""
        self._replies.clear()

    def searches(self, type_: str) -> list[Asked]:
        """First questions for a type, oldest first."""
        return [each for each in self.asked if each.type == type_ and "page" not in each.query and "_id" not in each.query]

    def _reply_to(self, asked: Asked, address: str) -> Reply:
        found = next((each for each in self._replies if each[0] in address), None)
        if found is not None:
            if not found[2]:
                self._replies.remove(found)
            return found[1]
        if self.token is not None and asked.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(401, b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login"}]}')
        return Reply(body=json.dumps(self._bundle(asked)).encode())

    def _bundle(self, asked: Asked) -> Resource:
        if asked.type == "_history":
            return {"resourceType": "Bundle", "type": "history", "entry": self._history(asked)}
        found = [each for (type_, _), each in self.stored.items() if type_ == asked.type]
        least = asked.query.get("_lastUpdated", "").removeprefix("ge")
        if least:
            found = [each for each in found if each["meta"]["lastUpdated"] >= least]
        if "_id" in asked.query:
            found = [each for each in found if each["id"] in asked.query["_id"].split(",")]
        found.sort(key=lambda each: str(each["meta"]["lastUpdated"]), reverse=True)
        size, page = int(asked.query["_count"]), int(asked.query.get("page", "1"))
        kept = {name: value for name, value in asked.query.items() if name != "page"}
        links = [{"relation": "self", "url": f"{self.url}/{asked.type}"}]
        if len(found) > page * size:
            following = "&".join(f"{name}={value}" for name, value in {**kept, "page": str(page + 1)}.items())
            links.append({"relation": "next", "url": f"{self.url}/{asked.type}?{following}"})
        bundle: Resource = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": links,
            "entry": [{"resource": each, "search": {"mode": "match"}} for each in found[(page - 1) * size : page * size]],
        }
        return bundle | ({"meta": {"lastUpdated": _instant(self.clock)}} if self.says_when else {})

    def _history(self, asked: Asked) -> list[Resource]:
        return [
            {"request": {"method": "DELETE", "url": f"{type_}/{id_}"}, "response": {"status": "204", "lastModified": at}}
            for type_, id_, at in self.deleted
            if f"/{type_}/" in asked.path and at >= asked.query["_since"]
        ]

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("content-length", "0"))
                body = self.rfile.read(length).decode()
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, query, headers, body)
                server.asked.append(asked)
                reply = server._reply_to(asked, self.path)
                self.send_response_only(reply.status)
                if server.says_when:
                    self.send_header("Date", format_datetime(server.clock, usegmt=True))
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for part in _parts(reply):
                        self.wfile.write(part)
                        if reply.drip and server._gone.wait(reply.drip):
                            return
                except OSError:  # whoever asked has gone away
                    self.close_connection = True

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                """Silent."""

        return Handler


def _parts(reply: Reply) -> Iterator[bytes]:
    if not reply.drip:
        yield reply.body
        return
    for place in range(len(reply.body)):
        yield reply.body[place : place + 1]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def a_patient(id_: str) -> Resource:
    return {"resourceType": "Patient", "id": id_, "identifier": [{"system": "urn:test:mrn", "value": f"P-{id_}"}]}


def a_motor_grade(id_: str, *, patient: str = "p1", grade: int = 3, on: str = "2026-03-01", status: str = "final") -> Resource:
    """An Observation of the CTCAE grade of motor neuropathy."""
    codes = ("C41338", "C41339", "C41340", "C41337", "C48275")
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": status,
        "code": {"coding": [{"system": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", "code": "C143750"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": f"{on}T09:00:00+01:00",
        "valueCodeableConcept": {
            "coding": [{"system": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl", "code": codes[grade - 1]}]
        },
        "method": {"text": "CTCAE v5.0"},
    }
