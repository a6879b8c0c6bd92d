"""What binds the next dose, and how one more assessment changes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from monitor.clinical.dose_table import ROUNDING, joined
from monitor.clinical.guideline import NO_LOWER_LEVEL, DoseAction
from monitor.clinical.history import Assessment, Dose, Patient
from monitor.clinical.policy import DoseRules, Resolved
from monitor.said import say

ONCE_WEEKLY_DAYS = 6  # a weekly dose given a day early is still weekly (our judgement)

ABOVE_LEVEL = "dose-above-advised-level"
WHILE_WITHHELD = "dose-while-withheld"
BEFORE_RESOLVED = "restarted-before-resolved"
AFTER_DISCONTINUE = "dose-after-discontinue-advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An assessment as resolution reads it: a grade that was not recorded is still the last one that was."""

    assessment: Assessment
    grade: int  # worst of sensory and motor as recorded at this visit, 0 where neither was
    sensory_grade: int | None
    motor_grade: int | None
    pain: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A toxicity that the advice to reduce answers: seen on that day, and not improved since."""

    on: date
    grade: int
    pain: bool

    def covers(self, grade: int, pain: bool) -> bool:
        """Whether this is no worse: no higher grade, and no pain that was not there."""
        return grade <= self.grade and (self.pain or not pain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Bortezomib is withheld until the toxicity is resolved."""

    asked_on: date  # by the newest assessment that asked for it
    restart_mg_per_m2: float | None
    worst_motor_grade: int
    resolved_on: tuple[date, ...] = ()  # the unbroken run of later visits without toxicity
    reassessed: bool = False  # a later visit found it unresolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What binds the next dose. Doses in mg/m2; ``cap`` None = no advice on the level yet."""

    action: DoseAction = field(default_factory=lambda: DoseAction(kind="none"))
    since: Assessment | None = None  # the assessment that gave it
    cap_mg_per_m2: float | None = None
    weekly_only: bool = False
    weekly_alternative_mg_per_m2: float | None = None  # once weekly, a dose up to this complies too
    hold: Hold | None = None
    answered: tuple[Answered, ...] = ()  # oldest first; empty once the toxicity has improved

    @property
    def discontinued(self) -> bool:
        return self.action.kind == "discontinue"

    def breaches(self, dose: Dose, previous: Dose | None, tolerance_mg_per_m2: float) -> tuple[str, ...]:
        """The criteria of dose-against-advice that ``dose`` meets; ``previous`` is the one before it."""
        if self.discontinued:
            return (AFTER_DISCONTINUE,)
        given, allowed = dose.dose_mg_per_m2, tolerance_mg_per_m2 + ROUNDING
        if self.hold is not None:
            restart = self.hold.restart_mg_per_m2
            restarted = self.hold.reassessed or (restart is not None and given <= restart + allowed)
            return (WHILE_WITHHELD, BEFORE_RESOLVED) if restarted else (WHILE_WITHHELD,)
        if self.cap_mg_per_m2 is None:
            return ()
        weekly = previous is None or (dose.on - previous.on).days >= ONCE_WEEKLY_DAYS
        if given <= self.cap_mg_per_m2 + allowed and (weekly or not self.weekly_only):
            return ()
        alternative = self.weekly_alternative_mg_per_m2
        if alternative is not None and weekly and given <= alternative + allowed:
            return ()
        return (ABOVE_LEVEL,)

    def persisting(self, grade: int, pain: bool) -> Answered | None:
        """The toxicity that merely lasts where one of this grade is seen; None where it is worse, or has come back."""
        return next((each for each in reversed(self.answered) if each.covers(grade, pain)), None)

    def still_advised(self) -> DoseAction:
        """The advice once more, for a visit that found it neither followed nor answered anew."""
        return self.action if self.since is None else _earlier(self.action, self.since)

    def in_pain(self, assessment: Assessment, resolved: Resolved) -> Standing:
        """What binds after a visit that recorded pain and no grade: one that breaks the run towards "resolved"."""
        hold = self.hold
        if hold is None or assessment.on <= hold.asked_on or not resolved.pain_absent:
            return self
        return replace(self, hold=replace(hold, resolved_on=(), reassessed=True))

    def after(self, visit: Visit, table: DoseAction, pain: bool, rules: DoseRules, patient: Patient) -> Standing:
        """What binds after one more visit and the table's answer to it with or without ``pain``, which is not ``ask``."""
        if self.discontinued:
            return self
        if table.kind == "discontinue":
            return Standing(action=table, since=visit.assessment)
        if table.kind == "withhold":
            return self._withheld(visit, table)
        standing = self._looked_at(visit, rules.resolved, patient)
        if standing.hold is None and table.kind == "reduce":
            return _lowered(standing, visit, table, pain, rules.tolerance_mg_per_m2)
        return standing

    def answer(self, table: DoseAction) -> DoseAction:
        """The answer in force: the table's, unless an earlier one outlives it or asked for a lower dose already."""
        if self.since is not None and (self.discontinued or self.hold is not None) and table.kind != self.action.kind:
            return _earlier(self.action, self.since)
        if table.kind == "withhold" and table.restart_dose_mg_per_m2 == self.action.restart_dose_mg_per_m2:
            return table
        if table.kind == "withhold":
            return replace(table, restart_dose_mg_per_m2=self.action.restart_dose_mg_per_m2)
        cap, dose = self.cap_mg_per_m2, table.dose_mg_per_m2
        if table.kind != "reduce" or cap is None or dose is None or dose <= cap + ROUNDING:
            return table
        schedule = "weekly" if self.weekly_only else table.schedule
        note = joined(say("a lower dose is advised already"), table.note)
        return replace(table, dose_mg_per_m2=cap, schedule=schedule, alternatives=(), note=note)

    def _withheld(self, visit: Visit, table: DoseAction) -> Standing:
        restart, cap = table.restart_dose_mg_per_m2, self.cap_mg_per_m2
        if restart is not None and cap is not None:
            restart = min(restart, cap)
        motor_grade = max(visit.motor_grade or 0, self.hold.worst_motor_grade if self.hold else 0)
        return Standing(
            action=table if restart == table.restart_dose_mg_per_m2 else replace(table, restart_dose_mg_per_m2=restart),
            since=self.since if self.hold else visit.assessment,
            cap_mg_per_m2=cap,
            weekly_only=self.weekly_only,
            weekly_alternative_mg_per_m2=self.weekly_alternative_mg_per_m2,
            hold=Hold(asked_on=visit.assessment.on, restart_mg_per_m2=restart, worst_motor_grade=motor_grade),
        )

    def _looked_at(self, visit: Visit, resolved: Resolved, patient: Patient) -> Standing:
        """A visit that did not ask to withhold: one more towards "resolved", or one that breaks the run."""
        hold = self.hold
        if hold is None or visit.assessment.on <= hold.asked_on:
            return self
        motor_grade = max(visit.motor_grade or 0, hold.worst_motor_grade)
        if not _without_toxicity(visit, resolved, patient):
            return replace(self, hold=replace(hold, worst_motor_grade=motor_grade, resolved_on=(), reassessed=True))
        run = (*hold.resolved_on, visit.assessment.on)
        if not _long_enough(run, motor_grade, resolved):
            return replace(self, hold=replace(hold, worst_motor_grade=motor_grade, resolved_on=run, reassessed=True))
        return self._released(hold)

    def _released(self, hold: Hold) -> Standing:
        """Resolved: no dose above the restart dose. The advice dates from the assessment that withheld."""
        if hold.restart_mg_per_m2 is None:
            return replace(self, action=DoseAction(kind="none", note=NO_LOWER_LEVEL), hold=None)
        restart = DoseAction(
            kind="reduce",
            dose_mg_per_m2=hold.restart_mg_per_m2,
            schedule=self.action.restart_schedule,
            note=say("restart after withholding"),
            source=self.action.source,
        )
        weekly = self.action.restart_schedule == "weekly"
        return Standing(action=restart, since=self.since, cap_mg_per_m2=hold.restart_mg_per_m2, weekly_only=weekly)


