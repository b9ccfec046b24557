"""Studies as those who work on them see them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation.api_guideline import parameters
from annotation.progress import own_answers, progress
from studies.archiving import archive, bring_back
from studies.models import Study
from studies.models.studies import HasRoles, Role
from studies.permissions import MAY_CONFIGURE, MAY_SEE_PROGRESS, allows, study_for

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
    archived = serializers.BooleanField(required=False, default=False, help_text="Archived studies too")


class StudiesShape(serializers.Serializer):
    studies = StudyShape(many=True)


class StudyWithProgressShape(StudyShape):
    own_answers = serializers.IntegerField()
    progress = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="For reviewers, researchers and admins"
    )


class StudiesView(SignedInView):
    """`GET studies/`."""

    scopes = {"GET": "read"}
    query = {"GET": WhichStudiesSerializer}

    @extend_schema(operation_id="studies_list", responses={200: StudiesShape})
    def get(self, request: Request) -> Response:
        """The studies in which the person has a role; archived ones only with `archived=true`."""
        studies = Study.objects.of(self.person.pk).order_by("slug")
        if not parameters(request, WhichStudiesSerializer)["archived"]:
            studies = studies.filter(archived_at=None)
        return Response({"studies": [study_json(study) for study in studies]})


class StudyView(SignedInView):
    """`GET studies/{slug}/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="studies_read", responses={200: StudyWithProgressShape})
    def get(self, request: Request, slug: str) -> Response:
        """One study; its progress for reviewers, researchers and admins."""
        study = study_for(request, slug)
        body = study_json(study) | {"own_answers": own_answers(study, self.person.pk)}
        if allows(study, MAY_SEE_PROGRESS):
            body["progress"] = asdict(progress(study))
        return Response(body)


class ArchiveView(SignedInView):
    """`POST studies/{slug}/archive/`."""

    scopes = {"POST": "manage"}

    @extend_schema(request=None, responses={200: StudyShape})
    def post(self, request: Request, slug: str) -> Response:
        """Hide the study from lists, and pause it if it runs. Repeating it is harmless."""
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        archive(study, actor=self.person)
        return Response(study_json(study_for(request, slug)))


class BringBackView(SignedInView):
    """`POST studies/{slug}/bring-back/`."""

    scopes = {"POST": "manage"}

    @extend_schema(request=None, responses={200: StudyShape})
    def post(self, request: Request, slug: str) -> Response:
        """Let lists show an archived study again. Repeating it is harmless."""
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        bring_back(study, actor=self.person)
        return Response(study_json(study_for(request, slug)))


def study_json(study: "WithAnnotations[Study, HasRoles]") -> dict[str, Any]:
    """What any member may know."""
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
