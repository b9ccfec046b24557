"""Pause people by rules: which figure, which threshold, from how many items. A person ends a pause, with a reason.

People are judged at 50, 100, 200 … items, once at each of these numbers, and never in between: a figure that is looked
at after every item would sooner or later be beyond any threshold by chance. A person is paused only if the exact 95 %
interval lies beyond the threshold. At each number, that happens by chance to at most 1 in 40 people whose true figure
is just at the threshold.

Lock the seat first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation.models import Seat
from annotation.seats import locked_seat, look_back_soon
from diptych.refusals import BadInput
from diptych.statistics.rates import share_between
from studies.models import Study
from suspensions import pause_figures
from suspensions.models import Pause, PauseJudgement, PauseRule
from suspensions.models.people import COUNTS

Figure = PauseRule.Figure
MOST_CHARACTERS = 2000
#: What is new is looked for from this long before the last time on: a request may have ended only after that.
LAG = timedelta(minutes=10)
#: The numbers of items from which a rule can begin.
BEGINNINGS = COUNTS[:4]


# --- Rules -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold, as a share from 0 to 1, and the number of items from which people are judged."""

    threshold: Decimal
    least: int = COUNTS[0]

    def __post_init__(self) -> None:
        """Raise BadInput if one of the values is out of range."""
        if not Decimal("0.001") <= self.threshold <= Decimal("0.999"):
            raise BadInput(_("A threshold is more than 0 % and less than 100 %."), field="threshold")
        if self.least not in BEGINNINGS:
            raise BadInput(_("People are judged from 50, 100, 200 or 400 answers or results on."), field="least")


@transaction.atomic
def set_rules(study: Study, limits: Mapping[str, Limit], *, actor: User) -> bool:
    """Make these the pause rules of the study, by figure. Return whether anything changed.

    A figure that is left out has no rule from now on. Pauses that are in force stay until somebody ends them.
    """
    list(Study.objects.select_for_update(no_key=True).filter(pk=study.pk))  # two at once run one after another
    before = {rule.figure: Limit(rule.threshold, rule.least) for rule in PauseRule.objects.filter(study=study)}
    if before == dict(limits):
        return False
    PauseRule.objects.filter(study=study).exclude(figure__in=limits).delete()
    for figure, limit in limits.items():
        if before.get(figure) != limit:
            values = {"threshold": limit.threshold, "least": limit.least, "changed_by": actor, "changed_at": Now()}
            values |= {"looked_at": None}
            PauseRule.objects.update_or_create(study=study, figure=figure, defaults=values)
    audit.record(
        "pause_rules.changed",
        study,
        actor=actor,
        study_slug=study.slug,
        before={figure: _as_json(limit) for figure, limit in before.items()},
        after={figure: _as_json(limit) for figure, limit in limits.items()},
    )
    return True


def _as_json(limit: Limit) -> dict[str, Any]:
    return {"threshold": str(limit.threshold), "least": limit.least}


# --- Judging -----------------------------------------------------------------------------------------------------


def judge_all() -> int:
    """Judge everybody who has reached a number of items, in all studies with rules. Return how many were judged."""
    rules = PauseRule.objects.select_related("study").order_by("study_id", "figure")
    return sum(judge_study(rule) for rule in rules)


def judge_study(rule: PauseRule) -> int:
    """Judge everybody in the rule's study who has reached a number of items since they were last judged by it.

    After its first time, a rule looks only at people of whom something is new.
    """
    began = timezone.now()
    since = rule.looked_at and rule.looked_at - LAG
    there = pause_figures.people(rule.study, rule.figure, rule.least, since)
    last = _last_judged(rule)
    done = sum(_judge_if_due(rule, person_id, most, last.get(person_id, 0)) for person_id, most in there.items())
    PauseRule.objects.filter(pk=rule.pk, changed_at=rule.changed_at).update(looked_at=began)
    return done


def judge_person(rule: PauseRule, person_id: int) -> bool:
    """Judge one person, if they have reached a number of items since they were last judged. Return whether."""
    most = pause_figures.people(rule.study, rule.figure, rule.least).get(person_id, 0)
    return _judge_if_due(rule, person_id, most, _last_judged(rule).get(person_id, 0))


