"""A clinic's own templates: what is wrong with them is told by file and line, and no mail is lost by them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.clinical.findings import Urgency
from monitor.delivery.builtin import FLAG
from monitor.delivery.facts import KINDS, AlertFacts, Kind, MailFacts
from monitor.delivery.language import LANGUAGES
from monitor.delivery.render import PARTS, Part, TemplateBroken, check_templates, render, render_or_builtin
from monitor.delivery.samples import samples
from monitor.delivery.samples_alert import sample_alert
from tests.delivery.colours import seen
from tests.delivery.mails import EVERY, words


def test_given_the_shipped_templates_when_checked_then_there_is_no_problem() -> None:
    assert list(check_templates(None, samples())) == []
    assert set(samples()) == set(KINDS)


@pytest.mark.parametrize(
    ("part", "source", "line", "problem"),
    [
        ("body.txt", "one\n{{ mail.urgncy.word }}", 2, "there is no urgncy here; did you mean urgency?"),
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


def test_given_the_name_of_a_field_elsewhere_when_checked_then_it_is_not_proposed_again(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    (tmp_path / "alert" / "subject.txt").write_text("{{ mail.policy.headline }}", encoding="utf-8")
    assert [problem.problem for problem in check_templates(tmp_path, samples())] == ["there is no headline here"]


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


def test_given_a_template_that_was_rendered_when_it_is_changed_then_every_language_reads_it_anew(tmp_path: Path) -> None:
    own = tmp_path / "alert" / "subject.txt"
    own.parent.mkdir()
    for source in ("{% trans %}Policy{% endtrans %} one", "{% trans %}Policy{% endtrans %} two"):
        own.write_text(source, encoding="utf-8")
        os.utime(own, (len(source), ord(source[-1])))
        english, german = (render("alert", sample_alert(Urgency.REVIEW), folder=tmp_path, language=each) for each in LANGUAGES)
        assert english.subject == f"Policy {source[-3:]}"
        assert german.subject == f"Regelwerk {source[-3:]}"


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
        assert all(words(finding.headline) in words(rendered.text) for finding in facts.findings)


def test_given_a_template_that_fails_only_in_german_when_checked_then_its_file_and_line_are_told(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    own = tmp_path / "alert" / "body.txt"
    own.write_text("{{ mail.urgency.word }}\n{% if language == 'de' %}{{ mail.urgncy }}{% endif %}\n", encoding="utf-8")
    (problem,) = check_templates(tmp_path, samples())
    assert (problem.file, problem.line) == (str(own), 2)
    assert problem.problem == 'there is no urgncy here; did you mean urgency? (only where language is "de")'


def test_given_a_page_without_classes_when_rendered_then_it_is_sent_as_the_clinic_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    page = "<html><head><style>p{color:#111}</style></head><body><p style='color:#222'>{{ mail.urgency.word }}&nbsp;<br></p>\n"
    (tmp_path / "alert" / "body.html").write_text(page, encoding="utf-8")
    rendered = render("alert", sample_alert(Urgency.REVIEW), folder=tmp_path)
    assert rendered.html == page.replace("{{ mail.urgency.word }}", "REVIEW")


def test_given_a_clinic_s_classes_when_rendered_then_its_rules_are_in_the_elements_and_those_for_a_screen_stay(
    tmp_path: Path,
) -> None:
    (tmp_path / "alert").mkdir()
    (tmp_path / "alert" / "body.html").write_text(
        "<html><head><style>.a{color:#111}@media (max-width:9px){.a{color:#333 !important}}</style></head>"
        '<body><p class="a">{{ mail.urgency.word }}</p></body></html>',
        encoding="utf-8",
    )
    page = render("alert", sample_alert(Urgency.REVIEW), folder=tmp_path).html
    assert '<p class="a" style="color:#111">REVIEW</p>' in page
    assert "@media (max-width:9px)" in page


def test_given_a_clinic_s_own_grounds_with_shared_parts_on_them_when_it_is_dark_then_all_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    (tmp_path / "alert" / "body.html").write_text(
        '{% from "parts.html" import top, row, heading, tag, answer, foot with context %}{{ top(None, "OWN", "", "") }}'
        '<tr><td style="background-color:#ffffff;color:#1a1a1a"><table>{{ row("Label", "value", more="more") }}</table>'
        '{{ heading("Heading") }}{{ tag(mail.urgency) }}{{ answer(mail.acknowledge_by_mail) }}'
        "</td></tr>{{ foot(mail.times, mail.policy, mail.notice) }}",
        encoding="utf-8",
    )
    for urgency in Urgency:
        texts = seen(render("alert", sample_alert(urgency), folder=tmp_path).html, dark=True)
        assert "Label" in {each.text for each in texts}
        assert [each for each in texts if each.contrast < 4.5] == []


def test_given_a_page_that_nests_without_end_when_rendered_then_it_is_sent_with_its_style_sheet(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    page = "<html><head><style>.a{color:#111}</style></head><body>" + "<table><tr><td class=a>" * 4000 + "deep"
    (tmp_path / "alert" / "body.html").write_text(page, encoding="utf-8")
    assert render("alert", sample_alert(Urgency.REVIEW), folder=tmp_path).html == page + "\n"


def test_given_a_page_that_its_styles_make_too_long_when_rendered_then_it_is_sent_with_its_style_sheet(tmp_path: Path) -> None:
    (tmp_path / "alert").mkdir()
    rule = "".join(f"padding-{side}: 12px; margin-{side}: 12px; " for side in ("left", "right", "top", "bottom"))
    page = "<html><head><style>.a{" + rule + "}</style></head><body>" + "<p class=a>x</p>" * 1000 + "</body></html>"
    (tmp_path / "alert" / "body.html").write_text(page, encoding="utf-8")
    assert render("alert", sample_alert(Urgency.REVIEW), folder=tmp_path).html == page + "\n"


@pytest.mark.parametrize("part", PARTS)
def test_given_a_template_that_is_not_in_utf_8_when_a_mail_is_made_then_it_goes_in_plain_words_and_the_file_is_named(
    tmp_path: Path, part: Part
) -> None:
    own = tmp_path / "alert" / part
    own.parent.mkdir()
    own.write_bytes("Übersicht: {{ mail.urgency.word }}".encode("latin-1"))
    rendered, broken = render_or_builtin("alert", sample_alert(Urgency.IMMEDIATE), folder=tmp_path, language="de")
    assert str(broken) == f"{own}:1: is not written in UTF-8"
    assert "Vorlage dieser Mail" in rendered.text
    problems = list(check_templates(tmp_path, samples()))
    assert [(problem.file, problem.problem) for problem in problems] == [(str(own), "is not written in UTF-8")]
