"""Holding pairs back from being served, and letting them go on. What people hold now they keep; their answers count.

A hold of the platform's own, for a video that could not be prepared or one in quarantine, is not anybody's to end here.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog import transcoding
from catalog.models import Pair, Study
from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import fetch_all

OWN_REASONS = (QUARANTINED, transcoding.MEDIA_FAILED)
LONGEST_REASON = 200


class Refused(Exception):
    """Nothing was changed; `str()` is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many of the pairs that were named changed, and how many stayed as they were."""

    changed: int
    unchanged: int


#: In the order of their keys, as everybody locks pairs. Of two at once the second finds nothing more to do.
CHANGED = """
WITH named AS (
    SELECT id, held FROM catalog_pair
     WHERE study_id = %(study)s AND public_id = ANY(%(pairs)s) AND {condition}
     ORDER BY id FOR NO KEY UPDATE
)
UPDATE catalog_pair pair SET held = %(reason)s FROM named WHERE pair.id = named.id
RETURNING pair.id, named.held
"""
HELD = CHANGED.format(condition="held = ''")
RELEASED = CHANGED.format(condition="held <> '' AND held <> ALL(%(own)s)")


def hold(study: Study, pairs: Collection[str], *, reason: str, by: User) -> Outcome:
    """Holds those of the pairs, by public id, that nothing holds yet. Raises Refused."""
    reason = " ".join(reason.split())
    if not reason:
        raise Refused(_("Say why: whoever finds these pairs held reads it."))
    if len(reason) > LONGEST_REASON:
        raise Refused(_("The reason has more than %(most)s characters.") % {"most": LONGEST_REASON})
    if reason in OWN_REASONS or "\0" in reason:
        raise Refused(_("This cannot be the reason; say it in other words."))
    return _change(HELD, "pair.held", study, pairs, reason=reason, by=by)


def release(study: Study, pairs: Collection[str], *, by: User) -> Outcome:
    """Ends the hold of those of the pairs that people, or skips, have held. Raises Refused."""
    return _change(RELEASED, "pair.released", study, pairs, reason="", by=by)


@transaction.atomic
def _change(statement: str, action: str, study: Study, pairs: Collection[str], *, reason: str, by: User) -> Outcome:
    named = set(pairs)
    if not named:
        raise Refused(_("Choose the pairs first."))
    values = {"study": study.pk, "pairs": list(named), "reason": reason, "own": list(OWN_REASONS)}
    changed = dict(fetch_all(statement, values))
    found = {pair.pk: pair for pair in Pair.objects.filter(pk__in=changed)}
    for key, before in sorted(changed.items()):
        after, was = {"held": reason}, {"held": before}
        audit.record(action, found[key], actor=by, study_slug=study.slug, before=was, after=after)
    if not reason:  # a video may have failed, or come ready, while they were held
        transcoding.settle(Pair.objects.filter(pk__in=changed))
    return Outcome(len(changed), len(named) - len(changed))
