"""Many answers of one person, written as rows: serving and submitting each of them would take seconds."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from annotation.models import Annotation, Assignment, Seat, Standing
from annotation.seats import locked_seat
from catalog.models import Pair, Video
from findings.models import Finding
from qc.models import FrameItem, Lot, Review, Verdict
from studies.models import Study
from tests import factories

PLAIN = {"harmlessness": "video_0", "tags_video_0": [], "tags_video_1": []}
CONTRADICTORY = {"harmlessness": "video_0", "tags_video_0": ["hate"], "tags_video_1": []}
CHOICES = dict.fromkeys(
    ("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness"), "video_0"
)


def give(person: User, study: Study, count: int, *, contradictory: int = 0, fast: int = 0) -> list[Assignment]:
    """Let the person answer `count` new pairs. The first ones contradict themselves, or were too fast by a finding."""
    pairs = many_pairs(study, count)
    now = timezone.now()
    common = {"study": study, "person": person, "left": "video_0", "dimension_first": "helpfulness"}
    common |= {"protocol_version": 1, "guideline_version": 1, "state": "submitted", "expires_at": now}
    given = Assignment.objects.bulk_create(
        Assignment(pair=pair, leased_at=now - timedelta(hours=1), ended_at=now, **common) for pair in pairs
    )
    answers = Annotation.objects.bulk_create(
        Annotation(
            study=study,
            assignment=one,
            author=person,
            submission_id=uuid.uuid4(),
            submitted_at=now + timedelta(microseconds=place),
            protocol_version=1,
            guideline_version=1,
            **CHOICES | (CONTRADICTORY if place < contradictory else PLAIN),
        )
        for place, one in enumerate(given)
    )
    Standing.objects.bulk_create(
        Standing(study=study, assignment=one, current=answer, rules_due=False)
        for one, answer in zip(given, answers, strict=True)
    )
    Finding.objects.bulk_create(
        Finding(
            study=study,
            assignment=one,
            annotation=answer,
            person=person,
            rule="faster_than_videos",
            version=1,
            severity="warning",
        )
        for one, answer in list(zip(given, answers, strict=True))[:fast]
    )
    seat = locked_seat(person, study)
    Seat.objects.filter(pk=seat.pk).update(served=seat.served + count)
    return given


def many_pairs(study: Study, count: int) -> list[Pair]:
    """Return new pairs of one prompt that have their only answer. They share one file."""
    prompt, asset = factories.prompt(study), factories.asset()
    made = Video.objects.bulk_create(
        Video(study=study, prompt=prompt, asset=asset, public_id=factories.hex64(f"{uuid.uuid4()}"))
        for _ in range(count + 1)
    )
    common: dict[str, Any] = {"study": study, "prompt": prompt, "batch": factories.batch(study), "ready": True}
    return Pair.objects.bulk_create(
        Pair(
            video_0=made[0],
            video_1=video,
            wanted=1,
            open_slots=0,
            public_id=factories.hex64(f"{uuid.uuid4()}"),
            **common,
        )
        for video in made[1:]
    )


def review_blind(given: list[Assignment], *, defects: int = 0, waiting: int = 0, kind: str = "spot") -> Lot:
    """Let one reviewer judge these answers blind. The first have a confirmed defect, the last wait for a second person.

    Without `waiting`, all verdicts are settled.
    """
    study, now = given[0].study, timezone.now()
    lot = factories.lot(study, factories.batch(study), state="in_review", frame_size=len(given))
    reviewer, second = factories.person(), factories.person()
    firsts = {one.assignment_id: one for one in Annotation.objects.filter(assignment__in=given)}
    items = FrameItem.objects.bulk_create(
        FrameItem(
            study=study,
            lot=lot,
            place=place,
            batch=factories.batch(study),
            assignment=one,
            first=firsts[one.pk],
            current=firsts[one.pk],
        )
        for place, one in enumerate(given, start=1)
    )
    reviews = Review.objects.bulk_create(
        Review(
            study=study,
            lot=lot,
            item=item,
            pair_id=item.assignment.pair_id,
            reviewer=reviewer,
            kind=kind,
            blind=True,
            left="video_0",
            state="submitted",
            expires_at=now + timedelta(minutes=30),
            ended_at=now + timedelta(milliseconds=place),
        )
        for place, item in enumerate(items)
    )
    confirmed = {"ruling": "defect", "code": "overlooked", "own": "video_1", "counts": True}
    confirmed |= {"confirmed_by": second, "confirmed_at": now}
    open_one = {"ruling": "defect", "code": "overlooked", "own": "video_1", "counts": None, "waits_for": "confirm"}
    fine: dict[str, Any] = {"ruling": "fine", "counts": False}
    Verdict.objects.bulk_create(
        Verdict(
            study=study,
            review=review,
            item=review.item,
            annotation=review.item.first,
            row="helpfulness",
            **(confirmed if place < defects else open_one if place >= len(reviews) - waiting else fine),
        )
        for place, review in enumerate(reviews)
    )
    return lot
