"""Studies as those who work on them see them."""

from dataclasses import asdict
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.progress import own_answers, progress
from catalog.models import Membership, Study
from catalog.permissions import MAY_SEE_PROGRESS, require_scope, study_for


class StudiesView(APIView):
    """`GET studies/`."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """The studies in which the person has a role."""
        require_scope(request, "read")
        held = Membership.objects.filter(study=OuterRef("pk"), person_id=request.user.pk).values("role")
        studies = Study.objects.of(request.user.pk).annotate(roles=ArraySubquery(held)).order_by("slug")
        return Response({"studies": [study_json(study) for study in studies]})


class StudyView(APIView):
    """`GET studies/{slug}/`."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, slug: str) -> Response:
        """One study; its progress for reviewers, researchers and admins."""
        study = study_for(request, slug)
        body = study_json(study) | {"own_answers": own_answers(study, request.user.pk)}
        if set(study.roles) & MAY_SEE_PROGRESS:
            body["progress"] = asdict(progress(study))
        return Response(body)


def study_json(study: Study) -> dict[str, Any]:
    """What any member may know."""
    return {
        "slug": study.slug,
        "title": study.title,
        "state": study.state,
        "roles": sorted(study.roles),
        "allow_ties": study.allow_ties,
        "protocol_version": study.protocol_version,
        "guideline_version": study.guideline_version,
    }
