"""What a mail asks for comes from the list of wordings or from a guideline, and orders no treatment, in any language."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given, settings

from monitor.clinical.alerts import Alert
from monitor.clinical.evaluate import evaluate
from monitor.clinical.history import History
from monitor.clinical.situation import situate
from monitor.delivery import wording
from monitor.delivery.compose import Site, alert_facts
from monitor.delivery.language import LANGUAGES, in_language
from monitor.delivery.render import render
from monitor.delivery.samples import samples
from monitor.shipped import shipped
from tests.builders import PATIENT_ID, shipped_policy
from tests.delivery.test_compose import WITHIN
from tests.drawn_histories import drawn_histories, instants
from tests.test_catalogues import said, translated

DRUGS = (
    r"bortezomib|velcade|ivig|immunoglobulin\w*|immunglobulin\w*|steroid\w*|corti[ck]o\w+|dexamethason\w*|prednis\w+|methylpred\w+"
    r"|plasma ?exchange|plasmapherese|plasmaaustausch|rituximab|gabapentin|pregabalin|duloxetin\w*|drug|medication|medikament\w*"
)
FORBIDDEN = {
    "en": re.compile(
        rf"\b(immediately|at once, give|real[- ]time|detects?|detected|diagnos(es|ed|ing))\b"
        rf"|\b(give|start|begin|administer|prescribe|inject|infuse)\b[^.:;]{{0,40}}\b({DRUGS})\b",
        re.IGNORECASE,
    ),
    "de": re.compile(
        rf"\b(unverzüglich|echtzeit|diagnostizier\w*|erkennt|geben sie|verabreichen sie|sofort (geben|verabreichen|beginnen))\b"
        rf"|\b({DRUGS})\b[^.:;]{{0,40}}\b(geben|verabreichen|ansetzen|beginnen|spritzen|infundieren)\b",
        re.IGNORECASE,
    ),
}
"""Drug orders, and words that promise or claim what the program cannot. "discontinue" is a guideline's word, told as its own."""

ASKED = {*wording.ASKS.values(), *wording.ASK_IN_REVIEW.values(), wording.ASK_WITHOUT_DOSE_ACTION, wording.ASK_OTHERWISE}
POLICY = shipped_policy()


def sentences(language: str) -> set[str]:
    """Every sentence of the program in a language, and every mail that is made of them."""
    english = {text for message in said() for text in message}
    german = {text for strings in translated("de").values() for text in strings}
    mails = {
        part
        for kind, several in samples().items()
        for facts in several
        for part in _parts(render(kind, facts, language="de" if language == "de" else "en"))
    }
    return (german if language == "de" else english) | mails


def _parts(mail: object) -> tuple[str, str]:
    return getattr(mail, "subject"), getattr(mail, "text")  # noqa: B009  # two texts of a rendered mail


@pytest.mark.parametrize("language", LANGUAGES)
def test_given_every_sentence_when_read_then_none_orders_a_drug_or_claims_too_much(language: str) -> None:
    found = [(text, match[0]) for text in sentences(language) if (match := FORBIDDEN[language].search(text))]
    assert found == []


def test_given_the_templates_as_written_when_read_then_none_orders_a_drug_or_claims_too_much() -> None:
    for path in shipped("templates").rglob("*"):
        if path.is_file():
            assert not FORBIDDEN["en"].search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    ("language", "planted"),
    [
        ("en", "Give IVIG today."),
        ("en", "Start the patient on dexamethasone."),
        ("en", "The monitor detects neuropathy in real time."),
        ("de", "Geben Sie heute Immunglobuline."),
        ("de", "Dexamethason sofort verabreichen."),
        ("de", "Das Programm diagnostiziert eine Neuropathie in Echtzeit."),
    ],
)
def test_given_a_planted_order_when_read_then_it_is_refused(language: str, planted: str) -> None:
    assert FORBIDDEN[language].search(planted)


@settings(max_examples=25, deadline=None)
@given(drawn_histories, instants)
def test_given_any_alert_when_told_then_what_it_recommends_is_from_the_list_or_a_guideline(
    history: History, now: datetime
) -> None:
    known = history.as_known_at(now)
    findings = evaluate(known, POLICY, now).findings
    if not findings:
        return
    alerts = [
        Alert(alert_id=number, patient_id=PATIENT_ID, state="open", finding=finding, opened_at=now, raised_at=now)
        for number, finding in enumerate(findings, start=1)
    ]
    site = Site(policy=POLICY, privacy="pseudonym", acknowledge_within=WITHIN, team="day-clinic")
    facts = alert_facts(alerts, site=site, history=known, situation=situate(known, POLICY, now), now=now)
    assert set(facts.ask) <= ASKED
    assert facts.differentials in ((), wording.DIFFERENTIALS)
    assert facts.work_up in ((), wording.WORK_UP)
    ours = {wording.action_in_words(each.action, POLICY.guideline.title) for each in findings if each.action is not None}
    assert {each.guideline_says for each in facts.findings} - {None} <= ours
    titles = tuple(f"{guideline.title}: " for guideline in POLICY.others)
    assert all(each.startswith(titles) for each in facts.other_guidelines)
    for language in LANGUAGES:
        told = in_language(facts, language)
        assert not FORBIDDEN[language].search("\n".join((*told.ask, *told.differentials, *told.work_up, *told.other_guidelines)))
