"""API of controls: what there is by kind, make more, withdraw one, and the figures of people."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from controls import figures, lists, making, pages, withdrawing
from controls.control_kinds import CODES
from controls.lists import IN_USE, WITHDRAWN, ControlFilters
from controls.models import LONGEST_REASON, ControlsRun
from controls.permissions import controls_study

#: The most rows in a list.
MOST_LISTED = 200


class ControlShape(serializers.Serializer):
    control = serializers.IntegerField(help_text="Its id")
    kind = serializers.ChoiceField(choices=list(CODES))
    state = serializers.ChoiceField(choices=[IN_USE, WITHDRAWN])
    question = serializers.CharField(allow_blank=True, help_text="The only question that is judged; empty: the tags")
    expected = serializers.CharField(help_text="What is expected, in words")
    pair_id = serializers.CharField()
    made_at = serializers.CharField()
    answers = serializers.IntegerField()
    right = serializers.IntegerField()
    withdrawn_at = serializers.CharField(allow_blank=True)
    withdrawn_because = serializers.CharField(allow_blank=True)


class KindShape(serializers.Serializer):
    kind = serializers.ChoiceField(choices=list(CODES))
    in_use = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    answers_left = serializers.IntegerField(help_text="Answers that the controls in use can still get")
    n = serializers.IntegerField(help_text="Answers, without those on withdrawn controls")
    right = serializers.IntegerField()
    low = serializers.FloatField(allow_null=True, help_text="Exact 95 % interval of the share right")
    high = serializers.FloatField(allow_null=True)
    honest_rate = serializers.FloatField(help_text="What honest people get right")
    honest_people = serializers.IntegerField(
        allow_null=True, help_text="People from whom it is estimated; null: it is assumed"
    )
    honest_results = serializers.IntegerField(
        allow_null=True, help_text="Results of which it is the share right; null: it is a median of people, or assumed"
    )


class ControlsShape(serializers.Serializer):
    kinds = KindShape(many=True)
    controls = ControlShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page; null: this is the last page")


class ControlsQuery(serializers.Serializer):
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1, default=0)
    kind = serializers.ChoiceField(choices=list(CODES), required=False)
    state = serializers.ChoiceField(choices=[IN_USE, WITHDRAWN], required=False)


class ControlsView(SignedInView):
    """`GET studies/{slug}/controls/`."""

    scopes = {"GET": "read"}
    query = {"GET": ControlsQuery}

    @extend_schema(operation_id="controls_list", responses={200: ControlsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the controls.

        The response also says how many there are of each kind. Controls come in the order in which they were
        made.
        """
        study = controls_study(request, slug)
        asked = self.asked()
        after = asked.pop("after")
        filters = ControlFilters(asked, study=study)
        filters.is_valid()  # the query's serializer has the same rules
        rows = lists.with_counts(filters.narrow(lists.controls(study)).filter(pk__gt=after))
        found = list(rows.order_by("pk")[: MOST_LISTED + 1])
        page = found[:MOST_LISTED]
        return Response(
            {
                "kinds": [kind_json(one) for one in lists.summary(study)],
                "controls": [lists.control_json(one) for one in page],
                "next": page[-1].pk if len(found) > len(page) else None,
            }
        )


def kind_json(one: lists.KindSummary) -> dict[str, Any]:
    """Return the summary of a kind as the JSON of the API."""
    low, high = one.between or (None, None)
    return {
        "kind": one.kind.code,
        "in_use": one.in_use,
        "withdrawn": one.withdrawn,
        "answers_left": one.answers_left,
        "n": one.n,
        "right": one.right,
        "low": low,
        "high": high,
        "honest_rate": one.honest.rate,
        "honest_people": one.honest.people,
        "honest_results": one.honest.results,
    }


class PossibleQuery(serializers.Serializer):
    kind = serializers.ChoiceField(choices=list(CODES))


class PossibleShape(serializers.Serializer):
    kind = serializers.ChoiceField(choices=list(CODES))
    possible = serializers.IntegerField(help_text=f"Counted up to {making.MOST}")


class MakeControlsSerializer(serializers.Serializer):
    """How many controls of which kind to make."""

    kind = serializers.ChoiceField(choices=list(CODES))
    number = serializers.IntegerField(min_value=1, max_value=making.MOST)


class ControlsRunShape(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=list(CODES))
    state = serializers.ChoiceField(choices=ControlsRun.State.choices)
    wanted = serializers.IntegerField()
    made = serializers.IntegerField()
    outcome = serializers.CharField(allow_blank=True, help_text="The outcome; empty while the run is open")
    created_at = serializers.DateTimeField()


