"""Pairs in the format of an assignment, for people who judge them without a lease.

Trials, reviews, qualifications and calibration sessions use it. Nothing here writes a row.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.preferences import preferences_of
from annotation import draws
from annotation.assignment_data import AssignmentData, Clip
from annotation.models import Assignment, Seat
from catalog.library.listing import hidden_in
from catalog.models import Pair, Video
from media.models import Asset
from studies.models import Study


def playable(study: Study) -> QuerySet[Pair]:
    """Return the pairs that can be shown: both videos are ready, and neither was reported."""
    pairs = Pair.objects.usable().filter(study=study, video_0__asset__state="done", video_1__asset__state="done")
    if hidden := hidden_in(study):
        pairs = pairs.exclude(Q(video_0__asset__in=hidden) | Q(video_1__asset__in=hidden))
    return pairs.select_related("batch", "prompt", "batch", "video_0__asset", "video_1__asset", "study")


def assignment_data(
    pair: Pair, study: Study, person: User, *, chosen: Mapping[str, Any] | None = None
) -> AssignmentData:
    """Return a pair in the format of an assignment. The pair's key is used in place of an assignment's.

    Args:
        chosen: the person's preferences, if they were read already.
    """
    chosen = preferences_of(person) if chosen is None else chosen
    return AssignmentData(
        id=pair.pk,
        state=Assignment.State.LEASED,
        round=0,
        round_reason="",
        comment="",
        left=draws.left(study, person.pk, pair.pk),
        dimension_first=draws.dimension_first(study, person.pk, pair.pk),
        expires_at=timezone.now() + timedelta(seconds=study.lease_s),
        draft=None,
        guideline_version=study.guideline_version,
        pair_id=pair.public_id,
        may_show=pair.may_show,
        prompt_text=pair.prompt.text,
        language=pair.prompt.language,
        media_filter=chosen["media_filter"],
        name_categories=chosen["name_categories"],
        batch=pair.batch.number,
        video_0=_clip(pair.video_0),
        video_1=_clip(pair.video_1),
    )


def _clip(video: Video) -> Clip:
    asset: Asset = video.asset
    return Clip(asset.public_id, asset.duration_s or 0.0, asset.fps or 0.0, video.video_text)


def seat_of(study: Study, person: User) -> Seat:
    """Return an unsaved seat with the orders that the person would have as an annotator."""
    return Seat(
        study=study,
        person=person,
        question_order=draws.question_order(study, person.pk),
        tag_order=draws.tag_order(study, person.pk),
    )


def as_assignment(pair: Pair, study: Study) -> Assignment:
    """Return an unsaved assignment that is used to validate a body."""
    return Assignment(study=study, pair=pair)
