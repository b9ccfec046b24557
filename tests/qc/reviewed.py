"""Lots for tests: batches with answers, and verdicts as the spot check would store them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from qc import frames, judgements, lots
from qc.judgements import Judgements
from qc.models import FrameItem, Lot
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
    """Return a lot of these batches whose review has started and whose sample is drawn."""
    lot = lots.put_together(study, batches or [1], actor=head)
    lots.start(lot, actor=head)
    lots.end_secondary_review(lot, 0, actor=head)
    return lot


@dataclass
class Verdicts:
    """Verdicts that a test writes down, as a source for `judgements`."""

    said: dict[str, Judgements] = field(default_factory=dict)
    left: int = 0

    def deciding(self, lot: Lot) -> Judgements:
        return self.said.get(f"deciding {lot.pk}", Judgements())

    def first(self, lot: Lot) -> Judgements:
        return self.said.get(f"first {lot.pk}", Judgements())

    def found(self, lot: Lot) -> frozenset[int]:
        return self.deciding(lot).defective

    def secondary_left(self, lot: Lot) -> int:
        return self.left

    def judge(self, lot: Lot, *, defects: int = 0, judged: int | None = None, disputed: int = 0) -> None:
        """Judge the first so many answers of the deciding sample, the defective ones first, and all of the other."""
        keys = [item.key for item in frames.deciding_sample(lot) if not item.lost]
        done = keys[: len(keys) - disputed if judged is None else judged]
        open_ones = keys[len(done) :][:disputed]
        self.said[f"deciding {lot.pk}"] = Judgements(frozenset(done), frozenset(done[:defects]), frozenset(open_ones))
        first = [item.key for item in frames.first_sample(lot) if not item.lost]
        self.said[f"first {lot.pk}"] = Judgements(frozenset(first), frozenset(first[:defects]))


@pytest.fixture
def verdicts() -> Iterator[Verdicts]:
    """Let the test write the verdicts."""
    before, judgements.source = judgements.source, Verdicts()
    yield judgements.source
    judgements.source = before


def places(lot: Lot) -> list[int]:
    """Return the assignments of a lot in its random order."""
    return list(FrameItem.objects.filter(lot=lot).order_by("place").values_list("assignment", flat=True))
