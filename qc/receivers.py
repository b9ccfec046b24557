"""What qc does when annotation tells it something, inside the same transaction."""

from typing import Any

from annotation.models import Annotation, Standing
from annotation.standings import change_standing
from qc.contradictions import REASON, is_contradictory


def mark_contradiction(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """An answer that contradicts itself is kept, marked invalid, and left out of training data; reversibly."""
    if is_contradictory(annotation):
        change_standing(standing, actor=None, validity=Standing.Validity.INVALID, reason=REASON)


def follow_revision(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """A later revision decides anew whether the answer contradicts itself; what else review has said stays."""
    if is_contradictory(annotation):
        if standing.validity == Standing.Validity.VALID:
            change_standing(standing, actor=None, validity=Standing.Validity.INVALID, reason=REASON)
    elif standing.reason == REASON:
        change_standing(standing, actor=None, validity=Standing.Validity.VALID)
