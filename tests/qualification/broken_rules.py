"""An attempt to break each constraint of qualification, for `tests/constraints`. `w` is its world."""

import uuid
from typing import Any

from django.db import connection
from django.utils import timezone

from annotation.models.own_answers import PREFERENCES
from qualification.models import (
    Attempt,
    ExpectedAnswer,
    ExtraAttempt,
    PairSet,
    Qualification,
    QualificationExposure,
    SetItem,
    Turn,
    TurnAnswer,
)
from tests import factories


def pair_set(w: Any, **values: Any) -> PairSet:
    """Return a draft, or with `state` a published version. `number` is the next one unless it is given."""
    facts = {"study": w.study, "kind": "test", "number": PairSet.objects.count() + 1, "created_by": w.person}
    if values.get("state") == "published":
        facts |= {"published_at": timezone.now(), "published_by": w.person}
    return PairSet.objects.create(**facts | values)


def item(w: Any, **values: Any) -> SetItem:
    of = values.pop("set", None) or PairSet.objects.first() or pair_set(w)
    return SetItem.objects.create(**{"study": w.study, "set": of, "pair": w.pair, "place": 1} | values)


def expected(w: Any, **values: Any) -> ExpectedAnswer:
    of = values.pop("item", None) or SetItem.objects.first() or item(w)
    return ExpectedAnswer.objects.create(**{"item": of, "row": "helpfulness", "accepted": ["video_0"]} | values)


def attempt(w: Any, **values: Any) -> Attempt:
    of = values.pop("set", None) or PairSet.objects.first() or pair_set(w)
    facts = {"study": w.study, "kind": of.kind, "set": of, "person": w.person, "number": 1}
    return Attempt.objects.create(**facts | {"pass_share": 0.8 if of.kind == "test" else None} | values)


def finished(w: Any, **values: Any) -> Attempt:
    facts = {"ended_at": timezone.now(), "end": "finished", "judged": 10, "right": 9, "passed": True}
    return attempt(w, **facts | values)


def turn(w: Any, **values: Any) -> Turn:
    of = values.pop("item", None) or SetItem.objects.first() or item(w)
    made = values.pop("attempt", None) or Attempt.objects.first() or attempt(w, set=of.set)
    facts = {"study": w.study, "set_id": made.set_id, "attempt": made, "item": of, "left": "video_0"}
    return Turn.objects.create(**facts | values)


def turn_answer(w: Any, **values: Any) -> TurnAnswer:
    facts = {"turn": turn(w), "submission_id": uuid.uuid4(), "tags_video_0": [], "tags_video_1": []}
    return TurnAnswer.objects.create(
        **facts | dict.fromkeys(PREFERENCES, "video_0") | {"guideline_version": 1} | values
    )


def extra(w: Any, **values: Any) -> ExtraAttempt:
    after = values.pop("after", None) or finished(w, passed=False, right=1)
    facts = {"study": w.study, "set_id": after.set_id, "person": w.person, "after": after, "reason": "x"}
    return ExtraAttempt.objects.create(**facts | {"allowed_by": w.person} | values)


def waived(w: Any, **values: Any) -> Qualification:
    facts = {"study": w.study, "person": w.person, "how": "waived", "given_at": timezone.now(), "given_by": w.person}
    return Qualification.objects.create(**facts | {"reason": "x"} | values)


def passed(w: Any, **values: Any) -> Qualification:
    facts = {"how": "passed", "given_by": None, "reason": "", "attempt": values.pop("attempt", None) or finished(w)}
    return waived(w, **facts | values)


def exposure(w: Any, **values: Any) -> QualificationExposure:
    facts = {"study": w.study, "person": w.person, "day": "2026-01-01", "sitting": uuid.UUID(int=1)}
    return QualificationExposure.objects.create(**facts | values)


def twice(make: Any) -> Any:
    return lambda w: [make(w) for _ in range(2)]


def _two_sets(w: Any) -> list[PairSet]:
    return [pair_set(w, state="published"), pair_set(w)]


