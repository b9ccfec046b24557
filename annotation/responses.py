"""What the annotation API answers: written here, and described here for the OpenAPI document.

A test holds real answers against the descriptions.
"""

from typing import Any

from rest_framework import serializers

from annotation.models import Assignment, Seat
from annotation.protocol import DIMENSIONS, HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from annotation.serving import Desk
from annotation.submission import Submitted
from catalog.media.addresses import playback_url, poster_url
from catalog.models import Study, Video

REASONS = ("finished", "all_leased", "cap", "excluded", "qualification", "paused")


class VideoShape(serializers.Serializer):
    playback_url = serializers.CharField()
    poster_url = serializers.CharField()
    duration_s = serializers.FloatField()
    fps = serializers.FloatField()


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


class DeskShape(serializers.Serializer):
    """What lies before a person."""

    current = AssignmentShape(allow_null=True)
    next = AssignmentShape(allow_null=True)
    reason = serializers.ChoiceField(choices=list(REASONS), allow_null=True, help_text="Why there is no current")
    retry_after_s = serializers.IntegerField(allow_null=True)


class StoredShape(serializers.Serializer):
    id = serializers.IntegerField()
    submission_id = serializers.UUIDField()
    revision = serializers.IntegerField()
    counted = serializers.BooleanField(help_text="False: kept as surplus, its slot had gone to somebody else")


class SubmittedShape(DeskShape):
    annotation = StoredShape()


class ProblemShape(serializers.Serializer):
    """Every refusal."""

    detail = serializers.CharField(help_text="A sentence for a person")
    code = serializers.CharField(help_text="A word for a program")

    def get_fields(self) -> dict[str, serializers.Field]:
        # Declared here, because an attribute named `fields` is the serializer's own.
        names = serializers.DictField(required=False, help_text="400 only: field → sentences")
        return super().get_fields() | {"fields": names}


def submitted_json(submitted: Submitted, study: Study) -> dict[str, Any]:
    """What submitting answers, the first time and every time it is repeated."""
    annotation = submitted.annotation
    desk = desk_json(submitted.desk, study) if submitted.desk else NO_DESK
    return desk | {
        "annotation": {
            "id": annotation.pk,
            "submission_id": annotation.submission_id,
            "revision": annotation.revision,
            "counted": submitted.standing.counted,
        }
    }


def desk_json(desk: Desk, study: Study) -> dict[str, Any]:
    """`{"current", "next", "reason", "retry_after_s"}`, as every leasing endpoint answers it."""
    return {
        "current": desk.current and assignment_json(desk.current, desk.seat, study),
        "next": desk.next and assignment_json(desk.next, desk.seat, study),
        "reason": desk.reason,
        "retry_after_s": desk.retry_after_s,
    }


#: What a submission answers in place of a desk when the next pair was not asked for.
NO_DESK = {"current": None, "next": None, "reason": None, "retry_after_s": None}


def assignment_json(assignment: Assignment, seat: Seat, study: Study) -> dict[str, Any]:
    """One assignment as the page and the API see it: nothing about generators, labels or other people (rule 4)."""
    pair = assignment.pair
    return {
        "id": assignment.pk,
        "pair_id": pair.public_id,
        "study": study.slug,
        "prompt": {"text": pair.prompt.text, "language": pair.prompt.language},
        "left": assignment.left,
        "video_0": video_json(pair.video_0, study, seat.person_id),
        "video_1": video_json(pair.video_1, study, seat.person_id),
        "dimension_first": assignment.dimension_first,
        "question_order": seat.question_order,
        "tag_order": seat.tag_order,
        "expires_at": assignment.expires_at,
        "draft": assignment.draft,
    }


def video_json(video: Video, study: Study, person_id: int) -> dict[str, Any]:
    """Where a video is played from, for this person, and how long and fast it runs."""
    asset = video.asset
    return {
        "playback_url": playback_url(asset.public_id, person_id, None, study.media_window_s),
        "poster_url": poster_url(asset.public_id, person_id, None, study.media_window_s),
        "duration_s": asset.duration_s,
        "fps": asset.fps,
    }
