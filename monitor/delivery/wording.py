"""The words of the mails: what does not depend on a template and has to be the same everywhere.

A guideline's answer is told as the guideline's; no sentence here prescribes. A hospital's own words go into templates.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo

from monitor.clinical.dose_words import in_words
from monitor.clinical.findings import Urgency
from monitor.clinical.guideline import DoseAction
from monitor.delivery.facts import UrgencyFacts
from monitor.said import Said, say, say_n

NOTICE = say(
    "Decision support, not validated and not a medical device. It reads what was recorded and nothing else; "
    "the decision is the prescriber's. Silence of this program does not mean that a patient is well."
)

NOT_APPROVED = say("nobody: not validated")
"""Who approved a policy file that names nobody."""

DAILY = say("Findings to review, collected once a day. Each is listed once and not announced by itself.")
"""Why findings are in a digest; as are ``backlog`` and ``storm``."""

COVERAGE_NOTICE = say(
    "A statement about this program, not about patients: by the facts that were stored, who had to be told and who was. "
    "A fact that never came in is not in it. A relay's acceptance is not a reader. No statement for a day means trouble: "
    "look at the machine."
)

QUALITY_NOTICE = say(
    "About records that were brought to this program. What was refused is not watched, whatever it says. What "
    "contradicts itself is watched, and the nurses are told of the patients."
)

RULE_TITLES = {
    "dose-modification": say("Dose threshold"),
    "dose-against-advice": say("Dose against the guideline's advice"),
    "rapid-motor-decline": say("Rapid motor decline"),
    "worsening-after-discontinuation": say("Worsening after discontinuation"),
    "relapse-after-treatment": say("Worse again after treatment"),
    "immune-mediated-pattern": say("Pattern of an immune-mediated neuropathy"),
    "autonomic-neuropathy": say("Autonomic neuropathy"),
    "assessment-overdue": say("Neuropathy assessment overdue"),
    "conflicting-record": say("Conflicting record"),
}

_NEUROLOGY = say("Urgent neurology review; exclude spinal cord compression first.")
ASKS = {
    "dose-modification": say("Prescriber's decision before the next dose."),
    "dose-against-advice": say("Tell the prescriber: the dose and the guideline disagree."),
    "rapid-motor-decline": _NEUROLOGY,
    "worsening-after-discontinuation": _NEUROLOGY,
    "relapse-after-treatment": _NEUROLOGY,
    "immune-mediated-pattern": _NEUROLOGY,
    "autonomic-neuropathy": say("Examine the patient, blood pressure lying and standing included; tell the prescriber."),
    "assessment-overdue": say("Assess the neuropathy before the next dose."),
    "conflicting-record": say("Compare with the source and correct the record."),
}
ASK_IN_REVIEW = {
    "worsening-after-discontinuation": say("Assess again, and tell the prescriber; possible coasting is a matter of watching."),
    "rapid-motor-decline": say("Assess strength again within 7 days, same assessor if possible."),
}
ASK_WITHOUT_DOSE_ACTION = say("No dose change by the guideline; tell the prescriber.")
ASK_OTHERWISE = say("Look at the patient and tell the prescriber.")

WEAKNESS_RULES = frozenset({"rapid-motor-decline", "relapse-after-treatment", "immune-mediated-pattern"})
"""And worsening-after-discontinuation above review. Weakness has other causes, the first of them an emergency."""

DIFFERENTIALS = (
    say(
        "Spinal cord or cauda equina compression: back pain, a sensory level, bladder or bowel, brisk reflexes. "
        "Whole-spine MRI first."
    ),
    say("Guillain-Barré syndrome or another immune neuropathy: reflexes lost, weakness proximal and distal, days to weeks."),
    say("Leptomeningeal myeloma or radiculopathy: cranial nerves, one-sided, a single root."),
    say("Electrolytes, steroid myopathy, zoster, other neurotoxic drugs, amyloidosis, diabetes."),
)

WORK_UP = (
    say("Whole-spine MRI where weakness of the legs, a sensory level, back pain, bladder or bowel speak for the cord."),
    say("Breathing and swallowing: vital capacity, again while weakness is progressing."),
    say("Nerve conduction studies with electromyography: demyelination, conduction block, or axons lost."),
    say(
        "Lumbar puncture: protein, cells and cytology. Normal protein in the first week does not exclude "
        "Guillain-Barré syndrome; diabetes, age and a spinal stenosis raise it."
    ),
    say("Serum: potassium, calcium, phosphate, creatine kinase, B12, thyroid, immunofixation and free light chains."),
    say(
        "Antibodies as neurology asks for them: gangliosides, MAG, nodal and paranodal, paraneoplastic. "
        "A negative panel excludes nothing."
    ),
)
"""Tests to consider where weakness is in question, for whoever is asked to see the patient. Sources: docs/clinical.md."""

NOTHING_TURNS_IT = say("no single change of the newest record changes it")
"""Where no turning point was found: see clinical.turning."""

_WORDS = {Urgency.IMMEDIATE: say("IMMEDIATE"), Urgency.SAME_DAY: say("SAME DAY"), Urgency.REVIEW: say("REVIEW")}
_SHAPES = {Urgency.IMMEDIATE: "\u25a0", Urgency.SAME_DAY: "\u25b2", Urgency.REVIEW: "\u25cf"}
_COLOURS = {Urgency.IMMEDIATE: "red", Urgency.SAME_DAY: "amber", Urgency.REVIEW: "yellow"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: tuple[tuple[int, Callable[[int], Said], Callable[[int], Said]], ...] = (
    (
        86400,
        lambda count: say_n("{count} day", "{count} days", count=count),
        lambda count: say_n("look within {count} day", "look within {count} days", count=count),
    ),
    (
        3600,
        lambda count: say_n("{count} hour", "{count} hours", count=count),
        lambda count: say_n("look within {count} hour", "look within {count} hours", count=count),
    ),
    (
        60,
        lambda count: say_n("{count} minute", "{count} minutes", count=count),
        lambda count: say_n("look within {count} minute", "look within {count} minutes", count=count),
    ),
    (
        1,
        lambda count: say_n("{count} second", "{count} seconds", count=count),
        lambda count: say_n("look within {count} second", "look within {count} seconds", count=count),
    ),
)
"""Seconds of a unit, so many of it, and the verb that says within so many: the largest unit that is exact is taken."""


def urgency_in_words(urgency: Urgency, *, within: timedelta, on_drug: bool = False) -> UrgencyFacts:
    """Word, colour, shape and verb. ``within`` is the site's time to acknowledge."""
    match urgency:
        case Urgency.IMMEDIATE:
            verb = say("look now")
        case Urgency.SAME_DAY:
            verb = say("look today, before the next dose") if on_drug else say("look today")
        case Urgency.REVIEW:
            count, unit = _largest_unit(within)
            verb = _UNITS[unit][2](count)
    return UrgencyFacts(name=urgency.value, word=_WORDS[urgency], colour=_COLOURS[urgency], shape=_SHAPES[urgency], verb=verb)


