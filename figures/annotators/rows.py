"""The reviewed answers behind a figure of one annotator."""

from collections.abc import Callable

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation.models import Standing
from answers.words import QUESTIONS
from qc.models import FrameItem, Lot, Review, ReviewAnswer, Verdict
from studies.models import Study

#: Reviews that are drawn at random. “Suspicious answers” is not, so it is in no figure.
_DRAWN = ("spot", "secondary")
_JUDGED = Exists(Review.objects.filter(item=OuterRef("pk"), state="submitted", kind__in=_DRAWN))
_BLIND = Exists(Review.objects.filter(item=OuterRef("pk"), state="submitted", kind__in=_DRAWN, blind=True))
_DEFECT = Exists(Verdict.objects.filter(item=OuterRef("pk"), counts=True, withdrawn_at=None, review__kind__in=_DRAWN))
_FIRST = Q(lot__attempt=1, lot__state__in=[Lot.State.ACCEPTED, Lot.State.RETURNED], lost="")
_PASSED = Q(
    ~_DEFECT,
    lot__state=Lot.State.ACCEPTED,
    assignment__standing__counted=True,
    assignment__standing__validity=Standing.Validity.VALID,
)

#: Parts of a person's answers: the name in the address, the title, and the condition.
PARTS: dict[str, tuple[str | Promise, Callable[[], Q]]] = {
    "blind": (_("answers with a blind review"), lambda: Q(_BLIND)),
    "judged": (_("answers that a review judged"), lambda: Q(_JUDGED)),
    "defects": (_("answers with a confirmed defect"), lambda: Q(_DEFECT)),
    "first": (_("answers in the first attempt of a decided lot"), lambda: _FIRST),
    "not_passed": (_("answers that did not pass at the first attempt"), lambda: _FIRST & ~_PASSED),
}


def items(study: Study, person: int, part: str, question: str = "") -> QuerySet[FrameItem]:
    """Return the frozen answers of this part, in the order of their lots and assignments.

    Args:
        question: to list only answers that differ from the blind review there.
    """
    found = FrameItem.objects.filter(PARTS[part][1](), study=study, assignment__person=person)
    if question in QUESTIONS:
        theirs = ReviewAnswer.objects.filter(
            lot=OuterRef("lot"), pair=OuterRef("assignment__pair"), reviewer=OuterRef("reviews__reviewer")
        ).exclude(**{question: OuterRef(f"first__{question}")})
        found = found.filter(Exists(theirs), reviews__state="submitted", reviews__blind=True, reviews__kind__in=_DRAWN)
    return (
        found.annotate(defective=_DEFECT, lot_number=F("lot__number"))
        .select_related("batch", "assignment__pair", "assignment__standing")
        .order_by("lot__number", "assignment")
        .distinct()
    )
