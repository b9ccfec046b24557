"""The endpoints of a trial. They take what the annotators' endpoints take, refuse the same, and save nothing."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import quarantining, trial
from annotation.answers import Answers
from annotation.api_reports import ReportedShape, ReportSerializer
from annotation.api_revisions import RevisedShape
from annotation.permissions import trial_pair, trial_study
from annotation.responses import AssignmentShape, DeskShape, SubmittedShape, assignment_json
from annotation.serializers import (
    CareReportSerializer,
    DraftSerializer,
    RenewSerializer,
    RevisionSerializer,
    SkipSerializer,
    SubmissionSerializer,
    validated,
)
from catalog.models import Pair
from diptych.refusals import Refused
from safety import quarantine
from studies.models import Study

LAST_KEY = 2**63 - 1


class TrialPlaceSerializer(serializers.Serializer):
    first = serializers.IntegerField(
        min_value=0, max_value=LAST_KEY, default=0, help_text="Id of the pair to begin at; default: the first of all"
    )


class TrialDeskShape(DeskShape):
    reason = serializers.ChoiceField(
        choices=list(trial.TRIAL_REASONS), allow_null=True, help_text="Why there is no current"
    )


class LineShape(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.CharField()


class TrialSubmittedShape(SubmittedShape):
    reason = serializers.ChoiceField(choices=list(trial.TRIAL_REASONS), allow_null=True)
    recorded = LineShape(many=True, help_text="What would be recorded, in words")


class TrialReportedShape(ReportedShape):
    reason = serializers.ChoiceField(choices=list(trial.TRIAL_REASONS), allow_null=True)


class TrialDeskView(SignedInView):
    """What all endpoints of a trial share."""

    def desk_json(self, study: Study, **place: int) -> dict[str, Any]:
        """The pairs at a place, in the form in which annotators get theirs."""
        desk, seat = trial.desk(study, self.person, **place), trial.seat_of(study, self.person)
        return {
            "current": desk.current and assignment_json(desk.current, seat, study),
            "next": desk.next and assignment_json(desk.next, seat, study),
            "reason": desk.reason,
            "retry_after_s": None,
        }


class TrialView(TrialDeskView):
    """`POST studies/{slug}/trial/`."""

    scopes = {"POST": "manage"}
    query = {"POST": TrialPlaceSerializer}

    @extend_schema(request=None, responses={200: TrialDeskShape})
    def post(self, request: Request, slug: str) -> Response:
        """Returns two pairs to try the workspace with, in the order in which pairs came in. Nothing is leased."""
        study = trial_study(request, slug)
        place = TrialPlaceSerializer(data=request.query_params)
        place.is_valid(raise_exception=True)
        return Response(self.desk_json(study, start=place.validated_data["first"]))


class TrialPairView(TrialDeskView):
    """What the endpoints below one pair of a trial share."""

    scopes = {"POST": "manage"}

    def pair(self, request: Request, pair_key: int, body: type[serializers.Serializer]) -> tuple[Pair, dict[str, Any]]:
        """The pair with its study, and the body as the study takes it. Raises Http404, PermissionDenied and
        ValidationError."""
        pair = trial_pair(request, pair_key)
        return pair, validated(body, request.data, trial.as_assignment(pair, pair.study))


class TrialSubmitView(TrialPairView):
    """`POST trial/{pair_key}/submit/`."""

    @extend_schema(request=SubmissionSerializer, responses={200: TrialSubmittedShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Checks the answers as the study would, says what would be recorded, and returns the next pair. Nothing is
        saved."""
        pair, body = self.pair(request, pair_key, SubmissionSerializer)
        answers = Answers.from_body(
            body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
        )
        return Response(
            self.desk_json(pair.study, after=pair.pk)
            | {
                "annotation": stored_json(pair, body),
                "second_look": trial.second_look_due(pair.study, self.person, pair, answers),
                "recorded": trial.would_record(pair.study, self.person, pair, answers, body),
            }
        )


class TrialReviseView(TrialPairView):
    """`POST trial/{pair_key}/revise/`."""

    @extend_schema(request=RevisionSerializer, responses={200: RevisedShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Checks changed answers as the study would. Nothing is saved."""
        pair, body = self.pair(request, pair_key, RevisionSerializer)
        return Response({"annotation": stored_json(pair, body, revision=2), "changed": True})


class TrialReopenView(TrialPairView):
    """`GET trial/{pair_key}/reopen/`."""

    scopes = {"GET": "manage"}
    refusals = {409: ("trial",)}

    @extend_schema(responses={409: None})
    def get(self, request: Request, pair_key: int) -> Response:
        """Always 409: a trial keeps no answers that could be opened again."""
        trial_pair(request, pair_key)
        raise Refused(_("This is a trial. Answers are not saved, so there is nothing to open again."), "trial")


class TrialDraftView(TrialPairView):
    """`PUT trial/{pair_key}/draft/`."""

    scopes = {"PUT": "manage"}

    @extend_schema(request=DraftSerializer, responses={204: None})
    def put(self, request: Request, pair_key: int) -> Response:
        """Checks unfinished answers. Nothing is saved."""
        self.pair(request, pair_key, DraftSerializer)
        return Response(status=204)


class TrialSkipView(TrialPairView):
    """`POST trial/{pair_key}/skip/`."""

    @extend_schema(request=SkipSerializer, responses={200: TrialDeskShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Returns the next pair. The skip is not saved."""
        pair, _taken = self.pair(request, pair_key, SkipSerializer)
        return Response(self.desk_json(pair.study, after=pair.pk))


class TrialRenewView(TrialPairView):
    """`POST trial/{pair_key}/renew/`."""

    @extend_schema(request=RenewSerializer, responses={200: AssignmentShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Returns the pair with fresh media addresses."""
        pair, _taken = self.pair(request, pair_key, RenewSerializer)
        seat = trial.seat_of(pair.study, self.person)
        return Response(assignment_json(trial.shown(pair, pair.study, self.person), seat, pair.study))


class TrialCareView(TrialPairView):
    """`POST trial/{pair_key}/care/`."""

    @extend_schema(request=CareReportSerializer, responses={204: None})
    def post(self, request: Request, pair_key: int) -> Response:
        """Checks what was revealed. Nothing is saved: a trial counts towards nobody's daily limit."""
        self.pair(request, pair_key, CareReportSerializer)
        return Response(status=204)


class TrialReportView(TrialPairView):
    """`POST trial/{pair_key}/report/`."""

    @extend_schema(request=ReportSerializer, responses={200: TrialReportedShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Reports videos of a pair as illegal, as an annotator does. This is real, also in a trial. Repeating it is
        harmless."""
        pair, body = self.pair(request, pair_key, ReportSerializer)
        quarantines = quarantine.report(pair, body["videos"], by=self.person)
        desk = self.desk_json(pair.study, after=pair.pk)
        return Response(desk | {"report": quarantining.outcome_of(quarantines)})


def stored_json(pair: Pair, body: dict[str, Any], revision: int = 1) -> dict[str, Any]:
    """Return what the page gets in place of an answer that was stored."""
    stored = {"id": pair.pk, "submission_id": body["submission_id"], "revision": revision}
    return stored | {"counted": True, "surplus": ""}
