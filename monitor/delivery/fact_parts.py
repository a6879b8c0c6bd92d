"""What the facts of several mails are made of: urgency, patient, finding, drug, course, times, policy. See ``facts``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgencyFacts:
    """How fast to look: never by colour alone, so there is a word and a shape beside it."""

    name: str  # immediate, same-day, review
    word: str  # IMMEDIATE, SAME DAY, REVIEW
    colour: str  # red, amber, yellow
    shape: str  # a square, a triangle, a disc
    verb: str  # "look now"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """Who, by pseudonym; by name only where the site's mails may name him."""

    patient_id: str
    site: str | None
    team: str | None
    display_name: str | None = None  # only where privacy is "identified", as is the next
    born_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFacts:
    """One rule's reason to look."""

    alert: str  # "A-12"
    rule: str  # rapid-motor-decline
    title: str  # "Rapid motor decline"
    urgency: UrgencyFacts
    headline: str  # what changed, with numbers and dates
    guideline_says: str | None  # the dose table's answer in words
    met: tuple[str, ...]
    not_met: tuple[str, ...]
    missing: tuple[str, ...]  # not recorded, with what follows: "muscle power (MRC): a fall cannot be measured without it"
    evidence: tuple[str, ...]  # "assessment of 15 Mar 2011"
    turning: tuple[str, ...] = ()  # what would have changed the urgency: "With walking unaided: no alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugFacts:
    """On or off bortezomib."""

    status: str  # "Off bortezomib for 35 days", "On bortezomib"
    last_dose: str | None  # "1.3 mg/m2 on 8 Feb 2011"
    next_dose: str | None  # "15 Mar 2011, by schedule (weekly)"
    cumulative: str | None = None  # "5.2 mg/m2 in 4 doses"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundFacts:
    """One thing to know of the patient: "Other neurotoxic drugs", "thalidomide since 3 Jan 2011"."""

    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One day of the course, as the figure shows it, in words; empty where nothing of the kind was recorded that day."""

    on: str  # "15 Mar 2011"
    grades: str  # "sensory 2, with neuropathic pain; motor 3 (CTCAE 5.0)"
    walking: str  # "wheelchair; GBS disability 4"
    power: str  # "right tibialis anterior 1, left tibialis anterior 2; sum 48"
    dose: str  # "1.3 mg/m2"
    what: str  # what began, ended or was found: "last dose", "IVIG begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureFacts:
    """The picture of the course, which a mail may go without."""

    cid: str
    alt: str  # the finding in words
    width: int  # pixels on the page


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFacts:
    """One instant of the way from the bedside to this mail."""

    label: str  # "Assessed"
    at: str  # "15 Mar 2011, 10:20 +01:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """Which numbers decided."""

    guideline: str
    guideline_version: str
    thresholds_version: str
    sha256: str  # its first twelve digits
    approved_by: str  # who signed the thresholds for this clinic; "nobody: not validated"
