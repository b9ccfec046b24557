"""API of how much each person has done in a study: the figures of the page *Progress and active time*."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import SignedInView
from accounts.days import zone_of
from answers import people_progress
from answers.forms import DaysForm
from answers.people_progress import DayRow, Days, Figures, PersonRow
from answers.permissions import people_progress_study
from diptych.refusals import BadInput
from diptych.sentences import joined
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_SEE_CODES, allows
from studies.pseudonyms import pseudonym

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

Row = TypeVar("Row", PersonRow, DayRow)

#: The most rows of a response.
A_PAGE = 200


class DaysQuery(serializers.Serializer):
    """Query parameters of both lists."""

    first = serializers.DateField(required=False, help_text="First day that counts, in your time zone")
    last = serializers.DateField(required=False, help_text="Last day that counts, in your time zone")
    page = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=1_000_000, help_text="Number of the page, from 1 on"
    )


class PeopleQuery(DaysQuery):
    answered = serializers.BooleanField(
        required=False, default=False, help_text="true: only people with answers on these days"
    )
    sort = serializers.ChoiceField(
        choices=list(people_progress.SORTS), required=False, default="name", help_text="Largest first, but names from A"
    )


class PeopleDaysQuery(DaysQuery):
    person = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Only the days of the person with this id"
    )


class FiguresShape(serializers.Serializer):
    """What one person, or all of them, did in these days. Only answers are counted, never skips."""

    pairs = serializers.IntegerField(help_text="Pairs answered for the first time")
    used = serializers.IntegerField(help_text="Pairs whose answers count and are valid")
    uncounted = serializers.IntegerField()
    invalid = serializers.IntegerField()
    unsure = serializers.IntegerField()
    active_s = serializers.FloatField(
        help_text="Seconds of active time, with later changes of answers and with `other_s`"
    )
    other_s = serializers.FloatField(help_text="Those of them on other paid work: on qualifying. They are in no pace")
    s_a_pair = serializers.FloatField(allow_null=True, help_text="Seconds of active time per pair")
    pairs_an_hour = serializers.FloatField(allow_null=True)


class RowShape(FiguresShape):
    person = serializers.IntegerField(help_text="Id of the person")
    username = serializers.CharField()
    annotator_id = serializers.CharField(
        required=False, help_text="The person's code in the files of the study. Only admins get it"
    )


class PersonFiguresShape(RowShape):
    is_annotator = serializers.BooleanField(help_text="Whether the person has that role now")
    first_answer = serializers.DateTimeField(allow_null=True)
    last_answer = serializers.DateTimeField(allow_null=True)


class DayFiguresShape(RowShape):
    day = serializers.DateField()


class PageShape(serializers.Serializer):
    time_zone = serializers.CharField(help_text="Time zone of the days")
    count = serializers.IntegerField(help_text="Rows of all pages")
    total = FiguresShape(help_text="Sums of all pages")
    next = serializers.IntegerField(allow_null=True, help_text="Number of the next page; null: this is the last page")


class PeopleProgressShape(PageShape):
    people = PersonFiguresShape(many=True)


class PeopleDaysShape(PageShape):
    days = DayFiguresShape(many=True)


class PeopleProgressView(SignedInView):
    """`GET studies/{slug}/people-progress/`."""

    scopes = {"GET": "manage"}
    query = {"GET": PeopleQuery}

    @extend_schema(operation_id="people_progress_list", responses={200: PeopleProgressShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show how much each person has done.

        The response has everybody who annotates in the study or has answered in it.
        """
        study = people_progress_study(request, slug)
        asked = self.asked()
        days = _days(self, asked)
        rows = people_progress.people(study, days, only_answered=asked["answered"])
        rows = people_progress.sorted_by(rows, asked["sort"])
        body, shown = _page(rows, days, asked["page"])
        people = [
            _row(study, row)
            | {"is_annotator": row.is_annotator, "first_answer": row.first_at, "last_answer": row.last_at}
            for row in shown
        ]
        return Response(body | {"people": people})


class PeopleDaysView(SignedInView):
    """`GET studies/{slug}/people-progress/days/`."""

    scopes = {"GET": "manage"}
    query = {"GET": PeopleDaysQuery}

    @extend_schema(operation_id="people_progress_days", responses={200: PeopleDaysShape})
    def get(self, request: Request, slug: str) -> Response:
        """Show how much each person has done by day.

        The response has each person and day with answers, by name, the latest day first.
        """
        study = people_progress_study(request, slug)
        asked = self.asked()
        days = _days(self, asked)
        rows = people_progress.by_day(study, days, person_id=asked.get("person"))
        body, shown = _page(rows, days, asked["page"])
        return Response(body | {"days": [_row(study, row) | {"day": row.day} for row in shown]})


def _days(view: SignedInView, asked: dict[str, Any]) -> Days:
    """Return the days in the person's time zone. Raises BadInput for days that the page refuses too."""
    form = DaysForm({name: asked[name] for name in ("first", "last") if name in asked})
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise BadInput(joined(errors), field="last" if name == "__all__" else name)
    return Days(zone_of(view.person), asked.get("first"), asked.get("last"))


def _page(rows: Sequence[Row], days: Days, number: int) -> tuple[dict[str, Any], list[Row]]:
    """Return what both lists say about all rows, and the rows of one page."""
    shown = list(rows[(number - 1) * A_PAGE : number * A_PAGE])
    body = {
        "time_zone": str(days.zone),
        "count": len(rows),
        "total": _figures(sum((row.figures for row in rows), Figures())),
        "next": number + 1 if number * A_PAGE < len(rows) else None,
    }
    return body, shown


def _row(study: "WithAnnotations[Study, HasRoles]", row: PersonRow | DayRow) -> dict[str, Any]:
    code = {"annotator_id": pseudonym(study, row.person_id)} if allows(study, MAY_SEE_CODES) else {}
    return {"person": row.person_id, "username": row.username} | code | _figures(row.figures)


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "pairs": figures.pairs,
        "used": figures.used,
        "uncounted": figures.uncounted,
        "invalid": figures.invalid,
        "unsure": figures.unsure,
        "active_s": round(figures.paid_ms / 1000, 1),
        "other_s": round(figures.other_ms / 1000, 1),
        "s_a_pair": figures.s_a_pair and round(figures.s_a_pair, 1),
        "pairs_an_hour": figures.pairs_an_hour and round(figures.pairs_an_hour, 1),
    }
