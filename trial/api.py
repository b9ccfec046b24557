"""Endpoints of a trial. They accept and refuse what the annotators' endpoints do, but save nothing."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import quarantining, unleased
from annotation.answers import Answers
from annotation.api_reports import ReportedShape, ReportSerializer
from annotation.api_revisions import RevisedShape
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
from trial import pairs
from trial.permissions import trial_pair, trial_study

LAST_KEY = 2**63 - 1


class TrialPlaceSerializer(serializers.Serializer):
    first = serializers.IntegerField(
        min_value=0, max_value=LAST_KEY, default=0, help_text="ID of the pair to begin with; default: the first pair"
    )


class TrialDeskShape(DeskShape):
    reason = serializers.ChoiceField(
        choices=list(pairs.TRIAL_REASONS), allow_null=True, help_text="Why `current` is null"
    )


class LineShape(serializers.Serializer):
    name = serializers.CharField()
    value = serializers.CharField()


class TrialSubmittedShape(SubmittedShape):
    reason = serializers.ChoiceField(choices=list(pairs.TRIAL_REASONS), allow_null=True)
    recorded = LineShape(many=True, help_text="What would be recorded, in words")


class TrialReportedShape(ReportedShape):
    reason = serializers.ChoiceField(choices=list(pairs.TRIAL_REASONS), allow_null=True)


class TrialBaseView(SignedInView):
    """Base class of all endpoints of a trial."""

    def leased_pairs_json(self, study: Study, **place: int) -> dict[str, Any]:
        """Return the pairs from a place on, in the same format as the annotators' endpoints."""
        leased, seat = pairs.trial_pairs(study, self.person, **place), unleased.seat_of(study, self.person)
        return {
            "current": leased.current and assignment_json(leased.current, seat, study),
            "next": leased.next and assignment_json(leased.next, seat, study),
            "reason": leased.reason,
            "retry_after_s": None,
        }


class TrialView(TrialBaseView):
    """`POST studies/{slug}/trial/`."""

    scopes = {"POST": "manage"}
    query = {"POST": TrialPlaceSerializer}

    @extend_schema(request=None, responses={200: TrialDeskShape})
    def post(self, request: Request, slug: str) -> Response:
        """Get two pairs to try the workspace.

        They come in the order in which pairs were imported. Nothing is leased.
        """
        study = trial_study(request, slug)
        place = TrialPlaceSerializer(data=request.query_params)
        place.is_valid(raise_exception=True)
        return Response(self.leased_pairs_json(study, start=place.validated_data["first"]))


class TrialPairView(TrialBaseView):
    """Base class of the endpoints below one pair of a trial."""

    scopes = {"POST": "manage"}

    def pair(self, request: Request, pair_key: int, body: type[serializers.Serializer]) -> tuple[Pair, dict[str, Any]]:
        """Return the pair with its study, and the validated body.

        Raise Http404, PermissionDenied or ValidationError.
        """
        pair = trial_pair(request, pair_key)
        return pair, validated(body, request.data, unleased.as_assignment(pair, pair.study))


class TrialSubmitView(TrialPairView):
    """`POST trial/{pair_key}/submit/`."""

    @extend_schema(request=SubmissionSerializer, responses={200: TrialSubmittedShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Try to submit answers.

        They are checked as the study does. The response has what would be recorded, and the next pair. Return
        what would be recorded, and the next pair. Nothing is saved.
        """
        pair, body = self.pair(request, pair_key, SubmissionSerializer)
        answers = Answers.from_body(
            body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
        )
        return Response(
            self.leased_pairs_json(pair.study, after=pair.pk)
            | {
                "annotation": stored_json(pair, body),
                "second_look": pairs.second_look_due(pair.study, self.person, pair, answers),
                "recorded": pairs.would_record(pair.study, self.person, pair, answers, body),
            }
        )


class TrialReviseView(TrialPairView):
    """`POST trial/{pair_key}/revise/`."""

    @extend_schema(request=RevisionSerializer, responses={200: RevisedShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Try to change answers.

        They are checked as the study does. Nothing is saved.
        """
        pair, body = self.pair(request, pair_key, RevisionSerializer)
        return Response({"annotation": stored_json(pair, body, revision=2), "changed": True})


class TrialReopenView(TrialPairView):
    """`GET trial/{pair_key}/reopen/`."""

    scopes = {"GET": "manage"}
    refusals = {409: ("trial",)}

    @extend_schema(responses={409: None})
    def get(self, request: Request, pair_key: int) -> Response:
        """Try to open an answer again.

        The status is always 409: a trial saves no answers that could be opened again.
        """
        trial_pair(request, pair_key)
        raise Refused(_("This is a trial. Answers are not saved, so there is nothing to open again."), "trial")


class TrialDraftView(TrialPairView):
    """`PUT trial/{pair_key}/draft/`."""

    scopes = {"PUT": "manage"}

    @extend_schema(request=DraftSerializer, responses={204: None})
    def put(self, request: Request, pair_key: int) -> Response:
        """Try to save a draft.

        Unfinished answers are checked. Nothing is saved.
        """
        self.pair(request, pair_key, DraftSerializer)
        return Response(status=204)


class TrialSkipView(TrialPairView):
    """`POST trial/{pair_key}/skip/`."""

    @extend_schema(request=SkipSerializer, responses={200: TrialDeskShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Try to skip a pair.

        The response has the next pair. The skip is not saved.
        """
        pair, _taken = self.pair(request, pair_key, SkipSerializer)
        return Response(self.leased_pairs_json(pair.study, after=pair.pk))


class TrialRenewView(TrialPairView):
    """`POST trial/{pair_key}/renew/`."""

    @extend_schema(request=RenewSerializer, responses={200: AssignmentShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Get new media addresses in a trial."""
        pair, _taken = self.pair(request, pair_key, RenewSerializer)
        seat = unleased.seat_of(pair.study, self.person)
        return Response(assignment_json(unleased.assignment_data(pair, pair.study, self.person), seat, pair.study))


class TrialCareView(TrialPairView):
    """`POST trial/{pair_key}/care/`."""

    @extend_schema(request=CareReportSerializer, responses={204: None})
    def post(self, request: Request, pair_key: int) -> Response:
        """Try to record how much was revealed.

        The reported exposure is checked. Nothing is saved: a trial does not count towards anybody's daily
        limit.
        """
        self.pair(request, pair_key, CareReportSerializer)
        return Response(status=204)


class TrialReportView(TrialPairView):
    """`POST trial/{pair_key}/report/`."""

    @extend_schema(request=ReportSerializer, responses={200: TrialReportedShape})
    def post(self, request: Request, pair_key: int) -> Response:
        """Report a pair of a trial as illegal.

        Name the videos. The report is real, although this is a trial. Repeating is harmless.
        """
        pair, body = self.pair(request, pair_key, ReportSerializer)
        quarantines = quarantine.report(pair, body["videos"], by=self.person)
        leased = self.leased_pairs_json(pair.study, after=pair.pk)
        return Response(leased | {"report": quarantining.outcome_of(quarantines)})


def stored_json(pair: Pair, body: dict[str, Any], revision: int = 1) -> dict[str, Any]:
    """Return the response that the page expects after storing an answer."""
    stored = {"id": pair.pk, "submission_id": body["submission_id"], "revision": revision}
    return stored | {"counted": True, "surplus": ""}
