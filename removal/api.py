"""The API of removals: undo an import, delete a study, and follow either."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.refusals import BadInput, Refused
from importing.permissions import import_for
from removal import orders
from removal.models import Removal
from removal.pages import outcome
from removal.permissions import removal_for
from studies.permissions import MAY_DELETE, study_for

#: The code of a removal that removed nothing, because a pair was served or another import needs the material.
NOT_REMOVED = "not_removed"


class RemovalShape(serializers.Serializer):
    id = serializers.IntegerField()
    what = serializers.ChoiceField(choices=Removal.What.choices)
    study = serializers.CharField(help_text="The study's address")
    state = serializers.ChoiceField(choices=Removal.State.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why nothing was removed")
    steps = serializers.IntegerField(help_text="Rows removed so far. They are gone for good once the state is done")
    steps_total = serializers.IntegerField()
    removed = serializers.DictField(child=serializers.IntegerField(), help_text="Rows removed, by kind")


class ConfirmSerializer(serializers.Serializer):
    slug = serializers.CharField(max_length=60, help_text="The study's address again, to confirm")


class UndoView(SignedInView):
    """`POST imports/{import_id}/undo/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("refused", NOT_REMOVED)}

    @extend_schema(request=None, responses={200: RemovalShape, 202: RemovalShape})
    def post(self, request: Request, import_id: str) -> Response:
        """Undo an import.

        What it added is removed: the status is 200 if that is done, 202 while a worker does it.

        It responds 409 and removes nothing if a pair was served to someone, or another import needs the material.
        """
        return _outcome(orders.undo_import(import_for(request, import_id), actor=self.person))


class DeleteStudyView(SignedInView):
    """`POST studies/{slug}/delete/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("refused", NOT_REMOVED)}

    @extend_schema(request=ConfirmSerializer, responses={200: RemovalShape, 202: RemovalShape})
    def post(self, request: Request, slug: str) -> Response:
        """Delete a study.

        The status is 200 if that is done, 202 while a worker does it. For admins of the study.

        It responds 409 and deletes nothing if a pair was served to someone.
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
        """Read a removal.

        The response has its progress and its outcome.
        """
        return Response(removal_json(removal_for(request, removal_id)))


def _outcome(job: Removal) -> Response:
    """Return the response to a removal that was ordered. Raises Refused if it removed nothing."""
    if job.state == Removal.State.FAILED:
        raise Refused(outcome(job), NOT_REMOVED)
    return Response(removal_json(job), status=200 if job.state == Removal.State.DONE else 202)


def removal_json(job: Removal) -> dict[str, Any]:
    """Return a removal as the person who ordered it sees it."""
    return {
        "id": job.pk,
        "what": job.what,
        "study": job.study_slug,
        "state": job.state,
        "reason": outcome(job) if job.reason else "",
        "steps": job.steps,
        "steps_total": job.steps_total,
        "removed": job.removed,
    }
