"""API of model versions: list them, read one, promote it, take that back, withdraw it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from training import registry, registry_waiting
from training.api import LARGEST_ID, ModelVersionShape, RunFileShape
from training.finishing import files_of
from training.kinds import Kind
from training.models import ModelVersion
from training.permissions import own_version, runs_study, version_for

MOST_LISTED = 200


class ModelComparisonShape(serializers.Serializer):
    """What the comparison showed. Differences are shares from −1 to 1."""

    k = serializers.IntegerField(allow_null=True, help_text="Number of the comparison; null: nothing was decided")
    against = serializers.IntegerField(allow_null=True, help_text="Number of the other version; null: chance")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    clusters = serializers.IntegerField(allow_null=True)


class VersionShape(ModelVersionShape):
    kind = serializers.ChoiceField(choices=Kind.choices)
    run = serializers.IntegerField(help_text="The run that made it. Its files are those of the version")
    release = serializers.IntegerField(help_text="Number of the release that it was trained on")
    decision = serializers.ChoiceField(choices=ModelVersion.Decision.choices, allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    comparison = ModelComparisonShape()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)


class VersionDetailShape(VersionShape):
    metrics = serializers.ListField(child=serializers.DictField(), allow_null=True)
    waits_for = serializers.CharField(allow_blank=True, help_text="Of a candidate: what its decision waits for")
    evaluation = serializers.IntegerField(
        allow_null=True, help_text="The run in which the promoted version predicts the same test answers"
    )
    reliability = serializers.DictField(allow_null=True, help_text="By target: predicted and observed shares")
    files = RunFileShape(many=True, help_text="Download them from `runs/{run}/files/{path}`")


class VersionsShape(serializers.Serializer):
    versions = VersionShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


class VersionsQuery(serializers.Serializer):
    before = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    state = serializers.ChoiceField(required=False, choices=ModelVersion.State.choices)


class ModelDecisionSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=registry.LONGEST_REASON, help_text="Recorded with your name")


def version_json(version: ModelVersion) -> dict[str, Any]:
    """Return a version as the JSON of the API."""
    names = ("number", "state", "decision", "reason", "created_at", "decided_at")
    compared = {"k": version.comparison, "against": version.against.number if version.against else None}
    return {
        "id": version.pk,
        "family": version.family.key,
        "backbone": version.family.backbone,
        "kind": version.family.kind,
        "run": version.run_id,
        "release": version.run.release.number,
        **{name: getattr(version, name) for name in names},
        "comparison": compared | {name: getattr(version, name) for name in ("low", "high", "clusters")},
    }


def detail_json(version: ModelVersion) -> dict[str, Any]:
    """Return a version with its metrics and its files."""
    files = [] if version.state == ModelVersion.State.WITHDRAWN else files_of(version.run)
    evaluation = registry_waiting.evaluation_of(version)
    return version_json(version) | {
        "metrics": version.run.metrics,
        "waits_for": registry_waiting.waits_for(version) if version.state == ModelVersion.State.CANDIDATE else "",
        "evaluation": evaluation.pk if evaluation else None,
        "reliability": version.reliability,
        "files": [{"path": file.path, "sha256": file.sha256, "bytes": file.byte_size} for file in files],
    }


class VersionsView(SignedInView):
    """`GET studies/{slug}/models/`."""

    scopes = {"GET": "export"}
    query = {"GET": VersionsQuery}

    @extend_schema(operation_id="models_list", responses={200: VersionsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the model versions of a study.

        The latest comes first. With `state=promoted` there is at most one of each family.
        """
        study, asked = runs_study(request, slug), self.asked()
        found = (
            ModelVersion.objects.filter(study=study)
            .defer("details")
            .select_related("family", "run__release", "against")
        )
        if before := asked.get("before"):
            found = found.filter(pk__lt=before)
        if state := asked.get("state"):
            found = found.filter(state=state)
        rows = list(found.order_by("-pk")[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        following = page[-1].pk if len(rows) > len(page) else None
        return Response({"versions": [version_json(one) for one in page], "next": following})


class VersionView(SignedInView):
    """`GET models/{id}/`."""

    scopes = {"GET": "export"}

    @extend_schema(operation_id="models_read", responses={200: VersionDetailShape})
    def get(self, request: Request, version_id: int) -> Response:
        """Read a model version.

        The response has its metrics, its comparison, the decision, and its files with their SHA-256.
        """
        return Response(detail_json(version_for(request, version_id)))


class DecideView(SignedInView):
    """Base of what people decide about a version, with a reason."""

    scopes = {"POST": "manage"}

    def decide(self, request: Request, version_id: int, act: Any) -> Response:
        """Do it, and respond with the version."""
        version = own_version(request, version_id)
        body = ModelDecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        act(version, reason=body.validated_data["reason"], actor=self.person)
        return Response(detail_json(version_for(request, version_id)))


class PromoteView(DecideView):
    """`POST models/{id}/promote/`."""

    refusals = {409: ("not_promotable",)}

    @extend_schema(operation_id="models_promote", request=ModelDecisionSerializer, responses={200: VersionDetailShape})
    def post(self, request: Request, version_id: int) -> Response:
        """Promote a model version that is not worse.

        The promoted version of its family becomes kept. Repeating it is harmless.
        """
        return self.decide(request, version_id, registry.promote)


class TakeBackView(DecideView):
    """`POST models/{id}/take-back/`."""

    refusals = {409: ("not_promoted",)}

    @extend_schema(
        operation_id="models_take_back", request=ModelDecisionSerializer, responses={200: VersionDetailShape}
    )
    def post(self, request: Request, version_id: int) -> Response:
        """Take the promotion of a model version back.

        No version of its family is promoted afterwards.
        """
        return self.decide(request, version_id, registry.take_back)


class CompareAgainView(SignedInView):
    """`POST models/{id}/compare-again/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("not_repeatable", "busy", "not_complete", "no_worker_offers"), 410: ("withdrawn",)}

    @extend_schema(operation_id="models_compare_again", request=None, responses={202: VersionDetailShape})
    def post(self, request: Request, version_id: int) -> Response:
        """Compare a model version again.

        This is for a version whose comparison could not be made. The promoted version is evaluated again if its
        evaluation failed. The status is 409 with `not_repeatable` for a version that was compared.
        """
        registry_waiting.compare_again(own_version(request, version_id), actor=self.person)
        return Response(detail_json(version_for(request, version_id)), status=202)


class WithdrawView(DecideView):
    """`POST models/{id}/withdraw/`."""

    refusals = {410: ("withdrawn",)}

    @extend_schema(operation_id="models_withdraw", request=ModelDecisionSerializer, responses={200: VersionDetailShape})
    def post(self, request: Request, version_id: int) -> Response:
        """Withdraw a model version for good.

        Nobody can download it or promote it afterwards.
        """
        return self.decide(request, version_id, registry.withdraw)
