"""API of the difference between two releases of a study."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from diptych.paging import PAGE_LIMIT_S, within
from diptych.refusals import NotThere
from release_records import comparing
from release_records.comparing import KINDS, PARTS, Difference
from releases.models import Release
from releases.permissions import numbered, release_for

#: The most rows in a list.
MOST_LISTED = 1000


class ComparisonQuery(serializers.Serializer):
    other = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Number of the release to compare with; default: the parent, or the release before",
    )
    show = serializers.ChoiceField(choices=list(KINDS), default="added", help_text="Which rows to list")
    part = serializers.ChoiceField(choices=PARTS, required=False, help_text="Only rows of this part")
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1, default=0)


class PartCountsShape(serializers.Serializer):
    all = serializers.IntegerField()
    train = serializers.IntegerField()
    test = serializers.IntegerField()
    eval = serializers.IntegerField()
    excluded = serializers.IntegerField()


class DifferencesShape(serializers.Serializer):
    added = PartCountsShape(help_text="Revisions that only this release has")
    removed = PartCountsShape(help_text="Revisions that only the other release has")
    changed = PartCountsShape(help_text="Revisions that both have, with other facts")
    majority = PartCountsShape(help_text="Pairs that both have, with another majority on a question")


class MajorityShape(serializers.Serializer):
    question = serializers.CharField()
    before = serializers.CharField(allow_blank=True, help_text="video_0 or video_1; empty: no majority")
    now = serializers.CharField(allow_blank=True, help_text="video_0 or video_1; empty: no majority")


class DifferenceShape(serializers.Serializer):
    annotation_id = serializers.IntegerField(allow_null=True, help_text="null: the row is about a pair")
    pair_id = serializers.CharField()
    part = serializers.ChoiceField(choices=PARTS)
    revision = serializers.IntegerField(allow_null=True)
    fields = serializers.ListField(  # type: ignore[assignment]  # the name of a property of serializers
        child=serializers.CharField(), help_text="Of a changed revision: the fields that differ"
    )
    answers_before = serializers.IntegerField(allow_null=True, help_text="Of a pair: its answers in the other release")
    answers_now = serializers.IntegerField(allow_null=True, help_text="Of a pair: its answers in this release")
    majorities = MajorityShape(many=True)


class ComparisonShape(serializers.Serializer):
    release = serializers.IntegerField(help_text="Number of this release")
    other = serializers.IntegerField(help_text="Number of the other release")
    counts = DifferencesShape()
    rows = DifferenceShape(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page; null: this is the last page")


class ComparisonView(SignedInView):
    """`GET releases/{id}/comparison/`."""

    scopes = {"GET": "export"}
    query = {"GET": ComparisonQuery}
    refusals = {409: ("not_complete",), 410: ("withdrawn",), 503: ("took_too_long",)}

    @extend_schema(operation_id="releases_compare", responses={200: ComparisonShape})
    def get(self, request: Request, release_id: int) -> Response:
        """Compare two releases.

        The response has counts by part, and the rows of one kind. Both releases are of one study.
        """
        release = release_for(request, release_id)
        asked = self.asked()
        comparison = comparing.compare(release, _other(release, asked.get("other")))
        with within(PAGE_LIMIT_S):
            counts = comparison.counts()
            kind, part = asked["show"], asked.get("part", "")
            found = comparison.rows(kind, part, after=asked["after"], most=MOST_LISTED + 1)
        shown = found[:MOST_LISTED]
        return Response(
            {
                "release": comparison.now.number,
                "other": comparison.before.number,
                "counts": counts,
                "rows": [difference_json(row) for row in shown],
                "next": shown[-1].key if len(found) > len(shown) else None,
            }
        )


def _other(release: Release, number: int | None) -> Release:
    """Return the release to compare with. Raise Http404, or NotThere if the study has no other one."""
    if number is not None:
        return numbered(release.study, number)
    other = comparing.usual_other(release, comparing.comparable(release))
    if other is None:
        raise NotThere(_("This study has no other release that can be compared."))
    return other


def difference_json(row: Difference) -> dict[str, Any]:
    """Return one difference as the JSON of the API."""
    of_pair = bool(row.questions)
    return {
        "annotation_id": None if of_pair else row.key,
        "pair_id": row.pair_id,
        "part": row.part,
        "revision": None if of_pair else row.revision,
        "fields": row.fields,
        "answers_before": row.n_before if of_pair else None,
        "answers_now": row.n_now if of_pair else None,
        "majorities": [{"question": question, "before": before, "now": now} for question, before, now in row.questions],
    }
