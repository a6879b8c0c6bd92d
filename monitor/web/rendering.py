"""Pages of the board: Jinja templates in the viewer's language, every value escaped, a missing one an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from monitor.delivery.language import Language, catalogue, day_in, in_language
from monitor.delivery.sandbox import one_line_each
from monitor.delivery.wording import NOTICE
from monitor.said import Said, say
from monitor.web.asked import Asked
from monitor.web.viewer import Permission
from monitor.web.wording import SHAPES, state_words, urgency_words

PAGES = Path(__file__).parent / "pages"
MOMENTS = {"en": "d MMM y, HH:mm", "de": "d. MMM y, HH:mm"}


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the menu, for whoever has the permission."""

    path: str
    words: Said
    permission: Permission


MENU = (
    Place("/", say("Open alerts"), "list"),
    Place("/find", say("Find a patient"), "patient"),
    Place("/data-quality", say("Data quality"), "list"),
    Place("/policy", say("Policy"), "policy"),
    Place("/health", say("Delivery"), "operations"),
    Place("/coverage", say("Coverage"), "operations"),
    Place("/journal", say("Journal"), "views"),
)


def page(asked: Asked, name: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **facts: Any) -> Response:
    """``pages/<name>`` with ``facts``: texts, tuples and dataclasses, said in the viewer's language; or a picture as Markup.

    Every text of a fact is made one line of visible characters. Raises jinja2.TemplateError for a mistake in a template.
    """
    language = asked.viewer.language
    environment = environment_for(language, asked.site.settings.time_zone)
    seen = {key: _seen(value, language) for key, value in facts.items()}
    menu = tuple(place for place in MENU if asked.viewer.may(place.permission))
    html = environment.get_template(name).render(
        asked=asked, viewer=asked.viewer, now=asked.now, menu=in_language(menu, language), here=asked.request.url.path, **seen
    )
    return HTMLResponse(html, status_code=status, headers=dict(headers or {}))


@lru_cache(maxsize=8)
def environment_for(language: Language, zone: ZoneInfo) -> jinja2.Environment:
    """Templates that speak one language and show the clinic's time."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        finalize=_refuse_missing,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals |= {"language": language, "zone": zone.key, "shapes": SHAPES, "notice": in_language(NOTICE, language)}
    environment.filters |= {
        "day": lambda day: _time(day_in(day, language), day),
        "moment": lambda instant: _moment(instant, language, zone),
        "span": lambda span: in_language(span_words(span), language),
        "urgency": lambda urgency: in_language(urgency_words(urgency), language),
        "state": lambda state: in_language(state_words(state), language),
        "number": lambda value: f"{value:g}".replace(".", "," if language == "de" else "."),
    }
    return environment


def span_words(span: timedelta) -> Said:
    """How long, in one unit: "12 min", "3 h", "5 d". What is negative is no time at all."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 120:
        return say("{minutes} min", minutes=minutes)
    if minutes < 60 * 48:
        return say("{hours} h", hours=minutes // 60)
    return say("{days} d", days=minutes // 1440)


def _moment(instant: datetime, language: Language, zone: ZoneInfo) -> Markup:
    from babel.dates import format_datetime

    local = instant.astimezone(zone)
    return _time(format_datetime(local, MOMENTS[language], tzinfo=zone, locale=language), local)


def _time(words: str, value: date) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), words)


def _seen(value: Any, language: Language) -> Any:
    return value if isinstance(value, Markup) else one_line_each(in_language(value, language))


def _refuse_missing(value: Any) -> Any:
    if value is None:
        raise jinja2.UndefinedError("this value may be missing; print it inside {% if ... %}")
    return value
