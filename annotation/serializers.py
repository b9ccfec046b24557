"""Request bodies of the annotation API. Every body is validated here before it is used."""

from datetime import date
from functools import cache
from typing import Any

import orjson
from django.utils.translation import gettext as _
from rest_framework import serializers

from annotation.answers import stage_errors, unanswered_tags, unwatched
from annotation.models import Assignment
from annotation.protocol import (
    HARM_KEYS,
    LONGEST_COMMENT,
    NOT_REVEALED,
    REOPENED,
    SECOND_LOOK,
    SKIP_REASONS,
    TECHNICAL_PROBLEM,
    TIE,
    VIDEOS,
)
from catalog.models import Pair
from studies.models import Study

#: Limits on what a browser may report about one pair.
MOST_BYTES_OF_VIEWING = 16_384
MOST_TIMINGS, LONGEST_STAGE, MOST_DAYS = 40, 60, 31
LONGEST_MS = 24 * 3600 * 1000
SKIP_REASON_KEYS = (*SKIP_REASONS, NOT_REVEALED)
#: Reasons for which an annotator answers the same pair again (`Annotation.reason`).
REVISION_REASONS = (SECOND_LOOK, REOPENED)


def validated(serializer_class: type[serializers.Serializer], body: Any, assignment: Assignment) -> dict[str, Any]:
    """Return the validated body, by the rules of the assignment's study.

    These rules are on ties, on the tag format, and on watching both videos to the end. Raise ValidationError by field.

    It uses no query, except one small one for complete answers in a study that requires both videos to be watched.
    """
    study = assignment.study
    taken: dict[str, Any] = _reader(serializer_class, study.allow_ties, study.tag_format).run_validation(body)
    if study.require_seen_through and issubclass(serializer_class, AnsweredSerializer):
        require_watched(taken["viewing"], assignment.pair_id)
    return taken


@cache
def _reader(serializer_class: type[serializers.Serializer], allow_ties: bool, tag_format: str) -> Any:
    """Return a serializer that validates every body of its kind.

    It is cached because it is expensive to create and stores nothing of what it validates.
    """
    return serializer_class(context={"allow_ties": allow_ties, "tag_format": tag_format})


def require_watched(viewing: dict[str, Any], pair_id: int) -> None:
    """Raise ValidationError unless the report shows that both videos of the pair were watched to the end."""
    lengths = Pair.objects.values_list("video_0__asset__duration_s", "video_1__asset__duration_s").get(pk=pair_id)
    durations_s = {video: length or 0.0 for video, length in zip(VIDEOS, lengths, strict=True)}
    if missing := unwatched(viewing, durations_s):
        sentence = _("This study requires you to watch both videos to the end once, unblurred and at 1× or slower.")
        raise serializers.ValidationError({"viewing": {video: [sentence] for video in missing}})


class ChoiceField(serializers.ChoiceField):
    """`video_0`, `video_1`, or `tie` if the study allows it (see the serializer's context)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[*VIDEOS, TIE], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if value == TIE and not self.context.get("allow_ties"):
            raise serializers.ValidationError("This study does not allow ties. Answer video_0 or video_1.")
        return value


class TagsSerializer(serializers.Serializer):
    tags = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        help_text="Harm keys; an empty list is the explicit answer “none of these”",
    )
    answered = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        required=False,
        help_text="Harm keys with a yes or a no. All twelve if the study asks yes or no for each tag; otherwise unused",
    )

    def validate(self, answer: dict[str, Any]) -> dict[str, Any]:
        if self.context.get("tag_format") == Study.TagFormat.YES_NO and (missing := unanswered_tags(answer)):
            sentence = _("This study asks yes or no for each tag. These tags have no answer: %(tags)s.")
            raise serializers.ValidationError({"answered": [sentence % {"tags": ", ".join(missing)}]})
        return answer


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


class RevealedSerializer(serializers.Serializer):
    video_0 = serializers.FloatField(min_value=0, max_value=LONGEST_MS / 1000, default=0.0)
    video_1 = serializers.FloatField(min_value=0, max_value=LONGEST_MS / 1000, default=0.0)


class ShowingSerializer(serializers.Serializer):
    """The counters of one showing of a pair. They start at 0 and only grow, so sending them again changes nothing."""

    showing = serializers.CharField(
        max_length=40, required=False, help_text="Unique name of the showing for this pair; default: the lease"
    )
    revealed_s = RevealedSerializer(required=False, help_text="Seconds for which each video was seen uncovered")
    by_day = serializers.DictField(
        child=RevealedSerializer(),
        required=False,
        help_text="These seconds by day (ISO 8601, in the person's time zone). Others are counted today.",
    )
    hidden = serializers.IntegerField(
        min_value=0, max_value=10_000, default=0, help_text="How often the person hid both videos"
    )

    def validate_by_day(self, by_day: dict[str, Any]) -> dict[str, Any]:
        try:
            days = {date.fromisoformat(day) for day in by_day}
        except ValueError:
            raise serializers.ValidationError("Name each day as YYYY-MM-DD.") from None
        if len(days) > MOST_DAYS:
            raise serializers.ValidationError(f"Name at most {MOST_DAYS} days.")
        return by_day


class CareSerializer(ShowingSerializer):
    """A person's exposure. It counts towards their daily limit and is never stored with answers."""

    earlier = serializers.ListField(
        child=ShowingSerializer(),
        max_length=20,
        required=False,
        help_text="Earlier showings of the pair whose last report may be lost",
    )


