"""Words of ours for what is recorded: each can be said in the reader's language. Names and identifiers are not among them."""

from __future__ import annotations

from monitor.clinical.findings import Urgency
from monitor.clinical.history import Schedule, Walking
from monitor.said import Said, Value, say

NOT_RECORDED = say("not recorded")
YES, NO = say("yes"), say("no")

SCHEDULES: dict[Schedule | None, Said] = {
    "twice-weekly": say("twice-weekly"),
    "weekly": say("weekly"),
    None: say("schedule not known"),
}

URGENCIES = {
    Urgency.IMMEDIATE: say("immediate"),
    Urgency.SAME_DAY: say("same-day"),
    Urgency.REVIEW: say("review"),
}

WALKING: dict[Walking, Said] = {
    "unaided": say("unaided"),
    "cane": say("cane"),
    "walker": say("walker"),
    "wheelchair": say("wheelchair"),
    "bedbound": say("bedbound"),
}

MOTOR_CRITERIA = {
    "loss-of-walking": say("loss of walking"),
    "loss-of-walking-undated": say("loss of walking, undated"),
    "disability-or-aid": say("more disability or a walking aid"),
    "motor-grade-severe": say("severe motor grade"),
    "motor-grade-rise": say("rise of the motor grade"),
    "mrc-sum-fall": say("fall of the MRC sum"),
    "muscle-fall": say("fall of a muscle"),
    "moderate-fall": say("moderate fall of power"),
    "small-fall": say("small fall of power"),
    "single-limb": say("fall in one limb"),
    "grip-fall": say("fall of grip strength"),
    "respiratory-bulbar-facial": say("respiratory, bulbar or facial signs"),
    "cord-signs": say("signs of the spinal cord"),
    "other-assessor": say("another assessor"),
}
"""The motor criteria by their ids, for sentences that name some of them."""

MUSCLES = {
    "deltoid": say("deltoid"),
    "biceps": say("biceps"),
    "triceps": say("triceps"),
    "wrist_extensors": say("wrist extensors"),
    "finger_extensors": say("finger extensors"),
    "first_dorsal_interosseous": say("first dorsal interosseous"),
    "abductor_digiti_minimi": say("abductor digiti minimi"),
    "abductor_pollicis_brevis": say("abductor pollicis brevis"),
    "iliopsoas": say("iliopsoas"),
    "quadriceps": say("quadriceps"),
    "hamstrings": say("hamstrings"),
    "tibialis_anterior": say("tibialis anterior"),
    "gastrocnemius": say("gastrocnemius"),
    "extensor_hallucis_longus": say("extensor hallucis longus"),
}

LIMBS = {
    "right arm": say("right arm"),
    "left arm": say("left arm"),
    "right leg": say("right leg"),
    "left leg": say("left leg"),
}

RECORDED = {
    "back_pain": say("back pain"),
    "sphincter": say("sphincter"),
    "sensory_level": say("sensory level"),
    "bulbar": say("bulbar"),
    "facial": say("facial"),
    "respiratory": say("respiratory"),
    "syncope": say("syncope"),
    "ileus": say("ileus"),
    "urinary_retention": say("urinary retention"),
    "normal": say("normal"),
    "reduced": say("reduced"),
    "absent": say("absent"),
    "abnormal": say("abnormal"),
    "axonal": say("axonal"),
    "demyelinating": say("demyelinating"),
    "conduction_slowing": say("conduction slowing"),
    "conduction_block": say("conduction block"),
    "prolonged_f_waves": say("prolonged f waves"),
    "reduced_amplitudes": say("reduced amplitudes"),
    "albuminocytologic_dissociation": say("albuminocytologic dissociation"),
    "pleocytosis": say("pleocytosis"),
    "cord_compression": say("cord compression"),
    "positive": say("positive"),
    "negative": say("negative"),
    "ivig": say("ivig"),
    "plasma_exchange": say("plasma exchange"),
    "corticosteroid": say("corticosteroid"),
}
"""Red flags, reflexes, findings of investigations, and immune treatments, as the import files write them."""


def word(recorded: str) -> str:
    """A recorded word, such as ``plasma_exchange``, in ours; one that is not ours is a name, and stays as it is."""
    return RECORDED.get(recorded) or recorded.replace("_", " ")


def or_not(value: int | None) -> Value:
    """A number, or that it was not recorded."""
    return NOT_RECORDED if value is None else value


def sentence(text: str) -> Said:
    """A sentence out of a guideline file: those of the shipped ones are in the catalogues, others stay as they are."""
    return Said(text, text.replace("{", "{{").replace("}", "}}"), None, {})
