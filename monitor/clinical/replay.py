"""What would have been said, and when: the same evaluate and decide, driven along the instants at which facts became known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from monitor.clinical.alerts import Alert, Transition
from monitor.clinical.evaluate import evaluate
from monitor.clinical.findings import Review
from monitor.clinical.history import History
from monitor.clinical.lifecycle import ACTIVE, decide
from monitor.clinical.policy import Policy
from monitor.clinical.screen import calm_until


def replay(
    history: History, policy: Policy, *, until: datetime, screened: bool = True
) -> Iterator[tuple[datetime, Review, tuple[Transition, ...]]]:
    """The instants at which there was reason to look, up to and including ``until``, with what came of each.

    The alerts have no ids: the caller numbers them. At ``until`` the review is that of the live evaluation. ``screened``
    passes over instants at which nothing can have changed; without it every instant is looked at, and the same is said.
    """
    active: dict[str, Alert] = {}
    look_again_at: datetime | None = None
    calm = calm_until(history, policy) if screened else {}
    nothing_found = False
    for change in instants_to_look_at(history, until=until):
        instant: datetime | None = look_again_at if look_again_at is not None and look_again_at < change else change
        while instant is not None:
            if nothing_found and instant == change and change in calm and change != until:
                look_again_at = calm[change]
                break
            review = evaluate(history, policy, instant, explain=False)
            transitions = decide(tuple(active.values()), review, patient_id=history.patient_id, history=history, now=instant)
            for transition in transitions:
                if transition.after.state in ACTIVE:
                    active[transition.after.finding.rule] = transition.after
                else:
                    active.pop(transition.after.finding.rule, None)
            yield instant, review, transitions
            nothing_found = not review.findings
            look_again_at = review.look_again_at
            if instant == change:
                break
            instant = look_again_at if look_again_at is not None and look_again_at < change else change


def instants_to_look_at(history: History, *, until: datetime) -> list[datetime]:
    """The instants up to ``until`` at which what was known changed, and ``until`` itself, ascending.

    The rules' own look-again instants come on top of these as the replay meets them.
    """
    return [instant for instant in history.instants() if instant < until] + [until]
