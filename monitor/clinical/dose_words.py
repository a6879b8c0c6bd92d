"""A dose action in words, as headlines and mails say it. Numbers carry their unit; no patient is named."""

from __future__ import annotations

from monitor.clinical.guideline import NO_LOWER_LEVEL, DoseAction
from monitor.said import Said, say


def mg_per_m2(dose: float) -> Said:
    """A dose with its unit, one decimal where that is exact enough.

    >>> mg_per_m2(1.0), mg_per_m2(1.27)
    ('1.0 mg/m2', '1.27 mg/m2')
    """
    tenths = round(dose, 1)
    return say("{dose:.1f} mg/m2", dose=tenths) if abs(tenths - dose) < 0.005 else say("{dose:.2f} mg/m2", dose=dose)


def in_words(action: DoseAction) -> str:
    """The action and its alternatives in one clause: "reduce to 1.0 mg/m2, or change to 1.3 mg/m2 once weekly"."""
    if action.kind == "ask":
        without, with_pain = map(in_words, action.alternatives)
        return say("ask about neuropathic pain: without it {without}; with it {with_pain}", without=without, with_pain=with_pain)
    words = _one(action)
    for each in action.alternatives:
        words = say("{this}, or {alternative}", this=words, alternative=_one(each))
    return words


def _one(action: DoseAction) -> str:
    match action.kind:
        case "none":
            return NO_LOWER_LEVEL if NO_LOWER_LEVEL in action.note else say("no dose action")
        case "discontinue":
            return say("discontinue bortezomib")
        case "withhold":
            return say("withhold until resolved, then {then}", then=_then(action))
        case _:
            return _reduce(action)


def _reduce(action: DoseAction) -> str:
    dose = action.dose_mg_per_m2
    if action.schedule == "weekly":
        weekly = mg_per_m2(dose) if dose is not None else say("the present dose")
        return say("change to {dose} once weekly", dose=weekly)
    if dose is None:
        return say("reduce to one level below the present dose")
    return say("reduce to {dose}", dose=mg_per_m2(dose))


def _then(action: DoseAction) -> str:
    if action.restart_dose_mg_per_m2 is None:
        return say("at the dose the prescriber decides")
    dose = mg_per_m2(action.restart_dose_mg_per_m2)
    return say("{dose} once weekly", dose=dose) if action.restart_schedule == "weekly" else dose
