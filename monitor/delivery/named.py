"""Facts with the names of their patients in them. Who may have them so, ``service/naming`` decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from monitor.delivery.facts import AlertFacts, CorrectionFacts, DigestFacts, MailFacts, PatientFacts, ReminderFacts
from monitor.delivery.wording import day_in_words


class Identity(Protocol):
    """What a patient is called, each None where the records do not say it."""

    @property
    def display_name(self) -> str | None: ...

    @property
    def born_on(self) -> date | None: ...


def patients_of(facts: MailFacts) -> Iterator[PatientFacts]:
    """Everybody whom a mail is about."""
    match facts:
        case AlertFacts() | CorrectionFacts():
            found = [facts.patient]
        case ReminderFacts() | DigestFacts():
            found = [entry.patient for entry in facts.entries]
        case _:
            found = []
    yield from (patient for patient in found if patient is not None)


def named(facts: MailFacts, known: Mapping[str, Identity]) -> MailFacts:
    """The facts with the names that are ``known`` by patients' ids."""
    match facts:
        case AlertFacts() | CorrectionFacts():
            return replace(facts, patient=_with_name(facts.patient, known))
        case ReminderFacts():
            return replace(facts, entries=tuple(replace(each, patient=_with_name(each.patient, known)) for each in facts.entries))
        case DigestFacts():
            return replace(facts, entries=tuple(replace(each, patient=_with_name(each.patient, known)) for each in facts.entries))
        case _:
            return facts


def with_made_up_names(facts: MailFacts) -> MailFacts:
    """Made-up facts with a made-up name of every patient in them, to try templates with."""
    return named(facts, {patient.patient_id: _Nobody() for patient in patients_of(facts)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Nobody:
    display_name: str = "Sample, A."
    born_on: date = date(1950, 4, 3)


def _with_name(patient: PatientFacts | None, known: Mapping[str, Identity]) -> PatientFacts | None:
    identity = known.get(patient.patient_id) if patient is not None else None
    if patient is None or identity is None:
        return patient
    born_on = None if identity.born_on is None else day_in_words(identity.born_on)
    return replace(patient, display_name=identity.display_name, born_on=born_on)
