"""Responses of the annotation API, and their descriptions for the OpenAPI document.

A test compares real responses with the descriptions.
"""

from typing import Any

from rest_framework import serializers

from annotation.acceptance import SURPLUS_REASONS, surplus_reason
from annotation.assignment_data import AssignmentData, Clip, read_assignments
from annotation.models import Assignment, Seat
from annotation.protocol import DIMENSIONS, HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from annotation.reasons import REASONS
from annotation.revisions import second_look_due
from annotation.serving import LeasedPairs
from annotation.submission import Submitted
from media.addresses import playback_url, poster_url
from studies.models import Study


class VideoShape(serializers.Serializer):
    playback_url = serializers.CharField()
    poster_url = serializers.CharField()
    duration_s = serializers.FloatField()
    fps = serializers.FloatField()
    video_text = serializers.CharField(
        allow_null=True, help_text="The generator's input, if the study shows it and it differs from the prompt"
    )


class ReturnedShape(serializers.Serializer):
    """Why the person is asked to answer this pair again."""

    reason = serializers.ChoiceField(choices=Assignment.RoundReason.choices)
    comment = serializers.CharField(allow_blank=True, help_text="The reviewer's message to the person")


class PromptShape(serializers.Serializer):
    text = serializers.CharField()
    language = serializers.CharField(help_text="BCP 47")


class AssignmentShape(serializers.Serializer):
    id = serializers.IntegerField()
    pair_id = serializers.CharField()
    study = serializers.CharField()
    prompt = PromptShape()
    left = serializers.ChoiceField(choices=list(VIDEOS), help_text="The video to show on the left")
    video_0 = VideoShape()
    video_1 = VideoShape()
    dimension_first = serializers.ChoiceField(choices=list(DIMENSIONS))
    question_order = serializers.ListField(child=serializers.ChoiceField(choices=list(SUB_DIMENSION_KEYS)))
    tag_order = serializers.ListField(child=serializers.ChoiceField(choices=list(HARM_KEYS)))
    expires_at = serializers.DateTimeField()
    draft = serializers.DictField(allow_null=True)
    guideline_version = serializers.IntegerField()
    identical = serializers.BooleanField(help_text="Whether both videos are the same file")
    sensitive = serializers.BooleanField(help_text="Whether the pair may show harm")
    may_show = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)), help_text="Kinds of harm, if the person wants to know"
    )
    media_filter = serializers.ChoiceField(choices=Study.MediaFilter.choices)
    batch = serializers.IntegerField(help_text="Number of the pair's batch")
    round = serializers.IntegerField()
    returned = ReturnedShape(allow_null=True)


class DeskShape(serializers.Serializer):
    """A person's current and next pair."""

    current = AssignmentShape(allow_null=True)
    next = AssignmentShape(allow_null=True)
    reason = serializers.ChoiceField(choices=list(REASONS), allow_null=True, help_text="Why `current` is null")
    retry_after_s = serializers.IntegerField(allow_null=True)


class StoredShape(serializers.Serializer):
    id = serializers.IntegerField()
    submission_id = serializers.UUIDField()
    revision = serializers.IntegerField()
    counted = serializers.BooleanField(help_text="False: the answer is kept as surplus and never counts")
    surplus = serializers.ChoiceField(
        choices=list(SURPLUS_REASONS),
        allow_blank=True,
        help_text="Why the answer does not count: another answer took its slot, the study was closed, or the pair’s "
        "batch was in review or accepted. Empty: it counts",
    )


class SubmittedShape(DeskShape):
    annotation = StoredShape()
    second_look = serializers.BooleanField(
        help_text="Whether the study asks the person to look at these answers once more, for any reason"
    )


def submitted_json(submitted: Submitted, study: Study) -> dict[str, Any]:
    """Return the response to a submission. A repeated submission gets the same response."""
    annotation = submitted.annotation
    leased = leased_pairs_json(submitted.leased, study) if submitted.leased else NO_PAIRS
    return leased | {
        "annotation": {
            "id": annotation.pk,
            "submission_id": annotation.submission_id,
            "revision": annotation.revision,
            "counted": submitted.standing.counted,
            "surplus": surplus_reason(submitted.standing),
        },
        "second_look": second_look_due(study, annotation),
    }


def leased_pairs_json(leased: LeasedPairs, study: Study) -> dict[str, Any]:
    """Return `{"current", "next", "reason", "retry_after_s"}`, the response of every leasing endpoint."""
    rows = read_assignments(leased.current_id, leased.next_id)
    return {
        "current": leased.current_id and assignment_json(rows[leased.current_id], leased.seat, study),
        "next": leased.next_id and assignment_json(rows[leased.next_id], leased.seat, study),
        "reason": leased.reason,
        "retry_after_s": leased.retry_after_s,
    }


#: Part of the response to a submission that did not ask for the next pair.
NO_PAIRS = {"current": None, "next": None, "reason": None, "retry_after_s": None}


def assignment_json(given: AssignmentData, seat: Seat, study: Study) -> dict[str, Any]:
    """Return one assignment for the page and the API, without generators, labels or other people (rule 4)."""
    return {
        "id": given.id,
        "pair_id": given.pair_id,
        "study": study.slug,
        "prompt": {"text": given.prompt_text, "language": given.language},
        "left": given.left,
        "video_0": video_json(given.video_0, study, seat.person_id),
        "video_1": video_json(given.video_1, study, seat.person_id),
        "dimension_first": given.dimension_first,
        "question_order": seat.question_order,
        "tag_order": seat.tag_order,
        "expires_at": given.expires_at,
        "draft": given.draft,
        "guideline_version": given.guideline_version,
        "identical": given.video_0.asset == given.video_1.asset,
        "sensitive": bool(given.may_show),
        "may_show": given.may_show if given.name_categories else [],
        "media_filter": given.media_filter or study.media_filter,
        "batch": given.batch,
        "round": given.round,
        "returned": {"reason": given.round_reason, "comment": given.comment} if given.round else None,
    }


def video_json(clip: Clip, study: Study, person_id: int) -> dict[str, Any]:
    """Return a video's addresses for this person, its length and its frame rate."""
    return {
        "playback_url": playback_url(clip.asset, person_id, None, study.media_window_s),
        "poster_url": poster_url(clip.asset, person_id, None, study.media_window_s),
        "duration_s": clip.duration_s,
        "fps": clip.fps,
        "video_text": (clip.text or None) if study.show_video_text else None,
    }
