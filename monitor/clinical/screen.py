"""Which instants of a replay cannot change anything: a screen that may say "nothing new", and never says "alert".

Most of a long history repeats itself: the same grades at the next visit, the same dose a week later. Where the last review
found nothing, and all that became known since repeats the newest visit and the newest dose, on time, no rule can begin to
hold: comparisons with the best value of a window only lose their older, other values, levels are what they were, nothing
is overdue, and the drug status is the same. ``tests/clinical/test_screen.py`` holds the screen to that: with it and without
it the same alerts speak at the same instants, whatever the history.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from operator import attrgetter

from monitor.clinical.days import day_after
from monitor.clinical.history import ALWAYS, BORTEZOMIB, Assessment, Dose, Fact, History
from monitor.clinical.policy import Overdue, Policy
from monitor.clinical.scales.mrc import FULL_GRADE
from monitor.clinical.situation import schedule_from

IMMUNE_TREATMENTS = frozenset({"ivig", "plasma_exchange", "corticosteroid"})
RHYTHMS = {3: "twice-weekly", 4: "twice-weekly", 6: "weekly", 7: "weekly", 8: "weekly"}
"""What so many days between doses are. Anything else is looked at."""

FULL_POWER = frozenset({None, 5 * FULL_GRADE})

_AS_KNOWN = attrgetter("known_at", "at", "version")
_SUPERSEDED_AT = attrgetter("superseded_at")
_DRUG = attrgetter("drug")
_VOIDED = attrgetter("voided")
_MEASURES = attrgetter(
    *("ctcae_version", "sensory_grade", "motor_grade", "autonomic_grade", "neuropathic_pain", "pain_nrs", "walking"),
    *("gbs_disability", "reflexes", "red_flags", "systolic_lying", "systolic_standing", "diastolic_lying"),
    *("diastolic_standing", "grip_kpa_right", "grip_kpa_left"),
)


def calm_until(history: History, policy: Policy) -> dict[datetime, datetime]:
    """Instants at which nothing but repetition became known, each with the instant from which time alone may matter.

    Empty for a history with corrections, late or early arrivals, an ended course, another drug or an immune treatment:
    there every instant is looked at.
    """
    timed: list[Dose | Assessment] = [*history.doses, *history.assessments]
    facts = sorted(timed, key=_AS_KNOWN)
    if not facts or not _plain(history):
        return {}
    calm: dict[datetime, datetime] = {}
    others = _instants_of_others(history)
    course = max(history.courses, key=lambda each: each.started_on, default=None)
    patience = timedelta(days=_patience_days(policy.thresholds.overdue, course.cycle_days if course else None))
    pause = timedelta(days=policy.thresholds.drug_status.off_after_days_without_dose)
    first_on = min([each.started_on for each in history.courses] + [each.on for each in history.doses], default=date.max)
    doses: list[Dose] = []
    visit: Assessment | None = None
    given_at_visit: object = None  # the dose and the schedule, by which the dose table reads a visit
    newest_at = again_at = ALWAYS
    last_day: date | None = None  # on which all is well as it is
    broken: datetime | None = None  # something else became known at this instant too
    for fact in facts:
        at, known_at = fact.at, fact.known_at
        in_order = newest_at <= at and (at <= known_at or at.date() == known_at.date())
        if at > newest_at:
            newest_at = at
        if isinstance(fact, Dose):
            repeats = in_order and _repeats_dose(doses, fact)
            doses.append(fact)
        else:
            given = (doses[-1].dose_mg_per_m2 if doses else None, schedule_from(tuple(doses[-4:]), course))
            repeats = in_order and given == given_at_visit and _repeats_visit(visit, fact, first_on)
            visit, given_at_visit = fact, given
        if not repeats or known_at in others or known_at == broken or visit is None or not doses:
            broken = known_at
            calm.pop(known_at, None)
            continue
        if last_day != (last_day := min(visit.on + patience, doses[-1].on + pause)):
            again_at = day_after(last_day, 1, policy.zone)
        if again_at > known_at:
            calm[known_at] = again_at
        else:
            broken = known_at
            calm.pop(known_at, None)
    return calm


def _plain(history: History) -> bool:
    if any(course.discontinued_on is not None or course.drug != BORTEZOMIB for course in history.courses):
        return False
    if not {BORTEZOMIB}.issuperset(map(_DRUG, history.doses)) or any(map(_VOIDED, history.assessments)):
        return False
    if any(treatment.treatment in IMMUNE_TREATMENTS for treatment in history.treatments):
        return False
    groups: tuple[tuple[Fact, ...], ...] = (history.doses, history.assessments, *_others(history))
    return not any(any(map(_SUPERSEDED_AT, facts)) for facts in groups)


def _others(history: History) -> tuple[tuple[Fact, ...], ...]:
    return (history.patients, history.courses, history.labs, history.investigations, history.treatments)


def _instants_of_others(history: History) -> set[datetime]:
    return {fact.known_at for facts in _others(history) for fact in facts}


def _patience_days(overdue: Overdue, cycle_days: int | None) -> int:
    """For so many days after an assessment no clause of assessment-overdue can speak, whatever the assessment said."""
    cycle = cycle_days if cycle_days is not None else overdue.on_drug.default_cycle_days
    return min(cycle + overdue.on_drug.beyond_cycle_days, overdue.affected.more_than_days)


def _repeats_dose(before: list[Dose], dose: Dose) -> bool:
    if len(before) < 4:  # the schedule is read from the last four
        return False
    previous, last = before[-2], before[-1]
    rhythm = RHYTHMS.get((dose.on - last.on).days)
    return (
        rhythm is not None and rhythm == RHYTHMS.get((last.on - previous.on).days) and dose.dose_mg_per_m2 == last.dose_mg_per_m2
    )


def _repeats_visit(before: Assessment | None, visit: Assessment, first_on: date) -> bool:
    if before is None or before.on < first_on:  # what was found before the first dose is no finding
        return False
    if visit.sensory_grade is None or visit.motor_grade is None or visit.on <= before.on:
        return False  # what was not recorded is read from older visits, which may leave their window
    if visit.neuropathic_pain is None and (visit.sensory_grade or visit.motor_grade):
        return False  # an open question is asked anew at every visit
    if _MEASURES(before) != _MEASURES(visit):
        return False
    return visit.mrc == before.mrc or FULL_POWER.issuperset(visit.mrc)  # no fall, whichever muscles were tested before