def _last_judged(rule: PauseRule) -> dict[int, int]:
    """Return the number of items at which each person was judged last. Undone judgements are left out."""
    judged = PauseJudgement.objects.filter(study=rule.study_id, figure=rule.figure, undone__isnull=True)
    return dict(judged.values_list("person").annotate(most=Max("items")))


def _judge_if_due(rule: PauseRule, person_id: int, most: int, last: int) -> bool:
    """Judge a person with at most `most` items, who was judged at `last`. Return whether they were judged now."""
    items = due_at(most, rule.least, last)
    while items:
        if found := pause_figures.first(rule.study, person_id, rule.figure, items):
            return _judge(rule, person_id, found)
        items = due_at(items - 1, rule.least, last)
    return False


def due_at(items: int, least: int, last: int) -> int:
    """Return the largest number of items at which somebody with `items` is judged now, or 0.

    Args:
        last: the number at which they were judged last, or 0.
    """
    return max((number for number in COUNTS if least <= number <= items and number > last), default=0)


def _judge(rule: PauseRule, person_id: int, found: pause_figures.Found) -> bool:
    """Store one judgement, and pause the person if it is beyond the threshold. Return False if somebody else did it.

    Controls are read again under a lock. So a control that is withdrawn at this moment is left out here, or its
    withdrawal finds this judgement.
    """
    person = User.objects.get(pk=person_id)
    try:
        with transaction.atomic():
            seat = locked_seat(person, rule.study)
            held = pause_figures.first_held(rule.study, person_id, rule.figure, found.items)
            if held is None:  # one of the controls was withdrawn, so there are too few items
                return False
            judgement = _stored(rule, person, held)
            if judgement.beyond and seat.paused_at is None:
                _pause(seat, person, judgement)
    except IntegrityError as error:
        if "pause_judgement_once_a_count" not in str(error):
            raise
        return False
    return True


def _stored(rule: PauseRule, person: User, found: pause_figures.Found) -> PauseJudgement:
    low, high = share_between(found.hits, found.items)
    here: dict[str, Any] = {"study": rule.study, "person": person, "figure": rule.figure, "items": found.items}
    return PauseJudgement.objects.create(
        **here,
        attempt=PauseJudgement.objects.filter(**here, undone__isnull=False).count(),
        hits=found.hits,
        low=low,
        high=high,
        threshold=rule.threshold,
        beyond=pause_figures.is_beyond(rule.figure, low, high, float(rule.threshold)),
    )


def _pause(seat: Seat, person: User, judgement: PauseJudgement) -> None:
    """Pause the person of a locked seat. They finish the pairs that they have, and get no new one."""
    pause = Pause.objects.create(study=judgement.study, person=person, judgement=judgement)
    Seat.objects.filter(pk=seat.pk).update(paused_at=Now())
    after = {"person": person.pk, "figure": judgement.figure, "items": judgement.items, "hits": judgement.hits}
    after |= {"low": judgement.low, "high": judgement.high, "threshold": str(judgement.threshold)}
    audit.record("person.paused", pause, actor=None, study_slug=judgement.study.slug, after=after)


# --- Ending a pause ----------------------------------------------------------------------------------------------


@transaction.atomic
def end(pause: Pause, *, why: str, actor: User) -> bool:
    """End a pause, so that the person gets pairs again. Return False if it had already ended.

    They are judged again at the next number of items. Raise BadInput without a reason.
    """
    reason = why.strip()
    if not reason or len(reason) > MOST_CHARACTERS:
        raise BadInput(_("Give a reason of at most %(most)s characters.") % {"most": MOST_CHARACTERS}, field="reason")
    return end_on(locked_seat(pause.person, pause.study), pause, why=reason, actor=actor)


def end_on(seat: Seat, pause: Pause, *, why: str, actor: User | None, **about: Any) -> bool:
    """End a pause of the person of a locked seat. Return False if it had already ended.

    Args:
        about: what the audit record says beside the reason.
    """
    ended = {"ended_at": Now(), "ended_by": actor, "ended_because": why}
    if not Pause.objects.filter(pk=pause.pk, ended_at=None).update(**ended):
        return False
    seat.paused_at = None
    seat.save(update_fields=["paused_at"])
    look_back_soon(seat)
    after = {"person": pause.person_id, "reason": why} | about
    audit.record("person.pause_ended", pause, actor=actor, study_slug=pause.study.slug, after=after)
    return True
