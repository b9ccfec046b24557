"""What follows a verdict: tags are corrected or returned, and a defective preference is rejected.

A rejected answer no longer counts, so somebody else is asked for its pair. It is never sent back to its annotator: a
forced choice that is sent back as wrong has only one other answer. Nothing follows for a revision that no longer
stands, or an answer that no longer counts.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import User
from annotation import corrections, offering
from annotation.acceptance import REJECTED
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Standing
from catalog.models import Pair
from diptych.refusals import Refused
from qc.judging import value_of
from qc.models import Verdict
from qc.models.reviews import TAGS

Ruling = Verdict.Ruling


def at_once(verdicts: Iterable[Verdict], *, actor: User) -> None:
    """Correct tags, and return answers with wrong tags, for verdicts that wait for nobody."""
    _follow([one for one in verdicts if one.row in TAGS and not one.waits_for and _asks_for_change(one)], actor)


def settled(verdicts: Iterable[Verdict], *, actor: User) -> None:
    """Do what follows for verdicts that a second person has settled."""
    verdicts = list(verdicts)
    _follow([one for one in verdicts if one.counts], actor)
    for one in verdicts:
        if one.counts is False:
            _restore(one, actor)


def has_followed(verdicts: QuerySet[Verdict]) -> bool:
    """Return whether something has followed these verdicts already, so that they cannot be taken back."""
    return any(
        one.counts is False and _asks_for_change(one) and not _stands(one, _standing(one))
        for one in verdicts.filter(row__in=TAGS).select_related("item", "annotation")
    )


def _asks_for_change(verdict: Verdict) -> bool:
    return verdict.ruling in (Ruling.DEFECT, Ruling.CORRECTED, Ruling.DISPUTED) and verdict.own is not None


def _standing(verdict: Verdict) -> Standing:
    return Standing.objects.select_related("current", "study", "assignment").get(pk=verdict.item.assignment_id)


def _stands(verdict: Verdict, standing: Standing) -> bool:
    """Return whether the judged value is still the answer's, and the answer still counts."""
    same = value_of(standing.current, verdict.row) == value_of(verdict.annotation, verdict.row)
    return same and standing.counted


def _follow(verdicts: list[Verdict], actor: User) -> None:
    """Do what follows, answer by answer. All answers are of one pair, so the locks are taken once, in order."""
    by_answer: dict[int, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        by_answer[one.item.assignment_id].append(one)
    if not by_answer:
        return
    list(Assignment.objects.select_for_update(of=("self",)).filter(pk__in=by_answer).order_by("pk").values_list("pk"))
    pairs = Pair.objects.filter(assignments__in=by_answer).distinct().values_list("pk", flat=True)
    list(Pair.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(pairs)).order_by("pk"))
    for found in by_answer.values():
        standing = _standing(found[0])
        standing_ones = [one for one in found if _stands(one, standing)]
        if standing_ones:
            _act(standing, standing_ones, actor)


def _act(standing: Standing, verdicts: list[Verdict], actor: User) -> None:
    """Reject, return or correct one answer, whichever of these weighs most."""
    preferences = [one for one in verdicts if one.row not in TAGS]
    returned = [one for one in verdicts if one.row in TAGS and one.ruling == Ruling.DEFECT]
    corrected = [one for one in verdicts if one.row in TAGS and one.ruling != Ruling.DEFECT and one.own is not None]
    comment = "\n".join(one.comment for one in verdicts if one.comment)
    try:
        with transaction.atomic():
            if preferences:
                offering.reject(standing, reason=preferences[0].code or "defect", actor=actor)
            elif returned and standing.assignment.round:  # it was returned once before
                offering.reject(standing, reason=returned[0].code or "defect", actor=actor)
            elif returned:
                reason = Assignment.RoundReason.RETURNED
                offering.offer_again(standing.assignment, reason=reason, actor=actor, comment=comment)
            elif corrected:
                _correct(standing, corrected, comment)
    except Refused as refusal:  # a closed study, or a pair that wants no more answers: the verdict stands alone
        after = {"refused": refusal.code}
        audit.record("review.not_followed", standing, actor=actor, study_slug=standing.study.slug, after=after)


def _correct(standing: Standing, verdicts: list[Verdict], comment: str) -> Annotation:
    """Write one revision with the tags of all these verdicts, by the reviewer who gave them."""
    tags: dict[str, Any] = {one.row: tuple(one.own) for one in verdicts}
    first = verdicts[0]
    return corrections.correct(
        standing.assignment,
        first.review.reviewer,
        submission_id=uuid5(NAMESPACE_URL, f"diptych:verdict:{first.pk}"),
        answers=replace(Answers.from_annotation(standing.current), **tags),
        comment=comment,
    ).annotation


def _restore(verdict: Verdict, actor: User) -> None:
    """Make an answer valid again that was rejected for this verdict, if no other verdict counts against it."""
    others = Verdict.objects.filter(item__assignment=verdict.item.assignment_id, counts=True, withdrawn_at=None)
    standing = _standing(verdict)
    if standing.uncounted_reason == REJECTED and standing.reason == verdict.code and not others.exists():
        offering.restore(standing, actor=actor)
