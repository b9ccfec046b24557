"""API of suspensions: list them, preview one, suspend a person, follow the job, lift it. Pauses: list and end them."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from accounts.models import User
from qc.models import Lot
from studies.models import Study
from suspensions import pause_lists, pausing, suspending, suspension_pages, suspension_work
from suspensions.models import Pause, PauseJudgement, PauseRule, Suspension, UndoneJudgement
from suspensions.permissions import pause_of, paused_study, suspending_study, suspension_of
from suspensions.suspending import Choice

#: The most rows in a list.
MOST_LISTED = 200
LAST_KEY = 2**63 - 1


class ChoiceSerializer(serializers.Serializer):
    """Whose suspension, and which of their answers no longer count."""

    person = serializers.IntegerField(min_value=1, max_value=LAST_KEY, help_text="Id of the person")
    what = serializers.ChoiceField(choices=Suspension.What.choices, default="none")
    since = serializers.DateTimeField(required=False, help_text="With `since`: answers given at this moment or later")
    lot = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="With `lot`: number of the lot"
    )


class SuspendSerializer(ChoiceSerializer):
    reason = serializers.CharField(max_length=suspending.MOST_CHARACTERS)


class LiftSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=suspending.MOST_CHARACTERS)
    restore = serializers.BooleanField(default=True, help_text="Whether returned answers count again where they can")


class PreviewShape(serializers.Serializer):
    leases = serializers.IntegerField(help_text="Open pairs that would go to others")
    asked_again = serializers.IntegerField(help_text="Answers whose pairs would be served again at once")
    in_review = serializers.IntegerField(help_text="Answers that lots in review would lose")
    released = serializers.IntegerField(help_text="Answers that would stay: an accepted lot has released them")


class SuspensionShape(serializers.Serializer):
    id = serializers.IntegerField()
    person = serializers.IntegerField(help_text="Id of the person")
    username = serializers.CharField()
    what = serializers.ChoiceField(choices=Suspension.What.choices)
    since = serializers.DateTimeField(allow_null=True)
    lot = serializers.IntegerField(allow_null=True, help_text="Number of the lot")
    reason = serializers.CharField()
    suspended_at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)
    lifted_because = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=Suspension.State.choices, help_text="State of the job")
    done = serializers.IntegerField(help_text="Answers that the job has gone through")
    total = serializers.IntegerField(help_text="Answers that it goes through")
    leases_ended = serializers.IntegerField()
    answers = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Number of answers that are returned, restored, taken (somebody else has answered their pair) and "
        "decided (somebody decided about them in the meantime)",
    )
    outcome = serializers.CharField(allow_blank=True, help_text="The outcome in words; empty while the job is open")


class SuspensionsShape(serializers.Serializer):
    suspensions = SuspensionShape(many=True)


def suspension_json(job: Suspension) -> dict[str, Any]:
    """Return a suspension as the JSON of the API."""
    return {
        "id": job.pk,
        "person": job.person_id,
        "username": job.person.username,
        "what": job.what,
        "since": job.since,
        "lot": job.lot.number if job.lot else None,
        "reason": job.why,
        "suspended_at": job.created_at,
        "lifted_at": job.lifted_at,
        "lifted_because": job.lifted_because,
        "state": job.state,
        "done": job.steps,
        "total": job.steps_total,
        "leases_ended": job.leases_ended,
        "answers": dict(suspension_work.counts(job)),
        "outcome": suspension_pages.outcome(job),
    }


def chosen(study: Study, given: dict[str, Any]) -> tuple[User, Choice]:
    """Return the person and the choice of a body or a query. Raise Http404 and BadInput."""
    person = get_object_or_404(suspending.annotators(study), pk=given["person"])
    number = given.get("lot")
    lot = None if number is None else get_object_or_404(Lot, study=study, number=number)
    return person, Choice(given["what"], given.get("since"), lot)


class SuspensionsView(SignedInView):
    """`GET` and `POST studies/{slug}/suspensions/`."""

    scopes = {"GET": "read", "POST": "manage"}
    refusals = {("POST", 409): ("busy", "suspended")}

    @extend_schema(operation_id="suspensions_list", responses={200: SuspensionsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the suspensions.

        The latest comes first, and there are at most 200.
        """
        study = suspending_study(request, slug)
        found = Suspension.objects.filter(study=study).select_related("person", "lot").order_by("-pk")[:MOST_LISTED]
        return Response({"suspensions": [suspension_json(job) for job in found]})

    @extend_schema(operation_id="suspensions_suspend", request=SuspendSerializer, responses={201: SuspensionShape})
    def post(self, request: Request, slug: str) -> Response:
        """Suspend a person from annotating.

        The chosen answers are returned. Repeating the same is harmless.

        A small suspension is carried out when the response arrives. A worker does a large one: follow it by its id.
        """
        study = suspending_study(request, slug)
        body = SuspendSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        person, choice = chosen(study, body.validated_data)
        job = suspending.suspend(person, study, choice, why=body.validated_data["reason"], actor=self.person)
        return Response(suspension_json(job), status=201)


