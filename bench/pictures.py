"""What a mail with its picture costs. M1: a figure beside a bare plot of the same library; mail: from facts to bytes.

The library is the product's own, so M1's gates, which were set for drawing without it, cannot be reached: the ratios say how
far the figure is from what the library costs at the least. What draws runs in processes of its own, as in the product.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path

from bench.measure import Ratio, medians
from monitor.clinical.findings import Urgency
from monitor.delivery.figure.drawer import Drawer
from monitor.delivery.figure.making import sheet_of
from monitor.delivery.figure.sheet import sheet_json
from monitor.delivery.language import Language
from monitor.delivery.message import OutgoingMessage, Picture, build, figure_cid, mint_message_id
from monitor.delivery.render import render
from monitor.delivery.samples_alert import sample_alert
from monitor.delivery.samples_trend import sample_trend

ROUNDS = 9
NOW = datetime(2021, 12, 8, 12, tzinfo=UTC)
PLOTTING = """
import json, resource, sys, time
from io import BytesIO
def figure(sheet):
    from monitor.delivery.figure.drawing import draw
    from monitor.delivery.figure.sheet import sheet_from
    return lambda: draw(sheet_from(sheet), "png")
def plot(_):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    def bare():
        canvas = FigureCanvasAgg(Figure(figsize=(6, 2.4), dpi=100))
        axes = canvas.figure.subplots()
        for line in range(3):
            axes.plot(range(20), [line] * 20)
        canvas.print_png(BytesIO())
    return bare
what, sheet, rounds = sys.argv[1], sys.stdin.read(), int(sys.argv[2])
draw = {"figure": figure, "plot": plot}[what](sheet)
draw()
first, taken = time.process_time(), []
for _ in range(rounds):
    begun = time.process_time()
    draw()
    taken.append(time.process_time() - begun)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"first": first, "next": sorted(taken)[rounds // 2], "memory": memory}))
"""


def pictures() -> Iterator[Ratio]:
    """M1: the next figure and the first, CPU, over a bare plot of three lines; memory of who asks, over who plots himself."""
    sheet = sheet_json(sheet_of(sample_trend(), "en"))
    ours, bare = _plotting("figure", sheet), _plotting("plot", sheet)
    for which, gate in (("next", 0.25), ("first", 0.05)):
        yield Ratio(
            goal=f"M1 {which}",
            what=f"{which} figure",
            seconds=ours[which],
            against=f"{which} bare plot",
            against_seconds=bare[which],
            gate=gate,
        )
    before = _resident_mb()
    _png()
    more = max(0.0, _resident_mb() - before)
    yield Ratio(
        goal="M1 RSS",
        what="memory (ms: MB) of who asks",
        seconds=more / 1e3,
        against="of who plots",
        against_seconds=bare["memory"] / 1e3,
        gate=0.1,
    )


def mails() -> Iterator[Ratio]:
    """An immediate alert's mail in each language from its facts to its bytes, picture drawn; over writing bytes as many."""
    png = _png()
    whole = _mail("en", png)

    def bare() -> None:
        message = EmailMessage(policy=SMTP)
        message["Subject"] = "bench"
        message.set_content(whole.text, cte="quoted-printable")
        message.add_alternative(whole.html, subtype="html", cte="quoted-printable")
        message.add_attachment(png, "image", "png")
        message.as_bytes()

    languages: tuple[Language, ...] = ("en", "de")
    *each, floor = medians(*(partial(_mail, language, png) for language in languages), bare, rounds=ROUNDS)
    for language, seconds in zip(languages, each, strict=True):
        yield Ratio(
            goal=f"mail {language}",
            what="a mail from facts to bytes",
            seconds=seconds,
            against="bare bytes",
            against_seconds=floor,
            gate=5,
        )


def _mail(language: Language, png: bytes) -> OutgoingMessage:
    rendered = render("alert", sample_alert(Urgency.IMMEDIATE), language=language)
    message_id = mint_message_id("bench.example", language)
    cid = figure_cid("figure", message_id)
    message = OutgoingMessage(
        message_id=message_id,
        sender="alerts@hospital.example",
        recipient="nurse@hospital.example",
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html.replace("cid:figure", f"cid:{cid}"),
        date=NOW,
        picture=Picture(cid, png),
    )
    build(message)
    return message


def _png() -> bytes:
    with tempfile.TemporaryDirectory() as name, Drawer(Path(name), seconds_now=time.monotonic) as drawer:
        png = drawer.draw(sheet_json(sheet_of(sample_trend(), "en")), "png")
    if png is None:
        raise RuntimeError("no figure was drawn")
    return png


def _plotting(what: str, sheet: str) -> dict[str, float]:
    command = [sys.executable, "-c", PLOTTING, what, str(ROUNDS)]
    found: dict[str, float] = json.loads(subprocess.run(command, input=sheet, text=True, capture_output=True, check=True).stdout)
    return found


def _resident_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
