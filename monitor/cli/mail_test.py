"""``bipn-monitor test-mail``: one mail through each configured relay, every SMTP step reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.options import ConfigOption, Format, FormatOption, config_path

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.config.settings import Settings
    from monitor.delivery.walk import WalkedStep
    from monitor.service.relays import Route

DEADLINE_SECONDS = 60.0


def mail_test(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets it.")],
    config: ConfigOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Send one mail through each relay, every step reported."""
    import asyncio
    from dataclasses import asdict

    from monitor.cli.output import emit, emit_json
    from monitor.config.settings import load_settings
    from monitor.errors import DONE, NOT_DELIVERED
    from monitor.service.relays import routes

    path = config_path(context, config)
    settings = load_settings(path)
    found = routes(settings.mail, path.parent)
    walked = {route.name: asyncio.run(_walked(settings, route, address)) for route in found}
    taken = {name: steps[-1].ok for name, steps in walked.items()}
    if output is Format.JSON:
        told = {name: {"ok": taken[name], "steps": [asdict(step) for step in steps]} for name, steps in walked.items()}
        # The first relay's steps stand where they always did; the fallback's beside them, where there is one.
        emit_json(told.pop("relay") | {"ok": all(taken.values())} | told)
    else:
        for route in found:
            if len(found) > 1:
                emit(f"{route.name}: {route.address.host}, port {route.address.port}")
            emit("\n".join(f"{'ok  ' if step.ok else 'FAIL'}  {step.name:<11}  {step.words}" for step in walked[route.name]))
    raise typer.Exit(DONE if all(taken.values()) else NOT_DELIVERED)


def _envelope_sender(settings: Settings) -> str:
    """One like those of the daemon's mails, of message 0, which is none: a relay may take mail.sender and not this."""
    from monitor.delivery.reply_tokens import bounce_address

    return settings.mail.sender if settings.answers is None else bounce_address(settings.answers.address, 0, ("test-mail",))


async def _walked(settings: Settings, route: Route, address: str) -> list[WalkedStep]:
    from monitor.delivery.walk import walk
    from monitor.service import clock

    return await walk(
        route.address,
        _envelope_sender(settings),
        address,
        _test_message(settings, route, address, clock.now()),
        password=route.password,
        tokens=route.tokens,
        deadline_seconds=DEADLINE_SECONDS,
        fallback=route.name == "fallback",
    )


def _test_message(settings: Settings, route: Route, address: str, now: datetime) -> bytes:
    from monitor.config.addresses import is_address
    from monitor.delivery.facts import TestFacts, TimeFacts
    from monitor.delivery.message import OutgoingMessage, build, mint_message_id
    from monitor.delivery.render import render_or_builtin
    from monitor.delivery.wording import instant_in_words
    from monitor.errors import UsageError
    from monitor.said import say
    from monitor.service.people import recipient_known

    if not is_address(address):
        raise UsageError("an address is written like nurse@hospital.example; this one no relay would take")
    language = recipient_known(settings, address, address).language
    facts = TestFacts(
        relay=say("{host}, port {port}", host=route.address.host, port=route.address.port),
        asked_by=None,
        times=(TimeFacts(label=say("Sent"), at=instant_in_words(now, settings.time_zone)),),
    )
    rendered, _ = render_or_builtin("test", facts, folder=settings.templates, language=language)
    message = OutgoingMessage(
        message_id=mint_message_id(settings.mail.sender.rpartition("@")[2], f"test {route.name} {address} {now.isoformat()}"),
        sender=settings.mail.sender,
        recipient=address,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=now.astimezone(settings.time_zone),
    )
    return build(message)
