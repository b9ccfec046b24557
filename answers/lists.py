"""The list of a study's answers for the people who run the study: its rows, its filters and its CSV file.

Annotators and blind reviewers never see other people's answers (protocol, rule 4). People who run a study and also
annotate in it see the answers on a pair only after they have answered that pair.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from annotation.models import Assignment, Seat, Standing
from annotation.protocol import SUB_DIMENSION_KEYS
from catalog.library.filters import YES_NO, Filters, IdField, begins, harm_choices
from catalog.models import Pair
from catalog.models.pairs import usable
from catalog.slots import AskedBecause
from diptych.downloads import CopyFile
from diptych.paging import Order
from diptych.spreadsheet import write_rows
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_ANNOTATE, allows
from studies.pseudonyms import pseudonym

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

#: By the current revision. Its key is higher than that of every earlier revision.
ORDERS = (
    Order("latest", _("latest first"), "current_id", descending=True),
    Order("earliest", _("earliest first"), "current_id"),
)
CONTRADICTION = "contradiction"
ANY, NOTHING = "any", "nothing"
#: Values of the filter `standing`. The dashboard counts the same answers and links to this list.
STANDINGS = {
    "counted": Q(counted=True),
    "usable": Q(
        counted=True, validity=Standing.Validity.VALID, assignment__pair__held="", assignment__pair__kind=Pair.Kind.REAL
    ),
    "uncounted": Q(counted=False),
    "invalid": Q(validity=Standing.Validity.INVALID),
    CONTRADICTION: Q(validity=Standing.Validity.INVALID, reason=CONTRADICTION),
}


class AnswerFilters(Filters):
    """Filters on answers, by their current revision."""

    q = IdField(label=_("Pair id begins with"))
    author = forms.CharField(
        label=_("Author code begins with"),
        max_length=16,
        required=False,
        validators=[
            RegexValidator(
                r"^[0-9a-f]{4,16}$",
                _("Enter at least the first 4 characters of the code. A code has digits and the letters a to f."),
            )
        ],
    )
    batch = forms.IntegerField(label=_("Batch"), min_value=1, max_value=2**31 - 1, required=False)
    standing = forms.ChoiceField(
        label=_("Standing"),
        choices=[
            ("", _("all")),
            ("counted", _("counts")),
            ("usable", _("counts, is valid, and its pair is not held")),
            ("uncounted", _("does not count")),
            ("invalid", _("invalid")),
            (CONTRADICTION, _("contradicts itself")),
        ],
        required=False,
    )
    asked = forms.ChoiceField(label=_("Asked because"), choices=[("", _("all")), *AskedBecause.choices], required=False)
    held = forms.ChoiceField(label=_("Pair held"), choices=YES_NO, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[("", _("all")), (Pair.Kind.REAL, _("regular")), (Pair.Kind.CONTROL, _("control"))],
        required=False,
    )
    revised = forms.ChoiceField(label=_("Changed later"), choices=YES_NO, required=False)
    unsure = forms.ChoiceField(label=_("Unsure"), choices=YES_NO, required=False)
    comment = forms.ChoiceField(label=_("With a comment"), choices=YES_NO, required=False)
    tag = forms.ChoiceField(label=_("Tag"), required=False)

    def __init__(self, data: Any, *, study: Study) -> None:
        super().__init__(data, study=study)
        others = [(ANY, _("any tag")), (NOTHING, _("no tag"))]
        self.fields["tag"].choices = [("", _("all")), *others, *harm_choices()]  # type: ignore[attr-defined]

    def condition(self, name: str, value: Any) -> Q:
        if name == "q":
            return Q(assignment__pair__in=Pair.objects.filter(begins(value), study=self.study).values("pk"))
        if name == "author":
            return Q(assignment__person__in=people_with_code(self.study, value))
        if name == "batch":
            pairs = Pair.objects.filter(batch__study=self.study, batch__number=value)
            return Q(assignment__pair__in=pairs.values("pk"))
        if name == "standing":
            return STANDINGS[value]
        if name == "asked":
            return Q(assignment__asked_because=value)
        if name == "held":
            return ~Q(assignment__pair__held="") if value == "yes" else Q(assignment__pair__held="")
        if name == "kind":
            return Q(assignment__pair__kind=value)
        if name == "revised":
            return Q(current__revision__gt=1) if value == "yes" else Q(current__revision=1)
        if name == "unsure":
            return Q(current__unsure=value == "yes")
        if name == "comment":
            return ~Q(current__comment="") if value == "yes" else Q(current__comment="")
        untagged = Q(current__tags_video_0=[], current__tags_video_1=[])
        one = Q(current__tags_video_0__contains=[value]) | Q(current__tags_video_1__contains=[value])
        return {ANY: ~untagged, NOTHING: untagged}.get(value, one)


def people_with_code(study: Study, beginning: str) -> list[int]:
    """Return the people of the study whose author code begins with these characters.

    Author codes are not stored, so the code of each person is computed.
    """
    people = Seat.objects.filter(study=study).values_list("person", flat=True)
    return [person for person in people if pseudonym(study, person).startswith(beginning)]


def answers(study: "WithAnnotations[Study, HasRoles]", person: User) -> QuerySet[Standing]:
    """Return the answers of the study that the person may see, with everything that a line of the list shows.

    Answers on pairs in quarantine are left out, because the library leaves out these pairs too.

    Args:
        study: from `studies.permissions.study_for` with the roles `MAY_SEE_ANSWERS`.
    """
    rows = Standing.objects.filter(usable("assignment__pair__"), study=study)
    if allows(study, MAY_ANNOTATE):
        rows = rows.filter(assignment__pair__in=answered_by(study, person))
    return rows.select_related("current", "assignment__pair__prompt", "assignment__pair__batch")


def answered_by(study: Study, person: User) -> Any:
    """Return a query for the keys of the pairs that the person has answered."""
    own = Assignment.objects.filter(study=study, person=person, state=Assignment.State.SUBMITTED)
    return own.values("pair")


COLUMNS = (
    "pair_id",
    "prompt_id",
    "video_0",
    "video_1",
    "batch",
    "kind",
    "author",
    "round",
    "asked_because",
    "submitted_at",
    "revision",
    "revised_at",
    "corrected",
    "validity",
    "invalid_because",
    "counted",
    "uncounted_because",
    *SUB_DIMENSION_KEYS,
    "helpfulness",
    "harmlessness",
    "tags_video_0",
    "tags_video_1",
    "unsure",
    "comment",
)


def copy_as_csv(study: Study, rows: QuerySet[Standing], target: CopyFile) -> None:
    """Write the current revision of each answer to a CSV file for spreadsheets.

    Raise DatabaseError or OSError if the file cannot be written.
    """
    with_videos = rows.select_related("assignment__pair__video_0", "assignment__pair__video_1")
    write_rows(COLUMNS, _lines(study, with_videos.order_by("pk")), target)


def _lines(study: Study, rows: QuerySet[Standing]) -> Iterator[list[Any]]:
    codes: dict[int, str] = {}
    for standing in rows.iterator(chunk_size=2000):
        current, assignment = standing.current, standing.assignment
        pair, person = assignment.pair, assignment.person_id
        code = codes.setdefault(person, pseudonym(study, person))
        submitted_at = assignment.ended_at.isoformat(timespec="seconds") if assignment.ended_at else ""
        yield [
            *(pair.public_id, pair.prompt.public_id, pair.video_0.public_id, pair.video_1.public_id),
            *(pair.batch.number, pair.kind, code, assignment.round, assignment.asked_because, submitted_at),
            *(current.revision, current.submitted_at.isoformat(timespec="seconds")),
            _yes_no(current.author_kind == "corrector"),
            *(standing.validity, standing.reason, _yes_no(standing.counted), standing.uncounted_reason),
            *(getattr(current, key) for key in (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")),
            *(" ".join(current.tags_video_0), " ".join(current.tags_video_1)),
            *(_yes_no(current.unsure), current.comment),
        ]


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
