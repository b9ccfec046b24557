"""Endpoints of reviews. Each parses the request, calls one function of `reviewing` or `verdicts`, and responds."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import unleased
from annotation.answers import Answers
from annotation.api_reports import ReportSerializer
from annotation.serializers import CareReportSerializer, RenewSerializer, SubmissionSerializer, validated
from qc import looking, review_data, reviewing, verdicts
from qc.judging import Given
from qc.models import Review, Verdict
from qc.models.reviews import Kind
from qc.permissions import own_review, reviewed_lot
from qc.reviewing import Sitting
from qc.serializers import LeaseSerializer, ReviewShape, ReviewSkipSerializer, ReviewsShape, ReviewSubmitSerializer
from qc.verdicts import Opinion
from safety import quarantine


class ReviewBaseView(SignedInView):
    """Base class of the endpoints of reviews."""

    scopes = {"POST": "review"}

    def body(self, review: Review, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        return validated(serializer, self.request.data, unleased.as_assignment(review.pair, review.study))

    def next_json(self, review: Review, *, looked_because: Iterable[str] = ()) -> dict[str, Any]:
        """Lease the person's next sitting of the same kind, and return it."""
        sitting = reviewing.lease(self.person, review.lot, review.kind)
        return review_data.sitting_json(sitting, looked_because=looked_because)


class LeaseReviewView(ReviewBaseView):
    """`POST lots/{id}/reviews/`."""

    refusals = {409: ("lot_not_in_review",)}

    @extend_schema(request=LeaseSerializer, responses={200: ReviewsShape})
    def post(self, request: Request, lot_id: int) -> Response:
        """Lease the next answers to review.

        They are all of one pair that waits for a review of this kind. Repeating it returns the same.
        """
        body = LeaseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        kind = body.validated_data["kind"]
        lot = reviewed_lot(request, lot_id, kind)
        sitting = reviewing.lease(self.person, lot, kind, ahead=body.validated_data["ahead"])
        return Response(review_data.sitting_json(sitting))


class AnswerReviewView(ReviewBaseView):
    """`POST reviews/{id}/answer/`."""

    refusals = {409: ("already_answered", "already_submitted", "lease_lost")}

    @extend_schema(request=SubmissionSerializer, responses={200: ReviewShape})
    def post(self, request: Request, review_id: int) -> Response:
        """Answer a pair of a blind review.

        After that, `judging` has the answers to judge.

        A second blind answer ends the review: lease the next one.
        """
        review = own_review(request, review_id)
        body = self.body(review, SubmissionSerializer)
        sitting = reviewing.answer(
            review,
            self.person,
            submission_id=body["submission_id"],
            answers=Answers.from_body(
                body["helpfulness"], body["harmlessness"], unsure=body["unsure"], comment=body["comment"]
            ),
            timings_ms=body["timings_ms"],
            viewing=body["viewing"],
            care=body.get("care"),
        )
        return Response(review_data.review_json(sitting.seat, sitting.reviews))


class SubmitReviewView(ReviewBaseView):
    """`POST reviews/{id}/submit/`."""

    refusals = {
        400: ("code_needed", "invalid", "opinion_missing", "own_answer_needed", "verdict_missing"),
        409: ("already_submitted", "answer_first", "lease_lost", "lot_not_in_review"),
    }

    @extend_schema(request=ReviewSubmitSerializer, responses={200: ReviewsShape})
    def post(self, request: Request, review_id: int) -> Response:
        """Submit your verdicts.

        They are on the whole sitting. The next one is leased. Repeating it is harmless.
        """
        review = own_review(request, review_id)
        body = self.body(review, ReviewSubmitSerializer)
        care = body.get("care")
        if review.kind in (Kind.CONFIRM, Kind.ADJUDICATE):
            opinions = [self.opinion(review, one) for one in body["opinions"]]
            verdicts.give_opinions(review, self.person, opinions, closing=body["closing"], care=care)
        else:
            verdicts.submit(review, self.person, [given(one) for one in body["verdicts"]], care=care)
        return Response(self.next_json(review, looked_because=looking.words_of(review)))

    def opinion(self, review: Review, body: dict[str, Any]) -> Opinion:
        """Return an opinion as a value. A confirmer does not know which answer is the annotator's; the server does."""
        counts = {"defect": True, "fine": False}.get(body["says"])
        if body["says"] in review_data.CONFIRMATIONS:
            verdict = Verdict.objects.select_related("item__lot").filter(pk=body["verdict"], study=review.study)
            if found := verdict.first():
                counts = review_data.counts_of(found, self.person.pk, body["says"])
        return Opinion(body["verdict"], counts, body["comment"])


