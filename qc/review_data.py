"""A sitting for the page and the API: the pair as annotators see it, and after the reveal the rows to judge.

Names, speed, other answers and scores are never part of it (protocol, rule 4). A confirmer gets both answers without
being told whose they are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.preferences import preferences_of
from annotation import unleased
from annotation.models import Seat
from annotation.responses import assignment_json
from answers.row_words import in_words, ordered, question_of
from qc import verdicts
from qc.judging import DECIDING, OF_ANSWERS, Card, cards
from qc.models import Reply, Review, Verdict
from qc.models.reviews import Kind
from qc.reviewing import Sitting

#: What a confirmer can say about the two answers of a row.
FIRST, SECOND, BOTH, NEITHER, DISPUTED = CONFIRMATIONS = ("first", "second", "both", "neither", "disputed")


def sitting_json(sitting: Sitting, *, looked_because: Iterable[str] = ()) -> dict[str, Any]:
    """Return `{"current", "next", "reason", "retry_after_s", "looked_because"}`.

    Args:
        looked_because: why the look-here queue chose the answers that were judged just now.
    """
    chosen = preferences_of(sitting.reviews[0].reviewer) if sitting.reviews else {}
    return {
        "current": review_json(sitting.seat, sitting.reviews, chosen=chosen) if sitting.reviews else None,
        "next": review_json(sitting.seat, sitting.ahead, chosen=chosen, ahead=True) if sitting.ahead else None,
        "reason": sitting.reason,
        "retry_after_s": sitting.retry_after_s,
        "looked_because": list(looked_because),
    }


def review_json(
    seat: Seat, reviews: list[Review], *, chosen: Mapping[str, Any] | None = None, ahead: bool = False
) -> dict[str, Any]:
    """Return one sitting. It has the key of its first review.

    Args:
        chosen: the reviewer's preferences, if they were read already.
        ahead: the pair is only loaded in advance, so its answers are left out.
    """
    review = reviews[0]
    study, person = review.study, review.reviewer
    about = unleased.assignment_data(review.pair, study, person, chosen=chosen)
    about = replace(about, id=review.pk, left=review.left, expires_at=review.expires_at)
    return assignment_json(about, seat, study) | {
        "kind": review.kind,
        "blind": review.blind,
        "lot": review.lot.number,
        "judging": judging_json(reviews) if review.revealed_at and not ahead else None,
        "ended": review.state == Review.State.SUBMITTED,
    }


def judging_json(reviews: list[Review]) -> dict[str, Any]:
    """Return the rows that the person judges, in words, with the sides as they see them."""
    if reviews[0].kind in OF_ANSWERS:
        rows = [line for place, card in enumerate(cards(reviews), start=1) for line in _lines(card, place)]
        return {"mode": "verdicts", "rows": rows, "reply": None}
    found = list(verdicts.waiting_for(reviews))
    if reviews[0].kind == Kind.CONFIRM:
        return {"mode": "confirm", "rows": [_unlabelled(one, reviews[0]) for one in found], "reply": None}
    reply = Reply.objects.filter(item__in=[one.item_id for one in reviews], closed_at=None).first()
    rows = [_labelled(one, reviews[0]) for one in found]
    return {"mode": "adjudicate", "rows": rows, "reply": reply.text if reply else None}


def _lines(card: Card, place: int) -> list[dict[str, Any]]:
    left, differing = card.review.left, card.differing
    return [
        {
            "review": card.review.pk,
            "annotation": card.annotation.pk,
            "verdict": None,
            "row": row,
            "group": _("Answer %(number)s") % {"number": place},
            "question": question_of(row, left),
            "deciding": row in DECIDING,
            "answers": _named(
                [(_("Answer"), card.value(row)), *([(_("You"), card.own_value(row))] if card.own else [])], left
            ),
            "differs": row in differing,
            "note": "",
        }
        for row in ordered(left)
    ]


def _unlabelled(verdict: Verdict, review: Review) -> dict[str, Any]:
    pair = [getattr(verdict.annotation, verdict.row), verdict.own]
    if not verdicts.annotator_comes_first(verdict, review.reviewer_id):
        pair.reverse()
    named = [(pgettext("answer", "First"), pair[0]), (pgettext("answer", "Second"), pair[1])]
    return _of_verdict(verdict, review, named, note="")


def _labelled(verdict: Verdict, review: Review) -> dict[str, Any]:
    named = [(_("Annotator"), getattr(verdict.annotation, verdict.row))]
    if verdict.own is not None:
        named.append((_("Reviewer"), verdict.own))
    said = [verdict.get_ruling_display(), verdict.get_code_display(), verdict.comment]
    opinions = verdict.opinions.exclude(comment="").values_list("comment", flat=True)
    return _of_verdict(verdict, review, named, note=" · ".join(str(part) for part in [*said, *opinions] if part))


def _of_verdict(verdict: Verdict, review: Review, named: Sequence[tuple[str, Any]], note: str) -> dict[str, Any]:
    return {
        "review": review.pk,
        "annotation": None,
        "verdict": verdict.pk,
        "row": verdict.row,
        "group": "",
        "question": question_of(verdict.row, review.left),
        "deciding": verdict.row in DECIDING,
        "answers": _named(named, review.left),
        "differs": True,
        "note": note,
    }


def _named(named: Sequence[tuple[str, Any]], left: str) -> list[dict[str, Any]]:
    return [{"name": name, "text": in_words(value, left), "value": value} for name, value in named]


def counts_of(verdict: Verdict, confirmer: int, said: str) -> bool | None:
    """Return whether a confirmer's opinion calls the annotator's answer a defect; None if it is disputed."""
    if said == DISPUTED:
        return None
    theirs = FIRST if verdicts.annotator_comes_first(verdict, confirmer) else SECOND
    return said in (theirs, BOTH)
