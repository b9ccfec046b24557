"""API of figures: read agreement and figures of annotators, and have them computed again."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from figures import figure_jobs
from figures.annotators import tables
from figures.models import StudyFigures
from figures.permissions import agreement_study, annotators_study, computing_study, names_people
from studies.models import Study


class ComputationShape(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=StudyFigures.State.choices)
    done = serializers.IntegerField(help_text="Steps that are done")
    total = serializers.IntegerField(help_text="All steps; 0: not known yet")
    created_at = serializers.DateTimeField()


class AgreementShape(serializers.Serializer):
    computed_at = serializers.DateTimeField(allow_null=True, help_text="null: nobody has computed the figures yet")
    behind = serializers.BooleanField(help_text="Whether answers came since")
    computation = ComputationShape(allow_null=True, help_text="The computation that waits or runs")
    figures = serializers.DictField(
        allow_null=True,
        help_text=(
            "`all`: invalid answers included; `valid`: without them; `groups`: by lot, language, prompt_type, "
            "protocol_version and week. Instead of a number stands `all_alike`, `no_overlap` or `not_enough`"
        ),
    )


class AnnotatorsShape(serializers.Serializer):
    computed_at = serializers.DateTimeField(allow_null=True, help_text="null: nobody has computed the figures yet")
    behind = serializers.BooleanField(help_text="Whether answers came since")
    computation = ComputationShape(allow_null=True, help_text="The computation that waits or runs")
    annotators = serializers.ListField(
        child=serializers.DictField(), help_text="One object for each annotator, in the order of their codes"
    )


class AgreementView(SignedInView):
    """`GET` and `POST studies/{slug}/agreement/`."""

    scopes = {"GET": "read", "POST": "manage"}
    refusals = {("POST", 409): ("busy",)}

    @extend_schema(operation_id="agreement_read", responses={200: AgreementShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read the figures of agreement.

        The newest ones are returned, with the moment at which they were computed.
        """
        study = agreement_study(request, slug)
        newest = figure_jobs.newest(study, StudyFigures.Kind.AGREEMENT)
        return Response(
            about(study, StudyFigures.Kind.AGREEMENT, newest) | {"figures": newest.result if newest else None}
        )

    @extend_schema(operation_id="agreement_compute", request=None, responses={202: ComputationShape})
    def post(self, request: Request, slug: str) -> Response:
        """Compute the figures of agreement.

        A worker does it. `GET` shows when they are done.
        """
        study = computing_study(request, slug)
        job = figure_jobs.compute(study, StudyFigures.Kind.AGREEMENT, actor=self.person)
        return Response(computation_json(job), status=202)


class AnnotatorsView(SignedInView):
    """`GET` and `POST studies/{slug}/annotators/`."""

    scopes = {"GET": "read", "POST": "manage"}
    refusals = {("POST", 409): ("busy",)}

    @extend_schema(operation_id="annotators_read", responses={200: AnnotatorsShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read the figures of annotators.

        The newest ones are returned by code. Admins also get names.
        """
        study = annotators_study(request, slug)
        newest = figure_jobs.newest(study, StudyFigures.Kind.ANNOTATORS)
        found = tables.people(study, newest.result, with_names=names_people(study)) if newest else []
        for one in found:
            del one["person"]
        return Response(about(study, StudyFigures.Kind.ANNOTATORS, newest) | {"annotators": found})

    @extend_schema(operation_id="annotators_compute", request=None, responses={202: ComputationShape})
    def post(self, request: Request, slug: str) -> Response:
        """Compute the figures of annotators.

        A worker does it. `GET` shows when they are done.
        """
        study = computing_study(request, slug)
        job = figure_jobs.compute(study, StudyFigures.Kind.ANNOTATORS, actor=self.person)
        return Response(computation_json(job), status=202)


def about(study: Study, kind: str, newest: StudyFigures | None) -> dict[str, Any]:
    """Return what both responses begin with: when the figures were computed, and what goes on."""
    underway = StudyFigures.objects.filter(study=study, kind=kind, finished_at=None).defer("result").first()
    return {
        "computed_at": newest.finished_at if newest else None,
        "behind": bool(newest and figure_jobs.is_behind(newest)),
        "computation": computation_json(underway) if underway else None,
    }


def computation_json(job: StudyFigures) -> dict[str, Any]:
    """Return a computation as the JSON of the API."""
    return {
        "id": job.pk,
        "state": job.state,
        "done": job.steps,
        "total": job.steps_total,
        "created_at": job.created_at,
    }