class CareReportSerializer(serializers.Serializer):
    """A report of what was revealed so far."""

    care = CareSerializer()


class RenewSerializer(serializers.Serializer):
    care = CareSerializer(required=False)


class ReportedSerializer(serializers.Serializer):
    """Measurements of the page: milliseconds of active time by stage, and how the videos were watched."""

    timings_ms = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=LONGEST_MS), required=False, default=dict
    )
    viewing = serializers.DictField(required=False, default=dict)
    care = CareSerializer(required=False)

    def validate_viewing(self, viewing: dict[str, Any]) -> dict[str, Any]:
        if len(orjson.dumps(viewing, default=str)) > MOST_BYTES_OF_VIEWING:
            raise serializers.ValidationError(f"This is longer than {MOST_BYTES_OF_VIEWING} bytes of JSON. Send less.")
        return viewing

    def validate_timings_ms(self, timings: dict[str, int]) -> dict[str, int]:
        if len(timings) > MOST_TIMINGS or any(len(stage) > LONGEST_STAGE for stage in timings):
            raise serializers.ValidationError(
                f"Send at most {MOST_TIMINGS} stages, each with a name of at most {LONGEST_STAGE} characters."
            )
        return timings


class AnsweredSerializer(ReportedSerializer):
    """Complete answers, with an id that makes sending them again harmless."""

    submission_id = serializers.UUIDField()
    helpfulness = HelpfulnessSerializer()
    harmlessness = HarmlessnessSerializer()
    unsure = serializers.BooleanField(default=False, help_text="Whether the person is unsure of these answers")
    comment = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST_COMMENT,
        help_text="The person's comment on the pair. It is stored even if the study’s page does not show the field.",
    )


class SubmissionSerializer(AnsweredSerializer):
    lease_next = serializers.BooleanField(default=False)


class RevisionSerializer(AnsweredSerializer):
    reason = serializers.ChoiceField(
        choices=list(REVISION_REASONS),
        help_text="second_look: the study asked for a second look; reopened: the person opened the answer again",
    )


class DraftTagsSerializer(serializers.Serializer):
    tags = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        allow_null=True,
        required=False,
    )
    answered = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        allow_null=True,
        required=False,
        help_text="Harm keys with a yes or a no so far, if the study asks yes or no for each tag",
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
    """Unfinished answers. Any field may be null or absent, but an overall answer needs its first stage."""

    helpfulness = DraftHelpfulnessSerializer(required=False)
    harmlessness = DraftHarmlessnessSerializer(required=False)
    unsure = serializers.BooleanField(required=False)
    comment = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=LONGEST_COMMENT)

    def validate(self, draft: dict[str, Any]) -> dict[str, Any]:
        if not draft.keys() & {"helpfulness", "harmlessness"}:
            raise serializers.ValidationError("A draft needs “helpfulness”, “harmlessness” or both.")
        if errors := stage_errors(draft, self.context.get("tag_format", Study.TagFormat.CHECK_ALL)):
            raise serializers.ValidationError({dimension: {"overall": [why]} for dimension, why in errors.items()})
        return draft


class SkipSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(
        choices=SKIP_REASON_KEYS,
        default=NOT_REVEALED,
        help_text="Default: not_revealed, which counts nowhere and is accepted only for a pair that may show harm",
    )
    note = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=LONGEST_COMMENT,
        help_text="What did not work. Only with the reason technical_problem",
    )
    care = CareSerializer(required=False)

    def validate(self, skip: dict[str, Any]) -> dict[str, Any]:
        if skip["note"] and skip["reason"] != TECHNICAL_PROBLEM:
            sentence = _("Only a skip with the reason “Technical problem” can have a note. Leave the note out.")
            raise serializers.ValidationError({"note": [sentence]})
        return skip
