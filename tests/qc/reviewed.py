"""Lots for tests: batches with answers, and verdicts of the spot check as rows."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from qc import lots
from qc.models import FrameItem, Lot, Review, Verdict
from tests import factories


def answered(study: Any, *people: Any, pairs: int = 10, batch: int = 1, **values: Any) -> Any:
    """Return a batch whose pairs these people answered, in turn."""
    people = people or (factories.member(study, "annotator"),)
    into = factories.batch(study, number=batch)
    for place in range(pairs):
        factories.pair(study, batch=into, **values)
        factories.answer(people[place % len(people)], study)
    into.refresh_from_db()
    return into


def in_review(study: Any, head: Any, *batches: int) -> Lot:
    """Return a lot of these batches whose review has started and whose sample is drawn, without secondary review."""
    study.secondary_share = 0
    study.save(update_fields=["secondary_share"])
    lot = lots.put_together(study, batches or [1], actor=head)
    lots.start(lot, actor=head)
    return lot


def judge(lot: Lot, *, defects: int = 0, judged: int | None = None, disputed: int = 0, lost: int = 0) -> None:
    """Judge the first so many answers of the deciding sample, the defective ones first, and all of the other sample.

    Without `judged`, all are judged except the disputed and the lost ones.
    """
    sample = list(FrameItem.objects.filter(lot=lot, sample_place__isnull=False).order_by("sample_place"))
    others = FrameItem.objects.filter(lot=lot, sample_place__isnull=True, place__lte=lot.sample_size)
    whole = len(sample) - disputed - lost if judged is None else judged
    for item in [*sample[:whole], *others]:
        spot_checked(item, "defect" if item in sample[:defects] else "fine")
    for item in sample[whole : whole + disputed]:
        spot_checked(item, "disputed")
    taken = sample[len(sample) - lost :] if lost else []
    FrameItem.objects.filter(pk__in=[item.pk for item in taken]).update(lost="withdrawn")


def spot_checked(item: FrameItem, ruling: str) -> Review:
    """Write a submitted spot check of an answer with one verdict on its helpfulness. A defect is confirmed."""
    now = timezone.now()
    review = Review.objects.create(
        study=item.study,
        lot=item.lot,
        item=item,
        pair=item.assignment.pair,
        reviewer=factories.person(),
        kind="spot",
        blind=True,
        left="video_0",
        state="submitted",
        expires_at=now + timedelta(minutes=30),
        ended_at=now,
    )
    about: dict[str, dict[str, Any]] = {
        "fine": {"counts": False},
        "defect": {
            "counts": True,
            "code": "overlooked",
            "own": "video_1",
            "confirmed_by": factories.person(),
            "confirmed_at": now,
        },
        "disputed": {"counts": None, "waits_for": "adjudicate", "own": "video_1"},
    }
    for revision in {item.judged_id or item.first_id, item.first_id}:
        Verdict.objects.create(
            study=item.study,
            review=review,
            item=item,
            annotation_id=revision,
            row="helpfulness",
            ruling=ruling,
            **about[ruling],
        )
    return review


def places(lot: Lot) -> list[int]:
    """Return the assignments of a lot in its random order."""
    return list(FrameItem.objects.filter(lot=lot).order_by("place").values_list("assignment", flat=True))
