"""What the annotation API takes in: every body is validated here, before anything else sees it."""

from typing import Any

import orjson
from rest_framework import serializers

from annotation.answers import stage_errors
from annotation.protocol import HARM_KEYS, SKIP_REASONS, TIE, VIDEOS

#: Bounds on what a browser may report about one pair.
MOST_BYTES_OF_VIEWING = 16_384
MOST_TIMINGS, LONGEST_STAGE = 40, 60
LONGEST_MS = 24 * 3600 * 1000
SKIP_REASON_KEYS = tuple(SKIP_REASONS)


class ChoiceField(serializers.ChoiceField):
    """`video_0` or `video_1`; `tie` where the study allows it (the serializer's context says)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[*VIDEOS, TIE], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if value == TIE and not self.context.get("allow_ties"):
            raise serializers.ValidationError("This study takes no ties; answer video_0 or video_1.")
        return value


class TagsSerializer(serializers.Serializer):
    tags = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        help_text="Harm keys; an empty list is the explicit “none of these”",
    )


class HelpfulnessSerializer(serializers.Serializer):
    instruction_following = ChoiceField()
    correctness = ChoiceField()
    informativeness = ChoiceField()
    aesthetics = ChoiceField()
    overall = ChoiceField()


class HarmlessnessSerializer(serializers.Serializer):
    video_0 = TagsSerializer()
    video_1 = TagsSerializer()
    overall = ChoiceField()


class ReportedSerializer(serializers.Serializer):
    """What the page measured: milliseconds of active time by stage, and how the videos were really watched."""

    timings_ms = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=LONGEST_MS), required=False, default=dict
    )
    viewing = serializers.DictField(required=False, default=dict)

    def validate_viewing(self, viewing: dict[str, Any]) -> dict[str, Any]:
        if len(orjson.dumps(viewing, default=str)) > MOST_BYTES_OF_VIEWING:
            raise serializers.ValidationError(f"Longer than {MOST_BYTES_OF_VIEWING} bytes of JSON.")
        return viewing

    def validate_timings_ms(self, timings: dict[str, int]) -> dict[str, int]:
        if len(timings) > MOST_TIMINGS or any(len(stage) > LONGEST_STAGE for stage in timings):
            raise serializers.ValidationError(
                f"At most {MOST_TIMINGS} stages, each with a name of at most {LONGEST_STAGE} characters."
            )
        return timings


class SubmissionSerializer(ReportedSerializer):
    submission_id = serializers.UUIDField()
    lease_next = serializers.BooleanField(default=False)
    helpfulness = HelpfulnessSerializer()
    harmlessness = HarmlessnessSerializer()


class DraftTagsSerializer(serializers.Serializer):
    tags = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        allow_null=True,
        required=False,
    )


class DraftHelpfulnessSerializer(serializers.Serializer):
    instruction_following = ChoiceField(allow_null=True, required=False)
    correctness = ChoiceField(allow_null=True, required=False)
    informativeness = ChoiceField(allow_null=True, required=False)
    aesthetics = ChoiceField(allow_null=True, required=False)
    overall = ChoiceField(allow_null=True, required=False)


class DraftHarmlessnessSerializer(serializers.Serializer):
    video_0 = DraftTagsSerializer(required=False)
    video_1 = DraftTagsSerializer(required=False)
    overall = ChoiceField(allow_null=True, required=False)


class DraftSerializer(ReportedSerializer):
    """Unfinished answers: anything may be null or absent, but no overall answer before its first stage."""

    helpfulness = DraftHelpfulnessSerializer(required=False)
    harmlessness = DraftHarmlessnessSerializer(required=False)

    def validate(self, draft: dict[str, Any]) -> dict[str, Any]:
        if not draft.keys() & {"helpfulness", "harmlessness"}:
            raise serializers.ValidationError("A draft has “helpfulness”, “harmlessness” or both.")
        if errors := stage_errors(draft):
            raise serializers.ValidationError({dimension: {"overall": [why]} for dimension, why in errors.items()})
        return draft


class SkipSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(choices=SKIP_REASON_KEYS)
