"""Pairs whose tags an adjudicator settled are offered for trainings and tests, with the settled tags."""

from django.utils.translation import gettext_lazy as _

from catalog.models import Pair
from qc.models import Verdict
from qualification.choosing import Offered
from qualification.sets import MOST_ITEMS, Expected, showable
from studies.models import Study


def adjudicated(study: Study) -> Offered:
    """Return the pairs with a verdict that an adjudicator decided, latest first, and what is right on its row."""
    decided = Verdict.objects.filter(
        study=study, withdrawn_at=None, counts__isnull=False, opinions__review__kind="adjudicate"
    ).select_related("annotation", "review__pair")
    known: dict[int, dict[str, Expected]] = {}
    for verdict in decided.order_by("-made_at", "-pk").distinct()[: 10 * MOST_ITEMS]:
        right = verdict.own if verdict.counts else getattr(verdict.annotation, verdict.row)
        accepted = tuple(right) if isinstance(right, list) else (right,)
        known.setdefault(verdict.review.pair_id, {}).setdefault(verdict.row, Expected(verdict.row, accepted))
    pairs = list(showable(study).exclude(kind=Pair.Kind.CONTROL).filter(pk__in=known).order_by("pk")[:MOST_ITEMS])
    return Offered(
        "adjudicated",
        _("Pairs that an adjudicator decided about"),
        pairs,
        {pair.pk: list(known[pair.pk].values()) for pair in pairs},
    )
