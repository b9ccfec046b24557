"""States of pairs that depend on answers, as the library's list of pairs is filtered by them."""

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from annotation.models import Assignment, Standing
from catalog.library.filters import PairState
from studies.models import Study


def answered(_study: Study) -> Q:
    """Pairs that have all the answers they want. A pair whose last answer is being given has no open slot either."""
    counted = Standing.objects.filter(assignment__pair=OuterRef("pk"), counted=True).order_by()
    number = Subquery(counted.values("assignment__pair").annotate(n=Count("pk")).values("n"))
    return Q(GreaterThanOrEqual(Coalesce(number, 0), F("wanted")), held="", open_slots=0)


def being_answered(study: Study) -> Q:
    """Pairs that somebody has open, or that wait behind the pair that somebody has open."""
    leased = Assignment.objects.filter(study=study, state=Assignment.State.LEASED)
    return Q(pk__in=leased.values("pair"))


STATES = {
    "answered": PairState(_("all answers given"), answered),
    "leased": PairState(_("being answered now"), being_answered),
}
