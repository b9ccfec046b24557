"""Pairs that still need answers but that nobody in the study may take.

A review can start without them. They are: pairs that every annotator has had, or whose harms nobody agreed to see, or
whose language nobody reads. Suspended annotators do not matter. In a closed study they are all pairs that need answers.
"""

from collections.abc import Collection
from dataclasses import dataclass

from accounts.models import User
from annotation.leases import LEASED
from annotation.models import Assignment
from catalog import batches
from diptych.database.fixed import fetch_all

#: Somebody may take a pair if the lease statement in `annotation/queue.py` could give it to them, now or later. Someone
#: who has not opened the study yet has no seat, and may take everything.
NOBODY_MAY_TAKE = f"""
SELECT pair.id, pair.public_id, batch.id, batch.number, pair.open_slots
  FROM catalog_pair pair
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN studies_study study ON study.id = pair.study_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE pair.batch_id = ANY(%(batches)s) AND pair.held = '' AND pair.open_slots > 0
   AND NOT {LEASED}
   AND NOT EXISTS (SELECT FROM annotation_assignment offer
                    WHERE offer.pair_id = pair.id AND offer.state = 'offered'
                      AND NOT EXISTS (SELECT FROM annotation_seat gone
                                       WHERE gone.study_id = offer.study_id AND gone.person_id = offer.person_id
                                         AND gone.suspended_at IS NOT NULL))
   AND (study.state = 'closed' OR NOT EXISTS (
        SELECT FROM studies_membership membership
          JOIN accounts_user person ON person.id = membership.person_id AND person.is_active
          LEFT JOIN annotation_seat seat
            ON seat.study_id = membership.study_id AND seat.person_id = membership.person_id
         WHERE membership.study_id = pair.study_id AND membership.role = 'annotator'
           AND (seat.id IS NULL
             OR seat.consented_version > 0 AND seat.suspended_at IS NULL
            AND NOT pair.may_show && seat.excluded
            AND (seat.languages = '{{}}' OR prompt.language = ANY(seat.languages)
                 OR split_part(prompt.language, '-', 1) = ANY(seat.languages))
            AND (seat.batches = '{{}}' OR batch.number = ANY(seat.batches)))
           AND NOT EXISTS (SELECT FROM annotation_assignment had
                            WHERE had.pair_id = pair.id AND had.person_id = membership.person_id
                              AND had.state NOT IN ('expired', 'released') OFFSET 0)))
 ORDER BY batch.number, pair.id
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class LeftPair:
    """A pair that needs `missing` more answers and that nobody may take."""

    pair: int
    public_id: str
    batch: int
    batch_number: int
    missing: int


def left_pairs(keys: Collection[int]) -> list[LeftPair]:
    """Return the pairs of these batches that need answers and that nobody may take, by batch and id."""
    return [LeftPair(*row) for row in fetch_all(NOBODY_MAY_TAKE, {"batches": list(keys)})]


def complete_without(batch_id: int, left: Collection[LeftPair], *, actor: User) -> bool:
    """Move an open batch to annotated if it needs no answers except on these pairs. Return whether it moved."""
    pairs = [one.pair for one in left if one.batch == batch_id]
    return batches.mark_annotated(batch_id, leased=LEASED, left_out=pairs, actor=actor)


def being_answered(batch_id: int) -> bool:
    """Return whether somebody has a lease on a pair of the batch."""
    return Assignment.objects.filter(pair__batch=batch_id, state=Assignment.State.LEASED).exists()
