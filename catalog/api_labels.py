"""API of the library's list of labels: what programs said about a study's prompts, videos and pairs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from catalog.api import MOST_LISTED, checked
from catalog.library.labels import SUBJECTS, LabelFilters, labels
from catalog.models import Label
from diptych.paging import PAGE_LIMIT_S, within
from studies.permissions import MAY_BROWSE, study_for


class LabelShape(serializers.Serializer):
    id = serializers.IntegerField()
    prompt_id = serializers.CharField(help_text="The prompt that it is about, or the prompt of the video or pair")
    video_id = serializers.CharField(allow_null=True, help_text="null: it is not about one video")
    pair_id = serializers.CharField(allow_null=True, help_text="null: it is not about a pair")
    question = serializers.CharField(help_text="A question of people, a harm tag, or the name of a score")
    labeller = serializers.CharField(help_text="Name of the program")
    labeller_version = serializers.CharField(allow_blank=True)
    setting = serializers.CharField(allow_blank=True, help_text="How the program was asked, such as “8 frames”")
    value = serializers.JSONField(allow_null=True, help_text="Text, number, true or false; null: the program refused")
    refused = serializers.BooleanField()
    import_number = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()


class LabelsShape(serializers.Serializer):
    labels = LabelShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page; null: this is the last page")


class LabelsQuery(serializers.Serializer):
    """The filters of the page, with the same names."""

    q = serializers.CharField(
        required=False, help_text="Beginning of the id of the prompt, video or pair, at least 4 characters"
    )
    subject = serializers.ChoiceField(choices=list(SUBJECTS), required=False)
    question = serializers.CharField(required=False, help_text="For example helpfulness, crime or psnr")
    labeller = serializers.CharField(required=False)
    labeller_version = serializers.CharField(required=False)
    setting = serializers.CharField(required=False)
    refused = serializers.ChoiceField(choices=["yes", "no"], required=False, help_text="yes: without a value")
    import_number = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1, default=0)


class LabelsView(SignedInView):
    """`GET studies/{slug}/labels/`."""

    scopes = {"GET": "read"}
    query = {"GET": LabelsQuery}
    refusals = {("GET", 503): ("took_too_long",)}

    @extend_schema(operation_id="labels_list", responses={200: LabelsShape})
    def get(self, request: Request, slug: str) -> Response:
        """List the labels by programs.

        They come in the order of import, 200 at a time. Labels of quarantined and reported videos are left out.
        """
        study = study_for(request, slug, roles=MAY_BROWSE)
        asked = self.asked()
        filters = LabelFilters(asked, study=study)
        checked(filters)
        with within(PAGE_LIMIT_S):
            found = filters.narrow(labels(study)).filter(pk__gt=asked["after"]).order_by("pk")
            rows = list(found[: MOST_LISTED + 1])
        page = rows[:MOST_LISTED]
        body = {"labels": [label_json(label) for label in page], "next": page[-1].pk if len(rows) > len(page) else None}
        return Response(body)


def label_json(label: Label) -> dict[str, Any]:
    """Return a label as the JSON of the API."""
    return {
        "id": label.pk,
        "prompt_id": label.of_prompt.public_id,
        "video_id": label.video and label.video.public_id,
        "pair_id": label.pair and label.pair.public_id,
        **{name: getattr(label, name) for name in ("question", "labeller", "labeller_version", "setting", "value")},
        **{name: getattr(label, name) for name in ("refused", "import_number", "created_at")},
    }