def _earlier(action: DoseAction, given: Assessment) -> DoseAction:
    return replace(action, note=joined(say("advised on {day}", day=given.on), action.note))


def _lowered(before: Standing, visit: Visit, table: DoseAction, pain: bool, tolerance_mg_per_m2: float) -> Standing:
    """The lower of the cap so far and the table's dose; a weekly way out only where it was open before."""
    cap, dose = before.cap_mg_per_m2, table.dose_mg_per_m2
    if dose is None:
        return before
    weekly = next((each.dose_mg_per_m2 for each in table.alternatives if each.schedule == "weekly"), None)
    if cap is not None and weekly is not None:
        highest = max(cap, before.weekly_alternative_mg_per_m2 or 0.0) + tolerance_mg_per_m2 + ROUNDING
        weekly = weekly if weekly <= highest else None
    answered = (*before.answered, Answered(on=visit.assessment.on, grade=visit.grade, pain=pain))
    lowered = replace(
        before,
        action=before.answer(table),
        since=visit.assessment,
        cap_mg_per_m2=dose if cap is None else min(cap, dose),
        weekly_only=before.weekly_only or table.schedule == "weekly",
        weekly_alternative_mg_per_m2=weekly,
        answered=answered,
    )
    return replace(before, answered=answered) if _binds_the_same(before, lowered) else lowered


def _binds_the_same(one: Standing, other: Standing) -> bool:
    return (one.cap_mg_per_m2, one.weekly_only, one.weekly_alternative_mg_per_m2) == (
        other.cap_mg_per_m2,
        other.weekly_only,
        other.weekly_alternative_mg_per_m2,
    )


def _without_toxicity(visit: Visit, resolved: Resolved, patient: Patient) -> bool:
    if resolved.pain_absent and visit.pain is not False:
        return False
    return (visit.sensory_grade or 0) <= max(resolved.at_most_grade, patient.baseline_sensory_grade or 0) and (
        visit.motor_grade or 0
    ) <= max(resolved.at_most_grade, patient.baseline_motor_grade or 0)


def _long_enough(run: tuple[date, ...], worst_motor_grade: int, resolved: Resolved) -> bool:
    if worst_motor_grade < resolved.assessments_if_motor_grade:
        return len(run) >= resolved.assessments
    return len(run) >= resolved.assessments_then and (run[-1] - run[0]).days >= resolved.apart_days
