"""The shipped templates: golden mails, hostile values, missing facts."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from email import message_from_bytes
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from monitor.clinical.findings import Urgency
from monitor.delivery.facts import KINDS, AlertFacts, FigureFacts, Kind, MailFacts, PatientFacts
from monitor.delivery.language import Language, in_language
from monitor.delivery.render import PARTS, render
from monitor.delivery.samples import samples
from monitor.delivery.samples_alert import sample_alert
from monitor.shipped import shipped
from tests.delivery.mails import EVERY, FULLEST, SAID, as_mail, visible, words

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    "<script>alert(1)</script> {{ 7*7 }} {% raw %} =?utf-8?q?x?=\r\n"
    'Bcc: all@hospital.example\r\n.\r\n\u202egnp\u2028end & "quote" \' onerror=alert(2)'
)
OURS = frozenset({"name", "board_link", "mailto", "cid"})
AS_LONG_AS_THEY_ARE = frozenset({"alerts", "findings", "changes"})  # never empty


@pytest.mark.parametrize(("kind", "facts", "language"), SAID)
def test_given_sample_facts_when_rendered_then_the_mail_is_the_golden_one(
    kind: Kind, facts: MailFacts, language: Language, request: pytest.FixtureRequest, update_golden: bool
) -> None:
    name = request.node.callspec.id
    golden, mail = GOLDEN / f"{name}.eml", as_mail(kind, facts, name, language)
    if update_golden:
        GOLDEN.mkdir(exist_ok=True)
        golden.write_bytes(mail)
    assert mail == golden.read_bytes()


def test_given_the_golden_mails_when_listed_then_each_is_of_a_sample() -> None:
    assert {path.stem for path in GOLDEN.glob("*.eml")} == {str(each.id) for each in SAID}


@pytest.mark.parametrize(("kind", "facts", "language"), SAID)
def test_given_sample_facts_when_rendered_then_both_parts_are_complete_and_fit(
    kind: Kind, facts: MailFacts, language: Language
) -> None:
    rendered = render(kind, facts, language=language)
    assert "{" not in rendered.text
    assert all(len(line) <= 78 for line in rendered.text.splitlines() if "https://" not in line)
    assert "\n\n\n" not in rendered.text
    assert "\n" not in rendered.subject
    page, text = words(visible(rendered.html)), words(rendered.text)
    for each in facts_inwords(in_language(facts, language)):
        assert words(each) in text, each
        assert words(each) in page, each
    mail = as_mail(kind, facts, "x", language)
    assert max(len(line) for line in mail.split(b"\r\n") if not line.startswith(b"Subject: ")) <= 78
    assert b"\n" not in mail.replace(b"\r\n", b"")
    assert len(mail) < 100_000


def facts_inwords(facts: MailFacts) -> list[str]:
    """What a reader must find in the text part and in the HTML part alike."""
    if not isinstance(facts, AlertFacts):
        return [facts.times[0].at] if facts.times else []
    found = [
        facts.acknowledge_by,
        *facts.acknowledge_with,
        *facts.situation,
        *facts.differentials,
        *facts.work_up,
        *facts.ask,
        *facts.other_guidelines,
        facts.notice,
        *([facts.told_next] if facts.told_next else []),
        *([facts.guideline_says] if facts.guideline_says else []),
        *([facts.board_link] if facts.board_link else []),
        *([facts.disagreement] if facts.disagreement else []),
        *([facts.trend_more] if facts.trend_more else []),
        *(each.text for each in facts.background),
    ]
    for day in facts.trend:
        found += [day.on, *(each for each in (day.grades, day.walking, day.power, day.dose, day.what))]
    for finding in facts.findings:
        found += [finding.headline, finding.title, *finding.met, *finding.not_met, *finding.missing, *finding.turning]
    return found + ([facts.patient.patient_id] if facts.patient else [])


@pytest.mark.parametrize(("kind", "facts", "language"), FULLEST)
def test_given_a_mail_when_any_one_fact_is_missing_then_nothing_says_none(
    kind: Kind, facts: MailFacts, language: Language
) -> None:
    several = list(without_each(facts))
    for fewer in several:
        rendered = render(kind, fewer, language=language)
        assert not re.search(r"\bNone\b|Undefined|\(\)|: *[;,]", rendered.subject + rendered.text), fewer
        assert not re.search(r"\bNone\b|Undefined", visible(rendered.html)), fewer
    assert len(several) > (kind == "alert") * 20


def without_each(facts: Any) -> Iterator[Any]:
    """The facts with each that may be missing left out in turn, however deep it lies."""
    hints = typing.get_type_hints(type(facts))
    for field in fields(facts):
        value = getattr(facts, field.name)
        if isinstance(hints[field.name], types.UnionType) and value is not None:
            yield replace(facts, **{field.name: None})
        if isinstance(value, tuple) and value and field.name not in AS_LONG_AS_THEY_ARE:
            yield replace(facts, **{field.name: ()})
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            yield from (replace(facts, **{field.name: (each, *value[1:])}) for each in without_each(value[0]))
        elif is_dataclass(value):
            yield from (replace(facts, **{field.name: each}) for each in without_each(value))


@pytest.mark.parametrize(("kind", "facts"), EVERY)
def test_given_any_kind_when_rendered_then_the_subject_and_headers_tell_nothing_of_a_patient(
    kind: Kind, facts: MailFacts
) -> None:
    headers = as_mail(kind, facts, "SAMPLE-0042 bortezomib").split(b"\r\n\r\n")[0].decode()
    for word in ("SAMPLE", "bortezomib", "neuropath", "motor", "grade", "bipn", "day-clinic"):
        assert word.lower() not in headers.lower()
    assert "Auto-Submitted: auto-generated" in headers
    assert "X-Auto-Response-Suppress: All" in headers


def test_given_the_shipped_words_when_read_then_nothing_prescribes_or_boasts() -> None:
    sources = [path.read_text(encoding="utf-8") for path in shipped("templates").rglob("*") if path.is_file()]
    sources += [render(kind, facts).text for kind, several in samples().items() for facts in several]
    for source in sources:
        assert not re.search(r"\b(give|start|immediately|real[- ]time|detects?|diagnoses)\b", source, re.IGNORECASE)


def test_given_hostile_values_when_rendered_then_they_stay_text_on_one_line() -> None:
    clean = sample_alert(Urgency.IMMEDIATE)
    hostile = replace(
        clean,
        patient=PatientFacts(patient_id=HOSTILE, site=HOSTILE, team=HOSTILE),
        changed=(HOSTILE,),
        figure=FigureFacts(cid="figure", alt=HOSTILE, width=600),
        findings=tuple(replace(finding, headline=HOSTILE, met=(HOSTILE,)) for finding in clean.findings),
        others_told=(HOSTILE,),
    )
    rendered = render("alert", hostile)
    assert rendered.subject == render("alert", clean).subject
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html
    assert not re.search(r"<[^>]* onerror=", rendered.html.replace("&quot;", "").replace("' onerror", "' escaped"))
    assert "49" not in rendered.text
    assert "{{ 7*7 }}" in words(rendered.text)
    assert not re.search(r"^(\.|Bcc)", rendered.text, re.MULTILINE)
    assert "\u202e" not in rendered.text + rendered.html
    assert "\r" not in rendered.text + rendered.html


@pytest.mark.parametrize(("kind", "facts", "language"), FULLEST)
def test_given_any_kind_full_of_hostile_values_when_rendered_then_its_page_and_headers_have_no_more_parts_than_before(
    kind: Kind, facts: MailFacts, language: Language
) -> None:
    hostile = made_hostile(facts)
    assert _tags(render(kind, hostile, language=language).html) == _tags(render(kind, facts, language=language).html)
    assert "49" not in set(render(kind, hostile, language=language).text.split())
    mail = as_mail(kind, hostile, "x", language)
    parsed, clean = message_from_bytes(mail), message_from_bytes(as_mail(kind, facts, "x", language))
    assert parsed.keys() == clean.keys()
    assert [part.get_content_type() for part in parsed.walk()] == [part.get_content_type() for part in clean.walk()]
    assert "\u202e".encode() not in mail
    assert b"=E2=80=AE" not in mail


def made_hostile(value: Any) -> Any:
    """The facts with something hostile at the end of every text, but for the names of urgencies, which are ours, and links."""
    if isinstance(value, tuple):
        return tuple(made_hostile(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        texts = {each.name: getattr(value, each.name) for each in fields(value) if each.name not in OURS}
        return replace(value, **{name: made_hostile(text) for name, text in texts.items()})
    return f"{value} {HOSTILE}" if isinstance(value, str) and value else value


def _tags(page: str) -> list[str]:
    """The names of all elements and of their attributes, as a browser finds them."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(" ".join([tag, *(name for name, _ in attrs)]))

    Reader().feed(page)
    return found


