"""Lots: put batches together, show what the review would take, and start the review.

`qc/frames.py` freezes the answers, `qc/quality.py` counts, and `qc/decisions.py` decides. Lock the lot first, then
pairs by id, standings, and batches.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import takers
from annotation.takers import LeftPair
from catalog import batches
from catalog.models import Batch, Pair
from diptych.database import locks
from diptych.refusals import BadInput, Refused
from qc import frames, looking, outcomes, plans, suspicion
from qc.models import Lot, LotBatch
from qc.plans import Forecast
from studies.models import Study

#: States of batches that can be put into a lot.
READY = (Batch.State.OPEN, Batch.State.ANNOTATED)
#: What a lot copies from its study when its review starts.
TERMS = ("aql", "ltpd", "alpha", "beta", "spot_share", "secondary_share", "blind_share")


# --- Put batches together ------------------------------------------------------------------------------------


def candidates(study: Study) -> QuerySet[Batch]:
    """Return the batches that can be put into a new lot, by number."""
    taken = LotBatch.objects.filter(study=study, undecided=True).values("batch")
    ready = Batch.objects.filter(study=study, state__in=READY, number__gt=0)  # 0 is the batch of the controls
    return ready.exclude(pk__in=taken).order_by("number")


def answers_of(chosen: Collection[Batch]) -> dict[int, int]:
    """Return how many answers each of these batches would bring into a lot at most, by the key of the batch.

    The slots of pairs say it without a look at any answer. Invalid answers, leases, and answers that an earlier lot
    released are in these numbers; `preview` leaves them out.
    """
    pairs = Pair.objects.filter(batch__in=[batch.pk for batch in chosen], kind=Pair.Kind.REAL, held="")
    taken = Coalesce(Sum(F("wanted") - F("open_slots")), 0)
    return dict(pairs.order_by().values_list("batch").annotate(number=taken))


def returned_before(study: Study, chosen: Collection[Batch]) -> dict[int, Lot]:
    """Return for each of these batches the returned lot whose next attempt it waits for, by the key of the batch."""
    rows = LotBatch.objects.filter(
        study=study, batch__in=chosen, lot__state=Lot.State.RETURNED, lot__next__isnull=True
    ).select_related("lot")
    return {row.batch_id: row.lot for row in rows.order_by("lot__number")}


@transaction.atomic
def put_together(study: Study, numbers: Collection[int], *, actor: User) -> Lot:
    """Make a draft lot of the batches with these numbers. Raise BadInput or Refused.

    The batches of a returned lot come together again, as its next attempt. The lock numbers the study's lots one after
    another. Of two people who use the same batch at once, the constraint of `LotBatch` lets one succeed.
    """
    locks.lock(locks.Key.NUMBER_LOTS, study.pk)
    chosen = _chosen(study, numbers)
    previous = _previous(study, chosen)
    last = Lot.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
    try:
        with transaction.atomic():
            lot = Lot.objects.create(
                study=study,
                number=last + 1,
                attempt=previous.attempt + 1 if previous else 1,
                previous=previous,
                created_by=actor,
            )
            LotBatch.objects.bulk_create([LotBatch(study=study, lot=lot, batch=batch) for batch in chosen])
    except IntegrityError as error:
        if "lot_batch_in_one_undecided_lot" in str(error):
            raise _taken(study, chosen) from error
        raise
    about = {"number": lot.number, "batches": [batch.number for batch in chosen], "attempt": lot.attempt}
    audit.record("lot.put_together", lot, actor=actor, study_slug=study.slug, after=about)
    return lot


def _chosen(study: Study, numbers: Collection[int]) -> list[Batch]:
    """Return the batches with these numbers, all of which can be put into a lot."""
    if not numbers:
        raise BadInput(_("Choose at least one batch."), "no_batch", field="batches")
    chosen = list(Batch.objects.filter(study=study, number__in=numbers, number__gt=0).order_by("number"))
    if missing := sorted(set(numbers) - {batch.number for batch in chosen}):
        listed = ", ".join(map(str, missing))
        raise BadInput(
            _("This study has no batch %(numbers)s. Choose from the list of batches.") % {"numbers": listed},
            "unknown_batch",
            field="batches",
        )
    for batch in chosen:
        if batch.state not in READY:
            about = {"number": batch.number, "state": batch.get_state_display()}
            raise Refused(
                _("Batch %(number)s is %(state)s. Only open and annotated batches can be put into a lot.") % about,
                "batch_state",
            )
    return chosen


def _previous(study: Study, chosen: Collection[Batch]) -> Lot | None:
    """Return the returned lot that consists of just these batches, or None if none of them was returned."""
    lots = returned_before(study, chosen)
    for lot in lots.values():
        belonging = lot.lot_batches.order_by("batch__number").values_list("batch__number", flat=True)
        if set(belonging) != {batch.number for batch in chosen}:
            about = {"lot": lot.number, "batches": ", ".join(map(str, belonging))}
            raise Refused(
                _("Lot %(lot)s was returned. Its batches are judged together again: choose just %(batches)s.") % about,
                "returned_together",
            )
    return next(iter(lots.values()), None)


def _taken(study: Study, chosen: Collection[Batch]) -> Refused:
    row = LotBatch.objects.filter(study=study, batch__in=chosen, undecided=True).select_related("batch", "lot").first()
    if row is None:
        return Refused(_("Somebody else put one of these batches into a lot. Reload the page."), "batch_taken")
    about = {"batch": row.batch.number, "lot": row.lot.number}
    return Refused(_("Batch %(batch)s is already in lot %(lot)s. Choose other batches.") % about, "batch_taken")


@transaction.atomic
def dissolve(lot: Lot, *, actor: User) -> None:
    """Delete a draft lot, so that its batches are free again. Raise Refused if its review has started."""
    locked = locked_lot(lot)
    if locked.state != Lot.State.DRAFT:
        raise Refused(_("The review of this lot has started, so it stays."), "started")
    about = {"number": locked.number, "batches": [batch.number for batch in batches_of(locked)]}
    audit.record("lot.dissolved", locked, actor=actor, study_slug=locked.study.slug, before=about)
    LotBatch.objects.filter(lot=locked).delete()
    locked.delete()


# --- Read ------------------------------------------------------------------------------------------------------


def locked_lot(lot: Lot) -> Lot:
    """Return the lot as it is now, with its row locked until the transaction ends. Raise Refused if it is gone."""
    found = Lot.objects.select_for_update(of=("self",), no_key=True).select_related("study").filter(pk=lot.pk).first()
    if found is None:
        raise Refused(_("Somebody dissolved this lot. Reload the list of lots."), "lot_gone")
    return found


def batches_of(lot: Lot) -> list[Batch]:
    """Return the lot's batches by number."""
    return list(Batch.objects.filter(lot_batches__lot=lot).select_related("study").order_by("number"))


