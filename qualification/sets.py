"""Make trainings and tests: choose pairs, write what is expected on them, and publish a version.

Every change locks the set first. A published version never changes, which the database ensures.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.models import User
from annotation import unleased
from annotation.models import Seat
from annotation.models.own_answers import PREFERENCES, ROWS, TAGS
from annotation.protocol import HARM_KEYS, LONGEST_COMMENT, TIE, VIDEOS
from catalog.models import Pair
from diptych.refusals import BadInput, ChangedMeanwhile, Refused
from diptych.sentences import joined
from qualification.models import Attempt, ExpectedAnswer, PairSet, Qualification, SetItem
from qualification.models.sets import Kind
from studies.models import Study

State = PairSet.State
#: The most pairs in a version.
MOST_ITEMS = 100
#: The fewest pairs of a test. A person who did not agree to see some of them must have as many left.
FEWEST_OF_TEST = 5


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected on one row: see `ExpectedAnswer`."""

    row: str
    accepted: tuple[str, ...]
    optional: tuple[str, ...] = ()
    explanation: str = ""


def in_force(study: Study, kind: str) -> PairSet | None:
    """Return the published version with the highest number, or None."""
    return PairSet.objects.filter(study=study, kind=kind, state=State.PUBLISHED).order_by("-number").first()


def has_published_test(study: Study) -> bool:
    """Return whether people can qualify for the study by a test."""
    return PairSet.objects.filter(study=study, kind=Kind.TEST, state=State.PUBLISHED).exists()


def has_test(study: Study) -> bool:
    """Return whether the study has a test, published or not."""
    return PairSet.objects.filter(study=study, kind=Kind.TEST).exists()


def versions(study: Study) -> QuerySet[PairSet]:
    """Return all versions of the study's training and test, latest first, with `.pairs`, `.began` and `.people`."""
    counted = PairSet.objects.filter(study=study).select_related("created_by", "published_by")
    return counted.annotate(
        pairs=Count("items", distinct=True), people=Count("attempts__person", distinct=True)
    ).order_by("-kind", "-number")


@transaction.atomic
def make_draft(study: Study, kind: str, *, actor: User) -> PairSet:
    """Return the draft of the next version. If there is none, make one with the pairs of the version in force.

    Raise BadInput for an unknown kind.
    """
    if kind not in Kind.values:
        raise BadInput(_("Choose the training or the test."), field="kind")
    if draft := PairSet.objects.filter(study=study, kind=kind, state=State.DRAFT).first():
        return draft
    last = PairSet.objects.filter(study=study, kind=kind).aggregate(last=Max("number"))["last"] or 0
    try:
        with transaction.atomic():
            made = PairSet.objects.create(study=study, kind=kind, number=last + 1, created_by=actor)
    except IntegrityError:  # somebody else made it at the same moment
        return PairSet.objects.get(study=study, kind=kind, number=last + 1)
    if earlier := in_force(study, kind):
        _copy(earlier, made)
    audit.record("qualification.drafted", made, actor=actor, study_slug=study.slug, after=_about(made))
    return made


def _copy(earlier: PairSet, draft: PairSet) -> None:
    for item in SetItem.objects.filter(set=earlier).order_by("place").prefetch_related("expected"):
        copied = SetItem.objects.create(study_id=draft.study_id, set=draft, pair_id=item.pair_id, place=item.place)
        ExpectedAnswer.objects.bulk_create(
            ExpectedAnswer(
                item=copied,
                row=one.row,
                accepted=one.accepted,
                optional=one.optional,
                explanation=one.explanation,
            )
            for one in item.expected.all()
        )


def _about(of: PairSet) -> dict[str, Any]:
    return {"kind": of.kind, "number": of.number}


def _locked_draft(of: PairSet) -> PairSet:
    found = PairSet.objects.select_for_update(of=("self",), no_key=True).select_related("study").get(pk=of.pk)
    if found.state != State.DRAFT:
        raise Refused(_("This version is published, so it stays as it is. Make a new version."), "published")
    return found


@transaction.atomic
def discard(of: PairSet, *, actor: User) -> None:
    """Delete a draft. Raise Refused if it was published."""
    draft = _locked_draft(of)
    audit.record("qualification.discarded", draft, actor=actor, study_slug=draft.study.slug, before=_about(draft))
    ExpectedAnswer.objects.filter(item__set=draft).delete()
    SetItem.objects.filter(set=draft).delete()
    draft.delete()