class PreviewView(SignedInView):
    """`GET studies/{slug}/suspensions/preview/`."""

    scopes = {"GET": "read"}
    query = {"GET": ChoiceSerializer}

    @extend_schema(operation_id="suspensions_preview", responses={200: PreviewShape})
    def get(self, request: Request, slug: str) -> Response:
        """Preview a suspension.

        The response says what it would do now. Nothing is changed.
        """
        study = suspending_study(request, slug)
        person, choice = chosen(study, self.asked())
        effect = suspending.preview(person, study, choice)
        return Response({str(name): getattr(effect, str(name)) for name in PreviewShape().fields})


class SuspensionView(SignedInView):
    """`GET suspensions/{id}/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="suspensions_read", responses={200: SuspensionShape})
    def get(self, request: Request, suspension_id: int) -> Response:
        """Read a suspension.

        The response has the progress of its job.
        """
        return Response(suspension_json(suspension_of(request, suspension_id)))


class LiftView(SignedInView):
    """`POST suspensions/{id}/lift/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("busy",)}

    @extend_schema(operation_id="suspensions_lift", request=LiftSerializer, responses={200: SuspensionShape})
    def post(self, request: Request, suspension_id: int) -> Response:
        """Lift a suspension.

        The person gets pairs again. Repeating it is harmless.
        """
        suspension = suspension_of(request, suspension_id)
        body = LiftSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        suspending.lift(suspension, why=given["reason"], restore=given["restore"], actor=self.person)
        return Response(suspension_json(suspension_of(request, suspension_id)))


class JudgementShape(serializers.Serializer):
    """One judgement of a person by a pause rule."""

    person = serializers.IntegerField(help_text="Id of the person")
    username = serializers.CharField()
    figure = serializers.ChoiceField(choices=PauseRule.Figure.choices)
    items = serializers.IntegerField(help_text="Number of the person's first answers or results that were judged")
    hits = serializers.IntegerField()
    low = serializers.FloatField(help_text="Lower bound of the exact 95 % interval of the share")
    high = serializers.FloatField()
    threshold = serializers.FloatField()
    beyond = serializers.BooleanField(help_text="Whether the whole interval is beyond the threshold")
    judged_at = serializers.DateTimeField()
    pause = serializers.IntegerField(allow_null=True, help_text="Id of the pause that followed")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When the pause ended")
    control_withdrawn = serializers.IntegerField(
        allow_null=True, help_text="Id of a withdrawn control on which the judgement rested; it no longer holds then"
    )


class PausesShape(serializers.Serializer):
    judgements = JudgementShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page; null: this is the last page")


class PausesQuery(serializers.Serializer):
    before = serializers.IntegerField(required=False, min_value=1, max_value=LAST_KEY)
    person = serializers.IntegerField(required=False, min_value=1, max_value=LAST_KEY)
    beyond = serializers.BooleanField(required=False, default=False, help_text="true: only those beyond the threshold")


class EndPauseSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=pausing.MOST_CHARACTERS)


def judgement_json(row: PauseJudgement) -> dict[str, Any]:
    """Return a judgement as the JSON of the API."""
    names = ("figure", "items", "hits", "low", "high", "beyond", "judged_at")
    pause: Pause | None = getattr(row, "pause", None)
    undone: UndoneJudgement | None = getattr(row, "undone", None)
    return (
        {"person": row.person_id, "username": row.person.username, "threshold": float(row.threshold)}
        | {name: getattr(row, name) for name in names}
        | {"pause": pause and pause.pk, "ended_at": pause and pause.ended_at}
        | {"control_withdrawn": undone and undone.control_id}
    )


class PausesView(SignedInView):
    """`GET studies/{slug}/pauses/`."""

    scopes = {"GET": "read"}
    query = {"GET": PausesQuery}

    @extend_schema(operation_id="pauses_list", responses={200: PausesShape})
    def get(self, request: Request, slug: str) -> Response:
        """List whom the pause rules judged.

        The latest comes first, with the pauses that followed.
        """
        study = paused_study(request, slug)
        asked = self.asked()
        rows = pause_lists.judgements(study, person_id=asked.get("person"), only_beyond=asked["beyond"])
        if before := asked.get("before"):
            rows = rows.filter(pk__lt=before)
        found = list(rows[: MOST_LISTED + 1])
        page = found[:MOST_LISTED]
        after = page[-1].pk if len(found) > len(page) else None
        return Response({"judgements": [judgement_json(row) for row in page], "next": after})


class EndPauseView(SignedInView):
    """`POST pauses/{id}/end/`."""

    scopes = {"POST": "manage"}

    @extend_schema(operation_id="pauses_end", request=EndPauseSerializer, responses={200: JudgementShape})
    def post(self, request: Request, pause_id: int) -> Response:
        """End a pause.

        The person gets pairs again. Repeating it is harmless.
        """
        pause = pause_of(request, pause_id)
        body = EndPauseSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        pausing.end(pause, why=body.validated_data["reason"], actor=self.person)
        row = pause_lists.judgements(pause.study).get(pk=pause.judgement_id)
        return Response(judgement_json(row))
