"""What was not recorded, as the ward says it, and what could not be told without it."""

from __future__ import annotations

from monitor.said import Said, say

MEASURES = {
    "autonomic_grade": say("autonomic grade"),
    "csf_protein": say("CSF protein"),
    "diastolic_lying": say("diastolic blood pressure lying"),
    "diastolic_standing": say("diastolic blood pressure standing"),
    "dose_mg_per_m2": say("the present dose"),
    "gbs_disability": say("GBS disability"),
    "motor_grade": say("motor grade"),
    "mrc": say("muscle power (MRC)"),
    "nerve_conduction": say("nerve conduction study"),
    "neuropathic_pain": say("neuropathic pain"),
    "reflexes": say("reflexes"),
    "sensory_grade": say("sensory grade"),
    "systolic_lying": say("systolic blood pressure lying"),
    "systolic_standing": say("systolic blood pressure standing"),
    "walking": say("walking"),
}

_OTHER_GRADE = say("the dose table goes by the worse of both grades, and one alone was read")
_STANDING = say("a fall of blood pressure on standing could not be measured")
_FEATURE = say("one feature of an immune-mediated neuropathy could not be looked at")
EFFECTS = {
    "autonomic_grade": say("a rise of it could not be seen"),
    "csf_protein": _FEATURE,
    "diastolic_lying": _STANDING,
    "diastolic_standing": _STANDING,
    "dose_mg_per_m2": say("the guideline's answer could not be put in numbers"),
    "gbs_disability": say("worse or better by this scale could not be seen"),
    "motor_grade": say("a rise of it could not be seen"),
    "mrc": say("a fall of muscle power could not be measured, and no sum compared"),
    "nerve_conduction": _FEATURE,
    "neuropathic_pain": say("the guideline's answer can be another with pain"),
    "reflexes": _FEATURE,
    "sensory_grade": _OTHER_GRADE,
    "systolic_lying": _STANDING,
    "systolic_standing": _STANDING,
    "walking": say("a loss of walking could not be seen"),
}
EFFECTS_BY_RULE = {
    ("dose-modification", "motor_grade"): _OTHER_GRADE,
    ("worsening-after-discontinuation", "motor_grade"): say("a rise of it after the last dose could not be seen"),
}


def missing_in_words(rule: str, measure: str) -> Said:
    """A measure that a rule would have read, and what follows from its not being recorded.

    >>> missing_in_words("rapid-motor-decline", "walking")
    'walking: not recorded; a loss of walking could not be seen'
    """
    name = MEASURES.get(measure, measure.replace("_", " "))
    effect = EFFECTS_BY_RULE.get((rule, measure)) or EFFECTS.get(measure)
    if effect is None:
        return say("{measure}: not recorded", measure=name)
    return say("{measure}: not recorded; {effect}", measure=name, effect=effect)
