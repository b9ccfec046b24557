"""Assign waiting answers to reviewers, and take that back.

A reviewer gets their assigned answers first, and nobody else gets them until the assignment ends. Lock the items in the
order of their ids, as a lease does; items that a lease has locked now are left out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.database.fixed import change, fetch_all
from diptych.refusals import BadInput, Refused
from qc import due, waiting
from qc.models import AssignedReview
from qc.permissions import REVIEWS
from qc.waiting import Waiting, Wanted
from studies.models import Membership, Study

#: The most answers that one request assigns or frees.
MOST = 2000
LONGEST_DAYS = 30
#: Among how many waiting answers the ones that wait longest are looked for.
MOST_LOOKED_AT = 100_000
#: The waiting answers of these pairs that the person can review. Whoever works on one now keeps it.
ELIGIBLE = {
    kind: f"""SELECT item.id {due.JOINED}
      LEFT JOIN annotation_seat seat ON seat.study_id = item.study_id AND seat.person_id = %(person)s
     WHERE item.lot_id = ANY(%(lots)s) AND assignment.pair_id = ANY(%(pairs)s) AND {due.REVIEWABLE}
       AND {due.WANTED[kind]} AND {due.FREE[kind]} {due.FOR_PERSON[kind]}
       AND NOT pair.may_show && coalesce(seat.excluded, '{{}}')
       AND NOT EXISTS (SELECT FROM qc_assignedreview other WHERE other.item_id = item.id
                          AND other.reviewer_id = %(person)s AND other.kind <> %(kind)s AND other.until > now())
     ORDER BY item.id FOR NO KEY UPDATE OF item SKIP LOCKED"""  # noqa: S608 - of constants
    for kind in waiting.KINDS
}
#: What the new rows replace: whoever had these answers for this kind, and what this person no longer has.
REPLACED = """
DELETE FROM qc_assignedreview
 WHERE item_id = ANY(%(items)s::bigint[]) AND (kind = %(kind)s OR reviewer_id = %(person)s)
"""
ASSIGNED = """
INSERT INTO qc_assignedreview (study_id, lot_id, item_id, kind, reviewer_id, assigned_by_id, assigned_at, until)
SELECT item.study_id, item.lot_id, item.id, %(kind)s, %(person)s, %(by)s, %(now)s, %(until)s
  FROM qc_frameitem item WHERE item.id = ANY(%(items)s::bigint[]) ORDER BY item.id
"""
FREED = """
DELETE FROM qc_assignedreview assigned
 WHERE assigned.item_id = ANY(%(items)s::bigint[]) AND assigned.kind = %(kind)s AND assigned.study_id = %(study)s
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How many answers were assigned, and how many could not be."""

    assigned: int
    left_out: int


def reviewers(study: Study, kind: str) -> list[User]:
    """Return the people of the study who may do this kind of review, by name."""
    members = Membership.objects.filter(study=study, role__in=REVIEWS[kind]).values("person")
    return list(User.objects.filter(pk__in=members, is_active=True).order_by("username"))


def chosen(study: Study, wanted: Wanted, items: Collection[int], most: int) -> list[Waiting]:
    """Return the waiting answers that are meant: those with these keys, or without keys the ones that wait longest."""
    if items:
        return waiting.listed(study, wanted, most=most, items=items)
    found = waiting.listed(study, wanted, most=MOST_LOOKED_AT)
    return sorted((one for one in found if one.held_by is None), key=lambda one: (one.since, one.assignment))[:most]


@transaction.atomic
def assign(
    study: Study,
    wanted: Wanted,
    reviewer: User,
    *,
    actor: User,
    days: int,
    items: Collection[int] = (),
    most: int = MOST,
) -> Done:
    """Assign waiting answers to a reviewer for some days. Answers of one pair stay together.

    Answers that the person gave, worked on, reviews in another role, or did not agree to see are left out, and those
    that somebody reviews now. Repeating it is harmless. Raise BadInput or Refused.

    Args:
        wanted: which waiting answers; its kind is the kind of review.
        items: keys of frozen answers among them. Without keys, the `most` that wait longest.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(_("Give a number of days from 1 to %(most)s.") % {"most": LONGEST_DAYS}, field="days")
    if not 1 <= most <= MOST or len(items) > MOST:
        raise BadInput(_("Choose at most %(most)s answers at a time.") % {"most": MOST}, field="most")
    if reviewer not in reviewers(study, wanted.kind):
        raise Refused(_("This person may not do this kind of review. Choose somebody else."), "not_a_reviewer")
    found = chosen(study, wanted, items, most)
    values: dict[str, Any] = {"person": reviewer.pk, "kind": wanted.kind, "by": actor.pk, "now": timezone.now()}
    about = {"lots": sorted({one.lot for one in found}), "pairs": sorted({one.pair for one in found})}
    free = [key for (key,) in fetch_all(ELIGIBLE[wanted.kind], values | about)]
    values |= {"items": free, "until": values["now"] + timedelta(days=days)}
    if free:
        change(REPLACED, values)
        change(ASSIGNED, values)
        after = {"kind": wanted.kind, "reviewer": reviewer.username, "days": days, "items": free}
        audit.record("reviews.assigned", study, actor=actor, study_slug=study.slug, after=after)
    return Done(len(free), len([one for one in found if one.item not in set(free)]))


@transaction.atomic
def unassign(study: Study, wanted: Wanted, *, actor: User, items: Collection[int] = (), most: int = MOST) -> int:
    """Take assignments of waiting answers back, so that anybody gets them. Return how many. Repeating it is harmless.

    Args:
        items: keys of frozen answers among the wanted ones. Without keys, all of them up to `most`.
    """
    found = [one.item for one in chosen(study, wanted, items, min(most, MOST)) if one.assigned_to is not None]
    number = change(FREED, {"items": found, "kind": wanted.kind, "study": study.pk}) if found else 0
    if number:
        after = {"kind": wanted.kind, "items": found}
        audit.record("reviews.unassigned", study, actor=actor, study_slug=study.slug, after=after)
    return number


def free_of_revoked(*, study: Study, person: User, **_arguments: Any) -> None:
    """Receive `membership_revoked`: free the answers that the person may no longer review."""
    roles = set(Membership.objects.filter(study=study, person=person).values_list("role", flat=True))
    lost = [kind for kind, allowed in REVIEWS.items() if roles.isdisjoint(allowed)]
    AssignedReview.objects.filter(study=study, reviewer=person, kind__in=lost).delete()
