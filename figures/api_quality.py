"""Endpoints of the page Quality: its figures, and the assignment of waiting answers to reviewers."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from accounts.models import User
from diptych.refusals import BadInput
from figures.overview import page, stored
from figures.overview.defects import Span
from figures.overview.reader import Reader
from figures.overview.tables import Table, as_json
from figures.permissions import overview_study
from qc import assigning, waiting
from qc.models import Lot
from qc.permissions import assigning_study, decides
from qc.waiting import Wanted
from studies.models import Study

NUMBER: dict[str, Any] = {"min_value": 1, "max_value": 2**31 - 1}


class QualityQuery(serializers.Serializer):
    lot = serializers.IntegerField(required=False, help_text="Number of a lot. Default: all lots", **NUMBER)
    since = serializers.DateField(required=False, help_text="Defects and decisions from this day on")


class QualityTableShape(serializers.Serializer):
    name = serializers.CharField()
    title = serializers.CharField()
    rows = serializers.ListField(child=serializers.DictField(), help_text="Each row by the names of its columns")


class QualityFiguresShape(serializers.Serializer):
    counted_at = serializers.DateTimeField(allow_null=True, help_text="When what waits was counted; null: not yet")
    tables = QualityTableShape(many=True)


class AssignReviewsSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=list(waiting.KINDS))
    reviewer = serializers.CharField(
        max_length=150, allow_null=True, help_text="Name of the reviewer. Null takes assignments back"
    )
    lot = serializers.IntegerField(required=False, help_text="Only answers of the lot with this number", **NUMBER)
    age = serializers.ChoiceField(choices=list(waiting.AGES), required=False, help_text="Only answers of this age")
    items = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        default=list,
        max_length=assigning.MOST,
        help_text="Keys of waiting answers. Empty: those that wait longest",
    )
    most = serializers.IntegerField(default=50, min_value=1, max_value=assigning.MOST, help_text="Without `items`")
    days = serializers.IntegerField(default=3, min_value=1, max_value=assigning.LONGEST_DAYS)


class AssignedReviewsShape(serializers.Serializer):
    assigned = serializers.IntegerField(help_text="Answers that were assigned, or freed")
    left_out = serializers.IntegerField(help_text="Answers that the person may not review, or somebody reviews now")


def lot_of(study: Study, number: int | None) -> Lot | None:
    """Return the study's lot with this number, or None without a number. Raise BadInput for an unknown one."""
    if number is None:
        return None
    lot = Lot.objects.filter(study=study, number=number).first()
    if lot is None:
        raise BadInput(_("This study has no lot %(number)s.") % {"number": number}, field="lot")
    return lot


def table_json(table: Table) -> dict[str, Any]:
    """Return a table as the JSON of the API."""
    return {"name": table.name, "title": table.title, "rows": as_json(table)}


class QualityFiguresView(SignedInView):
    """`GET studies/{slug}/quality/`."""

    scopes = {"GET": "read"}
    query = {"GET": QualityQuery}

    @extend_schema(operation_id="quality_figures", responses={200: QualityFiguresShape})
    def get(self, request: Request, slug: str) -> Response:
        """Read the tables of the page Quality.

        Defects of undecided lots are only for people who decide lots.
        """
        study = overview_study(request, slug)
        asked = self.asked()
        span = Span(lot_of(study, asked.get("lot")), asked.get("since"))
        figures = stored.figures_of(study)
        reader = Reader(study, span, figures, decides(study), timezone.now())
        tables = [table_json(table) for _key, _title, tables in page.sections(reader) for table in tables]
        return Response({"counted_at": figures.made_at if figures else None, "tables": tables})


class AssignReviewsView(SignedInView):
    """`POST studies/{slug}/reviews/assign/`."""

    scopes = {"POST": "manage"}
    refusals = {409: ("not_a_reviewer",)}

    @extend_schema(
        operation_id="reviews_assign", request=AssignReviewsSerializer, responses={200: AssignedReviewsShape}
    )
    def post(self, request: Request, slug: str) -> Response:
        """Assign waiting answers to a reviewer.

        Assignments last some days, and can be taken back. Repeating it is harmless.
        """
        study = assigning_study(request, slug)
        body = AssignReviewsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        wanted = Wanted(given["kind"], lot_of(study, given.get("lot")), given.get("age"))
        about: dict[str, Any] = {"items": given["items"], "most": given["most"]}
        if given["reviewer"] is None:
            return Response({"assigned": assigning.unassign(study, wanted, actor=self.person, **about), "left_out": 0})
        reviewer = User.objects.filter(username=given["reviewer"]).first()
        if reviewer is None:
            raise BadInput(_("There is nobody named “%(name)s”.") % {"name": given["reviewer"]}, field="reviewer")
        about["most"] = assigning.MOST if given["items"] else given["most"]
        done = assigning.assign(study, wanted, reviewer, actor=self.person, days=given["days"], **about)
        return Response({"assigned": done.assigned, "left_out": done.left_out})