@transaction.atomic
def add(of: PairSet, pairs: Iterable[Pair], *, actor: User, expected: Mapping[int, Collection[Expected]] = {}) -> int:
    """Add pairs to a draft, and return how many are new. A pair that is there already stays once.

    Raise Refused if the set was published, and BadInput for too many pairs or for pairs of another study.

    Args:
        expected: what is known about the answers, by key of the pair. It can be changed.
    """
    draft = _locked_draft(of)
    there = set(SetItem.objects.filter(set=draft).values_list("pair", flat=True))
    place = SetItem.objects.filter(set=draft).aggregate(last=Max("place"))["last"] or 0
    new = [pair for pair in {pair.pk: pair for pair in pairs}.values() if pair.pk not in there]
    if len(there) + len(new) > MOST_ITEMS:
        raise BadInput(_("A version has at most %(most)s pairs.") % {"most": MOST_ITEMS}, "too_many", field="pairs")
    for number, pair in enumerate(new, start=place + 1):
        item = SetItem.objects.create(study=draft.study, set=draft, pair=pair, place=number)
        _write(item, expected.get(pair.pk, ()))
    if new:
        after = _about(draft) | {"pairs": [pair.public_id for pair in new]}
        audit.record("qualification.pairs_added", draft, actor=actor, study_slug=draft.study.slug, after=after)
    return len(new)


@transaction.atomic
def replace(of: PairSet, pairs: Collection[Pair], expected: Mapping[int, Collection[Expected]], *, actor: User) -> None:
    """Replace all pairs of a draft, and what is expected on them.

    Raise Refused if the set was published, and BadInput for a pair that occurs twice or for wrong expected answers.
    """
    draft = _locked_draft(of)
    if len({pair.pk for pair in pairs}) < len(pairs):
        raise BadInput(_("A pair occurs twice. A version has each pair once."), field="items")
    ExpectedAnswer.objects.filter(item__set=draft).delete()
    SetItem.objects.filter(set=draft).delete()
    add(draft, pairs, actor=actor)
    for item in SetItem.objects.filter(set=draft).select_related("set"):
        expect(item, expected[item.pair_id], actor=actor)


@transaction.atomic
def remove(of: PairSet, item_id: int, *, actor: User) -> None:
    """Remove a pair from a draft. Repeating it is harmless. Raise Refused if the set was published."""
    draft = _locked_draft(of)
    item = SetItem.objects.filter(set=draft, pk=item_id).select_related("pair").first()
    if item is None:
        return
    before = _about(draft) | {"pairs": [item.pair.public_id]}
    ExpectedAnswer.objects.filter(item=item).delete()
    item.delete()
    SetItem.objects.filter(set=draft, place__gt=item.place).update(place=F("place") - 1)
    audit.record("qualification.pair_removed", draft, actor=actor, study_slug=draft.study.slug, before=before)


@transaction.atomic
def move(of: PairSet, item_id: int, *, earlier: bool, actor: User) -> None:
    """Exchange a pair of a draft with the one before or after it. The first and the last one stay where they are."""
    draft = _locked_draft(of)
    item = SetItem.objects.filter(set=draft, pk=item_id).first()
    other = item and SetItem.objects.filter(set=draft, place=item.place + (-1 if earlier else 1)).first()
    if item is None or other is None:
        return
    for one, place in ((item, other.place), (other, item.place)):
        SetItem.objects.filter(pk=one.pk).update(place=place)
    after = _about(draft) | {"from": item.place, "to": other.place}
    audit.record("qualification.pair_moved", draft, actor=actor, study_slug=draft.study.slug, after=after)


@transaction.atomic
def expect(item: SetItem, expected: Collection[Expected], *, actor: User) -> None:
    """Replace what is expected on a pair of a draft.

    Raise Refused if the set was published, and BadInput for answers that nobody could give or that judge nothing.
    """
    draft = _locked_draft(item.set)
    faults = [fault for one in expected for fault in _faults(one, draft.study)]
    if len({one.row for one in expected}) < len(expected):
        faults.append(_("Each question can be judged once."))
    if faults:
        raise BadInput(joined(faults), field="expected")
    ExpectedAnswer.objects.filter(item=item).delete()
    _write(item, expected)
    after = _about(draft) | {"place": item.place, "expected": {one.row: [*one.accepted] for one in expected}}
    audit.record("qualification.expected", draft, actor=actor, study_slug=draft.study.slug, after=after)


