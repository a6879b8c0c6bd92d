"""The shipped templates: golden mails, hostile values, and a clinic's own that are wrong."""

from __future__ import annotations

import email
import email.policy
import html.parser
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from monitor.clinical.findings import Urgency
from monitor.delivery.builtin import FLAG
from monitor.delivery.facts import KINDS, AlertFacts, Kind, MailFacts, PatientFacts
from monitor.delivery.message import OutgoingMessage, build, mint_message_id
from monitor.delivery.preview import preview_files
from monitor.delivery.render import PARTS, TemplateBroken, check_templates, render, render_or_builtin
from monitor.delivery.samples import sample_alert, samples
from monitor.shipped import shipped

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    "<script>alert(1)</script> {{ 7*7 }} {% raw %} =?utf-8?q?x?=\r\n"
    'Bcc: all@hospital.example\r\n.\r\n\u202egnp\u2028end & "quote"'
)
EVERY = [
    pytest.param(kind, facts, id=f"{kind}-{place}") for kind, several in samples().items() for place, facts in enumerate(several)
]


def as_mail(kind: Kind, facts: MailFacts, token: str) -> bytes:
    rendered = render(kind, facts)
    return build(
        OutgoingMessage(
            message_id=mint_message_id("hospital.example", token),
            sender="alerts@hospital.example",
            recipient="nurse@hospital.example",
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            date=datetime(2011, 3, 15, 10, 21, tzinfo=timezone(timedelta(hours=1))),
        )
    )


@pytest.mark.parametrize(("kind", "facts"), EVERY)
def test_given_sample_facts_when_rendered_then_the_mail_is_the_golden_one(
    kind: Kind, facts: MailFacts, request: pytest.FixtureRequest, update_golden: bool
) -> None:
    name = request.node.callspec.id
    golden, mail = GOLDEN / f"{name}.eml", as_mail(kind, facts, name)
    if update_golden:
        GOLDEN.mkdir(exist_ok=True)
        golden.write_bytes(mail)
    assert mail == golden.read_bytes()


@pytest.mark.parametrize(("kind", "facts"), EVERY)
def test_given_sample_facts_when_rendered_then_both_parts_are_complete_and_fit(kind: Kind, facts: MailFacts) -> None:
    rendered = render(kind, facts)
    assert "None" not in rendered.subject + rendered.text + rendered.html
    assert "{" not in rendered.text
    assert max(len(line) for line in rendered.text.splitlines()) <= 78
    assert "\n\n\n\n" not in rendered.text
    assert "\n" not in rendered.subject
    words = _words(_visible(rendered.html))
    for each in facts_in_words(facts):
        assert _words(each) in _words(rendered.text), each
        assert _words(each) in words, each
    mail = as_mail(kind, facts, "x")
    assert max(len(line) for line in mail.split(b"\r\n")) <= 78
    assert b"\n" not in mail.replace(b"\r\n", b"")
    assert len(mail) < 100_000


def facts_in_words(facts: MailFacts) -> list[str]:
    """What a reader must find in the text part and in the HTML part alike."""
    if not isinstance(facts, AlertFacts):
        return [facts.times[0].at] if facts.times else []
    found = [
        facts.acknowledge_by,
        *facts.acknowledge_with,
        *facts.differentials,
        *facts.ask,
        *facts.other_guidelines,
        facts.notice,
    ]
    for finding in facts.findings:
        found += [finding.headline, finding.title, *finding.met, *finding.not_met, *finding.missing]
        found += [finding.guideline_says] if finding.guideline_says else []
    return found + ([facts.patient.patient_id] if facts.patient else [])


@pytest.mark.parametrize(("kind", "facts"), EVERY)
def test_given_any_kind_when_rendered_then_the_subject_and_headers_tell_nothing_of_a_patient(
    kind: Kind, facts: MailFacts
) -> None:
    headers = as_mail(kind, facts, "SAMPLE-0042 bortezomib").split(b"\r\n\r\n")[0].decode()
    for word in ("SAMPLE", "bortezomib", "neuropath", "motor", "grade", "bipn", "day-clinic"):
        assert word.lower() not in headers.lower()
    assert "Auto-Submitted: auto-generated" in headers
    assert "X-Auto-Response-Suppress: All" in headers


@pytest.mark.parametrize(("kind", "facts"), EVERY)
def test_given_any_kind_when_rendered_then_html_needs_nothing_from_elsewhere(kind: Kind, facts: MailFacts) -> None:
    page = render(kind, facts).html
    assert not re.search(
        r"<(img|link|script|style|iframe|form)\b|<a (?!href=\"mailto:)|https?://|url\(|class=|position:|display:\s*(flex|grid)",
        page,
    )


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
        findings=tuple(replace(finding, headline=HOSTILE, met=(HOSTILE,)) for finding in clean.findings),
        others_told=(HOSTILE,),
    )
    rendered = render("alert", hostile)
    assert rendered.subject == render("alert", clean).subject
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html
    assert "49" not in rendered.text
    assert "{{ 7*7 }}" in _words(rendered.text)
    assert not re.search(r"^(\.|Bcc)", rendered.text, re.MULTILINE)
    assert "\u202e" not in rendered.text + rendered.html
    assert "\r" not in rendered.text + rendered.html


