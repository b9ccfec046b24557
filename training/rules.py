"""Rules of a study: train a family on each new release that is old enough and has enough new pairs.

Small releases would use up the comparisons in which a new version can be promoted, so they are skipped.
"""

import logging
from datetime import timedelta

from django.db import IntegrityError, connection
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
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


def set_rule(
    study: Study,
    *,
    kind: str,
    targets: list[str],
    backbone: str = "small",
    wait_minutes: int = 0,
    least_new_pairs: int = 100,
    is_on: bool = True,
    actor: User | None,
) -> TrainingRule:
    """Set the study's rule for a family, and return it. Raise BadInput."""
    queueing.checked(queueing.Wanted(kind=kind, targets=targets, backbone=backbone))
    family, _is_new = ModelFamily.objects.get_or_create(
        study=study, kind=Kind(kind), targets=checked_targets(kind, targets), backbone=backbone
    )
    values = {"wait_minutes": wait_minutes, "least_new_pairs": least_new_pairs, "is_on": is_on, "changed_by": actor}
    rule, _is_new = TrainingRule.objects.update_or_create(
        study=study, family=family, defaults=values | {"changed_at": timezone.now()}
    )
    after = {"family": str(family), "wait_minutes": wait_minutes, "least_new_pairs": least_new_pairs, "on": is_on}
    audit.record("run.rule_set", rule, actor=actor, study_slug=study.slug, after=after)
    return rule


def queue_due() -> int:
    """Queue a run for each rule whose study has a new release with enough new pairs. Return how many.

    The database allows one run by a rule for each release and family, so two sweeps at once queue one.
    """
    return sum(_queue(rule) for rule in TrainingRule.objects.filter(is_on=True).select_related("study", "family"))


def _queue(rule: TrainingRule) -> bool:
    release = latest.latest(rule.study)
    waited = timezone.now() - timedelta(minutes=rule.wait_minutes)
    if release is None or release.finished_at is None or release.finished_at > waited:
        return False
    trained = Run.objects.filter(Q(asked_because=Run.Because.RULE) | ~Q(state="cancelled"), family=rule.family)
    if (
        trained.filter(release=release, purpose=Run.Purpose.TRAIN).exists()
        or _new_pairs(rule, release) < rule.least_new_pairs
    ):
        return False
    release.study = rule.study
    wanted = queueing.Wanted(kind=rule.family.kind, targets=rule.family.targets, backbone=rule.family.backbone)
    try:
        queueing.ask(release, wanted, actor=rule.changed_by, because=Run.Because.RULE)
    except IntegrityError as error:
        if "run_once_by_rule" not in str(error):
            raise
        return False  # another sweep was quicker
    except Refused as refusal:
        logger.warning("Rule %s of study %s queued no run: %s", rule.pk, rule.study.slug, refusal)
        return False
    return True


def _new_pairs(rule: TrainingRule, release: Release) -> int:
    """Return how many pairs the release has that the last one on which the family was trained has not."""
    done = Run.objects.filter(family=rule.family, state=Run.State.DONE, purpose=Run.Purpose.TRAIN)
    base = done.order_by("-release__number").values_list("release_id", flat=True).first()
    if (rule.counted_release, rule.counted_base) != (release.pk, base) or rule.new_pairs is None:
        with connection.cursor() as cursor:
            cursor.execute(NEW_PAIRS, {"new": release.pk, "base": base})
            rule.new_pairs = int(cursor.fetchone()[0])
        rule.counted_release, rule.counted_base = release.pk, base
        rule.save(update_fields=["counted_release", "counted_base", "new_pairs"])
    return rule.new_pairs
