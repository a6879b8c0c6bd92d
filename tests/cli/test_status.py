"""``status --nagios``: a plug-in's line and exit codes."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def test_given_a_site_when_asked_as_a_plug_in_then_one_line_and_0_or_2(command: Command, config: Path) -> None:
    command("--config", config, "migrate")
    unwatched = command("--config", config, "status", "--nagios")
    assert (unwatched.code, unwatched.err) == (2, "")
    assert unwatched.out.startswith("CRITICAL - no round was ever done")
    command("--config", config, "poll")
    watched = command("--config", config, "status", "--nagios")
    assert watched.code == 0
    assert watched.out.startswith("OK - evaluated up to ")
    assert (watched.out + unwatched.out).count("\n") == 2


def test_given_no_configuration_or_no_schema_when_asked_as_a_plug_in_then_critical_on_its_line(
    command: Command, config: Path
) -> None:
    missing = command("--config", config.with_name("none.yaml"), "status", "--nagios")
    assert (missing.code, missing.out.startswith("CRITICAL - "), missing.err) == (2, True, "")
    (config.parent / "site.db").touch()
    empty = command("--config", config, "status", "--nagios")
    assert (empty.code, empty.out.count("\n")) == (2, 1)
    assert "migrate" in empty.out
