"""Select the pairs of a change, preview its effect, and change the pairs while people answer them.

One statement changes `wanted` and `open_slots` together, from the current row. So a pair never needs fewer answers than
it already has, counting those in progress.
"""

from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest, Least
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
#: Which pairs: those that still need answers, or all; those of the random sample, the others, or both (`ALL`).
STILL_OPEN, ALL = "open", "all"
SAMPLE, OTHERS = "sample", "others"
#: The column of `Pair` that each kind of change sets.
COLUMN = {OVERLAP: "wanted", PRIORITY: "priority"}


def pairs_meant(
    study_id: int,
    *,
    which: str = STILL_OPEN,
    sample: str = OTHERS,
    batch: int | None = None,
    prompt_type: str = "",
) -> QuerySet[Pair]:
    """Return the pairs of a selection. It never has controls, held pairs, or pairs of a batch in review or accepted."""
    found = Pair.objects.filter(CHANGEABLE, study=study_id)
    if which != ALL:
        found = found.filter(open_slots__gt=0)
    if sample != ALL:
        found = found.filter(in_sample=sample == SAMPLE)
    if batch is not None:
        found = found.filter(batch__number=batch)
    return found.filter(prompt__prompt_type=prompt_type) if prompt_type else found


def would_want(value: int) -> Greatest:
    """Return how many answers a pair needs if `value` are requested: never fewer than it has or are in progress."""
    return Greatest(Value(value), F("wanted") - F("open_slots"))


def new_values(what: str, value: int) -> dict[str, Any]:
    """Return the changed columns of a pair with their new values."""
    if what == PRIORITY:
        return {"priority": Value(value)}
    wanted = would_want(value)
    open_slots = wanted - (F("wanted") - F("open_slots"))
    # If fewer slots stay open, planned ones go first, then those for more opinions: what review took out is still due.
    replacements = Least(F("replacement_open"), open_slots)
    more = Least(F("more_open"), open_slots - replacements)
    return {"wanted": wanted, "open_slots": open_slots, "replacement_open": replacements, "more_open": more}


def preview(study: Study, what: str, value: int, choice: dict[str, Any]) -> dict[str, Any]:
    """Return the effect of a change of these pairs at this moment, as numbers by name.

    `pairs` is the number of selected pairs, and `changes` how many of them would change. For priority: `lowest` and
    `highest` are the current priorities, None without pairs. For overlap, summed over the selected pairs: `wanted` is
    the number of answers needed now, `would_want` after the change, and `more` and `fewer` the differences. `kept`
    counts pairs that keep more than `value` answers.
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
    """Return the pairs that the library lists with these filters. Raises Refused if a filter is not valid."""
    form = PairFilters(filters, study=study)
    if not form.is_valid():
        raise Refused(_("A filter of this list is not valid. Go back to the list and filter the pairs again."))
    rows: QuerySet[Pair] = form.narrow(listing.pairs(study))
    return rows


def preview_hold(study: Study, filters: dict[str, Any]) -> dict[str, int]:
    """Return the number of listed `pairs`, of `free` ones that can be held, and of `held` ones that can be released."""
    numbers = {"pairs": Count("pk"), "free": Count("pk", filter=FREE)}
    numbers["held"] = Count("pk", filter=CAN_BE_RELEASED)
    return pairs_listed(study, filters).aggregate(**numbers)


def hold_next(change: PairsChange, most: int) -> tuple[list[int], int]:
    """Hold or release the next listed pairs, at most `most`. Return their ids in order, and how many changed.

    Call it in a transaction.
    """
    listed = pairs_listed(change.study, change.choice).filter(pk__gt=change.reached, pk__lte=change.until)
    keys = list(listed.order_by("pk").values_list("pk", flat=True)[:most])
    changed = holding.change(change.study, Pair.objects.filter(pk__in=keys), reason=change.why, by=change.asked_by)
    return keys, len(changed)


def change_next(change: PairsChange, most: int) -> tuple[list[int], int]:
    """Change the next selected pairs, at most `most`. Return their ids in order, and how many changed.

    Call it in a transaction. The pairs are locked in the order of their ids, as all code locks pairs. A pair is read
    again after waiting for its lock.
    """
    meant = pairs_meant(change.study_id, **change.choice).filter(pk__gt=change.reached, pk__lte=change.until)
    keys = [pair.pk for pair in meant.select_for_update(no_key=True, of=("self",)).order_by("pk").only("pk")[:most]]
    pairs, new = Pair.objects.filter(pk__in=keys), new_values(change.what, change.value)
    column = COLUMN[PairsChange.What(change.what)]
    changed = pairs.exclude(**{column: new[column]}).update(**new)
    if changed and change.what == OVERLAP:
        batches.ask_for_more(pairs.filter(open_slots__gt=0), actor=change.asked_by)
    return keys, changed
