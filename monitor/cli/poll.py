"""``bipn-monitor poll``: one round and its mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, DatabaseOption, Format, FormatOption, open_from

if TYPE_CHECKING:
    from monitor.service.pulled import Pulled


def poll(
    context: typer.Context,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="As if it were this time; a bare date is its end.")
    ] = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Do one round: evaluate what changed or is due, record, send."""
    from monitor.cli.output import emit, emit_json, note
    from monitor.errors import DONE, NEEDS_ATTENTION, NOT_DELIVERED
    from monitor.service import clock
    from monitor.service.answers import read_answers
    from monitor.service.cycle import daily_once, watch_once
    from monitor.service.feeding import pull_all
    from monitor.service.holder import own_holder
    from monitor.service.post import check_ready, send_due
    from monitor.service.shapes import poll_json
    from monitor.service.steady import steady_clock

    with open_from(context, config, database, create=True) as site:
        check_ready(site)  # where a secret cannot be read, that is said before a round is done
        asked = [] if at else list(pull_all(site, steady_clock(site).now(), holder=own_holder(clock.now())))
        now = clock.parse_instant(at, site.settings.time_zone, end_of_day=True) if at else steady_clock(site).now()
        read = read_answers(site, now)  # first: what was acknowledged is not passed on
        watched = watch_once(site, now)
        stated = daily_once(site, now)
        sent = send_due(site, now, force_probe=True)  # somebody is waiting
    done = watched.round
    summary = poll_json(done, sent, queued=watched.queued + stated)
    if output is Format.JSON:
        emit_json(summary)
    else:
        for name, counts in (("alerts", summary["alerts"]), ("messages", summary["messages"])):
            words = ", ".join(f"{count} {what}" for what, count in counts.items())
            emit(
                f"{name}: {words}"
                if name == "messages"
                else f"patients evaluated: {summary['patients_evaluated']}\n{name}: {words}"
            )
    if done.failed_patients:
        note(f"{done.failed_patients} patients could not be evaluated, the others were; status says which and why")
    _say_of_feeds(asked)
    if read.problem:
        note(f"answers by mail were not read, or not all: {read.problem}")
    if sent.relay_fault:
        note(f"mail could not be handed over, it is kept, and tried again after a minute: {sent.relay_fault}")
    faults = done.failed_patients or read.problem or any(pulled.problem for _, pulled in asked)
    undelivered = sent.failed or sent.relay_fault
    raise typer.Exit(NOT_DELIVERED if undelivered else NEEDS_ATTENTION if faults else DONE)


def _say_of_feeds(asked: list[tuple[str, Pulled]]) -> None:
    from monitor.cli.output import note

    for name, pulled in asked:
        if pulled.problem:
            note(f"the feed {name} was not read, or not all of it: {pulled.problem}")
        elif pulled.rejected:
            note(f"of the feed {name} {pulled.rejected} records were refused; `bipn-monitor rejects` says why")
