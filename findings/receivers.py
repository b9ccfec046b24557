"""Receivers of annotation's signals. They run in the same transaction."""

from typing import Any

from annotation.models import Annotation, Standing
from annotation.standings import change_standing
from findings.contradictions import REASON, is_contradictory
from findings.switches import invalidates


def mark_contradiction(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """Mark an answer that contradicts itself as invalid, unless the study switched that off.

    The answer is kept, but not used as training data. Reversible. The finding follows with the periodic check.
    """
    if is_contradictory(annotation) and invalidates(annotation.study, REASON):
        change_standing(standing, actor=None, validity=Standing.Validity.INVALID, reason=REASON)


def follow_revision(*, annotation: Annotation, standing: Standing, **_: Any) -> None:
    """Check a later revision for a contradiction again. Other decisions of reviewers are not changed."""
    if is_contradictory(annotation):
        if standing.validity == Standing.Validity.VALID and invalidates(annotation.study, REASON):
            change_standing(standing, actor=None, validity=Standing.Validity.INVALID, reason=REASON)
    elif standing.reason == REASON:
        change_standing(standing, actor=None, validity=Standing.Validity.VALID)
