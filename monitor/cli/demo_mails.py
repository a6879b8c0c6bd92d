"""The mails that the demo received, unpacked into files that open with a double click, and a page that lists them."""

from __future__ import annotations

import email
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import policy
from pathlib import Path

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails of the demo</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1b1b }}
table {{ border-collapse: collapse; width: 100% }} td {{ border-top: 1px solid #ccc; padding: .4rem .6rem; vertical-align: top }}
td:first-child {{ white-space: nowrap; color: #555 }}
</style></head><body>
<h1>{count} mails of the demo</h1>
<p>Sent by SMTP and received on this machine, {order} first. Invented patients, but for JK-2012, the published case
(Jeter &amp; Kang 2012, doi 10.1186/2162-3619-1-20). Decision support, not a medical device, not validated.</p>
<table>
{rows}
</table></body></html>
"""
ROW = (
    '<tr><td>{date}</td><td><a href="{name}.html">{subject}</a><br>to {recipient}{about}</td>'
    '<td><a href="{name}.txt">text</a> <a href="{name}.eml">mail</a></td></tr>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """One mail in the demo's folder: ``name`` without its ending, ``day`` as the mail dates itself."""

    name: str
    day: str
    recipient: str
    subject: str
    alerts: frozenset[str]  # the alerts it speaks of, such as "A-12"


def unpack(mail: Path) -> ReceivedMail:
    """Write the text, the HTML and the picture of a received ``.eml`` beside it."""
    message = email.message_from_bytes(mail.read_bytes(), policy=policy.default)
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    words = text.get_content() if text is not None else ""
    mail.with_suffix(".txt").write_text(f"Subject: {message['Subject']}\n\n{words}", encoding="utf-8")
    shown = page.get_content() if page is not None else f"<pre>{html.escape(words)}</pre>"
    for part in message.walk():
        if part.get_content_type() == "image/png":
            mail.with_suffix(".png").write_bytes(part.get_content())
            shown = shown.replace(f"cid:{part['Content-ID'].strip('<>')}", f"{mail.stem}.png")
    mail.with_suffix(".html").write_text(shown, encoding="utf-8")
    return ReceivedMail(
        name=mail.stem,
        day=f"{message['Date'].datetime:%Y-%m-%d}" if message["Date"] else "",
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"]),
        alerts=frozenset(re.findall(r"\bA-\d+\b", words)),
    )


def write_index(folder: Path, mails: Sequence[ReceivedMail], about: Mapping[str, str], *, newest_first: bool = False) -> Path:
    """The page that lists all mails, in their order or the other way round; ``about`` says by a mail's name what it told."""
    rows = "\n".join(_row(mail, about.get(mail.name)) for mail in (reversed(mails) if newest_first else mails))
    index = folder / "index.html"
    order = "newest" if newest_first else "oldest"
    index.write_text(PAGE.format(count=len(mails), order=order, rows=rows), encoding="utf-8")
    return index


def _row(mail: ReceivedMail, about: str | None) -> str:
    return ROW.format(
        date=mail.day,
        name=mail.name,
        subject=html.escape(mail.subject),
        recipient=html.escape(mail.recipient),
        about=f": {html.escape(about)}" if about else "",
    )
