"""Daemons by the hundred: one process that has read the whole program forks each of them, so that a start costs no second.

    with Nursery(installed) as nursery:                 # which has read its configuration once as well, templates and all
        daemon = nursery.start(installed, "run", BIPN_MONITOR_CRASH_AT="after RCPT")
        daemon.wait(), daemon.kill(), daemon.log

A child is a process of its own, with its own signals, threads and connections: nothing of them is there before the fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.installation import Installation, environment

SECONDS = 60.0
MOTHER = """
import contextlib, gc, io, json, os, signal, sys
import monitor.cli, monitor.cli.run, monitor.cli.poll, monitor.service.daemon, monitor.store.migrate, encodings.idna

def ended(*_):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        os.write(1, f"ended {pid} {os.waitstatus_to_exitcode(status)}\\n".encode())

def child(order):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(order["folder"])
    os.environ.update(order["environ"])
    os._exit(monitor.cli.run(order["words"]))

with contextlib.redirect_stdout(io.StringIO()):
    monitor.cli.run(["--config", sys.argv[1], "check-config"])
gc.freeze()
signal.signal(signal.SIGCHLD, ended)
for line in sys.stdin:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    pid = os.fork()
    if pid == 0:
        child(json.loads(line))
    os.write(1, f"started {pid}\\n".encode())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
"""


@dataclass(frozen=True)
class Child:
    """One process. ``log`` is what it and all before it in this installation printed."""

    pid: int
    log_file: Path
    printed_before: int
    nursery: Nursery

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    @property
    def own_log(self) -> str:
        """What was printed since its start."""
        return self.log_file.read_bytes()[self.printed_before :].decode()

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self.nursery.ended.get(self.pid)

    def kill(self) -> None:
        """SIGKILL, and the end of it."""
        with contextlib.suppress(ProcessLookupError):  # it had ended by itself
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self, seconds: float = SECONDS) -> int:
        """The exit code. AssertionError if it does not end in time; it is killed then."""
        end = time.monotonic() + seconds
        while self.code is None:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"a process that did not end\n{self.log}")
            time.sleep(0.01)
        return self.nursery.ended[self.pid]


class Nursery:
    """See the module. May be used by several threads."""

    def __init__(self, like: Installation) -> None:
        self.like = like
        self.ended: dict[int, int] = {}
        self._started: list[int] = []
        self._one = threading.Lock()

    def __enter__(self) -> Nursery:
        self._mother = subprocess.Popen(
            [sys.executable, "-c", MOTHER, str(self.like.config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(self.like.environ),
        )
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()
        return self

    def __exit__(self, *_: object) -> None:
        for pid in set(self._started) - set(self.ended):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._mother.stdin.close()
        self._mother.wait(timeout=SECONDS)
        self._ear.join()
        self._mother.stdout.close()

    def start(self, installed: Installation, *words: str, **environ: str) -> Child:
        """One command, running."""
        log = installed.folder.with_name(f"{installed.folder.name}.log")
        log.touch()
        printed_before = log.stat().st_size
        order = {
            "words": ["--config", str(installed.config), *words],
            "folder": str(installed.folder),
            "environ": installed.environ | environ,
            "log": str(log),
        }
        with self._one:
            before = len(self._started)
            assert self._mother.stdin is not None
            self._mother.stdin.write(json.dumps(order) + "\n")
            self._mother.stdin.flush()
            end = time.monotonic() + SECONDS
            while len(self._started) == before:
                assert self._mother.poll() is None, "the mother process has ended"
                assert time.monotonic() < end, "no process was started"
                time.sleep(0.002)
            pid = self._started[before]
        return Child(pid, log, printed_before, self)

    def _listen(self) -> None:
        assert self._mother.stdout is not None
        for line in self._mother.stdout:
            what, pid, *code = line.split()
            if what == "started":
                self.ended.pop(int(pid), None)  # a number that was given before
                self._started.append(int(pid))
            else:
                self.ended[int(pid)] = int(code[0])
