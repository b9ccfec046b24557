"""The rows behind the numbers of a lot: its frozen answers by part, and the pairs that its review left out."""

from collections.abc import Callable

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from qc import frames, outcomes
from qc.models import FrameItem, Lot
from qc.outcomes import Outcome


def _by_outcome(*wanted: Outcome, revision: outcomes.Revision = "judged") -> Callable[[Lot], Q]:
    """Return a part: the answers of a sample with these outcomes."""

    def condition(lot: Lot) -> Q:
        return Q(pk__in=[key for key, found in outcomes.outcomes(lot, revision).items() if found in wanted])

    return condition


def _found(lot: Lot) -> Q:
    return Q(pk__in=outcomes.defects_found(lot))


#: Parts of a lot's answers: their name in the address, their title, and the condition for their items.
PARTS: dict[str, tuple[Promise, Callable[[Lot], Q]]] = {
    "frame": (_("all frozen answers"), lambda lot: Q()),
    "sample": (_("the deciding sample"), frames.in_deciding_sample),
    "judged": (_("judged answers of the deciding sample"), _by_outcome(Outcome.FINE, Outcome.DEFECTIVE)),
    "defects": (_("defects of the deciding sample"), _by_outcome(Outcome.DEFECTIVE)),
    "unconfirmed": (_("defects that a second person has to confirm"), _by_outcome(Outcome.UNCONFIRMED)),
    "disputed": (_("disputed answers of the deciding sample"), _by_outcome(Outcome.DISPUTED)),
    "left": (_("answers of the deciding sample that are still to be judged"), _by_outcome(Outcome.NOT_JUDGED)),
    "lost": (_("lost answers of the deciding sample"), _by_outcome(Outcome.LOST)),
    "first": (_("the first answers of the whole order"), frames.in_first_sample),
    "first_defects": (
        _("defects among the first answers, in revision 1"),
        _by_outcome(Outcome.DEFECTIVE, revision="first"),
    ),
    "found": (_("answers in which any review confirmed a defect"), _found),
    "counting": (_("answers that still count"), lambda lot: Q(pk__in=frames.still_counting(lot).values("pk"))),
}


def items(lot: Lot, part: str, *, batch: int | None = None, person: int | None = None) -> QuerySet[FrameItem]:
    """Return the items of a part in the order of assignments, which says nothing about the lot's random order.

    Args:
        batch: number of a batch, to list only its answers.
        person: key of an annotator, to list only their answers.
    """
    found = FrameItem.objects.filter(PARTS[part][1](lot), lot=lot)
    if batch is not None:
        found = found.filter(batch__number=batch)
    if person is not None:
        found = found.filter(assignment__person=person)
    related = ("batch", "assignment__pair", "assignment__person", "assignment__standing")
    return found.select_related(*related).order_by("assignment")
