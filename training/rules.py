"""Rules of a study: train a family on each new release that is old enough and has enough new pairs.

Small releases would use up the comparisons in which a new version can be promoted, so they are skipped.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import BadInput, NotThere, Refused
from releases import latest
from releases.models import Release
from studies.models import Study
from training import queueing
from training.kinds import Kind, checked_targets
from training.models import ModelFamily, Run, TrainingRule

logger = logging.getLogger(__name__)

#: The pairs of a release that an earlier one does not have. Items are answers that count.
NEW_PAIRS = """
SELECT count(*) FROM (
    SELECT assignment.pair_id
      FROM releases_releaseitem item
      JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
      JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
     WHERE item.release_id = %(new)s
    EXCEPT
    SELECT assignment.pair_id
      FROM releases_releaseitem item
      JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
      JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
     WHERE item.release_id = %(base)s) pairs
"""


#: The longest waiting time: 30 days.
LONGEST_WAIT_MINUTES = 60 * 24 * 30
MOST_NEW_PAIRS = 1_000_000_000


class Next(StrEnum):
    """What a rule waits for, or that it is about to queue a run."""

    OFF = "off"
    RELEASE = "waits_for_release"
    NEXT_RELEASE = "waits_for_next_release"
    PAIRS = "waits_for_pairs"
    COUNT = "counts_pairs"
    TIME = "waits_for_time"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a rule does next: about which release, when (with TIME), and how many new pairs that release has."""

    next: Next
    release: Release | None = None
    at: datetime | None = None
    new_pairs: int | None = None


@transaction.atomic
def set_rule(
    study: Study,
    *,
    kind: str,
    targets: list[str],
    backbone: str = "small",
    wait_minutes: int = 0,
    least_new_pairs: int = 100,
    scores_new_videos: bool = False,
    is_on: bool = True,
    actor: User | None,
) -> TrainingRule:
    """Set the study's rule for a family, and return it: a new one, or the one that it has. Raise BadInput."""
    family = _family(study, kind, targets, backbone)
    values = _checked(
        wait_minutes=wait_minutes, least_new_pairs=least_new_pairs, scores_new_videos=scores_new_videos, is_on=is_on
    )
    columns = values | {"changed_by": actor, "changed_at": timezone.now()}
    rule, _is_new = TrainingRule.objects.update_or_create(study=study, family=family, defaults=columns)
    _record(rule, actor)
    return rule


@transaction.atomic
def make(
    study: Study,
    *,
    kind: str,
    targets: list[str],
    backbone: str = "small",
    wait_minutes: int = 0,
    least_new_pairs: int = 100,
    scores_new_videos: bool = False,
    is_on: bool = True,
    actor: User,
) -> TrainingRule:
    """Make a rule for a family, and return it. Raise BadInput, and Refused if the family has a rule.

    Of two people who make the same rule at once, a constraint lets one succeed.
    """
    family = _family(study, kind, targets, backbone)
    values = _checked(
        wait_minutes=wait_minutes, least_new_pairs=least_new_pairs, scores_new_videos=scores_new_videos, is_on=is_on
    )
    try:
        with transaction.atomic():
            rule = TrainingRule.objects.create(study=study, family=family, changed_by=actor, **values)
    except IntegrityError as error:
        if "training_rule_once" not in str(error):
            raise
        raise Refused(_("This study has a rule for the same model. Change that rule."), "rule_exists") from None
    _record(rule, actor)
    return rule


@transaction.atomic
def change(rule: TrainingRule, *, actor: User, **given: Any) -> None:
    """Change `wait_minutes`, `least_new_pairs`, `scores_new_videos` or `is_on`. What is not given stays.

    Raise BadInput and NotThere.

    Two changes at once come one after the other.
    """
    columns = _checked(**given) | {"changed_by": actor, "changed_at": timezone.now()}
    if not TrainingRule.objects.filter(pk=rule.pk).update(**columns):
        raise NotThere(_("Somebody deleted this rule."))
    rule.refresh_from_db()
    _record(rule, actor)


@transaction.atomic
def delete(rule: TrainingRule, *, actor: User) -> None:
    """Delete a rule. The runs that it queued stay. Repeating it is harmless."""
    deleted, _by_model = TrainingRule.objects.filter(pk=rule.pk).delete()
    if deleted:
        after = {"family": str(rule.family)}
        audit.record("run.rule_deleted", rule, actor=actor, study_slug=rule.study.slug, after=after)


def _family(study: Study, kind: str, targets: list[str], backbone: str) -> ModelFamily:
    queueing.checked(queueing.Wanted(kind=kind, targets=targets, backbone=backbone))
    return ModelFamily.objects.get_or_create(
        study=study, kind=Kind(kind), targets=checked_targets(kind, targets), backbone=backbone
    )[0]


