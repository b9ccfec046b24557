"""Endpoints of lots: list them, put one together, start its review, read its quality, decide about it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from qc import decisions, lots, outcomes, quality
from qc.decisions import MOST_CHARACTERS, Wanted
from qc.models import Lot, LotDecision
from qc.permissions import decided_lot, deciding_study, lots_study

#: The most rows in a list. The latest lots come first.
MOST_LISTED = 200


class LotShape(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    attempt = serializers.IntegerField()
    previous = serializers.IntegerField(allow_null=True, help_text="Number of the returned lot before, or null")
    state = serializers.ChoiceField(choices=Lot.State.choices)
    batches = serializers.ListField(child=serializers.IntegerField(), help_text="Numbers of its batches")
    frame_size = serializers.IntegerField(allow_null=True, help_text="Answers frozen when the review started")
    size = serializers.IntegerField(allow_null=True, help_text="N: answers that counted when the sample was drawn")
    sample_size = serializers.IntegerField(allow_null=True, help_text="n: answers in the deciding sample")
    acceptance_number = serializers.IntegerField(
        allow_null=True, help_text="c: the most defects with which the plan accepts"
    )
    started_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    seed = serializers.CharField(allow_blank=True, help_text="Seed of the random order; empty until the lot is decided")


class LotsShape(serializers.Serializer):
    lots = LotShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


class LotsQuery(serializers.Serializer):
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class NewLotSerializer(serializers.Serializer):
    batches = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**31 - 1),
        max_length=10_000,
        help_text="Numbers of batches",
    )


class DrawSerializer(serializers.Serializer):
    without_rest = serializers.BooleanField(
        default=False, help_text="End the secondary review without the answers that it has not finished"
    )


class DecisionSerializer(serializers.Serializer):
    """A decision. `reopened` takes the decision that stands back."""

    outcome = serializers.ChoiceField(choices=LotDecision.Outcome.choices)
    reason = serializers.CharField(max_length=MOST_CHARACTERS)
    ask_again = serializers.ChoiceField(
        choices=[("", ""), *LotDecision.AskAgain.choices],
        default="",
        help_text="What is answered again in a returned lot",
    )
    people = serializers.ListField(
        child=serializers.CharField(max_length=150), default=list, max_length=1000, help_text="Names, for `people`"
    )
    against_plan = serializers.BooleanField(
        default=False, help_text="True: you decide differently from the plan, or before the plan has a result"
    )


class QualityShape(serializers.Serializer):
    lot = LotShape()
    secondary_left = serializers.IntegerField(help_text="Answers that the secondary review has not finished")
    quality = serializers.DictField(
        allow_null=True,
        help_text="Plan, counts of both samples, outcome of the plan, and the rates `before`, `after` and `released`, "
        "each with its 95 % interval; null until the sample is drawn. Rates are null until it is judged",
    )


def lot_json(lot: Lot) -> dict[str, Any]:
    """Return a lot as the JSON of the API. Its seed is secret until it is decided."""
    names = ("number", "attempt", "state", "frame_size", "size", "sample_size", "acceptance_number")
    return (
        {"id": lot.pk}
        | {name: getattr(lot, name) for name in names}
        | {
            "previous": lot.previous.number if lot.previous else None,
            "batches": sorted(row.batch.number for row in lot.lot_batches.select_related("batch")),
            "started_at": lot.started_at,
            "decided_at": lot.decided_at,
            "seed": lot.seed if lot.is_decided else "",
        }
    )


class LotsView(SignedInView):
    """`GET` and `POST studies/{slug}/lots/`."""

    scopes = {"GET": "read", "POST": "manage"}
    query = {"GET": LotsQuery}
    refusals = {("POST", 409): ("batch_state", "batch_taken", "returned_together")}

    @extend_schema(operation_id="lots_list", responses={200: LotsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the lots.

        The latest comes first.
        """
        study = lots_study(request, slug)
        found = Lot.objects.filter(study=study).select_related("previous").order_by("-number")
        if before := self.asked().get("before"):
            found = found.filter(number__lt=before)
        rows = list(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        after = page[-1].number if len(rows) > len(page) else None
        return Response({"lots": [lot_json(lot) for lot in page], "next": after})

    @extend_schema(operation_id="lots_put_together", request=NewLotSerializer, responses={201: LotShape})
    def post(self, request: Request, slug: str) -> Response:
        """Make a draft lot of batches.

        The batches of a returned lot become its next attempt.
        """
        study = deciding_study(request, slug)
        body = NewLotSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            lot_json(lots.put_together(study, body.validated_data["batches"], actor=self.person)), status=201
        )


class StartLotView(SignedInView):
    """`POST lots/{id}/start/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("needs_answers", "nothing_to_review", "decided", "lot_gone", "refused")}

    @extend_schema(operation_id="lots_start", request=None, responses={200: LotShape})
    def post(self, request: Request, lot_id: int) -> Response:
        """Start the review of a lot.

        Its answers are frozen. Repeating it is harmless.
        """
        lot = decided_lot(request, lot_id)
        lots.start(lot, actor=self.person)
        return Response(lot_json(lot))


class DrawLotView(SignedInView):
    """`POST lots/{id}/draw/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("secondary_review", "nothing_left", "not_in_review", "lot_gone")}

    @extend_schema(operation_id="lots_draw", request=DrawSerializer, responses={200: LotShape})
    def post(self, request: Request, lot_id: int) -> Response:
        """Begin the spot check of a lot.

        The secondary review ends, and the deciding sample is drawn. Repeating it is harmless.
        """
        lot = decided_lot(request, lot_id)
        body = DrawSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        lots.end_secondary_review(lot, actor=self.person, **body.validated_data)
        return Response(lot_json(lot))


class LotQualityView(SignedInView):
    """`GET lots/{id}/quality/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="lots_quality", responses={200: QualityShape})
    def get(self, request: Request, lot_id: int) -> Response:
        """Read the figures of a lot.

        They are for the people who decide it.
        """
        return Response(quality_json(decided_lot(request, lot_id)))


def quality_json(lot: Lot) -> dict[str, Any]:
    """Return the figures of a lot as the JSON of the API."""
    figures = quality.quality_of(lot)
    waits = lot.state == Lot.State.IN_REVIEW and figures is None
    return {
        "lot": lot_json(lot),
        "secondary_left": outcomes.secondary_left(lot) if waits else 0,
        "quality": quality.as_json(figures) if figures else None,
    }


class LotDecisionView(SignedInView):
    """`POST lots/{id}/decision/`."""

    scopes = {"POST": "manage"}
    refusals = {
        409: (
            *("not_in_review", "no_sample", "not_judged", "disputed", "against_plan", "lot_gone"),
            *("not_decided", "next_attempt", "work_began", "refused"),
        )
    }

    @extend_schema(operation_id="lots_decide", request=DecisionSerializer, responses={200: QualityShape})
    def post(self, request: Request, lot_id: int) -> Response:
        """Accept or return a lot, or reopen the decision.

        Repeating the same decision is harmless.
        """
        lot = decided_lot(request, lot_id)
        body = DecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        if given["outcome"] == LotDecision.Outcome.REOPENED:
            decisions.reopen(lot, reason=given["reason"], actor=self.person)
        else:
            given["people"] = decisions.people_named(lot, given["people"])
            decisions.decide(lot, Wanted(**given), actor=self.person)
        return Response(quality_json(lot))
