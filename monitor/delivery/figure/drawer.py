"""Has figures drawn by a process of its own, so that this one never loads a plotting library.

A figure may fail; nothing else fails with it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from monitor.delivery.figure.sheet import Kind
from monitor.shipped import PACKAGE

log = logging.getLogger(__name__)

WORKER = (sys.executable, "-P", "-s", "-m", "monitor.delivery.figure.worker")
FIRST_SECONDS = 20.0  # (J) for a figure of a process that has yet to load its library
SECONDS = 10.0  # (J) for each after it
PATIENCE = 2
"""So often in a row a process may die, hang or not begin (J); then nothing is drawn for a while, and no mail waits for it."""

REST_SECONDS = 300.0  # (J)
LARGEST = 1_000_000  # bytes of an answer
GOODBYE_SECONDS = 2.0


class NotDrawnError(Exception):
    """Why there is no figure, without any word of it."""


class ProcessGoneError(NotDrawnError):
    """The process ended before it had answered."""


class Drawer:
    """Begins its process with the first figure and ends it with ``close``. Several threads may ask; one is served at a time.

    In ``scratch`` each process gets a folder of its own, where the drawing library keeps a list of fonts; it goes with the
    process. ``seconds_now`` never steps backwards. Left alone the process ends by itself.
    """

    def __init__(
        self,
        scratch: Path,
        *,
        seconds_now: Callable[[], float],
        command: Sequence[str] = WORKER,
        first_seconds: float = FIRST_SECONDS,
        seconds: float = SECONDS,
    ) -> None:
        self._scratch, self._command, self._now = scratch, tuple(command), seconds_now
        self._first_seconds, self._seconds = first_seconds, seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: str | None = None
        self._fresh, self._failures, self._rests_until = True, 0, 0.0
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Drawer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def draw(self, data: str, kind: Kind) -> bytes | None:
        """The figure of a sheet's JSON, or None, for whatever reason; the log says which, and nothing of the sheet."""
        with self._one_at_a_time:
            if self._failures >= PATIENCE and self._now() < self._rests_until:
                return None
            try:
                drawn = self._drawn(data, kind)
            except Exception as error:  # no mail is worth less than its figure
                self._end(wait_seconds=0.0)
                self._failures += 1
                self._rests_until = self._now() + REST_SECONDS
                why = str(error) if isinstance(error, NotDrawnError) else type(error).__name__
                log.warning("a figure was not drawn, the mail or page goes without", extra={"why": why})
                return None
            self._failures = 0
            return drawn

    def close(self) -> None:
        """End the process. What is asked for afterwards begins another."""
        with self._one_at_a_time:
            self._end(wait_seconds=GOODBYE_SECONDS)

    def _drawn(self, data: str, kind: Kind) -> bytes | None:
        request = json.dumps({"kind": kind, "sheet": data}).encode() + b"\n"
        try:
            head, drawn = self._asked(request)
        except (ProcessGoneError, OSError):
            if self._fresh:
                raise
            self._end(wait_seconds=0.0)  # it ended by itself, left alone for long, or was stopped with its service
            head, drawn = self._asked(request)
        if head.startswith("failed "):
            log.warning("a figure was not drawn, the mail or page goes without", extra={"why": head[:60]})
            return None
        _check(drawn, kind)
        return drawn

    def _asked(self, request: bytes) -> tuple[str, bytes]:
        process = self._running()
        seconds = self._first_seconds if self._fresh else self._seconds
        answer = _Exchange(process, self._now, self._now() + seconds).ask(request)
        self._fresh = False
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end(wait_seconds=0.0)
        self._fresh = True
        self._folder = tempfile.mkdtemp(prefix="bipn-monitor-figures-", dir=self._scratch)
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(self._folder),
            start_new_session=True,  # a key pressed in the terminal is meant for us
        )
        threading.Thread(target=self._process.wait, daemon=True).start()  # one that ends by itself leaves nothing behind
        return self._process

    def _end(self, *, wait_seconds: float) -> None:
        """Let it go by closing its input; kill it where it does not. Waited for in either case: nothing is left behind."""
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            self._let_go(process, wait_seconds)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)  # of one that was killed; any other has taken it away itself

    def _let_go(self, process: subprocess.Popen[bytes], wait_seconds: float) -> None:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(wait_seconds)
        except (subprocess.TimeoutExpired, OSError):  # OSError: a clock that was set back while it waited
            process.kill()
            process.wait()


class _Exchange:
    """One question and its answer over the pipes of a process, both before a deadline."""

    def __init__(self, process: subprocess.Popen[bytes], now: Callable[[], float], deadline: float) -> None:
        if process.stdin is None or process.stdout is None:
            raise NotDrawnError("the drawing process has no pipes")
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        self._now, self._deadline = now, deadline
        for pipe in (self._in, self._out):
            os.set_blocking(pipe, False)

    def ask(self, request: bytes) -> tuple[str, bytes]:
        """The first line of the answer and what follows it. Raises NotDrawnError, OSError."""
        while request:
            self._wait(self._in, selectors.EVENT_WRITE)
            request = request[os.write(self._in, request) :]
        got = b""
        while b"\n" not in got:
            got += self._read()
            if len(got) > LARGEST:
                raise NotDrawnError("the drawing process answered what is no figure")
        head, _, drawn = got.partition(b"\n")
        line = head.decode("ascii", "replace")
        if line.startswith("failed "):
            return line, b""
        ok, _, size = line.partition(" ")
        if ok != "ok" or not size.isdecimal() or int(size) > LARGEST:
            raise NotDrawnError("the drawing process answered what is no figure")
        while len(drawn) < int(size):
            drawn += self._read()
        return line, drawn

    def _read(self) -> bytes:
        self._wait(self._out, selectors.EVENT_READ)
        read = os.read(self._out, 65536)
        if not read:
            raise ProcessGoneError("the drawing process ended")
        return read

    def _wait(self, pipe: int, event: int) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            if not selector.select(max(0.0, self._deadline - self._now())):
                raise NotDrawnError("the drawing process did not answer in time")


def _check(drawn: bytes, kind: Kind) -> None:
    if not drawn.startswith(b"\x89PNG\r\n\x1a\n" if kind == "png" else b"<svg "):
        raise NotDrawnError("the drawing process answered what is no figure")


def _environment(folder: str) -> dict[str, str]:
    """All that the process is told: nothing of ours, where secrets may be, and no path to other programs."""
    return {
        "PYTHONPATH": str(PACKAGE.parent),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": folder,
        "HOME": folder,
        "TMPDIR": folder,
        "BIPN_MONITOR_FIGURE_SCRATCH": folder,
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