def test_given_a_censored_value_when_rendered_then_html_escapes_it_and_text_does_not() -> None:
    facts = sample_alert(Urgency.REVIEW)
    facts = replace(facts, changed=("CSF protein <50 mg/dL & falling",))
    rendered = render("alert", facts)
    assert "&lt;50 mg/dL &amp; falling" in rendered.html
    assert "<50 mg/dL & falling" in rendered.text


def test_given_the_shipped_templates_when_checked_then_there_is_no_problem() -> None:
    assert list(check_templates(None, samples())) == []
    assert set(samples()) == set(KINDS)


@pytest.mark.parametrize(
    ("part", "source", "line", "problem"),
    [
        ("body.txt", "one\n{{ mail.urgncy.word }}", 2, "there is no urgncy; did you mean urgency?"),
        ("body.txt", "one\ntwo\n{{ urgency }}", 3, "a name that does not exist; the facts are under mail: urgency"),
        ("body.txt", "one\n{% if mail.drug %}", 2, "Unexpected end of template"),
        ("body.html", "{{ mail.patient.patient_id }}", 1, "there is no patient_id"),
        ("body.txt", "one\n{{ mail.findings[0].guideline_says }}", 2, "this value may be missing"),
        ("body.txt", "{{ ''.__class__.__mro__ }}", 1, "does what a template may not do"),
        ("body.txt", "{{ 'x' * 300000000 }}", 1, "does what a template may not do"),
        ("body.txt", "{% for a in range(99999) %}xxxxxxxxxx{% endfor %}", 1, "more than 100000 characters"),
        ("subject.txt", "  \n ", 1, "renders to nothing"),
        ("body.txt", "{% include 'nowhere.txt' %}", 1, "is missing from the templates"),
    ],
)
def test_given_a_broken_template_when_checked_then_file_and_line_are_told(
    tmp_path: Path, part: str, source: str, line: int, problem: str
) -> None:
    broken = tmp_path / "alert" / part
    broken.parent.mkdir()
    broken.write_text(source, encoding="utf-8")
    found = list(check_templates(tmp_path, samples()))
    assert found
    assert any(each.line == line and problem in each.problem for each in found), found
    assert all(each.file.endswith(f"alert/{part}") for each in found)


def test_given_a_file_no_mail_uses_when_checked_then_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    (tmp_path / "alert" / "body.text.txt").write_text("x", encoding="utf-8")
    (problem,) = check_templates(tmp_path, samples())
    assert "did you mean alert/body.txt?" in problem.problem
    (missing,) = list(check_templates(tmp_path / "nowhere", samples()))
    assert "does not exist" in missing.problem


def test_given_a_clinic_s_subject_when_rendered_then_it_alone_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    (tmp_path / "alert" / "subject.txt").write_text(
        "{{ mail.urgency.word }}:\n  {{ mail.alerts[0] }}\n" + "x" * 300, encoding="utf-8"
    )
    facts = sample_alert(Urgency.SAME_DAY)
    rendered = render("alert", facts, folder=tmp_path)
    assert rendered.subject.startswith("SAME DAY: A-13 xxx")
    assert len(rendered.subject) == 200
    assert rendered.text == render("alert", facts).text


@pytest.mark.parametrize(("kind", "facts"), EVERY)
def test_given_a_template_that_fails_at_run_time_when_rendered_then_flagged_built_in_text_stands_in(
    tmp_path: Path, kind: Kind, facts: MailFacts
) -> None:
    (tmp_path / kind).mkdir()
    (tmp_path / kind / "body.txt").write_text("{{ {}[mail.times[0].at] }}", encoding="utf-8")
    with pytest.raises(TemplateBroken):
        render(kind, facts, folder=tmp_path)
    rendered, broken = render_or_builtin(kind, facts, folder=tmp_path)
    assert broken is not None
    assert "2011" not in str(broken)
    assert rendered.text.startswith(FLAG[:60])
    assert "None" not in rendered.subject + rendered.text + rendered.html
    if isinstance(facts, AlertFacts):
        assert all(_words(finding.headline) in _words(rendered.text) for finding in facts.findings)


def test_given_every_kind_when_previewed_then_each_sample_is_three_files_and_an_index_names_them(tmp_path: Path) -> None:
    written = preview_files(tmp_path / "previews", KINDS)
    assert written[0].name == "index.html"
    assert len(written) == 1 + 3 * len(EVERY)
    assert len({path.name for path in written}) == len(written)
    index = written[0].read_text(encoding="utf-8")
    for path in written[1:]:
        assert f'href="{path.name}"' in index
        if path.suffix == ".eml":
            parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_given_the_parts_when_listed_then_every_kind_has_all_of_them() -> None:
    for kind in KINDS:
        for part in PARTS:
            assert (shipped("templates") / kind / part).is_file()


class _Text(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def _visible(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return "".join(parser.pieces)


def _words(text: str) -> str:
    return " ".join(text.split())