def _write(item: SetItem, expected: Collection[Expected]) -> None:
    ExpectedAnswer.objects.bulk_create(
        ExpectedAnswer(
            item=item,
            row=one.row,
            accepted=sorted(set(one.accepted)),
            optional=sorted(set(one.optional)),
            explanation=one.explanation.strip(),
        )
        for one in expected
    )


def _faults(one: Expected, study: Study) -> list[str]:
    """Return what is wrong with an expected answer, as sentences."""
    choices = {*VIDEOS, TIE} if study.allow_ties else set(VIDEOS)
    known = set(HARM_KEYS) if one.row in TAGS else choices
    found = []
    if one.row not in ROWS or not {*one.accepted, *one.optional} <= known:
        found.append(_("An answer is expected that nobody can give."))
    if one.row in PREFERENCES and (not one.accepted or set(one.accepted) == choices or one.optional):
        found.append(_("Leave a question out if every answer to it is as expected."))
    if set(one.accepted) & set(one.optional):
        found.append(_("A tag is either expected or optional."))
    if len(one.explanation) > LONGEST_COMMENT:
        found.append(_("An explanation has at most %(most)s characters.") % {"most": LONGEST_COMMENT})
    return found


def lacking(of: PairSet) -> list[str]:
    """Return what a draft needs before it can be published, as sentences."""
    items = list(SetItem.objects.filter(set=of).order_by("place").prefetch_related("expected"))
    fewest = FEWEST_OF_TEST if of.kind == Kind.TEST else 1
    shown = set(showable(of.study).filter(pk__in=[one.pair_id for one in items]).values_list("pk", flat=True))
    found = []
    if len(items) < fewest:
        found.append(
            ngettext("Add at least %(n)s pair.", "Add at least %(n)s pairs.", fewest) % {"n": fewest},
        )
    for item in items:
        rows = list(item.expected.all())
        about = {"n": item.place}
        if item.pair_id not in shown:
            found.append(_("Pair %(n)s cannot be shown. Remove it.") % about)
        if not rows:
            found.append(_("Pair %(n)s: write at least one expected answer.") % about)
        if of.kind == Kind.TRAINING and not all(row.explanation for row in rows):
            found.append(_("Pair %(n)s: explain each expected answer.") % about)
    return found


def showable(study: Study) -> QuerySet[Pair]:
    """Return the study's pairs that can be shown: ready, and not reported."""
    return unleased.playable(study)


def asked_again_by(of: PairSet) -> int:
    """Return how many people would have to qualify again if everybody is asked again."""
    return Qualification.objects.filter(study=of.study_id, ended_at=None).count()


@transaction.atomic
def publish(of: PairSet, *, actor: User, ask_again: bool = False, people: int = 0) -> PairSet:
    """Publish a draft, so that people qualify with it from now on. It stays as it is.

    1. Lock the seats, so that nobody passes an earlier version meanwhile, and then the draft.
    2. With `ask_again`, end all qualifications, and attempts at earlier versions.

    Raise Refused if something is missing, and ChangedMeanwhile if another number of people is concerned.

    Args:
        ask_again: of a test: everybody has to qualify again.
        people: how many people that concerned when the person decided.
    """
    if ask_again:
        list(Seat.objects.select_for_update(no_key=True).filter(study=of.study_id).order_by("pk").values_list("pk"))
    draft = _locked_draft(of)
    if missing := lacking(draft):
        raise Refused(joined(missing), "incomplete")
    if ask_again and draft.kind != Kind.TEST:
        raise BadInput(_("Only a new test asks everybody again."), field="ask_again")
    concerned = _ask_again(draft, people, actor) if ask_again else None
    PairSet.objects.filter(pk=draft.pk).update(
        state=State.PUBLISHED, published_at=Now(), published_by=actor, asked_again=concerned
    )
    after = _about(draft) | {"asked_again": concerned}
    audit.record("qualification.published", draft, actor=actor, study_slug=draft.study.slug, after=after)
    of.refresh_from_db()
    return of


def _ask_again(draft: PairSet, people: int, actor: User) -> int:
    now = timezone.now()
    in_force_now = Qualification.objects.filter(study=draft.study, ended_at=None)
    if in_force_now.count() != people:
        raise ChangedMeanwhile(
            _("Meanwhile another number of people is qualified. Check the number and publish again.")
        )
    ended = in_force_now.update(ended_at=now, ended_by=actor, end=Qualification.End.ASKED_AGAIN)
    Attempt.objects.filter(study=draft.study, kind=Kind.TEST, ended_at=None).update(
        ended_at=now, end=Attempt.End.SUPERSEDED
    )
    return ended
