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
from qc import pause_figures
from qc.models import Pause, PauseJudgement, PauseRule
from qc.models.people import COUNTS
from qc.statistics.rates import share_between
from studies.models import Study

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
            raise BadInput(_("People are judged from 50, 100, 200 or 400 items on."), field="least")


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
    judged = PauseJudgement.objects.filter(study=rule.study_id, figure=rule.figure)
    last = dict(judged.values_list("person").annotate(most=Max("items")))
    items_of = pause_figures.Items(rule.study, rule.figure)
    done = 0
    for person_id, most in items_of.people(rule.least, since).items():
        items = due_at(most, rule.least, last.get(person_id, 0))
        while items:
            if found := items_of.first(person_id, items):
                done += _judge(rule, person_id, found)
                break
            items = due_at(items - 1, rule.least, last.get(person_id, 0))
    PauseRule.objects.filter(pk=rule.pk, changed_at=rule.changed_at).update(looked_at=began)
    return done


def due_at(items: int, least: int, last: int) -> int:
    """Return the largest number of items at which somebody with `items` is judged now, or 0.

    Args:
        last: the number at which they were judged last, or 0.
    """
    return max((number for number in COUNTS if least <= number <= items and number > last), default=0)


def _judge(rule: PauseRule, person_id: int, found: pause_figures.Found) -> bool:
    """Store one judgement, and pause the person if it is beyond the threshold. Return False if somebody else did it."""
    low, high = share_between(found.hits, found.items)
    beyond = pause_figures.is_beyond(rule.figure, low, high, float(rule.threshold))
    person = User.objects.get(pk=person_id)
    try:
        with transaction.atomic():
            seat = locked_seat(person, rule.study)
            judgement = PauseJudgement.objects.create(
                study=rule.study,
                person=person,
                figure=rule.figure,
                items=found.items,
                hits=found.hits,
                low=low,
                high=high,
                threshold=rule.threshold,
                beyond=beyond,
            )
            if beyond and seat.paused_at is None:
                _pause(seat, person, judgement)
    except IntegrityError as error:
        if "pause_judgement_once_a_count" not in str(error):
            raise
        return False
    return True


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
    seat = locked_seat(pause.person, pause.study)
    ended = {"ended_at": Now(), "ended_by": actor, "ended_because": reason}
    if not Pause.objects.filter(pk=pause.pk, ended_at=None).update(**ended):
        return False
    seat.paused_at = None
    seat.save(update_fields=["paused_at"])
    look_back_soon(seat)
    after = {"person": pause.person_id, "reason": reason}
    audit.record("person.pause_ended", pause, actor=actor, study_slug=pause.study.slug, after=after)
    return True
