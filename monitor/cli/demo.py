"""``bipn-monitor demo``: a cohort's months in seconds, real mails at the end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.cli.demo_mails import ReceivedMail
    from monitor.cli.demo_story import Told
    from monitor.service.opening import Site

FIRST_TO_OPEN = (  # of the published patient; each is where his story turns
    ("dose-modification", "first advice: grade 1 with pain, reduce the dose"),
    ("worsening-after-discontinuation", "off the drug, and he can no longer walk"),
    ("relapse-after-treatment", "worse again after plasma exchange had helped"),
)
PUBLISHED = "JK-2012"


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where all of it goes.")] = Path("demo-out"),
    serve: Annotated[bool, typer.Option("--serve", help="At the end open the board on this machine, until Ctrl-C.")] = False,
) -> None:
    """Replay a small cohort's months in seconds; mails to look at."""
    from monitor.cli import demo_mails, demo_stage, demo_story
    from monitor.cli.output import emit, note
    from monitor.delivery.receiver import receiving
    from monitor.service import clock, demo_feed
    from monitor.service.opening import open_site

    demo_stage.prepare(out)
    note("Fourteen patients under a moved clock; mails go by SMTP to this machine only.")
    started = clock.monotonic_seconds()
    with receiving(out / "mail") as port:
        config = demo_stage.write_config(out, port, board_port=_board_port() if serve else None)
        with open_site(config, create=True) as site:
            steps = demo_story.steps_to_serve() if serve else demo_feed.demo_steps()
            told = demo_story.play(site, out, steps, answered_until=demo_story.ANSWERED_UNTIL if serve else None)
            shutil.rmtree(out / "feed")  # all of it is in the database
            mails = [demo_mails.unpack(mail) for mail in sorted((out / "mail").glob("*.eml"))]
            index = demo_mails.write_index(out / "mail", mails, _about(told))
            note(f"{len(mails)} mails in {clock.monotonic_seconds() - started:.0f} s")
            lines = [*_table(told, site.settings.time_zone), "", *_what_next(told, mails, out, config, index)]
            emit("\n".join(["", *lines]))
            if serve:
                _serve(site, out / "mail", _about(told), steps[-1])


def _board_port() -> int:
    from monitor.errors import UsageError

    try:
        from monitor.cli.demo_serve import free_port
    except ModuleNotFoundError as error:
        raise UsageError(f"--serve needs {error.name}, which is not installed: pip install 'bipn-monitor[web]'") from None
    return free_port()


def _serve(site: Site, folder: Path, about: dict[str, str], ended_at: datetime) -> None:
    """Until Ctrl-C."""
    import signal
    import threading

    from monitor.cli.demo_serve import serve
    from monitor.cli.output import emit, note

    board, mails, stop = serve(site, folder, about, ended_at)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    emit(f"\nThe mails: {mails}  (at the top a link to the board for each who may use it)\nThe board: {board}")
    note("Both are on this machine only. Ctrl-C ends them.")
    ended.wait()
    stop()


def _about(told: Sequence[Told]) -> dict[str, str]:
    """By mail, the patient and the rules it spoke of."""
    about: dict[str, str] = {}
    for each in told:
        if each.mail is not None:
            before = f"{about[each.mail.name]}, " if each.mail.name in about else f"{each.alert['patient_id']}: "
            about[each.mail.name] = before + each.alert["rule"]
    return about


def _table(told: Sequence[Told], zone: ZoneInfo) -> list[str]:
    from monitor.cli.output import table

    rows = [
        (
            f"{each.at.astimezone(zone):%Y-%m-%d}",
            each.alert["patient_id"],
            each.alert["urgency"],
            "withdrawn" if each.alert["state"] == "withdrawn" else each.alert["id"],
            f"{each.mail.name}.html" if each.mail else "in a digest",
            f"{each.alert['rule']}: {each.alert['headline']}",
        )
        for each in told
    ]
    return table(("raised", "patient", "urgency", "alert", "mail", ""), rows)


def _what_next(told: Sequence[Told], mails: Sequence[ReceivedMail], out: Path, config: Path, index: Path) -> list[str]:
    lines = [f"All mails: {index}", f"Open first, of {PUBLISHED} (Jeter & Kang 2012, doi 10.1186/2162-3619-1-20):"]
    for rule, why in FIRST_TO_OPEN:
        mail = next((t.mail for t in told if (t.alert["patient_id"], t.alert["rule"]) == (PUBLISHED, rule) and t.mail), None)
        if mail is not None:
            lines.append(f"  {out / 'mail' / mail.name}.html  {why}")
    passed_on = next((mail for mail in mails if "passed on" in mail.subject), None)
    if passed_on is not None:
        lines.append(f"  {out / 'mail' / passed_on.name}.html  nobody had answered: passed on to the next")
    return [
        *lines,
        "Try next:",
        *(f"{_program()} -c {config} {words}" for words in (f"explain {PUBLISHED} --at 2011-03-15", "alerts --open", "replay")),
        "Decision support. Not a medical device, not validated for any clinic.",
    ]


def _program() -> str:
    """How this program is called from where the person is."""
    return "bipn-monitor" if shutil.which("bipn-monitor") or not sys.argv[0].endswith("bipn-monitor") else sys.argv[0]
