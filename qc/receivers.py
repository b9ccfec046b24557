"""What this room does when the one below tells it something, inside the same transaction."""

from typing import Any

from annotation.models import Annotation, Standing
from annotation.submission import record_standing
from qc.contradictions import REASON, is_contradictory


def mark_contradiction(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """An answer that contradicts itself is kept, marked invalid, and left out of training data; reversibly."""
    if is_contradictory(annotation):
        record_standing(
            standing,
            validity=Standing.Validity.INVALID,
            reason=REASON,
            actor=None,
            study_slug=annotation.assignment.study.slug,
        )
