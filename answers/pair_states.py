"""States and counts of answers, for the library's list of pairs and for the list of batches."""

from collections.abc import Collection

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from annotation.models import Assignment, Standing
from catalog.batching import AnswerCounts
from catalog.library.filters import PairState
from catalog.models.pairs import usable
from studies.models import Study


def answered(_study: Study) -> Q:
    """Return a condition for pairs that have all the answers they want.

    `open_slots=0` is not enough: the last answer may still be in progress.
    """
    counted = Standing.objects.filter(assignment__pair=OuterRef("pk"), counted=True).order_by()
    number = Subquery(counted.values("assignment__pair").annotate(n=Count("pk")).values("n"))
    return Q(GreaterThanOrEqual(Coalesce(number, 0), F("wanted")), held="", open_slots=0)


def being_answered(study: Study) -> Q:
    """Return a condition for pairs that are somebody's current or next pair."""
    leased = Assignment.objects.filter(study=study, state=Assignment.State.LEASED)
    return Q(pk__in=leased.values("pair"))


STATES = {
    "answered": PairState(_("complete: all answers submitted"), answered),
    "leased": PairState(_("being answered now"), being_answered),
}


def counts_of_batches(batches: Collection[int]) -> dict[int, AnswerCounts]:
    """Return for each batch the number of counted answers, and of pairs that are being answered."""
    by_batch = Q(usable("assignment__pair__"), assignment__pair__batch__in=batches)
    counted = Standing.objects.filter(by_batch, counted=True).values_list("assignment__pair__batch")
    leased = Assignment.objects.filter(
        usable("pair__"), pair__batch__in=batches, state=Assignment.State.LEASED
    ).values_list("pair__batch")
    answers = dict(counted.annotate(n=Count("pk")).order_by())
    pairs = dict(leased.annotate(n=Count("pair", distinct=True)).order_by())
    return {batch: AnswerCounts(answers.get(batch, 0), pairs.get(batch, 0)) for batch in batches}
