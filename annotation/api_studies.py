"""Studies as those who work on them see them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation import exposure
from annotation.api_guideline import parameters
from annotation.own_progress import MOST_LEFT, NOTHING_YET, own_progress
from annotation.permissions import annotated_study
from annotation.progress import own_answers, progress
from studies.models import Study
from studies.models.studies import HasRoles, Role
from studies.permissions import MAY_SEE_PROGRESS, allows, study_for

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class StudyShape(serializers.Serializer):
    slug = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=Study.State.choices)
    roles = serializers.ListField(child=serializers.ChoiceField(choices=Role.choices))
    allow_ties = serializers.BooleanField()
    protocol_version = serializers.IntegerField()
    guideline_version = serializers.IntegerField()


class StudiesShape(serializers.Serializer):
    studies = StudyShape(many=True)


class StudyWithProgressShape(StudyShape):
    own_answers = serializers.IntegerField()
    progress = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="For reviewers, researchers and admins"
    )


class WhichBatchSerializer(serializers.Serializer):
    """Query parameters of one's own progress."""

    batch = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Number of a batch; without it, the batch of the pair in hand, or else of the last answer",
    )


class BatchPlaceShape(serializers.Serializer):
    number = serializers.IntegerField()
    answered = serializers.IntegerField(help_text="Pairs of the batch that the person has answered")
    left = serializers.IntegerField(
        help_text=f"Pairs that the person can still be given, at most; {MOST_LEFT + 1} means more than {MOST_LEFT}"
    )


class TodayShape(serializers.Serializer):
    answers = serializers.IntegerField(help_text="Pairs answered today")
    active_ms = serializers.IntegerField(help_text="Milliseconds of active time in these answers")


class OwnProgressShape(serializers.Serializer):
    today = TodayShape(help_text="By the person’s time zone")
    batch = BatchPlaceShape(allow_null=True)


class StudiesView(SignedInView):
    """`GET studies/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="studies_list", responses={200: StudiesShape})
    def get(self, request: Request) -> Response:
        """The studies in which the person has a role."""
        studies = Study.objects.of(self.person.pk).order_by("slug")
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


class OwnProgressView(SignedInView):
    """`GET studies/{slug}/own-progress/`."""

    scopes = {"GET": "annotate"}
    query = {"GET": WhichBatchSerializer}

    @extend_schema(operation_id="studies_own_progress", responses={200: OwnProgressShape})
    def get(self, request: Request, slug: str) -> Response:
        """Return what the person has answered today, and how far they are in a batch."""
        study = annotated_study(request, slug)
        batch = parameters(request, WhichBatchSerializer).get("batch")
        day_began = exposure.day_began(self.person, timezone.now())
        found = own_progress(self.person, [study.pk], day_began, batch=batch).get(study.pk, NOTHING_YET)
        return Response(
            {
                "today": {"answers": found.answers, "active_ms": found.active_ms},
                "batch": asdict(found.batch) if found.batch else None,
            }
        )


def study_json(study: "WithAnnotations[Study, HasRoles]") -> dict[str, Any]:
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