class ControlsRunsView(SignedInView):
    """`GET` and `POST studies/{slug}/controls/runs/`."""

    scopes = {"GET": "read", "POST": "manage"}
    query = {"GET": PossibleQuery}
    refusals = {("POST", 409): ("refused",)}

    @extend_schema(operation_id="controls_possible", responses={200: PossibleShape})
    def get(self, request: Request, slug: str) -> Response:
        """Count how many more controls are possible.

        None is made.
        """
        study = controls_study(request, slug)
        kind = self.asked()["kind"]
        return Response({"kind": kind, "possible": making.possible(study, kind)})

    @extend_schema(operation_id="controls_make", request=MakeControlsSerializer, responses={201: ControlsRunShape})
    def post(self, request: Request, slug: str) -> Response:
        """Make controls.

        Name one kind. Fewer are made if fewer are possible.

        Re-encoding is done by a worker: follow it by its id. The other kinds are done when the response arrives.
        """
        study = controls_study(request, slug)
        body = MakeControlsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        job = making.make(study, **body.validated_data, actor=self.person)
        return Response(run_json(job), status=201)


class ControlsRunView(SignedInView):
    """`GET` and `DELETE studies/{slug}/controls/runs/{run_id}/`."""

    scopes = {"GET": "read", "DELETE": "manage"}

    @extend_schema(operation_id="controls_run_read", responses={200: ControlsRunShape})
    def get(self, request: Request, slug: str, run_id: int) -> Response:
        """Read a run that makes controls.

        The response has its progress and its outcome.
        """
        return Response(run_json(self._run(request, slug, run_id)))

    @extend_schema(operation_id="controls_run_cancel", responses={200: ControlsRunShape})
    def delete(self, request: Request, slug: str, run_id: int) -> Response:
        """Cancel a run that makes controls.

        Its controls are kept. Repeating this is harmless.
        """
        making.cancel(self._run(request, slug, run_id), actor=self.person)
        return Response(run_json(self._run(request, slug, run_id)))

    def _run(self, request: Request, slug: str, run_id: int) -> ControlsRun:
        study = controls_study(request, slug)
        return get_object_or_404(ControlsRun.objects.select_related("study"), study=study, pk=run_id)


def run_json(job: ControlsRun) -> dict[str, Any]:
    """Return a run as the JSON of the API."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "state": job.state,
        "wanted": job.steps_total,
        "made": job.made,
        "outcome": pages.outcome(job),
        "created_at": job.created_at,
    }


class WithdrawSerializer(serializers.Serializer):
    because = serializers.CharField(max_length=LONGEST_REASON)


class WithdrawnShape(serializers.Serializer):
    control = serializers.IntegerField()
    people = serializers.IntegerField(help_text="People whose figures changed; 0 if it was withdrawn before")


class WithdrawControlView(SignedInView):
    """`POST studies/{slug}/controls/{control_id}/withdraw/`."""

    scopes = {"POST": "manage"}

    @extend_schema(operation_id="controls_withdraw", request=WithdrawSerializer, responses={200: WithdrawnShape})
    def post(self, request: Request, slug: str, control_id: int) -> Response:
        """Withdraw a control.

        It is no longer served, and no figure uses its results. Repeating this is harmless.
        """
        study = controls_study(request, slug)
        control = get_object_or_404(lists.controls(study), pk=control_id)
        body = WithdrawSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        people = withdrawing.withdraw(control, **body.validated_data, actor=self.person)
        return Response({"control": control.pk, "people": len(people)})


class ControlFiguresShape(serializers.Serializer):
    annotator_id = serializers.CharField(help_text="Code of the annotator")
    kind = serializers.ChoiceField(choices=list(CODES))
    n = serializers.IntegerField()
    right = serializers.IntegerField()
    low = serializers.FloatField(help_text="Exact 95 % interval of the share right")
    high = serializers.FloatField()
    honest_rate = serializers.FloatField()
    honest_rate_from = serializers.ChoiceField(choices=["default", "study"])
    alarm = serializers.ChoiceField(choices=[figures.RANDOM_CLICKING, figures.BELOW_HONEST], allow_blank=True)


class PeopleFiguresShape(serializers.Serializer):
    people = ControlFiguresShape(many=True)


class ControlPeopleView(SignedInView):
    """`GET studies/{slug}/controls/people/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="controls_people", responses={200: PeopleFiguresShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show how people did on controls.

        The response has everybody's figures by kind, by code. Withdrawn controls are left out.
        """
        study = controls_study(request, slug)
        return Response({"people": [lists.person_json(row) for row in lists.people(study)]})
