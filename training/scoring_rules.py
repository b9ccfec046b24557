"""Score new videos after each comparison, where a rule of the study says so.

New videos are those that were added after the videos of the release on which the promoted version was trained. So a
version never scores by a rule what it has learned from.
"""

from django.db.models import Max

from diptych.refusals import Refused
from releases.models import ReleaseItem
from training import registry, scoring
from training.models import ModelVersion, TrainingRule

State = ModelVersion.State


def queue_due() -> int:
    """Queue a scoring run for each rule with a version that was decided about since the last one. Return how many.

    One statement decides which of two sweeps at once takes the version.
    """
    rules = TrainingRule.objects.filter(is_on=True, scores_new_videos=True).select_related("family")
    return sum(_queue(rule) for rule in rules)


def _queue(rule: TrainingRule) -> bool:
    decided = ModelVersion.objects.filter(family=rule.family, state__in=[State.PROMOTED, State.KEPT])
    latest = decided.order_by("-number").first()
    if latest is None or latest.pk == rule.scored_after:
        return False
    unchanged = TrainingRule.objects.filter(pk=rule.pk, is_on=True, scored_after=rule.scored_after)
    if not unchanged.update(scored_after=latest.pk):
        return False
    version = registry.promoted(rule.family)
    if version is None:
        return False
    try:
        scoring.ask(version, actor=rule.changed_by, added_after=last_video_of(version))
    except Refused:
        return False  # it has scored all of them, or no worker is there: people can ask for it on the version's page
    return True


def last_video_of(version: ModelVersion) -> int:
    """Return the id of the video of its release that was added last."""
    items = ReleaseItem.objects.filter(release=version.run.release_id)
    pair = "annotation__assignment__pair"
    last = items.aggregate(a=Max(f"{pair}__video_0"), b=Max(f"{pair}__video_1"))
    return max(last["a"] or 0, last["b"] or 0)