@dataclass(frozen=True, slots=True)
class Preview:
    """What starting the review of a draft lot would do now.

    counts: answers that would be frozen, by the key of the batch. left: pairs that nobody may take. held: held pairs.
    waiting: batches that still need answers that somebody can give. empty: batches without pairs, which were moved to
    other batches. forecast is None without answers.
    """

    batches: list[Batch]
    counts: dict[int, int]
    left: list[LeftPair]
    held: list[Pair]
    waiting: list[Batch] = field(default_factory=list)
    empty: list[Batch] = field(default_factory=list)
    forecast: Forecast | None = None

    @property
    def size(self) -> int:
        return sum(self.counts.values())

    @property
    def rows(self) -> list[tuple[Batch, int]]:
        """Return each batch with its answers."""
        return [(batch, self.counts.get(batch.pk, 0)) for batch in self.batches]

    @property
    def can_start(self) -> bool:
        return bool(self.size) and not self.waiting


def preview(lot: Lot) -> Preview:
    """Return what starting the review of a draft lot would do now."""
    mine = batches_of(lot)
    keys = [batch.pk for batch in mine]
    counts, left = frames.count(keys), takers.left_pairs(keys)
    size = sum(counts.values())
    share = secondary_share(lot)
    return Preview(
        batches=mine,
        counts=counts,
        left=left,
        held=list(Pair.objects.filter(batch__in=keys).usable().exclude(held="").order_by("pk")),
        waiting=[batch for batch in mine if batch.state == Batch.State.OPEN and _needs_more(batch, left)],
        empty=list(Batch.objects.filter(pk__in=keys, pairs__isnull=True).order_by("number")),
        forecast=plans.forecast(size, lot.study, secondary_share=share) if size else None,
    )


def _needs_more(batch: Batch, left: Collection[LeftPair]) -> bool:
    """Return whether somebody can still answer, or is answering, a pair of the batch."""
    mine = [one.pair for one in left if one.batch == batch.pk]
    pairs = Pair.objects.filter(batch=batch, held="")
    return pairs.filter(open_slots__gt=0).exclude(pk__in=mine).exists() or takers.being_answered(batch.pk)


