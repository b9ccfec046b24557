"""What this room does when the one below tells it something, inside the same transaction."""

from typing import Any

from annotation.models import Annotation, Standing
from annotation.submission import SURPLUS, record_standing
from qc.contradictions import REASON, is_contradictory


def mark_contradiction(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """An answer that contradicts itself is kept, marked invalid, and left out of training data; reversibly."""
    if is_contradictory(annotation):
        _record(annotation, standing, Standing.Validity.INVALID, REASON)


def follow_revision(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """A later revision decides anew whether the answer contradicts itself; what else review has said stays."""
    if is_contradictory(annotation):
        if standing.validity == Standing.Validity.VALID:
            _record(annotation, standing, Standing.Validity.INVALID, REASON)
    elif standing.reason == REASON:
        _record(annotation, standing, Standing.Validity.VALID, "" if standing.counted else SURPLUS)


def _record(annotation: Annotation, standing: Standing, validity: str, reason: str) -> None:
    record_standing(standing, validity=validity, reason=reason, actor=None, study_slug=annotation.assignment.study.slug)
