"""One burst: every message that is due, over one relay or the other, several at a time.

A message is claimed and committed before any byte leaves; its outcome is committed before the same connection takes the
next. Nothing that one message does ends the burst for the others; a relay's fault ends it for that relay.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from monitor.delivery.email import Outcome, Session
from monitor.errors import DatabaseError
from monitor.service import circuit, clock, dead_letters
from monitor.service.opening import Site
from monitor.service.outgoing import Writer
from monitor.service.relays import Route
from monitor.store import claims, dialect
from monitor.store.circuits import Circuit
from monitor.store.outbox import StoredMessage

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
"""A claim that is older, and so than the deadline below, was made by a process that died: the message goes again, marked."""

DEADLINE_SECONDS = 60.0
"""Total time for one message, connecting included; each network operation has its own, shorter limit."""

PROBE_SECONDS = 20.0
"""The same for the message that tries a failing relay while another one could take it."""

MESSAGES_PER_CONNECTION = 4
"""A connection more is worth its opening for so many messages that wait."""

PATIENCE_SECONDS = 5.0
"""When nothing was handed over for so long, the others do not wait: one connection more."""

TRIES_TO_RECORD = 3
"""An outcome that is not recorded is a mail that goes twice: a busy database gets some time."""

PAUSE_SECONDS = 1.0

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Lane:
    """A relay during a burst. ``fault`` is what it said when it failed in this burst."""

    route: Route
    circuit: Circuit
    fault: str | None = None
    doubted_over: str | None = None  # the address at whose message it failed last: more of the same prove nothing


@dataclass(slots=True, kw_only=True)
class Sweep:
    """See the module. ``run`` it once; then ``accepted``, ``failed`` and ``fault`` say what came of it."""

    site: Site
    begun_at: datetime
    holder: str
    lanes: list[Lane]
    writer: Writer
    stopping: Callable[[], bool]
    progress: Callable[[], None]
    force_probe: bool
    recorded_at: Callable[[], datetime]
    accepted: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    _begun: float = field(default_factory=clock.monotonic_seconds)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _halted: bool = False

    @property
    def fault(self) -> str | None:
        """What the relays said, where none of them is left: whatever was due still waits."""
        said = [lane.fault for lane in self.lanes if lane.fault is not None]
        return "; ".join(said) if said and all(lane.circuit.is_open for lane in self.lanes) else None

    async def run(self) -> None:
        """Raises DatabaseError where the database fails. Neither that nor being cancelled ends what has begun."""
        work = asyncio.create_task(self._run())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._halted = True
            await asyncio.wait({work})
            raise

    async def _run(self) -> None:
        first, *others = self.lanes
        if first.circuit.is_open:
            await self._to_the_end({asyncio.create_task(self._lane(lane)) for lane in self.lanes})
        else:
            await self._lane(first)
        if first.circuit.is_open:
            for lane in others:  # what the first did not take does not wait for it
                if lane.fault is None:
                    await self._lane(lane)

    async def _lane(self, lane: Lane) -> None:
        if lane.circuit.is_open and (self.force_probe or circuit.may_be_tried(lane.circuit, self._now())):
            await self._probe(lane)
        if not lane.circuit.is_open:
            await self._drain(lane)

    async def _probe(self, lane: Lane) -> None:
        """One message over a relay that failed; or, where none waits, a greeting: it heals without a message too."""
        seconds = PROBE_SECONDS if len(self.lanes) > 1 else DEADLINE_SECONDS
        message = None if self.stopping() else await self._claim(least_tried_first=True)
        async with lane.route.session() as session:
            if message is not None:
                await self._hand_over(lane, session, message, seconds, probing=True)
                return
            outcome = await session.greet(deadline_seconds=seconds)
            lane.circuit = await self._write(
                "circuit", lambda connection: self._judged(connection, lane, outcome, None, probing=True)
            )

    async def _drain(self, lane: Lane) -> None:
        """All that is due, by as many connections as that is worth."""
        most = lane.route.connections
        with self.site.database.read() as connection:
            waiting = claims.due_count(connection, self._now(), at_most=most * MESSAGES_PER_CONNECTION)
        wanted = max(1, math.ceil(waiting / MESSAGES_PER_CONNECTION))
        tasks = {asyncio.create_task(self._worker(lane)) for _ in range(wanted)}
        await self._to_the_end(tasks, another=lambda: self._worker(lane) if self._goes_on(lane) else None, most=most)

    async def _to_the_end(
        self,
        tasks: set[asyncio.Task[None]],
        *,
        another: Callable[[], Coroutine[Any, Any, None] | None] = lambda: None,
        most: int = 0,
    ) -> None:
        """Until all have ended, one that failed too; then raises what it raised. Where none ends for long, another begins."""
        ended: set[asyncio.Task[None]] = set()
        while tasks:
            done, tasks = await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
            ended |= done
            self._halted = self._halted or any(task.exception() is not None for task in done)
            more = another() if not done and len(tasks) < most else None
            if more is not None:
                tasks.add(asyncio.create_task(more))
        for task in ended:
            task.result()

    async def _worker(self, lane: Lane) -> None:
        async with lane.route.session() as session:
            while self._goes_on(lane):
                message = await self._claim()
                if message is None:
                    return
                await self._hand_over(lane, session, message, DEADLINE_SECONDS, probing=False)

    def _goes_on(self, lane: Lane) -> bool:
        return not (self._halted or lane.circuit.is_open or self.stopping())

    async def _claim(self, *, least_tried_first: bool = False) -> StoredMessage | None:
        """The next message, committed as ours."""

        def claim(connection: Connection) -> list[StoredMessage]:
            now = self._now()
            return claims.claim_due(
                connection, now=now, limit=1, lease=LEASE, holder=self.holder, least_tried_first=least_tried_first
            )

        claimed = await self._write("claim", claim)
        return claimed[0] if claimed else None

    async def _hand_over(self, lane: Lane, session: Session, message: StoredMessage, seconds: float, *, probing: bool) -> None:
        try:
            data, sender = await self.writer.written(message), self.writer.envelope_sender(message)
        except Exception as error:  # whatever is wrong with this message, the others go
            outcome = dead_letters.unwritten(error)
        else:
            outcome = await session.send(sender, message.recipient_address, data, deadline_seconds=seconds)
            other = self._another(lane) if circuit.another_may_take(outcome) else None
            if other is not None:
                await self._note(lane, message, outcome, probing=probing)
                lane, probing = other, False
                async with other.route.session() as second:
                    outcome = await second.send(sender, message.recipient_address, data, deadline_seconds=DEADLINE_SECONDS)
        after = await self._record(lane, message, outcome, probing=probing)
        found_out = after is not lane.circuit  # otherwise another message did, while this one was on its way
        lane.circuit = after
        if outcome.kind == "accepted":
            self.accepted.add(message.id)
        elif found_out or outcome.kind != "relay_fault":
            self.failed.add(message.id)
        self.progress()

    def _another(self, lane: Lane) -> Lane | None:
        """A relay that takes mail, as far as is known, beside this one."""
        return next((other for other in self.lanes if other is not lane and not other.circuit.is_open), None)

    async def _note(self, lane: Lane, message: StoredMessage, outcome: Outcome, *, probing: bool) -> None:
        """Commit an attempt after which the message stays ours, and goes to another relay."""

        def note(connection: Connection) -> Circuit:
            claims.record_attempt(connection, message, outcome.kind, outcome.words, now=self.recorded_at(), relay=lane.route.name)
            return self._judged(connection, lane, outcome, message, probing=probing, elsewhere=True)

        lane.circuit = await self._write("attempt", note)

    async def _record(self, lane: Lane, message: StoredMessage, outcome: Outcome, *, probing: bool) -> Circuit:
        """Commit what came of it; the lane's circuit after that."""

        def record(connection: Connection, follow_up: bool = True) -> Circuit:
            now = self._now()
            moved = claims.record_outcome(
                connection,
                message,
                outcome.kind,
                outcome.words,
                now=self.recorded_at(),
                next_attempt_at=circuit.next_attempt_at(message.message_id, message.attempts, outcome, now),
                relay=lane.route.name,
            )
            if moved and follow_up and outcome.kind == "refused_for_good":
                dead_letters.follow_up(self.site, connection, message, outcome, now)
            elif moved and follow_up:
                dead_letters.held_up(self.site, connection, message, outcome, now)
            return self._judged(connection, lane, outcome, message, probing=probing)

        for _ in range(TRIES_TO_RECORD):
            try:
                return await self._write("outcome", record)
            except DatabaseError:
                log.warning("what became of a mail could not be recorded yet", extra={"message_number": message.id})
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception as error:  # a defect in what follows: the outcome must not be lost with it, nor the other messages
                found = {"message_number": message.id, "error": type(error).__name__}
                log.error("a mail is given up, and what should follow failed", extra=found)
                break
        return await self._write("outcome", partial(record, follow_up=False))

    def _judged(
        self,
        connection: Connection,
        lane: Lane,
        outcome: Outcome,
        message: StoredMessage | None,
        *,
        probing: bool,
        elsewhere: bool = False,
    ) -> Circuit:
        """What an outcome says of the relay itself; of ``message``, or of a greeting.

        ``elsewhere``: the message goes to another relay now; one that refuses several for now is not to hide that.
        """
        known, host, now = lane.circuit, lane.route.address.host, self._now()
        refused = elsewhere and outcome.kind == "refused_for_now"
        if outcome.kind not in ("relay_fault", "indeterminate") and not refused:
            if known.failures and lane is self.lanes[0]:  # of the others nobody knows now, and nobody needs to
                for other in self.lanes[1:]:
                    other.circuit = circuit.heal(connection, other.circuit)
            return circuit.heal(connection, known)
        if known.is_open and not probing:
            return known
        of_one = refused or circuit.of_one(outcome)
        if message is not None and of_one:
            if not known.is_open and lane.doubted_over == message.recipient_address:
                return known
            lane.doubted_over = message.recipient_address
        unknown = "indeterminate: " if outcome.kind == "indeterminate" else ""  # what became of the mail, not what to do
        said = f"{unknown}{outcome.words} (at {outcome.at})"
        failed = circuit.doubt if of_one or outcome.kind == "indeterminate" else circuit.fault
        after = failed(connection, known, host, said, now)
        lane.fault = said if after.is_open else None
        return after

    async def _write(self, what: str, act: Callable[[Connection], Answer]) -> Answer:
        """One transaction, in a thread: another program may hold the database for a while, and connections must not wait.

        Beside the rounds of this and of other processes, but not while one of them decides what is told, or another sends.
        """

        def run() -> Answer:
            with self.site.database.write(what, beside_others=True) as connection:
                dialect.one_at_a_time(connection, dialect.JOURNAL)
                return act(connection)

        async with self._writing:
            return await asyncio.to_thread(run)

    def _now(self) -> datetime:
        return self.begun_at + timedelta(seconds=clock.monotonic_seconds() - self._begun)
