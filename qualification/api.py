"""Endpoints with which annotators qualify. Each parses the request, calls one function, and responds."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import unleased
from annotation.answers import Answers
from annotation.api_reports import ReportSerializer
from annotation.models import Seat
from annotation.serializers import CareReportSerializer, RenewSerializer, SubmissionSerializer, validated
from diptych.refusals import Refused
from qualification import attempts, standing
from qualification.models import Attempt, Turn
from qualification.permissions import own_turn, qualifying_study
from qualification.serializers import (
    GoOnSerializer,
    KindSerializer,
    QualificationStandingShape,
    QualifyingAttemptShape,
    QualifyingStepShape,
    QualifyingTurnShape,
    TurnSkipSerializer,
)
from qualification.turn_data import step_json, turn_json
from safety import quarantine
from studies.models import Study


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as the JSON of the API."""
    names = ("kind", "number", "begun_at", "ended_at", "end", "pass_share", "judged", "right", "passed")
    return {name: getattr(attempt, name) for name in names} | {"id": attempt.pk, "version": attempt.set.number}


class OwnQualificationView(SignedInView):
    """`GET studies/{slug}/qualification/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="qualification_own", responses={200: QualificationStandingShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show whether you are qualified.

        The response says what you have done to qualify, and what you can do now.
        """
        study = qualifying_study(request, slug)
        seat = Seat.objects.filter(study=study, person=self.person).first()
        found = standing.standing_of(self.person, study, seat, timezone.now())
        given = found.qualification
        return Response(
            {
                "stage": found.stage,
                "qualified_at": given.given_at if given else None,
                "how": given.how if given else None,
                "trained": found.trained,
                "attempts": [attempt_json(one) for one in found.attempts],
                "attempts_allowed": found.allowed,
                "wait_until": found.wait_until,
                "pairs": found.pairs,
                "active_ms": standing.active_ms(self.person, study),
            }
        )