def _checked(**given: Any) -> dict[str, Any]:
    """Return the columns of a rule. Raise BadInput."""
    if not 0 <= given.get("wait_minutes", 0) <= LONGEST_WAIT_MINUTES:
        about = {"n": LONGEST_WAIT_MINUTES}
        raise BadInput(_("Give a waiting time from 0 to %(n)s minutes.") % about, field="wait_minutes")
    if not 1 <= given.get("least_new_pairs", 1) <= MOST_NEW_PAIRS:
        raise BadInput(_("Give a number of new pairs of at least 1."), field="least_new_pairs")
    return given


def _record(rule: TrainingRule, actor: User | None) -> None:
    after = {"family": str(rule.family), "wait_minutes": rule.wait_minutes}
    after |= {"least_new_pairs": rule.least_new_pairs, "scores_new_videos": rule.scores_new_videos, "on": rule.is_on}
    audit.record("run.rule_set", rule, actor=actor, study_slug=rule.study.slug, after=after)


def standing(rule: TrainingRule, *, counts: bool = False) -> Standing:
    """Return what a rule does next.

    Args:
        counts: whether pairs that were not counted yet are counted now, which takes seconds for a large release.
    """
    if not rule.is_on:
        return Standing(Next.OFF)
    release = latest.latest(rule.study)
    if release is None or release.finished_at is None:
        return Standing(Next.RELEASE)
    trained = Run.objects.filter(Q(asked_because=Run.Because.RULE) | ~Q(state="cancelled"), family=rule.family)
    if trained.filter(release=release, purpose=Run.Purpose.TRAIN).exists():
        return Standing(Next.NEXT_RELEASE, release)
    at = release.finished_at + timedelta(minutes=rule.wait_minutes)
    if at > timezone.now():
        return Standing(Next.TIME, release, at)
    found = _new_pairs(rule, release, counts=counts)
    if found is None:
        return Standing(Next.COUNT, release)
    return Standing(Next.DUE if found >= rule.least_new_pairs else Next.PAIRS, release, at, found)


def last_run(rule: TrainingRule) -> Run | None:
    """Return the last run that the rule queued, or None."""
    queued = Run.objects.filter(family=rule.family, asked_because=Run.Because.RULE)
    return queued.select_related("release").order_by("-pk").first()


def queue_due() -> int:
    """Queue a run for each rule whose study has a new release with enough new pairs. Return how many.

    The database allows one run by a rule for each release and family, so two sweeps at once queue one.
    """
    return sum(_queue(rule) for rule in TrainingRule.objects.filter(is_on=True).select_related("study", "family"))


def _queue(rule: TrainingRule) -> bool:
    found = standing(rule, counts=True)
    if found.next != Next.DUE or found.release is None:
        return False
    found.release.study = rule.study
    wanted = queueing.Wanted(kind=rule.family.kind, targets=rule.family.targets, backbone=rule.family.backbone)
    try:
        with transaction.atomic():
            # Somebody may have changed or deleted the rule meanwhile.
            same = TrainingRule.objects.select_for_update(no_key=True).filter(pk=rule.pk, changed_at=rule.changed_at)
            if not same.exists():
                return False
            queueing.ask(found.release, wanted, actor=rule.changed_by, because=Run.Because.RULE)
    except IntegrityError as error:
        if "run_once_by_rule" not in str(error):
            raise
        return False  # another sweep was quicker
    except Refused as refusal:
        logger.warning("Rule %s of study %s queued no run: %s", rule.pk, rule.study.slug, refusal)
        return False
    return True


def _new_pairs(rule: TrainingRule, release: Release, *, counts: bool) -> int | None:
    """Return how many pairs the release has that the last one on which the family was trained has not.

    None: they were not counted yet, and `counts` is false.
    """
    done = Run.objects.filter(family=rule.family, state=Run.State.DONE, purpose=Run.Purpose.TRAIN)
    base = done.order_by("-release__number").values_list("release_id", flat=True).first()
    if (rule.counted_release, rule.counted_base) == (release.pk, base) and rule.new_pairs is not None:
        return rule.new_pairs
    if not counts:
        return None
    with connection.cursor() as cursor:
        cursor.execute(NEW_PAIRS, {"new": release.pk, "base": base})
        rule.new_pairs = int(cursor.fetchone()[0])
    rule.counted_release, rule.counted_base = release.pk, base
    TrainingRule.objects.filter(pk=rule.pk).update(
        counted_release=release.pk, counted_base=base, new_pairs=rule.new_pairs
    )
    return rule.new_pairs