def secondary_share(lot: Lot) -> float:
    """Return the share of the lot for the secondary review. After a return, all answers are reviewed."""
    return 1.0 if lot.attempt > 1 else lot.study.secondary_share


# --- Start the review ----------------------------------------------------------------------------------------


@transaction.atomic
def start(lot: Lot, *, actor: User) -> bool:
    """Start the review of a draft lot, and bring `lot` up to date. Return False if it had already started.

    1. Lock the lot, so that a second request waits and then finds it in review.
    2. Move its batches to annotated, if they need no answers except from nobody, and then into review. From here on no
       answer of theirs is added or changed by an annotator.
    3. Freeze the answers in the order of a fresh seed, and copy the study's settings.
    4. Draw the deciding sample at once, if there is no secondary review.

    Raise Refused if a batch still needs answers, or if there is no answer to review.
    """
    locked = locked_lot(lot)
    if locked.state == Lot.State.DRAFT:
        mine = batches_of(locked)
        left_out = _put_into_review(mine, actor)
        _keep_annotated_at(locked)
        seed, terms = secrets.token_hex(16), _terms(locked)
        size = frames.freeze(locked, [batch.pk for batch in mine], seed, terms["secondary_share"])
        suspicion.rate(locked)
        looking.rank(locked)
        if not size:
            raise Refused(_("No answer of these batches counts, so there is nothing to review."), "nothing_to_review")
        started = {"started_at": Now(), "started_by": actor, "seed": seed, "frame_size": size, "left_out": left_out}
        Lot.objects.filter(pk=locked.pk).update(state=Lot.State.IN_REVIEW, **started, **terms)
        about = {"number": locked.number, "frame_size": size, "left_out": len(left_out)} | terms
        audit.record("lot.review_started", locked, actor=actor, study_slug=locked.study.slug, after=about)
        locked.refresh_from_db()
        if not locked.secondary_share:
            frames.draw(locked, actor=actor)
        lot.refresh_from_db()
        return True
    if locked.state == Lot.State.IN_REVIEW:
        lot.refresh_from_db()
        return False
    raise Refused(_("This lot is decided. Its batches can be reviewed again in a new lot."), "decided")


def _put_into_review(mine: Collection[Batch], actor: User) -> list[int]:
    """Put the batches into review. Return the pairs that are left out: held ones, and those that nobody may take."""
    keys = [batch.pk for batch in mine]
    left = takers.left_pairs(keys)
    for batch in mine:
        if batch.state == Batch.State.OPEN and not takers.complete_without(batch.pk, left, actor=actor):
            batch.refresh_from_db()
            if batch.state == Batch.State.OPEN:
                raise Refused(
                    _("Batch %(number)s still needs answers. Start the review when it is annotated, or leave it out.")
                    % {"number": batch.number},
                    "needs_answers",
                )
        batches.start_review(batch, actor=actor)
    held = Pair.objects.filter(batch__in=keys).exclude(held="").values_list("pk", flat=True)
    return sorted({one.pair for one in left} | set(held))


def _keep_annotated_at(lot: Lot) -> None:
    """Copy when each batch was annotated. The batch itself forgets it when it is answered again after a return."""
    when = Batch.objects.filter(pk=OuterRef("batch")).values("annotated_at")
    LotBatch.objects.filter(lot=lot).update(annotated_at=Subquery(when))


def _terms(lot: Lot) -> dict[str, Any]:
    """Return the study's settings as the lot keeps them."""
    values = {name: getattr(lot.study, name) for name in TERMS} | {"secondary_share": secondary_share(lot)}
    return {name: round(Decimal(repr(float(value))), 5) for name, value in values.items()}


@transaction.atomic
def end_secondary_review(lot: Lot, *, actor: User | None, without_rest: bool = False) -> bool:
    """Draw the deciding sample, and bring `lot` up to date. Return False if it is already drawn.

    Raise Refused if the secondary review has answers left, unless the person ends it without them. A lot that was
    returned before needs all of it.
    """
    locked = locked_lot(lot)
    if locked.state != Lot.State.IN_REVIEW:
        raise Refused(_("This lot is not in review."), "not_in_review")
    if locked.drawn_at is None:
        left = outcomes.secondary_left(locked)
        if left and not (without_rest and locked.attempt == 1):
            raise Refused(
                _("The secondary review of this lot has not ended. Answers left: %(left)s.") % {"left": left},
                "secondary_review",
            )
        frames.draw(locked, actor=actor)
        lot.refresh_from_db()
        return True
    lot.refresh_from_db()
    return False
