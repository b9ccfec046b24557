"""Endpoints of calibration: judge the pairs of an open session, and read the results of a session."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import unleased
from annotation.answers import Answers
from annotation.api_reports import ReportSerializer
from annotation.responses import AssignmentShape
from annotation.serializers import CareReportSerializer, RenewSerializer, SubmissionSerializer, validated
from calibration import turns
from calibration.models import CalibrationSession, CalibrationSitting
from calibration.permissions import calibrated_study, joined_calibration, leads_calibration, own_sitting
from diptych.statistics.figures import Figure, NotDefined
from qc.reviewing import REASONS
from qc.serializers import JudgingShape, ReviewSkipSerializer
from safety import quarantine

#: The most rows in a list. The latest sessions come first.
MOST_LISTED = 200


class CalibrationTurnShape(AssignmentShape):
    kind = serializers.ChoiceField(choices=["calibration"])
    blind = serializers.BooleanField()
    lot = serializers.IntegerField(help_text="Number of the session")
    judging = JudgingShape(allow_null=True, help_text="Always null: nothing is shown before the session ends for you")


class CalibrationTurnsShape(serializers.Serializer):
    current = CalibrationTurnShape(allow_null=True)
    reason = serializers.ChoiceField(choices=list(REASONS), allow_null=True, help_text="Why `current` is null")
    retry_after_s = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(help_text="Pairs of the session that you have not judged")


class CalibrationSessionShape(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    topic = serializers.CharField()
    state = serializers.ChoiceField(choices=CalibrationSession.State.choices)
    follows = serializers.IntegerField(allow_null=True, help_text="Number of the earlier session, or null")
    pairs = serializers.IntegerField()
    judged = serializers.BooleanField(help_text="Whether you have judged all of its pairs")
    guideline_before = serializers.IntegerField(allow_null=True)
    guideline_after = serializers.IntegerField(
        allow_null=True, help_text="Version of the guideline that resulted from the discussion"
    )


class CalibrationSessionsShape(serializers.Serializer):
    sessions = CalibrationSessionShape(many=True)


class CalibrationFigureShape(serializers.Serializer):
    value = serializers.FloatField(allow_null=True)
    not_defined = serializers.ChoiceField(choices=[one.value for one in NotDefined], allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    units = serializers.IntegerField(help_text="Pairs that at least two people answered")
    answers = serializers.IntegerField()


class CalibrationComparedShape(serializers.Serializer):
    place = serializers.IntegerField()
    pair_id = serializers.CharField()
    differing = serializers.ListField(child=serializers.CharField(), help_text="Questions on which people differ")
    outcome = serializers.CharField(allow_blank=True, help_text="What the discussion concluded")


class CalibrationResultsShape(serializers.Serializer):
    session = CalibrationSessionShape()
    people = serializers.IntegerField()
    agreement = serializers.DictField(child=CalibrationFigureShape(), help_text="Percent agreement by question")
    alpha = serializers.DictField(child=CalibrationFigureShape(), help_text="Krippendorff’s alpha by question")
    pairs = CalibrationComparedShape(many=True)


def session_json(session: CalibrationSession, person: Any) -> dict[str, Any]:
    """Return a session as the JSON of the API."""
    names = ("number", "topic", "state", "guideline_before", "guideline_after")
    return {name: getattr(session, name) for name in names} | {
        "id": session.pk,
        "follows": session.follows.number if session.follows else None,
        "pairs": session.items.count(),
        "judged": turns.has_judged(person, session),
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    """Return a figure of agreement as JSON: a number or the reason why there is none, and its interval."""
    undefined = isinstance(figure.value, NotDefined)
    low, high = (None, None) if isinstance(figure.interval, NotDefined) else figure.interval
    return {
        "value": None if undefined else figure.value,
        "not_defined": str(figure.value) if undefined else None,
        "low": low,
        "high": high,
        "units": figure.units,
        "answers": figure.answers,
    }


class CalibrationsView(SignedInView):
    """`GET studies/{slug}/calibrations/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="calibrations_list", responses={200: CalibrationSessionsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the calibration sessions.

        The latest comes first. Drafts are only for those who prepare them.
        """
        study = calibrated_study(request, slug)
        found = CalibrationSession.objects.filter(study=study).select_related("follows", "study").order_by("-number")
        if not leads_calibration(study):
            found = found.exclude(state=CalibrationSession.State.DRAFT)
        return Response({"sessions": [session_json(one, self.person) for one in found[:MOST_LISTED]]})


class CalibrationView(SignedInView):
    """`GET calibrations/{id}/`."""

    scopes = {"GET": "read"}
    refusals = {409: ("judge_first",)}

    @extend_schema(operation_id="calibrations_results", responses={200: CalibrationResultsShape})
    def get(self, request: Request, session_id: int) -> Response:
        """Read the results of a calibration session.

        They are there once you have judged all of its pairs or it is closed.
        """
        session = joined_calibration(request, session_id)
        turns.require_results(self.person, session)
        from calibration import outcomes  # it loads numpy, which a web process needs here only

        found = outcomes.agreement_of(session)
        _people, compared = outcomes.compared(session)
        return Response(
            {
                "session": session_json(session, self.person),
                "people": found.people,
                "agreement": {key: figure_json(one.percent) for key, one in found.preferences.items()},
                "alpha": {key: figure_json(one.nominal) for key, one in found.preferences.items()},
                "pairs": [
                    {
                        "place": one.item.place,
                        "pair_id": one.item.pair.public_id,
                        "differing": [row.key for row in one.rows if row.differs],
                        "outcome": one.item.outcome,
                    }
                    for one in compared
                ],
            }
        )


class TurnBaseView(SignedInView):
    """Base class of the endpoints with which a person judges."""

    scopes = {"POST": "review"}

    def body(self, sitting: CalibrationSitting, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        return validated(serializer, self.request.data, unleased.as_assignment(sitting.item.pair, sitting.study))

    def next_json(self, session: CalibrationSession) -> dict[str, Any]:
        """Return the person's next pair of the session."""
        return turns.turn_json(turns.next_turn(self.person, session))


class NextTurnView(TurnBaseView):
    """`POST calibrations/{id}/next/`."""

    refusals = {409: ("not_open",)}

    @extend_schema(operation_id="calibrations_next", request=None, responses={200: CalibrationTurnsShape})
    def post(self, request: Request, session_id: int) -> Response:
        """Get the next pair of a calibration session.

        It is one that you have not judged. Repeating it returns the same.
        """
        return Response(self.next_json(joined_calibration(request, session_id)))


class AnswerTurnView(TurnBaseView):
    """`POST calibration-turns/{id}/answer/`."""

    refusals = {409: ("already_answered", "already_submitted", "not_open")}

    @extend_schema(
        operation_id="calibrations_answer", request=SubmissionSerializer, responses={200: CalibrationTurnsShape}
    )
    def post(self, request: Request, turn_id: int) -> Response:
        """Answer a pair of a calibration session.

        The response has the next pair. Repeating it is harmless.
        """
        sitting = own_sitting(request, turn_id)
        body = self.body(sitting, SubmissionSerializer)
        turns.answer(
            sitting,
            self.person,
            submission_id=body["submission_id"],
            answers=Answers.from_body(
                body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
            ),
            timings_ms=body["timings_ms"],
            viewing=body["viewing"],
            care=body.get("care"),
        )
        return Response(self.next_json(sitting.item.session))


class SkipTurnView(TurnBaseView):
    """`POST calibration-turns/{id}/skip/`."""

    refusals = {409: ("already_submitted", "not_open")}

    @extend_schema(
        operation_id="calibrations_skip", request=ReviewSkipSerializer, responses={200: CalibrationTurnsShape}
    )
    def post(self, request: Request, turn_id: int) -> Response:
        """Skip a pair of a calibration session.

        Give a reason. The response has the next pair. It stays a gap in the figures.
        """
        sitting = own_sitting(request, turn_id)
        body = self.body(sitting, ReviewSkipSerializer)
        turns.skip(sitting, self.person, reason=body["reason"], care=body.get("care"))
        return Response(self.next_json(sitting.item.session))


class RenewTurnView(TurnBaseView):
    """`POST calibration-turns/{id}/renew/`."""

    @extend_schema(operation_id="calibrations_renew", request=RenewSerializer, responses={200: CalibrationTurnShape})
    def post(self, request: Request, turn_id: int) -> Response:
        """Get new media addresses for a calibration pair.

        A turn does not end by itself.
        """
        sitting = own_sitting(request, turn_id)
        if care := self.body(sitting, RenewSerializer).get("care"):
            turns.record_exposure(sitting, self.person, care)
        return Response(turns.sitting_json(sitting, unleased.seat_of(sitting.study, self.person)))


class CareTurnView(TurnBaseView):
    """`POST calibration-turns/{id}/care/`."""

    @extend_schema(operation_id="calibrations_care", request=CareReportSerializer, responses={204: None})
    def post(self, request: Request, turn_id: int) -> Response:
        """Record how much of a calibration pair was revealed.

        It counts towards your daily limit.
        """
        sitting = own_sitting(request, turn_id)
        turns.record_exposure(sitting, self.person, self.body(sitting, CareReportSerializer)["care"])
        return Response(status=204)


class ReportTurnView(TurnBaseView):
    """`POST calibration-turns/{id}/report/`."""

    refusals = {409: ("not_open",)}

    @extend_schema(operation_id="calibrations_report", request=ReportSerializer, responses={200: CalibrationTurnsShape})
    def post(self, request: Request, turn_id: int) -> Response:
        """Report a calibration pair as illegal.

        Name the videos. The response has the next pair.
        """
        sitting = own_sitting(request, turn_id)
        body = self.body(sitting, ReportSerializer)
        if care := body.get("care"):
            turns.record_exposure(sitting, self.person, care)
        quarantine.report(sitting.item.pair, body["videos"], by=self.person)
        return Response(self.next_json(sitting.item.session))
