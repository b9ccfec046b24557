"""What this room does when the one below tells it something, inside the same transaction."""

from typing import Any

from accounts.models import AuditEvent
from annotation.acceptance import SURPLUS
from annotation.models import Annotation, Standing
from annotation.submission import STANDING_CHANGED, record_standing
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
        _record(annotation, standing, Standing.Validity.VALID, "" if standing.counted else _why_surplus(standing))


def _why_surplus(standing: Standing) -> str:
    """Return the reason that the standing of a surplus answer had before the contradiction was found."""
    changes = AuditEvent.objects.filter(
        subject=Standing._meta.db_table, subject_id=str(standing.pk), action=STANDING_CHANGED, after__reason=REASON
    )
    found = changes.order_by("-pk").first()
    return str(found.before["reason"]) if found else SURPLUS


def _record(annotation: Annotation, standing: Standing, validity: str, reason: str) -> None:
    record_standing(standing, validity=validity, reason=reason, actor=None, study_slug=annotation.assignment.study.slug)
