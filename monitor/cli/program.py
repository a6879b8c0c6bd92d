"""The command line as a whole: which commands there are, in which group, and the options all of them share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from monitor import __version__
from monitor.cli.ack import ack
from monitor.cli.alerts import alerts
from monitor.cli.check_config import check_config
from monitor.cli.demo import demo
from monitor.cli.explain import explain
from monitor.cli.import_files import import_files
from monitor.cli.journal import export, journal, verify
from monitor.cli.mail_test import mail_test
from monitor.cli.migrate import migrate
from monitor.cli.options import ConfigOption, DatabaseOption
from monitor.cli.poll import poll
from monitor.cli.preview import preview
from monitor.cli.rejects import rejects, settle
from monitor.cli.replay import replay
from monitor.cli.run import run
from monitor.cli.schema import schema
from monitor.cli.selftest import selftest
from monitor.cli.snooze import snooze
from monitor.cli.status import status

COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "See it work": {"demo": demo},
    "Watch": {"import": import_files, "poll": poll, "run": run, "status": status, "rejects": rejects, "journal": journal},
    "Alerts": {"alerts": alerts, "ack": ack, "snooze": snooze, "explain": explain, "replay": replay},
    "Set up": {
        "check-config": check_config,
        "test-mail": mail_test,
        "selftest": selftest,
        "preview": preview,
        "schema": schema,
        "migrate": migrate,
    },
}
SUBCOMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "journal": {"verify": verify, "export": export},
    "rejects": {"settle": settle},
}
"""The commands that are groups of their own."""

ALONE = frozenset({rejects})
"""Groups that do something without a further word too."""

EPILOG = "Exit codes: 0 done, 1 needs attention, 2 usage or configuration, 3 input rejected, 4 mail, 5 database, 70 our defect."


class Grouped(TyperGroup):
    """Help that lists the commands by what they are for."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes one section a group, in the order of COMMANDS."""
        width = max(len(name) for name in self.commands)
        for group, functions in COMMANDS.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(width), self.commands[name].get_short_help_str(200)) for name in functions])


def program() -> TyperGroup | TyperCommand:
    """All commands, ready to be called with a list of words."""
    app = typer.Typer(
        cls=Grouped,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=EPILOG,
    )
    app.callback()(shared_options)
    for functions in COMMANDS.values():
        for name, function in functions.items():
            if name in SUBCOMMANDS:
                app.add_typer(_group(function, SUBCOMMANDS[name]), name=name)
            else:
                app.command(name)(function)
    return typer.main.get_command(app)  # type: ignore[return-value]  # typed by its vendored click, which has no public name


def _group(itself: Callable[..., None], functions: dict[str, Callable[..., None]]) -> typer.Typer:
    alone = itself in ALONE
    group = typer.Typer(no_args_is_help=not alone, invoke_without_command=alone, rich_markup_mode=None)
    group.callback()(itself)
    for name, function in functions.items():
        group.command(name)(function)
    return group


def show_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        typer.echo(f"bipn-monitor {__version__}")
        raise typer.Exit


def shared_options(
    config: ConfigOption = None,
    database: DatabaseOption = None,
    version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Watches neuropathy assessments of patients on bortezomib and mails the oncology nurse.

    Decision support for qualified staff. Not a medical device, not validated for any clinic.
    """
