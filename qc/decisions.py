"""Decide about a lot: accept or return it with a reason, and reopen the decision. Every decision is kept.

A lot that is accepted releases its answers. Its pairs that still need answers move to the study's last open batch, or
to a new one: their answers belong to a later lot. A lot that is returned opens its batches again, and a person chooses
what is asked again. Its next attempt is a new lot.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import asking_again, leases
from annotation.models import Assignment
from catalog import batches, batching
from catalog.models import Batch
from diptych.refusals import BadInput, Refused
from diptych.statistics.acceptance import Outcome
from qc import frames, looking, more_opinions, outcomes, quality
from qc.lots import batches_of, locked_lot
from qc.models import FrameItem, Lot, LotDecision
from qc.quality import Quality
from webhooks import outbox

State, AskAgain = Lot.State, LotDecision.AskAgain

#: The longest reason.
MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person decided. `people` are the keys of those whose answers are asked again.

    against_plan: the person knows that the plan says otherwise, or has not decided yet.
    """

    outcome: str
    reason: str
    ask_again: str = ""
    people: tuple[int, ...] = ()
    against_plan: bool = False

    def __post_init__(self) -> None:
        """Raise BadInput if the parts do not fit together."""
        if not self.reason.strip():
            raise BadInput(_("Give a reason for the decision."), field="reason")
        if len(self.reason) > MOST_CHARACTERS:
            about = {"most": MOST_CHARACTERS}
            raise BadInput(_("The reason is too long. Write at most %(most)s characters.") % about, field="reason")
        if self.outcome == State.RETURNED and self.ask_again not in AskAgain.values:
            raise BadInput(_("Choose what is answered again."), field="ask_again")
        if self.outcome == State.ACCEPTED and (self.ask_again or self.people):
            raise BadInput(_("Only a returned lot is answered again."), field="ask_again")
        if (self.ask_again == AskAgain.PEOPLE) != bool(self.people):
            raise BadInput(
                _("Choose the people whose pairs are answered again, or choose another option."), field="people"
            )


@transaction.atomic
def decide(lot: Lot, wanted: Wanted, *, actor: User) -> bool:
    """Accept or return a lot in review, and bring `lot` up to date. Return False if it is already decided so.

    1. Lock the lot, so that of two decisions at once the second finds the first.
    2. Count, and refuse what may not be decided now (`refusal`).
    3. Accept: move the pairs that need answers to an open batch. Return: stop counting what is asked again.
    4. Move the batches. A returned batch is open again at once, because the choice is made.
    5. Store the decision with its figures, and record it.
    """
    locked = locked_lot(lot)
    if locked.state != State.IN_REVIEW:
        if locked.state == wanted.outcome:
            lot.refresh_from_db()
            return False
        raise Refused(_("This lot is %(state)s.") % {"state": locked.get_state_display()}, "not_in_review")
    figures = quality.quality_of(locked)
    if refused := refusal(wanted, figures):
        raise refused
    said = {"quality": quality.as_json(figures)} if figures else {}
    said |= _accept(locked, wanted, actor) if wanted.outcome == State.ACCEPTED else _return(locked, wanted, actor)
    decided = {"decided_at": Now(), "decided_by": actor, "decision_reason": wanted.reason}
    Lot.objects.filter(pk=locked.pk).update(state=wanted.outcome, **decided)
    _store(locked, wanted, said, actor)
    outbox.record(lot.study, f"lot.{wanted.outcome}", {"lot": lot.number})
    lot.refresh_from_db()
    return True


