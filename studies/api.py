"""The API of studies: list them, make one, and change whether it runs."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from studies.archiving import archive, bring_back
from studies.creation import create_study
from studies.forms import TAKEN_SLUGS
from studies.models import Study
from studies.models.memberships import Role
from studies.models.studies import HasRoles
from studies.permissions import MAY_CONFIGURE, MAY_REOPEN, allows, require_study_maker, study_for
from studies.state_changes import STEPS, change_state

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class StudyShape(serializers.Serializer):
    slug = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=Study.State.choices)
    archived_at = serializers.DateTimeField(allow_null=True, help_text="null: not archived")
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))
    allow_ties = serializers.BooleanField()
    protocol_version = serializers.IntegerField()
    guideline_version = serializers.IntegerField()


class WhichStudiesSerializer(serializers.Serializer):
    archived = serializers.BooleanField(required=False, default=False, help_text="Return archived studies too")


class StudiesShape(serializers.Serializer):
    studies = StudyShape(many=True)


class NewStudySerializer(serializers.Serializer):
    slug = serializers.SlugField(
        max_length=60,
        help_text="Lower-case letters, digits and hyphens. It cannot change later: files are named after it.",
    )
    title = serializers.CharField(max_length=200)

    def validate_slug(self, slug: str) -> str:
        if slug in TAKEN_SLUGS:
            raise serializers.ValidationError(_("Diptych itself uses this address. Choose another."))
        for validator in Study._meta.get_field("slug").validators:
            validator(slug)
        return slug


class StudiesView(SignedInView):
    """`GET` and `POST studies/`."""

    scopes = {"GET": "read", "POST": "manage"}
    query = {"GET": WhichStudiesSerializer}
    refusals = {("POST", 409): ("refused",)}

    @extend_schema(operation_id="studies_list", responses={200: StudiesShape})
    def get(self, request: Request) -> Response:
        """List your studies.

        They are those in which you have a role. Archived studies come only with `archived=true`.
        """
        studies = Study.objects.of(self.person.pk).order_by("slug")
        if not self.asked()["archived"]:
            studies = studies.filter(archived_at=None)
        return Response({"studies": [study_json(study) for study in studies]})

    @extend_schema(operation_id="studies_create", request=NewStudySerializer, responses={201: StudyShape})
    def post(self, request: Request) -> Response:
        """Make a study.

        It has the default settings. It is paused, and the person is its admin and researcher.
        """
        person = require_study_maker(request._request)
        body = NewStudySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        create_study(actor=person, **body.validated_data)
        study = Study.objects.of(person.pk).get(slug=body.validated_data["slug"])
        return Response(study_json(study), status=201)


class StepSerializer(serializers.Serializer):
    step = serializers.ChoiceField(choices=list(STEPS), help_text="Only an admin may `reopen` a closed study.")


class StateShape(serializers.Serializer):
    state = serializers.ChoiceField(choices=Study.State.choices)


class StateView(SignedInView):
    """`POST studies/{slug}/state/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("refused", "promises_unkept")}

    @extend_schema(operation_id="study_state", request=StepSerializer, responses={200: StateShape})
    def post(self, request: Request, slug: str) -> Response:
        """Pause, resume, close or reopen a study.

        Repeating a step is harmless.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        body = StepSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        step = body.validated_data["step"]
        if step == "reopen" and not allows(study, MAY_REOPEN):
            raise PermissionDenied(_("Only an admin can reopen a closed study."))
        change_state(study, step, actor=self.person)
        return Response({"state": study.state})


class ArchiveView(SignedInView):
    """`POST studies/{slug}/archive/`."""

    scopes = {"POST": "manage"}

    @extend_schema(operation_id="study_archive", request=None, responses={200: StudyShape})
    def post(self, request: Request, slug: str) -> Response:
        """Archive a study.

        Lists do not show it any more, and it is paused if it runs. Repeating it is harmless.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        archive(study, actor=self.person)
        return Response(study_json(study_for(request, slug)))


class BringBackView(SignedInView):
    """`POST studies/{slug}/bring-back/`."""

    scopes = {"POST": "manage"}

    @extend_schema(operation_id="study_bring_back", request=None, responses={200: StudyShape})
    def post(self, request: Request, slug: str) -> Response:
        """Bring an archived study back.

        Lists show it again. Repeating it is harmless.
        """
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        bring_back(study, actor=self.person)
        return Response(study_json(study_for(request, slug)))


def study_json(study: "WithAnnotations[Study, HasRoles]") -> dict[str, Any]:
    """Return the facts about a study that every member may know."""
    return {
        "slug": study.slug,
        "title": study.title,
        "state": study.state,
        "archived_at": study.archived_at,
        "roles": sorted(study.roles),
        "allow_ties": study.allow_ties,
        "protocol_version": study.protocol_version,
        "guideline_version": study.guideline_version,
    }
