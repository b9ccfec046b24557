"""Request bodies and responses of the API of reviews."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from annotation.protocol import HARM_KEYS, LONGEST_COMMENT, SKIP_REASONS, TIE, VIDEOS
from annotation.responses import AssignmentShape
from annotation.serializers import CareSerializer
from qc.models import Verdict
from qc.models.reviews import ROWS, TAGS, Kind
from qc.review_data import CONFIRMATIONS
from qc.reviewing import REASONS


class LeaseSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Kind.choices)
    ahead = serializers.BooleanField(
        default=False, help_text="Also reserve the pair after it, so that you can load its videos in advance"
    )


class CommentField(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default="", allow_blank=True, max_length=LONGEST_COMMENT, **kwargs)


class OwnField(serializers.JSONField):
    """The reviewer's own answer on a row: a choice, or a list of harm keys."""

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        is_choice = isinstance(value, str) and value in (*VIDEOS, TIE)
        is_tags = isinstance(value, list) and all(isinstance(key, str) and key in HARM_KEYS for key in value)
        if not is_choice and not is_tags:
            raise serializers.ValidationError(_("Send video_0, video_1 or tie, or a list of harm keys."))
        return sorted(set(value)) if is_tags else value


class VerdictSerializer(serializers.Serializer):
    review = serializers.IntegerField()
    annotation = serializers.IntegerField(help_text="The judged revision, as in `judging`")
    row = serializers.ChoiceField(choices=list(ROWS))
    ruling = serializers.ChoiceField(choices=Verdict.Ruling.choices)
    code = serializers.ChoiceField(choices=Verdict.Code.choices, default="", allow_blank=True, help_text="Of a defect")
    comment = CommentField(help_text="The annotator reads it")
    own = OwnField(required=False, help_text="Your own answer on the row, if you have not answered the pair blind")

    def validate(self, verdict: dict[str, Any]) -> dict[str, Any]:
        own = verdict.get("own")
        if own is not None and (verdict["row"] in TAGS) != isinstance(own, list):
            raise serializers.ValidationError({"own": [_("A row of tags needs a list, another row a choice.")]})
        return verdict


class OpinionSerializer(serializers.Serializer):
    verdict = serializers.IntegerField()
    says = serializers.ChoiceField(
        choices=[*CONFIRMATIONS, "defect", "fine"],
        help_text="A confirmer: which of the two answers is indefensible. An adjudicator: defect or fine",
    )
    comment = CommentField()


class ReviewSubmitSerializer(serializers.Serializer):
    verdicts = VerdictSerializer(many=True, required=False, default=list, help_text="Rows that are left out are fine")
    opinions = OpinionSerializer(many=True, required=False, default=list, help_text="To confirm or adjudicate")
    closing = CommentField(help_text="The adjudicator’s response to the annotator’s reply")
    care = CareSerializer(required=False)


class ReviewSkipSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(choices=list(SKIP_REASONS))
    note = CommentField(help_text="Not stored")
    care = CareSerializer(required=False)


class AnswerOnRowShape(serializers.Serializer):
    name = serializers.CharField()
    text = serializers.CharField()
    value = serializers.JSONField(help_text="A choice, or a list of harm keys")


class RowShape(serializers.Serializer):
    review = serializers.IntegerField()
    annotation = serializers.IntegerField(allow_null=True)
    verdict = serializers.IntegerField(allow_null=True)
    row = serializers.ChoiceField(choices=list(ROWS))
    group = serializers.CharField(allow_blank=True)
    question = serializers.CharField()
    deciding = serializers.BooleanField(help_text="Whether a defect on this row makes the answer defective")
    answers = AnswerOnRowShape(many=True)
    differs = serializers.BooleanField()
    note = serializers.CharField(allow_blank=True)


class JudgingShape(serializers.Serializer):
    mode = serializers.ChoiceField(choices=["verdicts", "confirm", "adjudicate"])
    rows = RowShape(many=True)
    reply = serializers.CharField(allow_null=True, help_text="The annotator’s reply, for the adjudicator")


class ReviewShape(AssignmentShape):
    kind = serializers.ChoiceField(choices=Kind.choices)
    blind = serializers.BooleanField()
    lot = serializers.IntegerField(help_text="Number of the lot")
    judging = JudgingShape(allow_null=True, help_text="Null until a blind reviewer has answered")
    ended = serializers.BooleanField(help_text="True: a second blind answer is stored, and nothing is left to judge")


class ReviewsShape(serializers.Serializer):
    current = ReviewShape(allow_null=True)
    next = ReviewShape(allow_null=True, help_text="The reserved pair, if you asked for one. It comes without answers")
    reason = serializers.ChoiceField(choices=list(REASONS), allow_null=True, help_text="Why `current` is null")
    retry_after_s = serializers.IntegerField(allow_null=True)
    looked_because = serializers.ListField(
        child=serializers.CharField(),
        help_text="Why the answers that you have just judged were suspicious; else empty",
    )
