"""One study as the people who work on it see it."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from annotation.own_progress import own_answers
from answers.study_progress import progress
from studies.api import StudyShape, study_json
from studies.permissions import MAY_SEE_PROGRESS, allows, study_for


class StudyWithProgressShape(StudyShape):
    own_answers = serializers.IntegerField()
    progress = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="For reviewers, researchers and admins"
    )


class StudyView(SignedInView):
    """`GET studies/{slug}/`."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="studies_read", responses={200: StudyWithProgressShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read a study.

        Reviewers, researchers and admins also get its progress.
        """
        study = study_for(request, slug)
        body = study_json(study) | {"own_answers": own_answers(study, self.person.pk)}
        if allows(study, MAY_SEE_PROGRESS):
            body["progress"] = asdict(progress(study))
        return Response(body)
