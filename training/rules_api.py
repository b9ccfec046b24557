"""API of rules: list them, make, read, change and delete one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from training import rules
from training.api import BACKBONE_HELP
from training.kinds import LONGEST_OFFERED, TARGETS, Kind
from training.models import TrainingRule
from training.permissions import rule_of, training_study
from training.rules import LONGEST_WAIT_MINUTES, MOST_NEW_PAIRS, Next


class ChangedTrainingRuleSerializer(serializers.Serializer):
    """What changes. Fields that are left out stay as they are."""

    wait_minutes = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LONGEST_WAIT_MINUTES,
        help_text="How long a release must be complete before it is trained on",
    )
    least_new_pairs = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_NEW_PAIRS,
        help_text="Pairs that the release before, on which the family was trained, does not have",
    )
    scores_new_videos = serializers.BooleanField(
        required=False, help_text="Whether the promoted version scores new videos after each comparison"
    )
    on = serializers.BooleanField(required=False)


class NewTrainingRuleSerializer(ChangedTrainingRuleSerializer):
    """What to train on new releases, and when."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    targets = serializers.ListField(
        child=serializers.ChoiceField(choices=[(name, name) for name in TARGETS]),
        required=False,
        default=list,
        max_length=len(TARGETS),
    )
    backbone = serializers.CharField(default="small", max_length=LONGEST_OFFERED, help_text=BACKBONE_HELP)


class NextStepShape(serializers.Serializer):
    """What a rule does next."""

    step = serializers.ChoiceField(choices=[(one.value, one.value) for one in Next])
    release = serializers.IntegerField(allow_null=True, help_text="Number of the release that it is about")
    at = serializers.DateTimeField(allow_null=True, help_text="When it looks at that release at the earliest")
    new_pairs = serializers.IntegerField(allow_null=True, help_text="Of that release; null: not counted yet")


class TrainingRuleShape(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    targets = serializers.ListField(child=serializers.CharField())
    backbone = serializers.CharField()
    wait_minutes = serializers.IntegerField()
    least_new_pairs = serializers.IntegerField()
    scores_new_videos = serializers.BooleanField()
    on = serializers.BooleanField()
    changed_at = serializers.DateTimeField()
    last_run = serializers.IntegerField(allow_null=True, help_text="The last run that it queued")
    next = NextStepShape()


class TrainingRulesShape(serializers.Serializer):
    rules = TrainingRuleShape(many=True)


def rule_json(rule: TrainingRule) -> dict[str, Any]:
    """Return a rule as the JSON of the API."""
    last, found = rules.last_run(rule), rules.standing(rule)
    step = {"step": found.next, "release": found.release.number if found.release else None}
    return {
        "id": rule.pk,
        **{name: getattr(rule.family, name) for name in ("kind", "targets", "backbone")},
        **{
            name: getattr(rule, name) for name in ("wait_minutes", "least_new_pairs", "scores_new_videos", "changed_at")
        },
        "on": rule.is_on,
        "last_run": last.pk if last else None,
        "next": step | {"at": found.at, "new_pairs": found.new_pairs},
    }


def _given(body: serializers.Serializer) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    given = dict(body.validated_data)
    return given | ({"is_on": given.pop("on")} if "on" in given else {})


class TrainingRulesView(SignedInView):
    """`GET` and `POST studies/{slug}/training-rules/`."""

    scopes = {"GET": "export", "POST": "manage"}
    refusals = {("POST", 409): ("rule_exists",)}

    @extend_schema(operation_id="training_rules_list", responses={200: TrainingRulesShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the rules that queue training runs on new releases."""
        study = training_study(request, slug)
        found = TrainingRule.objects.filter(study=study).select_related("study", "family").order_by("pk")
        return Response({"rules": [rule_json(rule) for rule in found]})

    @extend_schema(
        operation_id="training_rules_make", request=NewTrainingRuleSerializer, responses={201: TrainingRuleShape}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make a rule that queues a training run on each new release.

        A release needs the waiting time and enough new pairs. A model has one rule: change it to have another one.
        """
        study = training_study(request, slug)
        rule = rules.make(study, **_given(NewTrainingRuleSerializer(data=request.data)), actor=self.person)
        return Response(rule_json(rule), status=201)


class TrainingRuleView(SignedInView):
    """`GET`, `PATCH` and `DELETE training-rules/{id}/`."""

    scopes = {"GET": "export", "PATCH": "manage", "DELETE": "manage"}

    @extend_schema(operation_id="training_rules_read", responses={200: TrainingRuleShape})
    def get(self, request: Request, rule_id: int) -> Response:
        """Read a rule, with what it did last and does next."""
        return Response(rule_json(rule_of(request, rule_id)))

    @extend_schema(
        operation_id="training_rules_change", request=ChangedTrainingRuleSerializer, responses={200: TrainingRuleShape}
    )
    def patch(self, request: Request, rule_id: int) -> Response:
        """Change a rule, or switch it on or off."""
        rule = rule_of(request, rule_id)
        rules.change(rule, **_given(ChangedTrainingRuleSerializer(data=request.data)), actor=self.person)
        return Response(rule_json(rule))

    @extend_schema(operation_id="training_rules_delete", responses={204: None})
    def delete(self, request: Request, rule_id: int) -> Response:
        """Delete a rule.

        The runs that it queued stay.
        """
        rules.delete(rule_of(request, rule_id), actor=self.person)
        return Response(status=204)
