"""Verdicts: submit them, settle them by a second person, and undo them.

A defect counts once somebody else confirms it. The confirmer sees both answers without knowing whose they are. What is
disputed is decided by an adjudicator. `qc/follow_up.py` does what follows.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import BadInput, Refused
from qc import follow_up, looking, review_exposure, second_blind
from qc.judging import DECIDING, OF_ANSWERS, Given, cards, checked
from qc.models import Lot, Reply, Review, SecondOpinion, Verdict
from qc.models.reviews import Kind
from qc.reviewing import hold, locked_sitting, not_in_review
from qc.sittings import sitting_of

State = Review.State


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a second person says about a verdict. `counts`: whether the answer is a defect; None: disputed."""

    verdict_id: int
    counts: bool | None
    comment: str = ""


@transaction.atomic
def submit(
    review: Review, person: User, given: Iterable[Given], *, care: Mapping[str, Any] | None = None
) -> list[Verdict]:
    """Store the verdicts of a sitting and end it. Return them. Rows without a verdict are fine.

    1. Lock the seat, the lot and the sitting. Sending the same verdicts again returns them.
    2. Refuse if the lot is no longer in review, the lease is lost, or the reviewer has not answered yet.
    3. Write the verdicts. Those that could make an answer defective wait for a second person.
    4. Write corrections of tags, and return answers with wrong tags, where nothing waits.
    """
    _seat, reviews = locked_sitting(review, person)
    review_exposure.report(reviews[0], person, care, ends=True)
    given = list(given)
    if all(one.state == State.SUBMITTED for one in reviews):
        return _repeated(reviews, given)
    if reviews[0].kind == Kind.SECOND_BLIND:
        raise BadInput(_("This review asks for your own answer only, not for verdicts."))
    if reviews[0].kind not in OF_ANSWERS:
        raise BadInput(_("This review asks for opinions on verdicts, not for verdicts."))
    _refuse_decided(reviews)
    verdicts = checked(cards(reviews), given)
    now = timezone.now()
    hold(reviews, review.study, now)
    Verdict.objects.bulk_create(verdicts)
    _end(reviews, person, {"verdicts": [f"{one.row} {one.ruling}" for one in verdicts if one.ruling != "fine"]})
    second_blind.draw(reviews)
    follow_up.at_once(verdicts, actor=person)
    return verdicts


def _refuse_decided(reviews: list[Review]) -> None:
    if reviews[0].lot.state != Lot.State.IN_REVIEW:
        raise not_in_review()


def _repeated(reviews: list[Review], given: list[Given]) -> list[Verdict]:
    stored = list(Verdict.objects.filter(review__in=reviews, withdrawn_at=None).order_by("pk"))
    sent = {(one.review_id, one.annotation_id, one.row, one.ruling) for one in given}
    if sent != {(one.review_id, one.annotation_id, one.row, one.ruling) for one in stored}:
        raise Refused(_("You have already submitted this review, with other verdicts."), "already_submitted")
    return stored


def _end(reviews: list[Review], person: User, after: dict[str, Any]) -> None:
    rows = Review.objects.filter(pk__in=[one.pk for one in reviews])
    rows.update(state=State.SUBMITTED, ended_at=timezone.now())
    looking.note_reviewed(reviews)
    first = reviews[0]
    after |= {"kind": first.kind, "lot": first.lot.number, "items": [one.item_id for one in reviews]}
    audit.record("review.submitted", first, actor=person, study_slug=first.study.slug, after=after)


@transaction.atomic
def undo(review: Review, person: User) -> list[Review]:
    """Take back the verdicts of a submitted sitting, so that the reviewer can give others. The blind answer stays.

    Raise Refused if the lot is decided, a second person has begun to look at a verdict, or something has followed.
    """
    _seat, reviews = locked_sitting(review, person)
    if all(one.state == State.LEASED for one in reviews):
        return reviews
    _refuse_decided(reviews)
    if reviews[0].kind not in OF_ANSWERS or any(one.state != State.SUBMITTED for one in reviews):
        raise Refused(_("Only verdicts that you have submitted can be undone."), "not_submitted")
    verdicts = Verdict.objects.filter(review__in=reviews, withdrawn_at=None)
    looked_at = Review.objects.filter(
        item__in=[one.item_id for one in reviews],
        kind__in=[Kind.CONFIRM, Kind.ADJUDICATE],
        state__in=[State.LEASED, State.SUBMITTED],
    )
    waiting = verdicts.exclude(waits_for="")
    if (waiting.exists() and looked_at.exists()) or verdicts.filter(confirmed_at__isnull=False).exists():
        raise Refused(_("Somebody else is already judging your verdict, so it cannot be undone."), "judged")
    if follow_up.has_followed(verdicts):
        raise Refused(
            _("The tags were already corrected or returned, so this review cannot be undone."), "has_followed"
        )
    now = timezone.now()
    verdicts.update(withdrawn_at=now)
    rows = Review.objects.filter(pk__in=[one.pk for one in reviews])
    rows.update(state=State.LEASED, ended_at=None, expires_at=now + timedelta(seconds=review.study.lease_s))
    looking.rank_again([one.item.assignment_id for one in reviews])
    audit.record("review.undone", review, actor=person, study_slug=review.study.slug)
    return sitting_of(review, person)


