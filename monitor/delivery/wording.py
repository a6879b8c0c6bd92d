"""The words of the mails: what does not depend on a template and has to be the same everywhere.

A guideline's answer is told as the guideline's; no sentence here prescribes. A hospital's own words go into templates.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from monitor.clinical.dose_words import in_words
from monitor.clinical.findings import Urgency
from monitor.clinical.guideline import DoseAction
from monitor.delivery.facts import UrgencyFacts

NOTICE = (
    "Decision support, not validated and not a medical device. It reads what was recorded and nothing else; "
    "the decision is the prescriber's. Silence of this program does not mean that a patient is well."
)

DAILY = "Findings to review, collected once a day. Each is listed once and not announced by itself."
BACKLOG = "A backlog: findings older than {within} are listed here once and not mailed one by one."
STORM = (
    "Many at once: findings about {patients} patients, as after a first import, a restored backup or a mass import. "
    "One mail in place of one for each."
)
"""Why findings are in a digest."""

COVERAGE_NOTICE = (
    "A statement about this program, not about patients: by the facts that were stored, who had to be told and who was. "
    "A fact that never came in is not in it. A relay's acceptance is not a reader. No statement for a day means trouble: "
    "look at the machine."
)

RULE_TITLES = {
    "dose-modification": "Dose threshold",
    "dose-against-advice": "Dose against the guideline's advice",
    "rapid-motor-decline": "Rapid motor decline",
    "worsening-after-discontinuation": "Worsening after discontinuation",
    "relapse-after-treatment": "Worse again after treatment",
    "immune-mediated-pattern": "Pattern of an immune-mediated neuropathy",
    "autonomic-neuropathy": "Autonomic neuropathy",
    "assessment-overdue": "Neuropathy assessment overdue",
    "conflicting-record": "Conflicting record",
}

MEASURES = {
    "mrc": "muscle power (MRC)",
    "csf_protein": "CSF protein",
    "gbs_disability": "GBS disability",
    "dose_mg_per_m2": "the present dose",
    "nerve_conduction": "nerve conduction study",
}
"""Measures whose name in the import files is no word of the ward; the others are, with their underscores as spaces."""

_NEUROLOGY = "Urgent neurology review; exclude spinal cord compression first."
ASKS = {
    "dose-modification": "Prescriber's decision before the next dose.",
    "dose-against-advice": "Tell the prescriber: the dose and the guideline disagree.",
    "rapid-motor-decline": _NEUROLOGY,
    "worsening-after-discontinuation": _NEUROLOGY,
    "relapse-after-treatment": _NEUROLOGY,
    "immune-mediated-pattern": _NEUROLOGY,
    "autonomic-neuropathy": "Examine the patient, blood pressure lying and standing included; tell the prescriber.",
    "assessment-overdue": "Assess the neuropathy before the next dose.",
    "conflicting-record": "Compare with the source and correct the record.",
}
ASK_IN_REVIEW = {
    "worsening-after-discontinuation": "Assess again, and tell the prescriber; possible coasting is a matter of watching.",
    "rapid-motor-decline": "Assess strength again within 7 days, same assessor if possible.",
}
ASK_OTHERWISE = "Look at the patient and tell the prescriber."

WEAKNESS_RULES = frozenset({"rapid-motor-decline", "relapse-after-treatment", "immune-mediated-pattern"})
"""And worsening-after-discontinuation above review. Weakness has other causes, the first of them an emergency."""

DIFFERENTIALS = (
    "Spinal cord or cauda equina compression: back pain, a sensory level, bladder or bowel, brisk reflexes. "
    "Whole-spine MRI first.",
    "Guillain-Barré syndrome or another immune neuropathy: reflexes lost, weakness near and far from the trunk, days to weeks.",
    "Leptomeningeal myeloma or radiculopathy: cranial nerves, one-sided, a single root.",
    "Electrolytes, steroid myopathy, zoster, other neurotoxic drugs, amyloidosis, diabetes.",
)

_SHAPES = {Urgency.IMMEDIATE: "\u25a0", Urgency.SAME_DAY: "\u25b2", Urgency.REVIEW: "\u25cf"}
_COLOURS = {Urgency.IMMEDIATE: "red", Urgency.SAME_DAY: "amber", Urgency.REVIEW: "yellow"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def measure_in_words(name: str) -> str:
    """A measure that was not recorded, as the ward says it.

    >>> measure_in_words("mrc"), measure_in_words("neuropathic_pain")
    ('muscle power (MRC)', 'neuropathic pain')
    """
    return MEASURES.get(name, name.replace("_", " "))


def urgency_in_words(urgency: Urgency, *, within: timedelta, on_drug: bool = False) -> UrgencyFacts:
    """Word, colour, shape and verb. ``within`` is the site's time to acknowledge."""
    match urgency:
        case Urgency.IMMEDIATE:
            verb = "look now"
        case Urgency.SAME_DAY:
            verb = "look today, before the next dose" if on_drug else "look today"
        case Urgency.REVIEW:
            verb = f"look within {duration_in_words(within)}"
    return UrgencyFacts(
        name=urgency.value,
        word=urgency.value.replace("-", " ").upper(),
        colour=_COLOURS[urgency],
        shape=_SHAPES[urgency],
        verb=verb,
    )


def action_in_words(action: DoseAction, guideline_title: str) -> str:
    """What a guideline answers, as the guideline's: "US label: withhold until resolved, then 0.7 mg/m2 once weekly"."""
    note = f" ({action.note})" if action.note and action.note not in in_words(action) else ""
    decides = "; prescriber's decision" if action.kind == "none" and action.note else ""
    return f"{guideline_title}: {in_words(action)}{note}{decides}"


def day_in_words(day: date) -> str:
    """ "15 Mar 2011": no reader takes the month for the day."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def instant_in_words(instant: datetime, zone: tzinfo) -> str:
    """ "15 Mar 2011, 10:20 +01:00" in the clinic's zone."""
    local = instant.astimezone(zone)
    offset = local.strftime("%z")
    return f"{day_in_words(local.date())}, {local:%H:%M} {offset[:3]}:{offset[3:5]}"


def duration_in_words(duration: timedelta) -> str:
    """ "3 days", "8 hours", "30 minutes": the largest unit that is exact."""
    seconds = int(duration.total_seconds())
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % unit == 0 and seconds >= unit:
            count = seconds // unit
            return f"{count} {name}" + ("s" if count != 1 else "")
    return "no time"