def _extra_at_another(w: Any, one: PairSet, other: PairSet) -> ExtraAttempt:
    return extra(w, after=finished(w, set=one, passed=False, right=1), set_id=other.pk)


def _other_item(w: Any) -> SetItem:
    return item(w, set=_two_sets(w)[1])


BROKEN_RULES = {
    "study_qualification_pass_share_range": lambda w: w.change(w.study, qualification_pass_share=0.4),
    "study_qualification_attempts_range": lambda w: w.change(w.study, qualification_attempts=0),
    "pair_set_version": lambda w: [pair_set(w, state="published", number=1) for _ in range(2)],
    "pair_set_one_draft": twice(pair_set),
    "pair_set_kind_known": lambda w: pair_set(w, kind="odd"),
    "pair_set_number_from_one": lambda w: pair_set(w, number=0),
    "pair_set_state_whole": lambda w: pair_set(w, state="odd"),
    "pair_set_only_test_asks_again": lambda w: pair_set(w, kind="training", state="published", asked_again=1),
    "set_item_once": lambda w: [item(w, place=place) for place in (1, 2)],
    "set_item_place": lambda w: [
        item(w),
        item(w, pair=factories.pair(w.study)),
        connection.check_constraints(),  # it is deferred
    ],
    "set_item_place_from_one": lambda w: item(w, place=0),
    "set_item_set_same_study": lambda w: item(w, set=pair_set(w, study=w.other)),
    "set_item_pair_same_study": lambda w: item(w, pair=w.foreign),
    "expected_answer_once": twice(expected),
    "expected_answer_row_known": lambda w: expected(w, row="odd"),
    "expected_answer_values_known": lambda w: expected(w, accepted=[]),
    "expected_answer_tags_apart": lambda w: expected(
        w, row="tags_video_0", accepted=["violence"], optional=["violence"]
    ),
    "attempt_number": lambda w: [finished(w), attempt(w)],
    "attempt_one_open": lambda w: [attempt(w, number=number) for number in (1, 2)],
    "attempt_set_same_kind": lambda w: attempt(w, kind="training", pass_share=None),
    "attempt_number_from_one": lambda w: attempt(w, number=0),
    "attempt_pass_mark_of_test": lambda w: attempt(w, pass_share=None),
    "attempt_end_whole": lambda w: finished(w, judged=None, right=None, passed=None),
    "attempt_passed_by_its_mark": lambda w: finished(w, right=7),
    "extra_attempt_has_reason": lambda w: extra(w, reason=""),
    "extra_attempt_same_set": lambda w: _extra_at_another(w, *_two_sets(w)),
    "turn_once": lambda w: [turn(w, ended_at=timezone.now()) for _ in range(2)],
    "turn_one_at_a_time": lambda w: [turn(w), turn(w, item=item(w, pair=factories.pair(w.study), place=2))],
    "turn_attempt_same_set": lambda w: turn(w, study=w.other),
    "turn_item_same_set": lambda w: turn(w, item=_other_item(w), attempt=attempt(w, set=PairSet.objects.first())),
    "turn_left_known": lambda w: turn(w, left="middle"),
    "turn_skipped_with_reason": lambda w: turn(w, ended_at=timezone.now(), skip_reason="odd"),
    "turn_seen_after_its_end": lambda w: turn(w, seen_at=timezone.now()),
    "turnanswer_choices_known": lambda w: turn_answer(w, helpfulness="both"),
    "turnanswer_tags_known": lambda w: turn_answer(w, tags_video_0=["odd"]),
    "qualification_one_in_force": twice(waived),
    "qualification_own_attempt": lambda w: passed(w, attempt=finished(w, person=factories.person())),
    "qualification_how_whole": lambda w: waived(w, reason=""),
    "qualification_end_whole": lambda w: waived(w, ended_at=timezone.now()),
    "qualifying_exposure_once_a_day": twice(exposure),
    "qualifying_exposure_not_negative": lambda w: exposure(w, revealed_s=-1),
}
