"""Request bodies and responses of the API of qualification."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from annotation.models.own_answers import ROWS, TAGS
from annotation.protocol import HARM_KEYS, LONGEST_COMMENT, SKIP_REASONS, TIE, VIDEOS
from annotation.responses import AssignmentShape
from annotation.serializers import CareSerializer
from qualification.attempts import REASONS
from qualification.deciding import LONGEST_REASON
from qualification.models import Attempt, PairSet, Qualification
from qualification.models.sets import Kind
from qualification.sets import MOST_ITEMS, Expected
from qualification.standing import STAGES


class KindSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Kind.choices)


class GoOnSerializer(serializers.Serializer):
    care = CareSerializer(required=False)


class TurnSkipSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(choices=list(SKIP_REASONS))
    note = serializers.CharField(default="", allow_blank=True, max_length=LONGEST_COMMENT, help_text="Not stored")
    care = CareSerializer(required=False)


class FeedbackShape(serializers.Serializer):
    row = serializers.ChoiceField(choices=list(ROWS))
    question = serializers.CharField()
    answer = serializers.CharField(help_text="Your answer in words")
    expected = serializers.CharField(help_text="The expected answer in words")
    right = serializers.BooleanField(help_text="Whether your answer is as expected")
    explanation = serializers.CharField(allow_blank=True)


class QualifyingTurnShape(AssignmentShape):
    kind = serializers.ChoiceField(choices=Kind.choices)
    done = serializers.IntegerField(help_text="Pairs of this attempt that you have done")
    feedback = FeedbackShape(many=True, allow_null=True, help_text="Null in a test, and before you have answered")


class QualifyingStepShape(serializers.Serializer):
    current = QualifyingTurnShape(allow_null=True)
    reason = serializers.ChoiceField(choices=list(REASONS), allow_null=True, help_text="Why `current` is null")
    retry_after_s = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(help_text="Pairs of this attempt that you have not done, with the current one")


class QualifyingAttemptShape(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    version = serializers.IntegerField()
    number = serializers.IntegerField()
    begun_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    end = serializers.ChoiceField(choices=Attempt.End.choices, allow_blank=True)
    pass_share = serializers.FloatField(allow_null=True)
    judged = serializers.IntegerField(allow_null=True)
    right = serializers.IntegerField(allow_null=True)
    passed = serializers.BooleanField(allow_null=True, help_text="Null if too few pairs were answered to judge it")


class QualificationStandingShape(serializers.Serializer):
    stage = serializers.ChoiceField(choices=list(STAGES), help_text="What you can do now")
    qualified_at = serializers.DateTimeField(allow_null=True)
    how = serializers.ChoiceField(choices=Qualification.How.choices, allow_null=True)
    trained = serializers.BooleanField(help_text="Whether you have gone through the training")
    attempts = QualifyingAttemptShape(many=True, help_text="Your attempts at the test that is in force")
    attempts_allowed = serializers.IntegerField()
    wait_until = serializers.DateTimeField(allow_null=True, help_text="When the next attempt may begin")
    pairs = serializers.DictField(child=serializers.IntegerField(), help_text="Pairs that you are asked, by kind")
    active_ms = serializers.IntegerField(help_text="Milliseconds of active time on qualifying. They are paid")


class ExpectedSerializer(serializers.Serializer):
    row = serializers.ChoiceField(choices=list(ROWS))
    accepted = serializers.ListField(
        child=serializers.ChoiceField(choices=[*VIDEOS, TIE, *HARM_KEYS]),
        max_length=len(HARM_KEYS),
        help_text="Of a question: the answers that are as expected. Of tags: the tags that must be chosen",
    )
    optional = serializers.ListField(
        child=serializers.ChoiceField(choices=list(HARM_KEYS)),
        max_length=len(HARM_KEYS),
        default=list,
        help_text="Of tags: tags that may be chosen too",
    )
    explanation = serializers.CharField(default="", allow_blank=True, max_length=LONGEST_COMMENT)

    def validate(self, one: dict[str, Any]) -> dict[str, Any]:
        if one["optional"] and one["row"] not in TAGS:
            raise serializers.ValidationError({"optional": [_("Only tags can be optional.")]})
        return one


def expected_of(body: list[dict[str, Any]]) -> list[Expected]:
    """Return the expected answers of a validated body."""
    return [Expected(one["row"], tuple(one["accepted"]), tuple(one["optional"]), one["explanation"]) for one in body]


class ItemSerializer(serializers.Serializer):
    pair_id = serializers.CharField(max_length=64, help_text="Published id, or at least its first 12 characters")
    expected = ExpectedSerializer(many=True)


class ItemsSerializer(serializers.Serializer):
    items = ItemSerializer(many=True, help_text=f"All pairs of the draft, in their order, at most {MOST_ITEMS}")

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(items) > MOST_ITEMS:
            raise serializers.ValidationError(_("A version has at most %(most)s pairs.") % {"most": MOST_ITEMS})
        return items


class PublishSerializer(serializers.Serializer):
    ask_again = serializers.BooleanField(
        default=False, help_text="Of a test: everybody who is qualified has to qualify again"
    )
    people = serializers.IntegerField(
        default=0, min_value=0, help_text="How many people that concerns. Another number is refused"
    )


class QualificationDecisionSerializer(serializers.Serializer):
    act = serializers.ChoiceField(choices=["waive", "take_back", "allow_attempt"])
    reason = serializers.CharField(max_length=LONGEST_REASON)


class PairSetShape(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=PairSet.State.choices)
    pairs = serializers.IntegerField()
    people = serializers.IntegerField(help_text="People who have begun it")
    published_at = serializers.DateTimeField(allow_null=True)
    asked_again = serializers.IntegerField(allow_null=True)


class PairSetsShape(serializers.Serializer):
    sets = PairSetShape(many=True)


class SetItemShape(serializers.Serializer):
    pair_id = serializers.CharField()
    place = serializers.IntegerField()
    shown = serializers.BooleanField(help_text="False: the pair cannot be shown any more and is skipped")
    expected = ExpectedSerializer(many=True)


class WholeSetShape(PairSetShape):
    items = SetItemShape(many=True)
    lacking = serializers.ListField(child=serializers.CharField(), help_text="What a draft needs to be published")


class QualifyingPersonShape(serializers.Serializer):
    person = serializers.IntegerField()
    username = serializers.CharField()
    state = serializers.CharField()
    attempts = serializers.IntegerField(help_text="At the test in force")
    allowed = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Share right of the last attempt")
    qualified_at = serializers.DateTimeField(allow_null=True)
    how = serializers.ChoiceField(choices=Qualification.How.choices, allow_null=True)
    given_by = serializers.CharField(allow_null=True, help_text="Who waived the test")


class QualifyingPeopleShape(serializers.Serializer):
    people = QualifyingPersonShape(many=True)


class ExpectedCountShape(serializers.Serializer):
    kind = serializers.ChoiceField(choices=Kind.choices)
    version = serializers.IntegerField()
    place = serializers.IntegerField()
    pair_id = serializers.CharField()
    row = serializers.ChoiceField(choices=list(ROWS))
    answers = serializers.IntegerField()
    right = serializers.IntegerField()


class ExpectedCountsShape(serializers.Serializer):
    questions = ExpectedCountShape(many=True)
