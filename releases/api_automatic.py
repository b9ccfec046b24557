"""API of automatic releases: read and switch them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from releases import automatic
from releases.models import AutomaticReleases
from releases.permissions import releases_study, releasing_study


class SwitchSerializer(serializers.Serializer):
    on = serializers.BooleanField(help_text="Whether each newly accepted lot brings a release like the latest one")


class AutomaticReleasesShape(serializers.Serializer):
    on = serializers.BooleanField()
    refused = serializers.BooleanField(help_text="Whether the release for the last accepted lot could not be made")
    changed_at = serializers.DateTimeField(allow_null=True)


def automatic_json(row: AutomaticReleases) -> dict[str, Any]:
    """Return the setting as the JSON of the API."""
    return {"on": row.is_on, "refused": row.is_refused, "changed_at": row.changed_at if row.pk else None}


class AutomaticReleasesView(SignedInView):
    """`GET` and `PUT studies/{slug}/automatic-releases/`."""

    scopes = {"GET": "export", "PUT": "manage"}

    @extend_schema(operation_id="automatic_releases_read", responses={200: AutomaticReleasesShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read whether accepted lots bring releases."""
        return Response(automatic_json(automatic.of_study(releases_study(request, slug))))

    @extend_schema(
        operation_id="automatic_releases_switch", request=SwitchSerializer, responses={200: AutomaticReleasesShape}
    )
    def put(self, request: Request, slug: str) -> Response:
        """Switch automatic releases on or off.

        A release follows the latest complete one, with the same choices. Without one, the first is made by a person.
        """
        study = releasing_study(request, slug)
        body = SwitchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(automatic_json(automatic.switch(study, on=body.validated_data["on"], actor=self.person)))
