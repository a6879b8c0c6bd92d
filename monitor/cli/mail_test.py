"""``bipn-monitor test-mail``: one mail through the configured relay, every SMTP step reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, Format, FormatOption, config_path

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.config.settings import Settings

DEADLINE_SECONDS = 60.0


def mail_test(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets it.")],
    config: ConfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Send one mail through the relay, every step reported."""
    import asyncio
    import os
    from dataclasses import asdict

    from monitor.cli.output import emit, emit_json
    from monitor.config.secrets import secret
    from monitor.config.settings import load_settings
    from monitor.delivery.walk import walk
    from monitor.errors import DONE, NOT_DELIVERED
    from monitor.service import clock
    from monitor.service.post import relay_address

    path = config_path(context, config)
    settings = load_settings(path)
    relay = relay_address(settings.mail.relay)
    data = _test_message(settings, address, clock.now())
    password = secret("smtp_password", os.environ, path.parent)
    steps = asyncio.run(walk(relay, settings.mail.sender, address, data, password=password, deadline_seconds=DEADLINE_SECONDS))
    taken = steps[-1].ok
    if output is Format.JSON:
        emit_json({"ok": taken, "steps": [asdict(step) for step in steps]})
    else:
        emit("\n".join(f"{'ok  ' if step.ok else 'FAIL'}  {step.name:<11}  {step.words}" for step in steps))
    raise typer.Exit(DONE if taken else NOT_DELIVERED)


def _test_message(settings: Settings, address: str, now: datetime) -> bytes:
    from monitor.config.addresses import is_address
    from monitor.delivery.facts import TestFacts, TimeFacts
    from monitor.delivery.message import OutgoingMessage, build, mint_message_id
    from monitor.delivery.render import render_or_builtin
    from monitor.delivery.wording import instant_in_words
    from monitor.errors import UsageError

    if not is_address(address):
        raise UsageError("an address is written like nurse@hospital.example; this one no relay would take")
    relay, local = settings.mail.relay, now.astimezone(settings.time_zone)
    facts = TestFacts(
        relay=f"{relay.host}, port {relay.port}",
        asked_by=None,
        times=(TimeFacts(label="Sent", at=instant_in_words(now, settings.time_zone)),),
    )
    rendered, _ = render_or_builtin("test", facts, folder=settings.templates)
    message = OutgoingMessage(
        message_id=mint_message_id(settings.mail.sender.rpartition("@")[2], f"test {address} {now.isoformat()}"),
        sender=settings.mail.sender,
        recipient=address,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=local,
    )
    return build(message)
