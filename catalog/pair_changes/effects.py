"""Which pairs a change of many means, and what it does to them while people answer them.

`open_slots` follows `wanted` in the statement that changes it, from the row as it is at that moment. So a pair never
wants fewer answers than it has or is being given.
"""

from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from catalog import batches
from catalog.library import holding, listing
from catalog.library.filters import PairFilters
from catalog.library.holding import CAN_BE_RELEASED, FREE
from catalog.models import Pair, PairsChange
from catalog.models.pairs import CHANGEABLE
from diptych.refusals import Refused
from studies.models import Study

OVERLAP, PRIORITY = PairsChange.What.OVERLAP, PairsChange.What.PRIORITY
#: Of the pairs meant: those pairs that still need answers, or all; those of the random sample, the others, or both.
STILL_OPEN, ALL = "open", "all"
SAMPLE, OTHERS = "sample", "others"
#: The column that each change is about.
COLUMN = {OVERLAP: "wanted", PRIORITY: "priority"}


def pairs_meant(
    study_id: int,
    *,
    which: str = STILL_OPEN,
    sample: str = OTHERS,
    batch: int | None = None,
    prompt_type: str = "",
) -> QuerySet[Pair]:
    """Return the pairs that a choice means. Controls, held pairs and those of a batch in review or accepted are never
    meant."""
    found = Pair.objects.filter(CHANGEABLE, study=study_id)
    if which != ALL:
        found = found.filter(open_slots__gt=0)
    if sample != ALL:
        found = found.filter(in_sample=sample == SAMPLE)
    if batch is not None:
        found = found.filter(batch__number=batch)
    return found.filter(prompt__prompt_type=prompt_type) if prompt_type else found


def would_want(value: int) -> Greatest:
    """Return how many answers a pair wants if `value` are asked for: never fewer than it has or is being given."""
    return Greatest(Value(value), F("wanted") - F("open_slots"))


def new_values(what: str, value: int) -> dict[str, Any]:
    """Return the columns of a pair that are changed, each with its new value."""
    if what == PRIORITY:
        return {"priority": Value(value)}
    wanted = would_want(value)
    return {"wanted": wanted, "open_slots": wanted - (F("wanted") - F("open_slots"))}


def preview(study: Study, what: str, value: int, choice: dict[str, Any]) -> dict[str, Any]:
    """Return what changing these pairs would do at this moment, in numbers.

    `pairs` are meant, and `changes` of them would change. Of priorities: the `lowest` and the `highest` now, None
    without pairs. Of overlap, summed over the pairs meant: answers that are `wanted` now and that they `would_want`,
    how many `more` and how many `fewer`; and how many pairs would be `kept` above `value` by what they are given.
    """
    column = COLUMN[PairsChange.What(what)]
    pairs = pairs_meant(study.pk, **choice).annotate(now=F(column), then=new_values(what, value)[column])
    numbers: dict[str, Any] = {"pairs": Count("pk"), "changes": Count("pk", filter=~Q(then=F("now")))}
    if what == PRIORITY:
        numbers |= {"lowest": Min("now"), "highest": Max("now")}
    else:
        more = F("then") - F("now")
        numbers |= {"wanted": Sum("now", default=0), "would_want": Sum("then", default=0)}
        numbers |= {"more": Sum(Greatest(more, 0), default=0), "fewer": Sum(Greatest(-more, 0), default=0)}
        numbers |= {"kept": Count("pk", filter=Q(then__gt=value))}
    return pairs.aggregate(**numbers)


def pairs_listed(study: Study, filters: dict[str, Any]) -> QuerySet[Pair]:
    """Return the pairs that the library lists with these filters. Raises Refused for filters that do not exist."""
    form = PairFilters(filters, study=study)
    if not form.is_valid():
        raise Refused(_("A filter of this list is not valid. Go back to the list and filter the pairs again."))
    rows: QuerySet[Pair] = form.narrow(listing.pairs(study))
    return rows


def preview_hold(study: Study, filters: dict[str, Any]) -> dict[str, int]:
    """Return how many pairs the library lists, how many of them could be held, and how many could be released."""
    numbers = {"pairs": Count("pk"), "free": Count("pk", filter=FREE)}
    numbers["held"] = Count("pk", filter=CAN_BE_RELEASED)
    return pairs_listed(study, filters).aggregate(**numbers)


def hold_next(change: PairsChange, most: int) -> tuple[list[int], int]:
    """Hold or release up to `most` of the listed pairs that come next. Return their ids in order, and how many changed.

    Call it in a transaction.
    """
    listed = pairs_listed(change.study, change.choice).filter(pk__gt=change.reached, pk__lte=change.until)
    keys = list(listed.order_by("pk").values_list("pk", flat=True)[:most])
    changed = holding.change(change.study, Pair.objects.filter(pk__in=keys), reason=change.why, by=change.asked_by)
    return keys, len(changed)


def change_next(change: PairsChange, most: int) -> tuple[list[int], int]:
    """Change up to `most` of the pairs meant that come next. Return their ids in order, and how many changed.

    Call it in a transaction. The pairs are locked in the order in which everybody locks several pairs. A pair whose
    lock was waited for is read again.
    """
    meant = pairs_meant(change.study_id, **change.choice).filter(pk__gt=change.reached, pk__lte=change.until)
    keys = [pair.pk for pair in meant.select_for_update(no_key=True, of=("self",)).order_by("pk").only("pk")[:most]]
    pairs, new = Pair.objects.filter(pk__in=keys), new_values(change.what, change.value)
    column = COLUMN[PairsChange.What(change.what)]
    changed = pairs.exclude(**{column: new[column]}).update(**new)
    if changed and change.what == OVERLAP:
        batches.ask_for_more(pairs.filter(open_slots__gt=0), actor=change.asked_by)
    return keys, changed