# --- Second persons -------------------------------------------------------------------------------------------


def waiting_for(reviews: list[Review]) -> QuerySet[Verdict]:
    """Return the verdicts that a confirmer or an adjudicator of this sitting has to settle.

    An open reply of the annotator brings defects that count to the adjudicator again.
    """
    kind, items = reviews[0].kind, [one.item_id for one in reviews]
    verdicts = Verdict.objects.filter(item__in=items, withdrawn_at=None).select_related(
        "annotation", "review", "item__assignment", "item__lot"
    )
    found = verdicts.filter(waits_for=kind)
    if kind == Kind.ADJUDICATE:
        replied = Reply.objects.filter(item__in=items, closed_at=None).values("item")
        found = found | verdicts.filter(item__in=replied, counts=True)
    return found.order_by("item__place", "pk")


def annotator_comes_first(verdict: Verdict, confirmer: int) -> bool:
    """Return whether the confirmer sees the annotator's answer as the first of the two. It is drawn."""
    drawn = hashlib.sha256(f"{verdict.item.lot.seed}/{verdict.pk}/{confirmer}".encode()).digest()
    return drawn[0] % 2 == 0


@transaction.atomic
def give_opinions(
    review: Review,
    person: User,
    opinions: Iterable[Opinion],
    *,
    closing: str = "",
    care: Mapping[str, Any] | None = None,
) -> list[Verdict]:
    """Store the opinions of a confirmer or an adjudicator, settle the verdicts, and do what follows.

    An adjudicator also closes the annotator's reply, with the sentence `closing`. Sending it again is harmless.

    Raise BadInput if a verdict that waits has no opinion, or an adjudicator leaves one undecided.
    """
    _seat, reviews = locked_sitting(review, person)
    review_exposure.report(reviews[0], person, care, ends=True)
    if all(one.state == State.SUBMITTED for one in reviews):
        return []
    kind = reviews[0].kind
    if kind not in (Kind.CONFIRM, Kind.ADJUDICATE):
        raise BadInput(_("This review asks for verdicts, not for opinions."))
    replies = list(Reply.objects.select_for_update().filter(item__in=[one.item_id for one in reviews], closed_at=None))
    if not (kind == Kind.ADJUDICATE and replies):
        _refuse_decided(reviews)
    by_verdict = {one.verdict_id: one for one in opinions}
    verdicts = list(waiting_for(reviews).select_for_update(of=("self",)))
    _refuse_unsettled(verdicts, by_verdict, kind)
    if kind == Kind.ADJUDICATE and replies and not closing:
        raise BadInput(_("Write a sentence that responds to the annotator’s reply."))
    hold(reviews, review.study, timezone.now())
    by_item = {one.item_id: one for one in reviews}
    settled = [_settled(verdict, by_verdict[verdict.pk], by_item[verdict.item_id], person) for verdict in verdicts]
    for reply in replies if kind == Kind.ADJUDICATE else ():
        reply.closed_at, reply.closed_by, reply.closing = timezone.now(), person, closing
        reply.save(update_fields=["closed_at", "closed_by", "closing"])
    _end(reviews, person, {"opinions": {str(one.verdict_id): one.counts for one in by_verdict.values()}})
    second_blind.draw_defects(one for one in settled if one.counts)
    follow_up.settled(settled, actor=person)
    return settled


def _refuse_unsettled(verdicts: list[Verdict], by_verdict: Mapping[int, Opinion], kind: str) -> None:
    if any(one.pk not in by_verdict for one in verdicts):
        raise BadInput(_("Say about each row whether the answer is a defect."), "opinion_missing")
    if kind == Kind.ADJUDICATE and any(by_verdict[one.pk].counts is None for one in verdicts):
        raise BadInput(_("An adjudicator decides every row."), "opinion_missing")


def _settled(verdict: Verdict, opinion: Opinion, review: Review, person: User) -> Verdict:
    """Write one opinion, and settle the verdict or pass it on to the adjudicator. The verdict is locked."""
    SecondOpinion.objects.create(
        study_id=verdict.study_id,
        verdict=verdict,
        review=review,
        counts=opinion.counts,
        comment=opinion.comment,
    )
    if opinion.counts is None:
        verdict.waits_for = Verdict.Waits.ADJUDICATE
        verdict.save(update_fields=["waits_for"])
        return verdict
    counts = opinion.counts and verdict.row in DECIDING
    if review.lot.state != Lot.State.IN_REVIEW:
        return verdict  # the figures of a decided lot stay as they were
    verdict.counts, verdict.waits_for = counts, ""
    verdict.confirmed_by, verdict.confirmed_at = person, timezone.now()
    verdict.save(update_fields=["counts", "waits_for", "confirmed_by", "confirmed_at"])
    return verdict
