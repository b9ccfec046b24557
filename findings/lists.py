"""The list of a study's findings: its rows, its filters, its counts and its CSV file.

Findings show what people answered. So the same people see them who see answers, under the same condition: who also
annotates in the study sees only findings on pairs that they have answered (`answers.lists`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from annotation.models import Assignment
from answers.lists import AnswerFilters, answered_by, people_with_code
from catalog.library.filters import Filters
from catalog.models import Batch, Pair
from catalog.models.pairs import QUARANTINED
from diptych.downloads import CopyFile
from diptych.paging import Order
from diptych.spreadsheet import write_rows
from findings.models import Finding
from findings.rules import RULES, SEVERITIES
from studies.models import Study
from studies.models.studies import HasRoles
from studies.permissions import MAY_ANNOTATE, allows
from studies.pseudonyms import pseudonym

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

ORDERS = (Order("latest", _("latest first"), descending=True), Order("earliest", _("earliest first")))
IN_FORCE, DISMISSED, ENDED, ALL = "in_force", "dismissed", "ended", "all"
#: Values of the filter `state`. Without it, the list shows findings in force.
STATES = {
    IN_FORCE: Q(ended_at=None, dismissed_at=None),
    DISMISSED: Q(ended_at=None, dismissed_at__isnull=False),
    ENDED: Q(ended_at__isnull=False),
    ALL: Q(),
}


class FindingFilters(Filters):
    """Filters on findings."""

    rule = forms.ChoiceField(
        label=_("Rule"), choices=[("", _("all")), *((code, rule.label) for code, rule in RULES.items())], required=False
    )
    severity = forms.ChoiceField(label=_("Severity"), choices=[("", _("all")), *SEVERITIES.items()], required=False)
    author = AnswerFilters.base_fields["author"]
    batch = AnswerFilters.base_fields["batch"]
    invalid = forms.ChoiceField(
        label=_("Made the answer invalid"), choices=[("", _("all")), ("yes", _("yes")), ("no", _("no"))], required=False
    )
    state = forms.ChoiceField(
        label=_("State"),
        choices=[
            ("", pgettext_lazy("finding", "open")),
            (DISMISSED, _("dismissed")),
            (ENDED, pgettext_lazy("finding", "ended")),
            (ALL, _("all")),
        ],
        required=False,
    )

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that match all filters. Without a state, only those in force."""
        found = super().narrow(rows)
        return found if self.cleaned_data.get("state") else found.filter(STATES[IN_FORCE])

    def condition(self, name: str, value: Any) -> Q:
        if name == "author":
            return Q(person__in=people_with_code(self.study, value))
        if name == "batch":
            return Q(assignment__in=_answered_in_batch(self.study, value))
        if name == "invalid":
            return Q(marked=value == "yes")
        if name == "state":
            return STATES[value]
        return super().condition(name, value)


def _answered_in_batch(study: Study, number: int) -> QuerySet[Any]:
    """Return the keys of the assignments of a batch's pairs.

    The huge limit makes the planner find them by their index. Otherwise it would walk all findings of the study in the
    order of the list.
    """
    of = Batch.objects.filter(study=study, number=number).values_list("pk", flat=True).first()
    pairs = Pair.objects.filter(batch=of or 0).values("pk")
    return Assignment.objects.filter(pair__in=pairs).order_by().values("pk")[: 2**31]


def findings(study: "WithAnnotations[Study, HasRoles]", person: User) -> QuerySet[Finding]:
    """Return the findings of the study that the person may see.

    Findings on pairs in quarantine are left out, because the library leaves out these pairs too.

    Args:
        study: from `studies.permissions.study_for` with the roles `MAY_SEE_ANSWERS`.
    """
    rows = Finding.objects.filter(study=study)
    hidden = Assignment.objects.filter(study=study, pair__held=QUARANTINED).values("pk")
    rows = rows.exclude(assignment__in=hidden)
    if allows(study, MAY_ANNOTATE):
        rows = rows.filter(assignment__pair__in=answered_by(study, person))
    return rows


def with_pairs(rows: QuerySet[Finding]) -> QuerySet[Finding]:
    """Return the same findings with everything that a line of the list shows."""
    return rows.select_related("annotation", "assignment__pair__batch", "assignment__standing", "dismissed_by")


def counts(rows: QuerySet[Finding]) -> dict[str, int]:
    """Return for each rule how many of these findings are in force."""
    found = rows.filter(STATES[IN_FORCE]).order_by().values_list("rule").annotate(number=Count("pk"))
    return dict(found)


COLUMNS = (
    *("finding", "rule", "version", "severity", "state", "found_at", "ended_at"),
    *("pair_id", "batch", "author", "round", "revision", "made_invalid", "validity", "evidence"),
    *("dismissed_by", "dismissed_because"),
)


def copy_as_csv(study: Study, rows: QuerySet[Finding], target: CopyFile) -> None:
    """Write the findings to a CSV file for spreadsheets.

    Raise DatabaseError or OSError if the file cannot be written.
    """
    write_rows(COLUMNS, _lines(study, with_pairs(rows).order_by("pk")), target)


def _lines(study: Study, rows: QuerySet[Finding]) -> Iterator[list[Any]]:
    codes: dict[int, str] = {}
    for finding in rows.iterator(chunk_size=2000):
        yield list(as_json(study, finding, codes).values())


def as_json(study: Study, finding: Finding, codes: dict[int, str]) -> dict[str, Any]:
    """Return a finding by the names of `COLUMNS`. `codes` keeps the codes of people between calls."""
    person, pair = finding.person_id, finding.assignment.pair
    code = codes.setdefault(person, pseudonym(study, person))
    by = pseudonym(study, finding.dismissed_by_id) if finding.dismissed_by_id else ""
    values = (
        *(finding.pk, finding.rule, finding.version, finding.severity, state_of(finding)),
        *(_moment(finding.found_at), _moment(finding.ended_at), pair.public_id, pair.batch.number, code),
        *(finding.assignment.round, finding.annotation.revision, "yes" if finding.marked else "no"),
        *(finding.assignment.standing.validity, _in_words(finding.evidence), by, finding.dismissed_because),
    )
    return dict(zip(COLUMNS, values, strict=True))


def state_of(finding: Finding) -> str:
    """Return in which of the states a finding is."""
    if finding.ended_at is not None:
        return ENDED
    return DISMISSED if finding.dismissed_at is not None else IN_FORCE


def _moment(moment: Any) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _in_words(evidence: dict[str, Any]) -> str:
    """Return evidence as `name: value; name: value`."""
    return "; ".join(
        f"{name}: {' '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in evidence.items()
    )