def given(body: dict[str, Any]) -> Given:
    """Return one verdict of a validated body."""
    return Given(
        body["review"],
        body["annotation"],
        body["row"],
        body["ruling"],
        code=body["code"],
        comment=body["comment"],
        own=body.get("own"),
    )


class SkipReviewView(ReviewBaseView):
    """`POST reviews/{id}/skip/`."""

    refusals = {409: ("already_submitted",)}

    @extend_schema(request=ReviewSkipSerializer, responses={200: ReviewsShape})
    def post(self, request: Request, review_id: int) -> Response:
        """Skip a review.

        The whole sitting is skipped for good, with a reason, and the next one is leased. Somebody else gets it.
        """
        review = own_review(request, review_id)
        body = self.body(review, ReviewSkipSerializer)
        reviewing.skip(review, self.person, reason=body["reason"], care=body.get("care"))
        return Response(self.next_json(review))


class UndoReviewView(ReviewBaseView):
    """`POST reviews/{id}/undo/`."""

    refusals = {409: ("has_followed", "judged", "lot_not_in_review", "not_submitted")}

    @extend_schema(request=None, responses={200: ReviewsShape})
    def post(self, request: Request, review_id: int) -> Response:
        """Take your verdicts back.

        You can then give others. Your blind answer stays. Another open sitting ends.
        """
        review = own_review(request, review_id)
        verdicts.undo(review, self.person)
        for one in Review.objects.filter(lot=review.lot, reviewer=self.person, kind=review.kind, state="leased"):
            if one.sitting != review.sitting:
                reviewing.give_back(one, self.person)
        return Response(self.next_json(review))


class RenewReviewView(ReviewBaseView):
    """`POST reviews/{id}/renew/`."""

    refusals = {409: ("already_submitted", "lease_lost")}

    @extend_schema(request=RenewSerializer, responses={200: ReviewShape})
    def post(self, request: Request, review_id: int) -> Response:
        """Extend the lease of a review.

        An ended one is renewed if nobody else has it. Media addresses are new.
        """
        review = own_review(request, review_id)
        if care := self.body(review, RenewSerializer).get("care"):
            reviewing.record_exposure(review, self.person, care)
        sitting: Sitting = reviewing.renew(review, self.person)
        return Response(review_data.review_json(sitting.seat, sitting.reviews))


class CareReviewView(ReviewBaseView):
    """`POST reviews/{id}/care/`."""

    @extend_schema(request=CareReportSerializer, responses={204: None})
    def post(self, request: Request, review_id: int) -> Response:
        """Record how much of a review's pair was revealed.

        It counts towards your daily limit.
        """
        review = own_review(request, review_id)
        reviewing.record_exposure(review, self.person, self.body(review, CareReportSerializer)["care"])
        return Response(status=204)


class ReleaseReviewView(ReviewBaseView):
    """`POST reviews/{id}/release/`."""

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, review_id: int) -> Response:
        """Give a review back without verdicts.

        A blind answer is kept. Repeating it is harmless.
        """
        reviewing.give_back(own_review(request, review_id), self.person)
        return Response(status=204)


class ReportReviewView(ReviewBaseView):
    """`POST reviews/{id}/report/`."""

    @extend_schema(request=ReportSerializer, responses={200: ReviewsShape})
    def post(self, request: Request, review_id: int) -> Response:
        """Report a review's pair as illegal.

        Name the videos. The sitting is given back, and the next one is leased.
        """
        review = own_review(request, review_id)
        body = self.body(review, ReportSerializer)
        if care := body.get("care"):
            reviewing.record_exposure(review, self.person, care)
        quarantine.report(review.pair, body["videos"], by=self.person)
        reviewing.give_back(review, self.person)
        return Response(self.next_json(review))
