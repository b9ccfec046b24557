"""The way back for programs: undo an import, delete a study, and follow either."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.refusals import BadInput, Refused
from importing.models import Removal
from importing.permissions import import_for, removal_for
from importing.removal import orders
from importing.removal.pages import outcome
from studies.permissions import MAY_DELETE, study_for

#: The code of a removal that removed nothing, as somebody was given a pair, or another import needs what would go.
NOT_REMOVED = "not_removed"


class RemovalShape(serializers.Serializer):
    id = serializers.IntegerField()
    what = serializers.ChoiceField(choices=Removal.What.choices)
    study = serializers.CharField(help_text="The study's address")
    state = serializers.ChoiceField(choices=Removal.State.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why nothing was removed")
    steps = serializers.IntegerField(help_text="Rows removed so far; they count once the state is done")
    steps_total = serializers.IntegerField()
    removed = serializers.DictField(child=serializers.IntegerField(), help_text="Rows removed, by kind")


class ConfirmSerializer(serializers.Serializer):
    slug = serializers.CharField(max_length=60, help_text="The study's address once more, to confirm")


class UndoView(SignedInView):
    """`POST imports/{import_id}/undo/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("refused", NOT_REMOVED)}

    @extend_schema(request=None, responses={200: RemovalShape, 202: RemovalShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Remove what the import added: 200 if that is done, 202 while a worker does it.

        409, and nothing is removed, once somebody was given a pair of it or another import needs what it added.
        """
        return _outcome(orders.undo_import(import_for(request, import_id), actor=self.person))


class DeleteStudyView(SignedInView):
    """`POST studies/{slug}/delete/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("refused", NOT_REMOVED)}

    @extend_schema(request=ConfirmSerializer, responses={200: RemovalShape, 202: RemovalShape})
    def post(self, request: Request, slug: str) -> Response:
        """Delete the study: 200 if that is done, 202 while a worker does it. For its admins.

        409, and nothing is deleted, once somebody was given a pair of it.
        """
        study = study_for(request, slug, roles=MAY_DELETE)
        body = ConfirmSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if body.validated_data["slug"] != study.slug:
            raise BadInput("`slug` is not this study's address. Nothing was deleted.", field="slug")
        return _outcome(orders.delete_study(study, actor=self.person))


class RemovalView(SignedInView):
    """`GET removals/{removal_id}/`."""

    scopes = {"GET": "read"}

    @extend_schema(responses={200: RemovalShape})
    def get(self, request: Request, removal_id: int) -> Response:
        """One removal: how far it is, and what came of it."""
        return Response(removal_json(removal_for(request, removal_id)))


def _outcome(job: Removal) -> Response:
    """Return the response to a removal that was ordered. Raises Refused if it removed nothing."""
    if job.state == Removal.State.FAILED:
        raise Refused(outcome(job), NOT_REMOVED)
    return Response(removal_json(job), status=200 if job.state == Removal.State.DONE else 202)


def removal_json(job: Removal) -> dict[str, Any]:
    """What whoever ordered it may know."""
    return {
        "id": job.pk,
        "what": job.what,
        "study": job.study_slug,
        "state": job.state,
        "reason": job.reason,
        "steps": job.steps,
        "steps_total": job.steps_total,
        "removed": job.removed,
    }
