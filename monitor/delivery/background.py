"""What to know of the patient before judging a change: the drug, the grades before it, other drugs, diseases, treatments."""

from __future__ import annotations

from monitor.clinical.dose_words import mg_per_m2
from monitor.clinical.neurotoxic import OtherDrug, diseases, other_drugs
from monitor.clinical.screen import IMMUNE_TREATMENTS
from monitor.clinical.situation import Situation
from monitor.clinical.words import NOT_RECORDED, SCHEDULES, word
from monitor.delivery.facts import BackgroundFacts, DrugFacts
from monitor.delivery.wording import day_in_words
from monitor.said import Said, joined, say, say_n


def drug_facts(situation: Situation | None) -> DrugFacts | None:
    """On or off bortezomib, and the last and the next dose; None for a patient who is not watched."""
    if situation is None:
        return None
    last, due = situation.last_dose, situation.next_dose_due_on()
    days_off = situation.days_after_stop(situation.today)
    given = cumulative = None
    if last is not None:
        given = say("{dose} on {day}", dose=mg_per_m2(last.dose_mg_per_m2), day=day_in_words(last.on))
        in_all = mg_per_m2(situation.cumulative_mg_per_m2(situation.today))
        cumulative = say_n("{dose} in {count} dose", "{dose} in {count} doses", count=len(situation.doses), dose=in_all)
    return DrugFacts(
        status=say("On bortezomib")
        if days_off is None
        else say_n("Off bortezomib for {count} day", "Off bortezomib for {count} days", count=days_off),
        last_dose=given,
        next_dose=None
        if due is None
        else say("{day}, by schedule ({schedule})", day=day_in_words(due), schedule=SCHEDULES[situation.schedule]),
        cumulative=cumulative,
    )


def background_facts(situation: Situation | None) -> tuple[BackgroundFacts, ...]:
    """A line each; "none recorded" is said, for it is not "none". Empty for a patient who is not watched."""
    if situation is None:
        return ()
    drugs = other_drugs(situation.history, situation.today)
    return (
        BackgroundFacts(label=say("Treatment"), text=_treatment(situation)),
        BackgroundFacts(label=say("Before bortezomib"), text=_baseline(situation)),
        BackgroundFacts(label=say("Other causes recorded"), text=_listed(diseases(situation.history))),
        BackgroundFacts(label=say("Other neurotoxic drugs"), text=_listed([_drug(drug) for drug in drugs])),
        BackgroundFacts(label=say("Treatments of the neuropathy"), text=_listed(_treated(situation))),
    )


def _treatment(situation: Situation) -> str:
    parts: list[str] = [say("bortezomib since {day}", day=day_in_words(situation.first_on)), SCHEDULES[situation.schedule]]
    course = situation.course
    if course is not None and course.cycle_days:
        parts.append(say("cycles of {days} days", days=course.cycle_days))
        if situation.on_drug:
            cycle, day = divmod((situation.today - course.started_on).days, course.cycle_days)
            parts.append(say("by the calendar cycle {cycle}, day {day}", cycle=cycle + 1, day=day + 1))
    return joined(", ", parts)


def _baseline(situation: Situation) -> str:
    patient, stand_ins = situation.history.patient, situation.stand_ins
    if patient.baseline_sensory_grade is None and patient.baseline_motor_grade is None:
        return say("no grade recorded")
    sensory = NOT_RECORDED if patient.baseline_sensory_grade is None else patient.baseline_sensory_grade
    motor = NOT_RECORDED if patient.baseline_motor_grade is None else patient.baseline_motor_grade
    grades = say("sensory grade {sensory}, motor grade {motor}", sensory=sensory, motor=motor)
    found = {stand_in.on for stand_in in stand_ins if stand_in is not None}
    if not found:
        return grades
    return say("{grades} (assessment of {day}, before the first dose)", grades=grades, day=day_in_words(max(found)))


def _drug(drug: OtherDrug) -> Said:
    since = day_in_words(drug.started_on)
    if drug.stopped_on is None:
        return say("{drug} since {day}", drug=drug.name, day=since)
    return say("{drug} from {day} to {until}", drug=drug.name, day=since, until=day_in_words(drug.stopped_on))


def _treated(situation: Situation) -> list[Said]:
    found = []
    for each in situation.history.treatments:
        if each.treatment in IMMUNE_TREATMENTS and each.started_on <= situation.today:
            since, name = day_in_words(each.started_on), word(each.treatment)
            ended = each.stopped_on is not None and each.stopped_on <= situation.today
            if each.stopped_on is None or not ended:
                found.append(say("{drug} since {day}", drug=name, day=since))
            else:
                found.append(say("{drug} from {day} to {until}", drug=name, day=since, until=day_in_words(each.stopped_on)))
    return found


def _listed(parts: list[Said] | tuple[Said, ...]) -> str:
    return joined("; ", parts) if parts else say("none recorded")