def test_given_what_a_clinic_has_to_answer_with_when_rendered_then_the_button_is_the_best_of_it_and_says_where_it_leads() -> None:
    facts = sample_alert(Urgency.IMMEDIATE)
    assert facts.board_link is not None
    assert facts.acknowledge_by_mail is not None
    board = render("alert", facts).html
    mail = render("alert", replace(facts, board_link=None)).html
    neither = render("alert", replace(facts, board_link=None, acknowledge_by_mail=None)).html
    assert re.findall(r'class="pushed" href="([^"]*)"', board) == [facts.board_link]
    assert facts.board_link in visible(board)
    assert re.findall(r'class="pushed" href="([^"]*)"', mail) == [facts.acknowledge_by_mail.mailto]
    assert facts.acknowledge_by_mail.address in visible(mail)
    assert facts.acknowledge_by_mail.subject in visible(mail)
    assert "href=" not in neither
    assert facts.acknowledge_with[0] in visible(neither)


def test_given_a_censored_value_when_rendered_then_html_escapes_it_and_text_does_not() -> None:
    facts = sample_alert(Urgency.REVIEW)
    facts = replace(facts, changed=("CSF protein <50 mg/dL & falling",))
    rendered = render("alert", facts)
    assert "&lt;50 mg/dL &amp; falling" in rendered.html
    assert "<50 mg/dL & falling" in rendered.text


def test_given_the_parts_when_listed_then_every_kind_has_all_of_them() -> None:
    for kind in KINDS:
        for part in PARTS:
            assert (shipped("templates") / kind / part).is_file()