class QualifyingView(SignedInView):
    """Base class of the endpoints with which a person qualifies."""

    scopes = {"POST": "annotate"}

    def kind(self) -> str:
        reader = KindSerializer(data=self.request.data)
        reader.is_valid(raise_exception=True)
        return str(reader.validated_data["kind"])

    def body(self, turn: Turn, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        return validated(serializer, self.request.data, unleased.as_assignment(turn.item.pair, turn.study))

    def next_json(self, attempt: Attempt) -> dict[str, Any]:
        """Return the person's next pair of the attempt."""
        return step_json(attempts.next_step(attempt, self.person))


class BeginView(QualifyingView):
    """`POST studies/{slug}/qualification/attempts/`."""

    refusals = {409: (*attempts.STAGES_THAT_REFUSE, "no_training", "train_first")}

    @extend_schema(operation_id="qualification_begin", request=KindSerializer, responses={200: QualifyingAttemptShape})
    def post(self, request: Request, slug: str) -> Response:
        """Begin a training or a test.

        The response has the attempt. If one is open, it is returned.
        """
        study = qualifying_study(request, slug)
        return Response(attempt_json(attempts.begin(self.person, study, self.kind())))


class NextView(QualifyingView):
    """`POST studies/{slug}/qualification/next/`."""

    @extend_schema(operation_id="qualification_next", request=KindSerializer, responses={200: QualifyingStepShape})
    def post(self, request: Request, slug: str) -> Response:
        """Get the next pair of a training or test.

        Repeating it returns the same until you have done it.
        """
        study: Study = qualifying_study(request, slug)
        found = attempts.attempt_at(self.person, study, self.kind())
        if found is None:
            return Response({"current": None, "reason": attempts.ENDED, "retry_after_s": None, "left": 0})
        return Response(self.next_json(found))


class AnswerTurnView(QualifyingView):
    """`POST qualification-turns/{id}/answer/`."""

    refusals = {409: ("already_answered", "attempt_ended")}

    @extend_schema(
        operation_id="qualification_answer", request=SubmissionSerializer, responses={200: QualifyingStepShape}
    )
    def post(self, request: Request, turn_id: int) -> Response:
        """Answer a pair of a training or test.

        In a training, return the pair with what was expected. In a test, return the next one.
        """
        turn = own_turn(request, turn_id)
        body = self.body(turn, SubmissionSerializer)
        attempts.answer(
            turn,
            self.person,
            submission_id=body["submission_id"],
            answers=Answers.from_body(
                body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
            ),
            timings_ms=body["timings_ms"],
            viewing=body["viewing"],
            care=body.get("care"),
        )
        return Response(self.next_json(turn.attempt))


class GoOnView(QualifyingView):
    """`POST qualification-turns/{id}/go-on/`."""

    refusals = {409: ("answer_first",)}

    @extend_schema(operation_id="qualification_go_on", request=GoOnSerializer, responses={200: QualifyingStepShape})
    def post(self, request: Request, turn_id: int) -> Response:
        """Confirm that you have read what was expected.

        The response has the next pair. Repeating it is harmless.
        """
        turn = own_turn(request, turn_id)
        attempts.go_on(turn, self.person, care=self.body(turn, GoOnSerializer).get("care"))
        return Response(self.next_json(turn.attempt))


class SkipTurnView(QualifyingView):
    """`POST qualification-turns/{id}/skip/`."""

    refusals = {409: ("already_answered", "attempt_ended")}

    @extend_schema(operation_id="qualification_skip", request=TurnSkipSerializer, responses={200: QualifyingStepShape})
    def post(self, request: Request, turn_id: int) -> Response:
        """Skip a pair of a training or test.

        Give a reason. The response has the next pair. It is left out of the result.
        """
        turn = own_turn(request, turn_id)
        body = self.body(turn, TurnSkipSerializer)
        attempts.skip(turn, self.person, reason=body["reason"], care=body.get("care"))
        return Response(self.next_json(turn.attempt))


class RenewTurnView(QualifyingView):
    """`POST qualification-turns/{id}/renew/`."""

    refusals = {409: ("gone",)}

    @extend_schema(operation_id="qualification_renew", request=RenewSerializer, responses={200: QualifyingTurnShape})
    def post(self, request: Request, turn_id: int) -> Response:
        """Get new media addresses for a pair of a training or test.

        A turn does not end by itself.
        """
        turn = own_turn(request, turn_id)
        if care := self.body(turn, RenewSerializer).get("care"):
            attempts.record_exposure(turn, self.person, care)
        if not unleased.playable(turn.study).filter(pk=turn.item.pair_id).exists():
            raise Refused(_("This pair cannot be shown any more. Go on with the next one."), "gone")
        return Response(turn_json(turn, unleased.seat_of(turn.study, self.person)))


class CareTurnView(QualifyingView):
    """`POST qualification-turns/{id}/care/`."""

    @extend_schema(operation_id="qualification_care", request=CareReportSerializer, responses={204: None})
    def post(self, request: Request, turn_id: int) -> Response:
        """Record how much of a training or test pair was revealed.

        It counts towards your daily limit.
        """
        turn = own_turn(request, turn_id)
        attempts.record_exposure(turn, self.person, self.body(turn, CareReportSerializer)["care"])
        return Response(status=204)


class ReportTurnView(QualifyingView):
    """`POST qualification-turns/{id}/report/`."""

    @extend_schema(operation_id="qualification_report", request=ReportSerializer, responses={200: QualifyingStepShape})
    def post(self, request: Request, turn_id: int) -> Response:
        """Report a pair of a training or test as illegal.

        Name the videos. The response has the next pair. The reported one is left out.
        """
        turn = own_turn(request, turn_id)
        body = self.body(turn, ReportSerializer)
        if care := body.get("care"):
            attempts.record_exposure(turn, self.person, care)
        quarantine.report(turn.item.pair, body["videos"], by=self.person)
        return Response(self.next_json(turn.attempt))
