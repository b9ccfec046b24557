"""Slots of a pair: what each open slot is asked for, and the SQL that takes a slot and returns it.

An open slot is asked for one of three reasons (`AskedBecause`). `Pair.replacement_open` and `Pair.more_open` count the
open slots of two of them, and all others are of the plan.

- Whoever takes a slot writes its reason down with the assignment (`Assignment.asked_because`).
- A lease that ends without an answer returns its slot with the same reason.
- An answer that stops counting returns its slot as a replacement, whatever it was asked for itself.

So there are never more answers of one reason than were planned, asked for in addition, or lost to review
(decision 043). All SQL here is about a row `pair` of `catalog_pair` as it was before the update.
"""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from catalog.models import Pair


class AskedBecause(models.TextChoices):
    """Why an answer is asked for."""

    PLAN = "plan", _("planned")
    MORE_OPINIONS = "more_opinions", _("more opinions")
    REPLACEMENT = "replacement", _("replacement")


#: The reason of the slot that a new answer takes. The plan comes first, so that agreement, which is measured on planned
#: answers, does not wait for the others.
OF_NEW_ANSWER = """
CASE WHEN pair.open_slots > pair.replacement_open + pair.more_open THEN 'plan'
     WHEN pair.replacement_open > 0 THEN 'replacement' ELSE 'more_opinions' END"""
#: The reason of the slot that an answer takes which somebody wants again: its person is asked again, or it is restored.
#: It takes the slot that review opened, if that one is still open.
OF_ANSWER_AGAIN = """
CASE WHEN pair.replacement_open > 0 THEN 'replacement'
     WHEN pair.more_open > 0 THEN 'more_opinions' ELSE 'plan' END"""


def moved(by: str, reason: str) -> str:
    """Return SQL that assigns the pair's counters when the slot with this reason is taken (-1) or returned (1)."""
    return f"""
    open_slots = pair.open_slots + ({by}),
    replacement_open = pair.replacement_open + ({by}) * ({reason} = 'replacement')::integer,
    more_open = pair.more_open + ({by}) * ({reason} = 'more_opinions')::integer"""


def taken(reason: str) -> str:
    """Return SQL that assigns the pair's counters when the slot with this reason is taken."""
    return moved("-1", reason)


def returned(reason: str) -> str:
    """Return SQL that assigns the pair's counters when the slot with this reason is returned."""
    return moved("1", reason)


#: For statements that end many leases: the counts of a pair in a row `returned`, and their assignment.
COUNTED = """
count(*) AS slots, count(*) FILTER (WHERE asked_because = 'replacement') AS replacements,
count(*) FILTER (WHERE asked_because = 'more_opinions') AS more"""
ALL_RETURNED = """
open_slots = pair.open_slots + returned.slots,
replacement_open = pair.replacement_open + returned.replacements, more_open = pair.more_open + returned.more"""

FIELDS = ("open_slots", "replacement_open", "more_open")


def take(pair: "Pair", *, again: bool) -> str:
    """Take an open slot of a locked pair, and return its reason. The caller saves `FIELDS`.

    `again` says whether somebody wants this answer again, as for `OF_ANSWER_AGAIN`.
    """
    planned = pair.open_slots > pair.replacement_open + pair.more_open
    pair.open_slots -= 1
    if planned and not (again and (pair.replacement_open or pair.more_open)):
        return AskedBecause.PLAN
    if pair.replacement_open:
        pair.replacement_open -= 1
        return AskedBecause.REPLACEMENT
    pair.more_open -= 1
    return AskedBecause.MORE_OPINIONS