def refusal(wanted: Wanted, figures: Quality | None) -> Refused | None:
    """Return why a lot with these figures may not be decided so now, or None."""
    accepts = wanted.outcome == State.ACCEPTED
    if figures is None:
        if accepts:
            return Refused(
                _("The spot check has not begun. A lot can be accepted when its whole sample is judged."), "no_sample"
            )
        return None if wanted.against_plan else _against_plan()
    if figures.dispute_decides:
        return Refused(
            _("Disputed answers could change the outcome: %(number)s. An adjudicator has to decide them first.")
            % {"number": figures.deciding.disputed},
            "disputed",
        )
    if accepts and not figures.complete:
        return Refused(
            _("Answers of the spot check are still to be judged. Until then you can only return the lot."), "not_judged"
        )
    if figures.outcome != (Outcome.ACCEPT if accepts else Outcome.RETURN) and not wanted.against_plan:
        return _against_plan()
    return None


def _against_plan() -> Refused:
    return Refused(
        _("The plan has another result, or none yet. Confirm that you decide differently, and say why in the reason."),
        "against_plan",
    )


def _accept(lot: Lot, wanted: Wanted, actor: User) -> dict[str, Any]:
    """Accept the batches. Return where their pairs that need answers are now."""
    mine = batches_of(lot)
    moved, batch = batching.move_unfinished(lot.study, mine)
    for one in mine:
        batches.accept(one, actor=actor, reason=wanted.reason)
    return {"pairs_moved": moved, "moved_to_batch": batch.number if batch else None}


def _return(lot: Lot, wanted: Wanted, actor: User) -> dict[str, Any]:
    """Return the batches, and open them again for what is asked again. Return how many answers that are."""
    asked = asking_again.stop_counting(lot.study, assignments_to_ask(lot, wanted), actor=actor)
    more_opinions.look_at_disputed(lot)
    for batch in batches_of(lot):
        batches.return_batch(batch, actor=actor, reason=wanted.reason)
        batches.open_again(batch, actor=actor)
        leases.complete_after_commit(batch.pk)
    return {"answers_asked_again": len(asked)}


def assignments_to_ask(lot: Lot, wanted: Wanted) -> list[int]:
    """Return the frozen answers that are asked again, whether or not they still count. Raise BadInput."""
    items = FrameItem.objects.filter(lot=lot)
    if wanted.ask_again == AskAgain.DEFECTS:
        items = items.filter(pk__in=outcomes.defects_found(lot))
    elif wanted.ask_again == AskAgain.PEOPLE:
        unknown = set(wanted.people) - set(items.values_list("assignment__person", flat=True))
        if unknown:
            raise BadInput(_("Choose people who have answers in this lot."), field="people")
        items = items.filter(assignment__person__in=wanted.people)
    return list(items.order_by("assignment").values_list("assignment", flat=True))


def _store(lot: Lot, wanted: Wanted, said: dict[str, Any], actor: User) -> None:
    LotDecision.objects.create(
        study=lot.study,
        lot=lot,
        outcome=wanted.outcome,
        reason=wanted.reason,
        decided_by=actor,
        ask_again=wanted.ask_again,
        people=sorted(set(wanted.people)),
        figures=said,
    )
    about = {"number": lot.number, "reason": wanted.reason, "ask_again": wanted.ask_again}
    audit.record(
        f"lot.{wanted.outcome}",
        lot,
        actor=actor,
        study_slug=lot.study.slug,
        before={"state": lot.state},
        after=about | {name: value for name, value in said.items() if name != "quality"},
    )


# --- Reopen a decision -----------------------------------------------------------------------------------------


def reopen(lot: Lot, *, reason: str, actor: User) -> bool:
    """Take back the decision about a lot, which is then in review again. Return False if it is already in review.

    1. Lock the lot. Refuse if it has a next attempt, or if people already work on what was asked again.
    2. Count the answers again that the return stopped counting.
    3. Move the batches back into review. Pairs that an acceptance moved to another batch stay there.

    Raise Refused or BadInput.
    """
    try:
        return _reopen(lot, reason, actor)
    except IntegrityError as error:  # somebody took a slot, or put a batch into another lot, at the same moment
        raise _work_began() from error