def count_in_words(urgency: Urgency, count: int) -> Said:
    """ "2 immediate": so many alerts of an urgency."""
    match urgency:
        case Urgency.IMMEDIATE:
            return say_n("{count} immediate", "{count} immediate", count=count)
        case Urgency.SAME_DAY:
            return say_n("{count} same-day", "{count} same-day", count=count)
        case Urgency.REVIEW:
            return say_n("{count} review", "{count} review", count=count)


def action_in_words(action: DoseAction, guideline_title: str) -> Said:
    """What a guideline answers, as the guideline's: "US label: withhold until resolved, then 0.7 mg/m2 once weekly"."""
    answer = in_words(action)
    if action.note and action.note not in answer:
        answer = say("{answer} ({note})", answer=answer, note=action.note)
    if action.kind == "none" and action.note:
        answer = say("{answer}; prescriber's decision", answer=answer)
    return say("{guideline}: {answer}", guideline=guideline_title, answer=answer)


def backlog(within: timedelta) -> Said:
    """Why old findings are in a digest."""
    return say(
        "A backlog: findings older than {within} are listed here once and not mailed one by one.",
        within=duration_in_words(within),
    )


def storm(patients: int) -> Said:
    """Why the findings of very many are in one digest."""
    return say(
        "Many at once: findings about {patients} patients, as after a first import, a restored backup or a mass import. "
        "One mail in place of one for each.",
        patients=patients,
    )


def day_in_words(day: date) -> Said:
    """ "15 Mar 2011": no reader takes the month for the day."""
    return Said(f"{day.day} {_MONTHS[day.month - 1]} {day.year}", "{day}", None, {"day": day})


def instant_in_words(instant: datetime, zone: tzinfo) -> Said:
    """ "15 Mar 2011, 10:20 +01:00" in the clinic's zone."""
    local = instant.astimezone(zone)
    offset = local.strftime("%z")
    text = f"{day_in_words(local.date())}, {local:%H:%M} {offset[:3]}:{offset[3:5]}"
    return Said(text, "{instant}", None, {"instant": local})


def duration_in_words(duration: timedelta) -> Said:
    """ "3 days", "8 hours", "30 minutes": the largest unit that is exact."""
    count, unit = _largest_unit(duration)
    return _UNITS[unit][1](count)


def _largest_unit(duration: timedelta) -> tuple[int, int]:
    """How many of which place in the units."""
    seconds = int(duration.total_seconds())
    for place, (unit, _, _) in enumerate(_UNITS):
        if seconds % unit == 0 and seconds >= unit:
            return seconds // unit, place
    return 0, len(_UNITS) - 1
