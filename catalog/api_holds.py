"""API that holds or releases all pairs of a filtered list, as the library's page of pairs does."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from catalog.api import PairsChangeShape, change_json, checked
from catalog.library import holding
from catalog.library.filters import PairFilters
from catalog.models import PairsChange
from catalog.pair_changes import effects, orders
from diptych.refusals import BadInput, Refused
from studies.models import Study
from studies.permissions import MAY_CONFIGURE, study_for

#: What is done with the pairs of the list.
HOLD, RELEASE = "hold", "release"


class PairFiltersSerializer(serializers.Serializer):
    """Filters of the library's list of pairs, with the names and values that its addresses have."""

    q = serializers.CharField(required=False, help_text="Beginning of the pair's id, at least 4 characters")
    batch = serializers.IntegerField(required=False, help_text="Number of a batch")
    state = serializers.CharField(
        required=False, help_text="For example open, done, held, not_held, preparing, untouched, leased or answered"
    )
    reason = serializers.CharField(required=False, help_text="Part of the reason for a hold")
    prompt = serializers.CharField(required=False, help_text="Beginning of the prompt's id")
    video = serializers.CharField(required=False, help_text="Beginning of the id of one of the videos")
    prompt_type = serializers.CharField(required=False, help_text="safety_neutral or safety_critical")
    kind = serializers.CharField(required=False, help_text="real or control")
    in_sample = serializers.CharField(required=False, help_text="yes: pairs of the random sample; no: others")
    more_asked = serializers.CharField(required=False, help_text="yes: pairs with more answers asked for; no: others")
    look_alike = serializers.CharField(required=False, help_text="yes: pairs whose videos look alike; no: others")
    may_show = serializers.CharField(required=False, help_text="A harm tag, any, or nothing")
    generator = serializers.CharField(required=False, help_text="Generator of one of the videos")
    import_number = serializers.IntegerField(required=False, help_text="Number of the import that added the pairs")


class HoldSerializer(serializers.Serializer):
    act = serializers.ChoiceField(choices=[HOLD, RELEASE])
    filters = PairFiltersSerializer(help_text="Which pairs. Send {} for all pairs of the study")
    reason = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        help_text=f"Why the pairs are held, in at most {holding.LONGEST_REASON} characters. Needed to hold",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse unknown filters: without a misspelt filter the list would be a longer one."""
        given = self.initial_data["filters"]
        known = PairFiltersSerializer().fields
        if unknown := sorted(set(given) - set(known)):
            sentence = _("The list of pairs has no filter %(names)s. It has these: %(known)s.")
            names = ", ".join(f"“{name[:40]}”" for name in unknown)
            raise BadInput(sentence % {"names": names, "known": ", ".join(known)}, field="filters")
        return attrs


class HoldPreviewShape(serializers.Serializer):
    pairs = serializers.IntegerField(help_text="Pairs of the list")
    free = serializers.IntegerField(help_text="How many of them are not held")
    held = serializers.IntegerField(help_text="How many of them are held and can be released")


class PairHoldsView(SignedInView):
    """`GET` and `POST studies/{slug}/pair-holds/`."""

    scopes = {"GET": "read", "POST": "manage"}
    query = {"GET": PairFiltersSerializer}
    refusals = {("POST", 409): ("refused",)}

    @extend_schema(operation_id="pair_holds_preview", responses={200: HoldPreviewShape})
    def get(self, request: Request, slug: str) -> Response:
        """Count the pairs of a list that can be held or released."""
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        filters = _checked_filters(study, self.asked())
        return Response(effects.preview_hold(study, filters))

    @extend_schema(operation_id="pair_holds_ask", request=HoldSerializer, responses={201: PairsChangeShape})
    def post(self, request: Request, slug: str) -> Response:
        """Hold or release the pairs of a list.

        Pairs that are already so stay as they are. Only pairs that people have held are released.

        A short list is done when the response arrives. A worker does a long one: follow it, and cancel it, by its id at
        `studies/{slug}/pair-changes/{id}/`. Pairs that are added later are not changed. Holds of the platform, such as
        those for reported videos, are never ended here.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        body = HoldSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        filters = _checked_filters(study, asked["filters"])
        if asked["act"] == RELEASE:
            change: PairsChange = orders.release_listed(study, filters, actor=self.person)
        else:
            reason = _checked_reason(asked["reason"])
            change = orders.hold_listed(study, filters, reason=reason, actor=self.person)
        return Response(change_json(change), status=201)


def _checked_filters(study: Study, filters: dict[str, Any]) -> dict[str, Any]:
    """Return the filters as the job stores them. Raises BadInput for a value that the library does not know."""
    checked(PairFilters(filters, study=study))
    return filters


def _checked_reason(reason: str) -> str:
    try:
        return holding.checked_reason(reason)
    except Refused as refusal:
        raise BadInput(refusal.sentence, field="reason") from refusal