@transaction.atomic
def _reopen(lot: Lot, reason: str, actor: User) -> bool:
    wanted = reason.strip()
    if not wanted or len(reason) > MOST_CHARACTERS:
        raise BadInput(_("Give a reason of at most %(most)s characters.") % {"most": MOST_CHARACTERS}, field="reason")
    locked = locked_lot(lot)
    if not locked.is_decided:
        lot.refresh_from_db()
        if locked.state == State.IN_REVIEW:
            return False
        raise Refused(_("This lot is not decided."), "not_decided")
    if following := Lot.objects.filter(previous=locked).first():
        about = {"number": following.number}
        raise Refused(_("Lot %(number)s is already the next attempt. Decide about that one.") % about, "next_attempt")
    mine = batches_of(locked)
    if locked.state == State.RETURNED:
        if work_began(locked, mine):
            raise _work_began()
        stopped = FrameItem.objects.filter(lot=locked).values_list("assignment", flat=True)
        asking_again.count_again(locked.study, list(stopped), actor=actor)
    for batch in mine:
        batches.review_again(batch, actor=actor, reason=reason)
    undecided: dict[str, Any] = {"decided_at": None, "decided_by": None, "decision_reason": ""}
    Lot.objects.filter(pk=locked.pk).update(state=State.IN_REVIEW, **undecided)
    looking.rank_again(FrameItem.objects.filter(lot=locked).values_list("assignment", flat=True))
    outcome = LotDecision.Outcome.REOPENED
    LotDecision.objects.create(study=locked.study, lot=locked, outcome=outcome, reason=reason, decided_by=actor)
    before, after = {"state": locked.state}, {"number": locked.number, "reason": reason}
    audit.record("lot.reopened", locked, actor=actor, study_slug=locked.study.slug, before=before, after=after)
    outbox.record(locked.study, "lot.reopened", {"lot": locked.number})
    lot.refresh_from_db()
    return True


def work_began(lot: Lot, mine: Collection[Batch]) -> bool:
    """Return whether somebody has leased or answered a pair of these batches since the lot was returned."""
    since = Assignment.objects.filter(pair__batch__in=mine)
    ended = Q(state=Assignment.State.SUBMITTED, ended_at__gt=lot.decided_at)
    return since.filter(Q(state=Assignment.State.LEASED) | ended).exists()


def _work_began() -> Refused:
    return Refused(
        _(
            "People are already answering the pairs again, so the return stays. Review the next attempt of this lot "
            "instead."
        ),
        "work_began",
    )


# --- What the form of a return shows ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonInLot:
    """One annotator of a lot: answers that are frozen, and those with a confirmed defect."""

    person: User
    answers: int
    defects: int


def people_of(lot: Lot) -> list[PersonInLot]:
    """Return the annotators of a lot, those with most defects first."""
    found = outcomes.defects_found(lot)
    counts: dict[int, list[int]] = {}
    for key, person in FrameItem.objects.filter(lot=lot).values_list("pk", "assignment__person"):
        mine = counts.setdefault(person, [0, 0])
        mine[0] += 1
        mine[1] += key in found
    people = User.objects.in_bulk(list(counts))
    rows = [PersonInLot(people[key], *mine) for key, mine in counts.items()]
    return sorted(rows, key=lambda row: (-row.defects, -row.answers, row.person.username))


def people_named(lot: Lot, names: Collection[str]) -> tuple[int, ...]:
    """Return the keys of the annotators of a lot with these names. Raise BadInput if one has no answers in it."""
    known = {row.person.username: row.person.pk for row in people_of(lot)} if names else {}
    if unknown := sorted(set(names) - set(known)):
        about = {"names": ", ".join(unknown)}
        raise BadInput(_("These people have no answers in this lot: %(names)s.") % about, field="people")
    return tuple(known[name] for name in names)


def counting_now(lot: Lot) -> int:
    """Return how many of the lot's answers still count."""
    return FrameItem.objects.filter(frames.still_counting(lot)).count()
