"""API of a study's batches, and of changes of many pairs: start one, follow it, cancel it."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from catalog import batching
from catalog.models import Batch, PairsChange
from catalog.pair_changes import effects, orders, pages
from catalog.pair_changes.forms import BatchingForm, PairsForm
from diptych.refusals import BadInput
from diptych.sentences import joined
from studies.permissions import MAY_CONFIGURE, study_for

#: The most rows in a list. The newest changes come first.
MOST_LISTED = 200


class BatchShape(serializers.Serializer):
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Batch.State.choices)
    pairs = serializers.IntegerField()
    held = serializers.IntegerField(help_text="How many of these pairs are held")
    wanted = serializers.IntegerField(help_text="Answers that its pairs need")
    taken = serializers.IntegerField(help_text="How many of these answers are submitted or in progress")


class BatchesShape(serializers.Serializer):
    batches = BatchShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page; null: this is the last page")


class BatchesQuery(serializers.Serializer):
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1, default=0)


class BatchesView(SignedInView):
    """`GET studies/{slug}/batches/`."""

    scopes = {"GET": "read"}
    query = {"GET": BatchesQuery}

    @extend_schema(operation_id="batches_list", responses={200: BatchesShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the batches.

        They come in order, with the progress of each.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        found = batching.batches_of(study).filter(number__gt=self.asked()["after"])
        rows = list(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        body = [
            {
                "number": batch.number,
                "state": batch.state,
                "pairs": batch.pair_count,
                "held": batch.held_count,
                "wanted": batch.wanted,
                "taken": batch.taken,
            }
            for batch in page
        ]
        return Response({"batches": body, "next": page[-1].number if len(rows) > len(page) else None})


class PairsChangeSerializer(serializers.Serializer):
    """A change of many pairs. The fields are those of the page."""

    what = serializers.ChoiceField(choices=["overlap", "priority", "batches"])
    value = serializers.IntegerField(help_text="Answers per pair, priority, or pairs per batch")
    which = serializers.ChoiceField(
        choices=[effects.STILL_OPEN, effects.ALL], default=effects.STILL_OPEN, help_text="Not for `batches`"
    )
    sample = serializers.ChoiceField(
        choices=[effects.OTHERS, effects.SAMPLE, effects.ALL], default=effects.OTHERS, help_text="Not for `batches`"
    )
    batch = serializers.IntegerField(required=False, min_value=1, allow_null=True, help_text="Not for `batches`")
    prompt_type = serializers.ChoiceField(
        choices=["", "safety_neutral", "safety_critical"], default="", help_text="Empty: all types"
    )
    seen = serializers.IntegerField(
        required=False,
        help_text="Id of the last change of overlap or priority that you know of. If another one was made since, the "
        "change is refused. Leave it out to skip this check.",
    )


class PairsChangeShape(serializers.Serializer):
    id = serializers.IntegerField()
    what = serializers.ChoiceField(choices=PairsChange.What.choices)
    value = serializers.IntegerField()
    reason = serializers.CharField(allow_blank=True, help_text="Why the pairs are held; empty for other changes")
    choice = serializers.DictField(help_text="Which pairs: the filters of the list, or of the change")
    state = serializers.ChoiceField(choices=PairsChange.State.choices)
    pairs_done = serializers.IntegerField()
    pairs_total = serializers.IntegerField()
    outcome = serializers.CharField(allow_blank=True, help_text="The outcome; empty while the change is open")
    created_at = serializers.DateTimeField()


class PairsChangesShape(serializers.Serializer):
    changes = PairsChangeShape(many=True)


class PairsChangesView(SignedInView):
    """`GET` and `POST studies/{slug}/pair-changes/`."""

    scopes = {"GET": "read", "POST": "manage"}
    refusals = {("POST", 409): ("refused", "changed_meanwhile")}

    @extend_schema(operation_id="pair_changes_list", responses={200: PairsChangesShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the changes of many pairs.

        The newest comes first.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        newest = PairsChange.objects.filter(study=study).select_related("study").order_by("-pk")
        return Response({"changes": [change_json(change) for change in newest[:MOST_LISTED]]})

    @extend_schema(operation_id="pair_changes_ask", request=PairsChangeSerializer, responses={201: PairsChangeShape})
    def post(self, request: Request, slug: str) -> Response:
        """Change many pairs.

        Change their overlap or priority, or regroup the pairs that no one has answered or leased.

        A small change is done when the response arrives. A worker carries out a large one: follow it by its id.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        body = PairsChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        if asked["what"] == PairsChange.What.BATCHES:
            form = BatchingForm({"size": asked["value"], "prompt_type": asked["prompt_type"]})
            values = checked(form, value_field="size")
            change = orders.make_batches(study, **values, actor=self.person)
        else:
            chosen = PairsForm(asked, study=study)
            checked(chosen)
            seen = asked.get("seen")
            known = orders.last_change(study) if seen is None else seen
            change = orders.change_pairs(study, **chosen.change, seen=known, actor=self.person)
        return Response(change_json(change), status=201)


def checked(form: Any, *, value_field: str = "") -> dict[str, Any]:
    """Return the cleaned data of a form. Raises BadInput, which names the field of the request.

    Args:
        value_field: the field of the form that is called `value` in the request.
    """
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise BadInput(joined(errors), field="value" if name == value_field else name)
    cleaned: dict[str, Any] = form.cleaned_data
    return cleaned


class PairsChangeView(SignedInView):
    """`GET` and `DELETE studies/{slug}/pair-changes/{change_id}/`."""

    scopes = {"GET": "read", "DELETE": "manage"}

    @extend_schema(operation_id="pair_changes_read", responses={200: PairsChangeShape})
    def get(self, request: Request, slug: str, change_id: int) -> Response:
        """Read a change of many pairs.

        The response has its progress and its outcome.
        """
        return Response(change_json(self._change(request, slug, change_id)))

    @extend_schema(operation_id="pair_changes_cancel", responses={200: PairsChangeShape})
    def delete(self, request: Request, slug: str, change_id: int) -> Response:
        """Cancel a change of many pairs.

        Pairs that are already changed stay changed. Repeating this is harmless.
        """
        orders.cancel(self._change(request, slug, change_id), actor=self.person)
        return Response(change_json(self._change(request, slug, change_id)))

    def _change(self, request: Request, slug: str, change_id: int) -> PairsChange:
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        return get_object_or_404(PairsChange.objects.select_related("study"), study=study, pk=change_id)


def change_json(change: PairsChange) -> dict[str, Any]:
    """Return a change of pairs as the JSON of the API."""
    return {
        "id": change.pk,
        "what": change.what,
        "value": change.value,
        "reason": change.why,
        "choice": change.choice,
        "state": change.state,
        "pairs_done": change.steps,
        "pairs_total": change.steps_total,
        "outcome": pages.outcome(change),
        "created_at": change.created_at,
    }
