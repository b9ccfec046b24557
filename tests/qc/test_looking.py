"""The look-here queue: which answers come first, why, and who learns why when."""

import pytest
from django.utils import timezone

from annotation.models import Assignment
from findings.models import Finding
from findings.tasks import check_new_answers
from qc import looking, reviewing, verdicts
from qc.models import Review
from tests import factories
from tests.findings.finding import harmless, helpful

pytestmark = pytest.mark.django_db

SLOW = {"timings_ms": {"total_active": 60_000}}
FAST = {"timings_ms": {"total_active": 500}}


def answered_by(study, person, **values):
    """Answer a new pair of the study."""
    factories.pair(study)
    return factories.answer(person, study, **helpful("video_0") | harmless("video_0") | SLOW | values)


def lot_of(study, *answers):
    """Return a lot in review of these answers, in this order, after all of them were checked by rules."""
    check_new_answers()
    study.batches.update(state="in_review")
    lot = factories.lot(study, factories.batch(study), state="in_review", frame_size=len(answers))
    for place, answer in enumerate(answers, start=1):
        factories.frame_item(lot, answer, place)
    looking.rank(lot)
    return lot


def looked_at(lot, person):
    """Look at everything in the lot. Return the assignments in their order, each with its reasons."""
    found = []
    while reviews := reviewing.lease(person, lot, "look").reviews:
        found.append((reviews[0].item.assignment_id, reviews[0].look_reasons))
        verdicts.submit(reviews[0], person, [])
    return found


@pytest.mark.long
def test_findings_come_first_then_disagreement_then_unknown_people_then_the_rest():
    study = factories.study()
    known, new, third = (factories.member(study, "annotator") for _ in range(3))
    reviewed, rest = answered_by(study, known), answered_by(study, known)
    of_new_person = answered_by(study, new)
    factories.pair(study, wanted=2)
    one = factories.answer(known, study, **helpful("video_0") | harmless("video_0") | SLOW)
    other = factories.answer(third, study, **helpful("video_1") | harmless("video_1") | SLOW)
    fast = answered_by(study, known, **FAST)
    contradictory = answered_by(study, known, **harmless("video_0", ["hate"]))
    lot = lot_of(study, rest, reviewed, of_new_person, one, other, fast, contradictory)
    earlier = factories.reviewer(study)
    for item in lot.items.filter(assignment__in=[reviewed, other]):
        review = factories.review(item, reviewer=earlier, kind="secondary", revealed_at=timezone.now())
        verdicts.submit(review, earlier, [])
    assert looked_at(lot, factories.reviewer(study)) == [
        (contradictory.pk, ["contradiction"]),
        (fast.pk, ["faster_than_videos"]),
        (one.pk, ["disagreement"]),
        (of_new_person.pk, ["never_reviewed"]),
        (rest.pk, []),
    ]


def test_findings_that_ended_or_were_dismissed_or_are_notes_give_no_reason():
    study = factories.study()
    person = factories.member(study, "annotator")
    plain, fast = answered_by(study, person), answered_by(study, person, **FAST)
    lot = lot_of(study, plain, fast)
    Finding.objects.update(severity="note")
    looking.rank_again([plain.pk, fast.pk])
    assert looked_at(lot, factories.reviewer(study)) == [(fast.pk, ["never_reviewed"]), (plain.pk, [])]


def test_a_look_takes_only_the_answers_with_findings_and_the_others_come_later():
    study = factories.study()
    factories.pair(study, wanted=2)
    quick, slow = (
        factories.answer(
            factories.member(study, "annotator"), study, **helpful("video_0") | harmless("video_0") | times
        )
        for times in (FAST, SLOW)
    )
    lot, reviewer = lot_of(study, slow, quick), factories.reviewer(study)
    first = reviewing.lease(reviewer, lot, "look").reviews
    assert [one.item.assignment_id for one in first] == [quick.pk]
    verdicts.submit(first[0], reviewer, [])
    second = reviewing.lease(reviewer, lot, "look").reviews
    assert [one.item.assignment_id for one in second] == [slow.pk]


def test_little_seen_is_a_reason():
    study = factories.study()
    person = factories.member(study, "annotator")
    half, less = (
        answered_by(study, person, viewing={"video_0": {"played_s": 2.0}, "video_1": {"played_s": seconds}})
        for seconds in (1.0, 0.9)
    )
    answered_by(study, person, viewing={"video_0": {"played_s": "many"}, "video_1": 3})
    check_new_answers()
    finding = Finding.objects.get(rule="little_seen")
    assert (finding.assignment_id, finding.evidence) == (less.pk, {"videos": [1], "played_s": [0.9], "video_s": [2.0]})
    assert half.pk != less.pk


def test_the_reason_is_said_after_the_verdict_and_not_before(api):
    study = factories.study()
    lot = lot_of(study, answered_by(study, factories.member(study, "annotator"), **FAST))
    client = api(factories.reviewer(study))
    leased = client.post(f"/api/v1/lots/{lot.pk}/reviews/", {"kind": "look"}, format="json")
    assert b"aster" not in leased.content
    assert leased.json()["looked_because"] == []
    review = leased.json()["current"]["id"]
    submitted = client.post(f"/api/v1/reviews/{review}/submit/", {}, format="json").json()
    assert submitted["looked_because"] == [
        "Faster than the videos",
        "Nothing of this annotator was reviewed in this lot yet",
    ]
    assert Review.objects.get(pk=review).look_reasons == ["faster_than_videos", "never_reviewed"]


def test_every_reason_has_words():
    assert looking.in_words([]) == ["None: it was next in the random order"]
    assert looking.in_words(["contradiction", "disagreement", "contradiction"])[0] == "Contradiction"


def test_people_who_answered_the_pair_look_at_something_else():
    study = factories.study()
    annotator = factories.reviewer(study)
    annotator.memberships.create(study=study, role="annotator")
    lot = lot_of(study, answered_by(study, annotator))
    assert reviewing.lease(annotator, lot, "look").reason == "nothing_due"
    assert Assignment.objects.count() == 1
