"""Later revisions of one's own answer: after a second look, or reopened within the study's time limit.

Revision 1 is never replaced, because agreement, skill and contradiction rates are computed from it. Releases use the
standing's current revision. Lock seat, assignment and standing in this order, then share-lock batch and study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import acceptance, draws, exposure_reports
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat, SecondLook, Standing
from annotation.protocol import SECOND_LOOK
from annotation.seats import locked_seat
from annotation.signals import answer_revised
from annotation.submission import active_ms
from catalog.models import Pair
from diptych.refusals import Refused
from studies.models import Study

#: The audit action for a second look, with its result.
LOOKED_AGAIN = "annotation.second_look"


@dataclass(frozen=True, slots=True)
class Revised:
    """The current revision, and whether this call wrote it. Unchanged answers write no revision."""

    annotation: Annotation
    standing: Standing
    created: bool


def second_look_due(study: Study, annotation: Annotation) -> bool:
    """Return whether the person is asked for a second look at their new answer (protocol, rule 2).

    Contradictory first answers always get one, and so does a random share of the others. It uses no query.
    """
    if not study.second_look or annotation.revision != 1:
        return False
    if Answers.from_annotation(annotation).contradictory:
        return True
    return draws.second_look(study, annotation.author_id, annotation.assignment_id)


def closed_because(
    assignment: Assignment, standing: Standing | None, seat: Seat, study: Study, now: datetime
) -> Refused | None:
    """Return why the person's answer cannot be opened again now, or None.

    Args:
        assignment: with `pair` and `pair.batch` loaded.
        standing: its standing, or None if it was not answered.
    """
    pair = assignment.pair
    if assignment.ended_at is None or standing is None:
        return Refused(_("You have not answered this pair."), "not_answered")
    if conflict := _decided(standing):
        return conflict
    if conflict := _not_accepted(pair, seat, study.state, pair.batch.state):
        return conflict
    if not study.reopen_s:
        return Refused(_("In this study, you cannot change an answer after submitting it."), "too_late")
    if now > assignment.ended_at + timedelta(seconds=study.reopen_s):
        return Refused(_("The time limit for changing this answer has passed."), "too_late")
    if seat.consented_version < study.consent_version:
        return Refused(
            _("Agree to the study’s current terms first. Then you can open this pair again."), acceptance.CONSENT
        )
    return None


def _decided(standing: Standing) -> Refused | None:
    """Return the refusal if a reviewer has corrected the answer or asked for the pair again; otherwise None."""
    if standing.author_kind == Annotation.AuthorKind.CORRECTOR:
        return Refused(_("A reviewer has corrected this answer, so you can no longer change it."), "corrected")
    if standing.uncounted_reason in acceptance.ASKED_AGAIN:
        return Refused(
            _("A reviewer asked for a new answer to this pair, so you can no longer change this one."), "asked_again"
        )
    return None


def _not_accepted(pair: Pair, seat: Seat, study_state: str, batch_state: str) -> Refused | None:
    """Return why an answer on the pair accepts no revision of any kind, or None."""
    if not acceptance.BY_STUDY[study_state].revisions:
        return Refused(_("The study is closed, so its answers can no longer be changed."), acceptance.STUDY_CLOSED)
    if not acceptance.BY_BATCH[batch_state].revisions:
        return Refused(
            _("This pair’s batch is being checked, so its answers can no longer be changed."), "batch_closed"
        )
    if pair.held:
        return Refused(_("This pair is on hold, so its answers cannot be changed now."), "held")
    if acceptance.is_suspended(seat):
        return Refused(
            _("Your work in this study is suspended, so your answers can no longer be changed."), acceptance.SUSPENDED
        )
    if set(seat.excluded) & set(pair.may_show):
        return Refused(_("This pair may show harm that you chose not to see, so you cannot open it."), "excluded")
    return None


def revise(
    assignment: Assignment,
    person: User,
    *,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    reason: str,
    care: Mapping[str, Any] | None = None,
) -> Revised:
    """Store new answers of the person as the next and current revision of the same assignment.

    1. Lock the person's seat, so that their requests run one after another. Then lock the assignment and its standing.
    2. The same submission id with the same answers returns the stored revision.
    3. Refuse if consent was withdrawn, the time limit has passed, the study is closed or the batch is being checked.
       The rows of study and batch are share-locked until the commit.
    4. Answers that equal the current ones write no revision. A second look is recorded once.
    5. Otherwise write the revision, make it current, record it, and send the signal to higher apps.
    6. In all these cases, record the exposure (`care`), once for each submission id.

    Raise Refused if nothing was answered, the answer can no longer be changed, a second look was not asked for or
    is over, or the id was used for something else.
    """
    try:
        with transaction.atomic():
            seat = locked_seat(person, assignment.study)
            row = locked(assignment)
            _record_exposure(row, person, care, submission_id, answers)
            stored = Annotation.objects.filter(submission_id=submission_id).first()
            if stored is not None:
                return repeated(stored, row, answers)
            if row.state != Assignment.State.SUBMITTED:
                raise Refused(_("You have not answered this pair."), "not_answered")
            standing = locked_standing(row)
            _refuse_if_closed(row, seat, standing, reason)
            if Answers.from_annotation(standing.current) == answers:
                _record_look(standing.current, person, reason, changed=False)
                return Revised(standing.current, standing, created=False)
            revision = _write(row, seat, standing, person, submission_id, answers, timings_ms, viewing, reason)
            return Revised(revision, standing, created=True)
    except IntegrityError as error:
        # Another person used the same id at the same moment. The lock on the seat does not prevent that.
        if "submission_id" in str(error):
            raise Refused("This submission id belongs to another answer.", "submission_id_used") from error
        raise


def _record_exposure(
    assignment: Assignment, person: User, care: Mapping[str, Any] | None, submission_id: UUID, answers: Answers
) -> None:
    """Record the exposure of the person while they looked at their answer again."""
    if care is not None and assignment.state == Assignment.State.SUBMITTED:
        exposure_reports.record_report(
            assignment,
            person,
            care=care,
            showing=f"revision {submission_id}",
            sensitive=assignment.pair.lane == Pair.Lane.SENSITIVE,
            tagged=answers.tagged(),
        )


def locked(assignment: Assignment) -> Assignment:
    """Return the assignment, re-read and locked, with its study, pair and batch."""
    rows = Assignment.objects.select_related("study", "pair__batch").select_for_update(of=("self",))
    return rows.get(pk=assignment.pk)


def locked_standing(assignment: Assignment) -> Standing:
    """Return the standing of an answered assignment, locked, with its current revision."""
    return Standing.objects.select_for_update(of=("self",)).select_related("current").get(pk=assignment.pk)


def repeated(stored: Annotation, assignment: Assignment, answers: Answers) -> Revised:
    """Return the revision that is stored under a repeated id. Raise Refused unless its answers are the same."""
    if stored.assignment_id != assignment.pk or Answers.from_annotation(stored) != answers:
        raise Refused("This submission id belongs to an answer with other content.", "submission_id_used")
    return Revised(stored, Standing.objects.get(pk=assignment.pk), created=False)


def _refuse_if_closed(assignment: Assignment, seat: Seat, standing: Standing, reason: str) -> None:
    """Raise Refused if the answer can no longer be changed for this reason."""
    study, pair = assignment.study, assignment.pair
    study.state, pair.batch.state = acceptance.locked_states(assignment)
    if reason != SECOND_LOOK:
        if conflict := closed_because(assignment, standing, seat, study, timezone.now()):
            raise conflict
        return
    if conflict := _decided(standing):
        raise conflict
    if acceptance.has_withdrawn(seat):
        raise Refused(acceptance.consent_needed(), acceptance.CONSENT)
    if conflict := _not_accepted(pair, seat, study.state, pair.batch.state):
        raise conflict
    first = standing.current
    if first.revision != 1 or not second_look_due(study, first):
        raise Refused(_("This answer was not chosen for a second look."), "no_second_look")
    if timezone.now() > first.submitted_at + timedelta(seconds=study.lease_s):
        raise Refused(_("The time limit for changing this answer has passed."), "too_late")


def _write(
    assignment: Assignment,
    seat: Seat,
    standing: Standing,
    person: User,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    reason: str,
) -> Annotation:
    """Write the next revision, make it current, and record that."""
    before = standing.current
    now = timezone.now()
    annotation = Annotation.objects.create(
        study_id=assignment.study_id,
        assignment=assignment,
        revision=before.revision + 1,
        author=person,
        submission_id=submission_id,
        submitted_at=now,
        reason=reason,
        active_ms=credit(seat, timings_ms, since=before.submitted_at, now=now),
        timings_ms=dict(timings_ms),
        viewing=dict(viewing),
        presentation=draws.presentation(assignment.study, seat, assignment),
        protocol_version=assignment.protocol_version,
        guideline_version=assignment.guideline_version,
        **answers.columns(),
    )
    _record_look(before, person, reason, changed=True)
    make_current(annotation, standing, actor=person)
    return annotation


def make_current(revision: Annotation, standing: Standing, *, actor: User) -> None:
    """Make a new revision the current one, record it, and send the signal to higher apps. The standing is locked."""
    before, tagged = standing.current, bool(Answers.from_annotation(revision).tagged())
    standing.current, standing.author_kind, standing.tags_unnoted = revision, revision.author_kind, tagged
    standing.rules_due, standing.opinions_due = True, revision.assignment.study.more_answers > 0
    standing.save(update_fields=["current", "author_kind", "tags_unnoted", "rules_due", "opinions_due"])
    audit.record(
        "annotation.revised",
        revision,
        actor=actor,
        study_slug=revision.assignment.study.slug,
        before={"current": before.pk, "revision": before.revision},
        after={"assignment": standing.pk, "revision": revision.revision, "reason": revision.reason},
    )
    answer_revised.send(sender=Annotation, annotation=revision, standing=standing)


def _record_look(first: Annotation, person: User, reason: str, *, changed: bool) -> None:
    """Record an answer's second look, once even if the request is repeated."""
    if reason != SECOND_LOOK:
        return
    _row, is_first = SecondLook.objects.get_or_create(first=first, defaults={"study_id": first.study_id})
    if is_first:
        slug = first.assignment.study.slug
        audit.record(LOOKED_AGAIN, first, actor=person, study_slug=slug, after={"changed": changed})


def credit(seat: Seat, timings_ms: Mapping[str, int], *, since: datetime, now: datetime) -> int:
    """Add a revision's active time, in milliseconds, to the locked seat and return it.

    Time before the person began the revision belongs to earlier answers, so nothing is counted twice.
    """
    credited = active_ms(timings_ms, since=max(since, seat.worked_until or since), now=now)
    seat.active_ms += credited
    seat.since_break_ms += credited
    seat.worked_until = now
    seat.save(update_fields=["active_ms", "since_break_ms", "worked_until"])
    return credited
