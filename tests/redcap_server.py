"""An imitation of REDCap's API, as its documentation describes it: one form, one address, flat records. Real HTTP on loopback.

Nobody here has tried a real REDCap; what this does is what is written about it.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "0123456789ABCDEF" * 2
SYSTEM = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group")


@dataclass(frozen=True)
class Reply:
    """What is answered in place of records."""

    status: int = 200
    body: bytes = b""
    after_seconds: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    cut_at: int | None = None


@dataclass
class RedcapServer:
    """A project of the fields; its rows by record. Use it as a context manager."""

    fields: tuple[str, ...]
    rows: list[dict[str, str]] = field(default_factory=list)
    changed: dict[str, datetime] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    withheld: set[str] = field(default_factory=set)
    replies: dict[int, Reply] = field(default_factory=dict)
    """By the number of the question, the first being 0."""

    def __enter__(self) -> RedcapServer:
        project = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
                number = len(project.asked)
                project.asked.append(form)
                reply = project.replies.get(number) or project._answer(form)
                time.sleep(reply.after_seconds)
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.end_headers()
                with suppress(ConnectionError):  # whoever asked has given up
                    self.wfile.write(reply.body[: reply.cut_at])

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/"

    def put(self, record: str, *, at: datetime, instrument: str = "", instance: str = "", **values: str) -> None:
        """Store one row of a record, in place of the one with the same instance; ``at`` is this machine's wall clock."""
        self.remove(record, at=at, instrument=instrument, instance=instance)
        row = {"record_id": record, "redcap_repeat_instrument": instrument, "redcap_repeat_instance": instance}
        self.rows.append(row | {"redcap_data_access_group": ""} | values)

    def remove(self, record: str, *, at: datetime, instrument: str = "", instance: str = "") -> None:
        """Delete one row."""
        here = (record, instrument, instance)
        self.rows = [row for row in self.rows if (row["record_id"], *(row[name] for name in SYSTEM[1:3])) != here]
        self.changed[record] = at

    def remove_record(self, record: str) -> None:
        self.rows = [row for row in self.rows if row["record_id"] != record]
        self.changed.pop(record, None)

    def _answer(self, form: dict[str, str]) -> Reply:
        if form.get("token") != TOKEN:
            return _json({"error": "You do not have permissions to use the API"}, 403)
        known = {"content": "record", "format": "json", "type": "flat", "rawOrLabel": "raw", "returnFormat": "json"}
        if any(form.get(name) != value for name, value in known.items()):
            return _json({"error": "The value of the parameter is not valid"}, 400)
        records, fields = _listed(form, "records"), _listed(form, "fields")
        begin = form.get("dateRangeBegin")
        since = datetime.fromisoformat(begin) if begin else None
        found = []
        for row in sorted(self.rows, key=lambda row: row["record_id"]):
            name = row["record_id"]
            if (records and name not in records) or (since is not None and self.changed[name] < since):
                continue
            keys = [key for key in (*fields, *self._boxes(fields)) if key in (*self.fields, "record_id")]
            sent = {key: row.get(key, "0" if "___" in key else "") for key in keys if key not in self.withheld}
            found.append(sent | {name: row[name] for name in SYSTEM if name in row})
        return _json(found)

    def _boxes(self, fields: list[str]) -> list[str]:
        return [each for each in self.fields if each.partition("___")[0] in fields and "___" in each]


def _listed(form: dict[str, str], name: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{name}[")]


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value).encode())
