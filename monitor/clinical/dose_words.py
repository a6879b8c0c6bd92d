"""A dose action in words, as headlines and mails say it. Numbers carry their unit; no patient is named."""

from __future__ import annotations

from monitor.clinical.guideline import NO_LOWER_LEVEL, DoseAction


def mg_per_m2(dose: float) -> str:
    """A dose with its unit, one decimal where that is exact enough.

    >>> mg_per_m2(1.0), mg_per_m2(1.27)
    ('1.0 mg/m2', '1.27 mg/m2')
    """
    tenths = round(dose, 1)
    return f"{tenths:.1f} mg/m2" if abs(tenths - dose) < 0.005 else f"{dose:.2f} mg/m2"


def in_words(action: DoseAction) -> str:
    """The action and its alternatives in one clause: "reduce to 1.0 mg/m2, or change to 1.3 mg/m2 once weekly"."""
    if action.kind == "ask":
        without, with_pain = action.alternatives
        return f"ask about neuropathic pain: without it {in_words(without)}; with it {in_words(with_pain)}"
    return ", or ".join(_one(each) for each in (action, *action.alternatives))


def _one(action: DoseAction) -> str:
    match action.kind:
        case "none":
            return NO_LOWER_LEVEL if NO_LOWER_LEVEL in action.note else "no dose action"
        case "discontinue":
            return "discontinue bortezomib"
        case "withhold":
            return f"withhold until resolved, then {_then(action)}"
        case _:
            return _reduce(action)


def _reduce(action: DoseAction) -> str:
    dose = action.dose_mg_per_m2
    if action.schedule == "weekly":
        return f"change to {mg_per_m2(dose) if dose is not None else 'the present dose'} once weekly"
    return f"reduce to {mg_per_m2(dose)}" if dose is not None else "reduce to one level below the present dose"


def _then(action: DoseAction) -> str:
    if action.restart_dose_mg_per_m2 is None:
        return "at the dose the prescriber decides"
    how = " once weekly" if action.restart_schedule == "weekly" else ""
    return f"{mg_per_m2(action.restart_dose_mg_per_m2)}{how}"
