"""The API of a study's settings. It uses the same file as the page."""

import hashlib
from typing import Any

import orjson
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.refusals import ChangedMeanwhile
from studies import settings_file
from studies.models import Study
from studies.permissions import MAY_CONFIGURE, study_for


class SettingsSerializer(serializers.Serializer):
    """Settings, harms, texts and more parts of a study. The JSON Schema beside the download lists every setting."""

    format = serializers.CharField(help_text=f"`{settings_file.FORMAT}`")
    version = serializers.IntegerField(help_text="Version of the format")
    settings = serializers.DictField(required=False, help_text="Each setting by its name")
    categories = serializers.ListField(child=serializers.CharField(), required=False, help_text="Harms to agree to")
    texts = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField()),
        required=False,
        help_text="`guideline` and `consent`, each by language",
    )
    parts = serializers.DictField(required=False, help_text="More settings, such as `rules`: rules that find problems")


IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="`ETag` of the settings that you read. 409 if they have changed since",
)


class SettingsView(SignedInView):
    """`GET` and `PATCH studies/{slug}/settings/`."""

    scopes = {"GET": "read", "PATCH": "manage"}
    refusals = {("PATCH", 409): ("changed_meanwhile", "promises_unkept", "refused", "setting_needs_more")}

    @extend_schema(operation_id="settings_read", responses={200: SettingsSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Read the settings of a study.

        The response also has the harms and texts in force.
        """
        return _response(study_for(request, slug, roles=MAY_CONFIGURE))

    @extend_schema(
        operation_id="settings_change",
        request=SettingsSerializer,
        parameters=[IF_MATCH],
        responses={200: SettingsSerializer},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change settings of a study.

        Those in the body are changed, all of them or none. Other settings stay as they are.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        wanted = settings_file.read(request._request.body, study)
        seen = request.headers.get("If-Match")
        if seen is not None and seen != _tag(study):
            raise ChangedMeanwhile(
                _("Somebody else changed the settings after you read them. Read them again, then repeat your change.")
            )
        settings_file.apply(study, wanted, made_from=settings_file.state_of(study), actor=self.person)
        return _response(study)


def _response(study: Study) -> Response:
    body: dict[str, Any] = settings_file.as_file(study)
    return Response(body, headers={"ETag": _tag(study)})


def _tag(study: Study) -> str:
    state = orjson.dumps(settings_file.state_of(study), option=orjson.OPT_SORT_KEYS)
    return f'"{hashlib.sha256(state).hexdigest()[:32]}"'
