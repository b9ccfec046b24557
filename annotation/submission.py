"""Store an answer exactly once for each submission id, even if requests are repeated, late or interrupted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import acceptance, draws, exposure_reports, leases, seats, serving
from annotation.acceptance import SURPLUS, SURPLUS_BATCH_CLOSED, SURPLUS_STUDY_CLOSED, SURPLUS_SUSPENDED
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat, Standing
from annotation.signals import answer_submitted
from catalog import slots
from catalog.models import Pair
from diptych.database.fixed import fetch_all, fetch_one
from diptych.refusals import Refused


@dataclass(frozen=True, slots=True)
class Submitted:
    """A stored annotation, whether this call wrote it, and the person's next pairs if they were asked for."""

    annotation: Annotation
    standing: Standing
    created: bool
    leased: serving.LeasedPairs | None


def submit(
    assignment: Assignment,
    person: User,
    *,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    care: Mapping[str, Any] | None = None,
    lease_next: bool = False,
) -> Submitted:
    """Store the person's answers on their assignment and, with `lease_next`, lease their next pairs.

    The same `submission_id` with the same answers returns the stored annotation. An answer after the end of its lease
    counts if its pair still has a slot and its study is not closed; otherwise it is kept as surplus. Every answer to a
    pair whose batch is being checked is kept as surplus too, and so is every answer of a suspended person. `care` is
    the exposure (`exposure_reports`). It is not stored with the answers.

    Raise Refused if the id was used for something else, the assignment was answered or skipped before, or the person
    has withdrawn their consent.
    """
    study = assignment.study
    try:
        with transaction.atomic():
            seat = seats.locked_seat(person, study)
            revision = FirstRevision(assignment, person, seat, submission_id, answers, timings_ms, viewing)
            written = None if acceptance.has_withdrawn(seat) else revision.write()
            annotation, standing, created = written or _repeated(submission_id, assignment, answers)
            if created:
                answer_submitted.send(sender=Annotation, annotation=annotation, standing=standing)
                if revision.may_complete is not None:
                    leases.complete_after_commit(revision.may_complete)
                if revision.sensitive or care:
                    seat.dose_s += exposure_reports.record_report(
                        assignment,
                        person,
                        care=care,
                        showing=exposure_reports.lease_of(assignment),
                        sensitive=revision.sensitive,
                        tagged=answers.tagged(),
                    )
            live = revision.other_leases if created else leases.live_leases(seat)
            leased = serving.fill_places(seat, person, study, live) if lease_next else None
    except IntegrityError as error:
        # Another person used the same id at the same moment. The lock on the seat does not prevent that.
        if "submission_id" in str(error):
            raise _id_used() from error
        raise
    return Submitted(annotation, standing, created, leased)


def _repeated(submission_id: UUID, assignment: Assignment, answers: Answers) -> tuple[Annotation, Standing, bool]:
    """Return what is stored for the same content sent before. Raise Refused for other content."""
    annotation = Annotation.objects.filter(submission_id=submission_id).first()
    if annotation is None:
        state = Assignment.objects.values_list("state", flat=True).get(pk=assignment.pk)
        if state == Assignment.State.SKIPPED:
            raise Refused(_("You have skipped this pair."), "skipped")
        if state == Assignment.State.SUBMITTED:
            raise Refused(_("You have already answered this pair."), "already_answered")
        raise Refused(acceptance.consent_needed(), acceptance.CONSENT)
    if annotation.assignment_id != assignment.pk or Answers.from_annotation(annotation) != answers:
        raise _id_used()
    return annotation, Standing.objects.get(assignment_id=assignment.pk), False


def _id_used() -> Refused:
    return Refused(_("This submission id belongs to another answer."), "submission_id_used")


#: More active time than this is not accepted for one answer.
MOST_ACTIVE_MS = 24 * 3600 * 1000

#: Store an answer, in one statement. It returns a row for each other live lease of the person, or one row without a
#: lease. It returns no row if the assignment was answered or skipped, or if the submission id was used before. Each row
#: says whether the answer took the last slot of its pair.
#:
#: 1. `open`: lock the assignment, unless it was answered or skipped. A live lease already has the slot for the answer.
#: 2. `late`: if the lease is not live, lock the pair, and check whether it has a slot for the answer.
#: 3. `batch`, and `study` for a late answer: share-lock these rows. Their states therefore change before this answer
#:    or after it. A batch that this statement cannot see was created while it waited for the pair, and is open. The
#:    batch of an ordinary answer is not locked: it stays open while somebody has a live lease on a pair that is not
#:    held. (If many people locked one row shared, each lock would cost more, because PostgreSQL lists all of them.)
#: 4. `decided`: decide whether the answer counts, and if not, why. The reason is stored in its standing.
#: 5. `slot`: take a slot if the answer counts and had none. Return the slot if it had one and does not count. The
#:    assignment keeps the reason of the slot that it took last.
#: 6. `ended`: end the lease, and delete the draft.
#: 7. `written`, `stands`: write revision 1 and its standing.
#: 8. `seated`: add the active time to the person's seat.
#: 9. `recorded`: write the audit row.
WRITE = f"""
WITH open AS (
    SELECT mine.id, mine.pair_id, mine.round, mine.asked_because, mine.state = 'leased' AS holds_slot,
           mine.state = 'leased' AND mine.expires_at > %(now)s AS live
      FROM annotation_assignment mine
     WHERE mine.id = %(assignment)s AND mine.state IN ('leased', 'expired', 'released', 'offered')
       AND NOT EXISTS (SELECT FROM annotation_annotation used WHERE used.submission_id = %(submission_id)s)
       FOR UPDATE OF mine
), late AS (
    SELECT pair.id, pair.batch_id, pair.held = '' AND (open.holds_slot OR pair.open_slots > 0) AS has_slot,
           CASE WHEN open.round = 0 THEN {slots.OF_NEW_ANSWER} ELSE {slots.OF_ANSWER_AGAIN} END AS asked_because
      FROM catalog_pair pair, open
     WHERE NOT open.live AND pair.id = open.pair_id
       FOR NO KEY UPDATE OF pair
), batch AS (
    SELECT {acceptance.COUNTS} AS counts
      FROM open JOIN catalog_pair pair ON pair.id = open.pair_id
      LEFT JOIN late ON late.id = pair.id
      JOIN catalog_batch batch ON batch.id = coalesce(late.batch_id, pair.batch_id)
     WHERE NOT open.live OR pair.held <> '' OR batch.state <> 'open'
       FOR SHARE OF batch
), study AS (
    SELECT {acceptance.COUNTS_LATE} AS counts_late
      FROM late JOIN studies_study study ON study.id = %(study)s
       FOR SHARE OF study
), decided AS (
    SELECT open.id, open.pair_id, open.holds_slot,
           CASE WHEN open.holds_slot THEN open.asked_because ELSE late.asked_because END AS asked_because,
           CASE WHEN %(is_suspended)s THEN %(suspended)s
                WHEN NOT coalesce((SELECT counts FROM batch), true) THEN %(batch_closed)s
                WHEN open.live THEN ''
                WHEN NOT (SELECT counts_late FROM study) THEN %(study_closed)s
                WHEN late.has_slot THEN ''
                ELSE %(slot_taken)s
           END AS surplus
      FROM open LEFT JOIN late ON late.id = open.pair_id
), slot AS (
    UPDATE catalog_pair pair
       SET {slots.moved("CASE WHEN decided.holds_slot THEN 1 ELSE -1 END", "decided.asked_because")}
      FROM decided WHERE pair.id = decided.pair_id AND decided.holds_slot = (decided.surplus <> '')
), ended AS (
    UPDATE annotation_assignment mine
       SET state = 'submitted', ended_at = %(now)s, draft = NULL,
           asked_because = CASE WHEN decided.surplus = '' THEN decided.asked_because ELSE mine.asked_because END
      FROM decided WHERE mine.id = decided.id
    RETURNING mine.id, mine.pair_id, mine.protocol_version, mine.guideline_version, decided.surplus
), written AS (
    INSERT INTO annotation_annotation
           (study_id, assignment_id, revision, author_id, author_kind, submission_id, submitted_at,
            instruction_following, correctness, informativeness, aesthetics, helpfulness, harmlessness,
            tags_video_0, tags_video_1, unsure, comment, active_ms, timings_ms, viewing, presentation,
            protocol_version, guideline_version)
    SELECT %(study)s, ended.id, 1, %(person)s, 'annotator', %(submission_id)s, %(now)s,
           %(instruction_following)s, %(correctness)s, %(informativeness)s, %(aesthetics)s, %(helpfulness)s,
           %(harmlessness)s, %(tags_video_0)s::varchar[], %(tags_video_1)s::varchar[], %(unsure)s, %(comment)s,
           %(active_ms)s, %(timings_ms)s::jsonb, %(viewing)s::jsonb, %(presentation)s::jsonb,
           ended.protocol_version, ended.guideline_version
      FROM ended
    RETURNING id, assignment_id, protocol_version, guideline_version
), stands AS (
    INSERT INTO annotation_standing
           (assignment_id, study_id, current_id, validity, uncounted_reason, counted, tags_unnoted, opinions_due)
    SELECT written.assignment_id, %(study)s, written.id, 'valid', ended.surplus, ended.surplus = '', %(tagged)s,
           %(opinions_due)s
      FROM written, ended
), seated AS (
    UPDATE annotation_seat seat
       SET active_ms = seat.active_ms + %(active_ms)s, since_break_ms = %(since_break_ms)s, worked_until = %(now)s
      FROM written WHERE seat.id = %(seat)s
), recorded AS (
    {audit.INSERT}
    SELECT %(person)s, 'annotation.submitted', 'annotation_annotation', written.id, %(study_slug)s, NULL,
           jsonb_build_object('assignment', written.assignment_id, 'counted', ended.surplus = ''), %(address)s
      FROM written, ended
)
SELECT written.id, written.protocol_version, written.guideline_version, ended.surplus,
       pair.lane = 1, pair.batch_id, pair.open_slots <= (SELECT count(*) FROM late),
       other.*
  FROM written CROSS JOIN ended JOIN catalog_pair pair ON pair.id = ended.pair_id
  LEFT JOIN ({leases.LIVE_LEASES}) other ON other.id <> ended.id
"""  # noqa: S608 - of a statement of ours


class FirstRevision:
    """Revision 1 of an answer, before and while it is stored. The person's seat is locked."""

    def __init__(
        self,
        assignment: Assignment,
        person: User,
        seat: Seat,
        submission_id: UUID,
        answers: Answers,
        timings_ms: Mapping[str, int],
        viewing: Mapping[str, Any],
    ) -> None:
        self.assignment, self.person, self.seat, self.study = assignment, person, seat, assignment.study
        self.now = timezone.now()
        self.tagged = bool(answers.tagged())
        #: Whether the pair was expected to show harm. Set by `write`.
        self.sensitive = False
        #: The batch that may now have its last answer, or None if other answers are certainly missing. Set by `write`.
        self.may_complete: int | None = None
        #: The person's other leases. Set by `write`.
        self.other_leases: dict[str, leases.LiveLease] = {}
        self.active_ms = active_ms(timings_ms, since=self._unaccounted_since(), now=self.now)
        self.columns = {"submission_id": submission_id, "active_ms": self.active_ms, **answers.columns()}
        self.json = {
            "timings_ms": dict(timings_ms),
            "viewing": dict(viewing),
            "presentation": draws.presentation(self.study, seat, assignment),
        }

    def _unaccounted_since(self) -> datetime:
        """Return the moment up to which earlier answers have counted the active time, so that none counts twice."""
        shown_at = self.assignment.shown_at or self.assignment.leased_at
        return max(shown_at, self.seat.worked_until or shown_at)

    def write(self) -> tuple[Annotation, Standing, bool] | None:
        """Store the answer. Return None if it was answered or skipped before, or the submission id was used before."""
        rows = fetch_all(
            WRITE,
            {
                "study": self.study.pk,
                "study_slug": self.study.slug,
                "address": audit.request_address.get(),
                "assignment": self.assignment.pk,
                "person": self.person.pk,
                "seat": self.seat.pk,
                "now": self.now,
                "slot_taken": SURPLUS,
                "study_closed": SURPLUS_STUDY_CLOSED,
                "batch_closed": SURPLUS_BATCH_CLOSED,
                "suspended": SURPLUS_SUSPENDED,
                "is_suspended": acceptance.is_suspended(self.seat),
                "tagged": self.tagged,
                "opinions_due": self.study.more_answers > 0,
                "excluded": self.seat.excluded,
                "since_break_ms": self._since_break_ms(),
                **self.columns,
                **{name: orjson.dumps(value).decode() for name, value in self.json.items()},
            },
        )
        if not rows:
            return None
        annotation_id, protocol_version, guideline_version, surplus, self.sensitive, batch_id, is_last = rows[0][:7]
        self.other_leases = leases.by_place(row[7:] for row in rows if row[7] is not None)
        if is_last and not surplus and not any(lease.leased_of(batch_id) for lease in self.other_leases.values()):
            self.may_complete = batch_id
        self.seat.since_break_ms, self.seat.worked_until = self._since_break_ms(), self.now
        annotation = Annotation(
            id=annotation_id,
            study=self.study,
            assignment=self.assignment,
            author=self.person,
            submitted_at=self.now,
            protocol_version=protocol_version,
            guideline_version=guideline_version,
            **self.columns,
            **self.json,
        )
        standing = Standing(
            study=self.study,
            assignment=self.assignment,
            current=annotation,
            counted=not surplus,
            uncounted_reason=surplus,
            tags_unnoted=self.tagged,
            opinions_due=self.study.more_answers > 0,
        )
        for row_written in (annotation, standing):
            row_written._state.adding = False
        return annotation, standing, True

    def _since_break_ms(self) -> int:
        """Return the active time since the last break, with this answer. A gap as long as a break counts as one."""
        rested = self.seat.worked_until is not None and self._unaccounted_since() - self.seat.worked_until >= timedelta(
            seconds=self.study.break_s or 1
        )
        return self.active_ms + (0 if rested else self.seat.since_break_ms)


def active_ms(timings_ms: Mapping[str, int], *, since: datetime, now: datetime) -> int:
    """Return the milliseconds of active work to credit: the page's count, limited by the time since `since` and by one
    day."""
    reported = timings_ms.get("total_active")
    if reported is None:
        reported = sum(timings_ms.values())
    return max(0, min(reported, MOST_ACTIVE_MS, int((now - since).total_seconds() * 1000)))


#: The seat is share-locked, so that a withdrawal at the same moment comes before the draft or after it.
DRAFTED = f"""
WITH seat AS (
    SELECT seat.consented_version FROM annotation_seat seat
     WHERE seat.study_id = %(study)s AND seat.person_id = %(person)s
       FOR SHARE OF seat
)
UPDATE annotation_assignment assignment SET draft = %(draft)s::jsonb
  FROM seat, catalog_pair pair
 WHERE assignment.id = %(assignment)s AND pair.id = assignment.pair_id AND seat.consented_version > 0
   AND (assignment.state = 'leased' AND assignment.expires_at > %(now)s
        OR assignment.state = ANY(%(states)s) AND {acceptance.STUDY_TAKES_WORK_AFTER_LEASE})
RETURNING pair.lane
"""  # noqa: S608 - of constants


def save_draft(assignment: Assignment, draft: Mapping[str, Any]) -> None:
    """Save unfinished answers with the assignment, also after its lease has ended, until the study is closed.

    The exposure (`care`) of a pair that may show harm, or whose videos the person hid, is recorded in any case. It is
    never part of the draft.

    Raise Refused if the pair was answered or skipped, the person has withdrawn their consent, or the study is closed
    and the lease has ended.
    """
    answers = {name: value for name, value in draft.items() if name != "care"}
    values = {
        "assignment": assignment.pk,
        "study": assignment.study_id,
        "person": assignment.person_id,
        "draft": orjson.dumps(answers).decode(),
        "now": timezone.now(),
        "states": [Assignment.State.LEASED, *leases.RECLAIMABLE],
    }
    row = fetch_one(DRAFTED, values)
    if (care := draft.get("care")) and (
        row is None or row[0] == Pair.Lane.SENSITIVE or exposure_reports.has_hides(care)
    ):
        exposure_reports.record_separate_report(assignment, assignment.person, care)
    if row is None:
        raise _draft_refused(assignment)


def _draft_refused(assignment: Assignment) -> Refused:
    state = Assignment.objects.values_list("state", flat=True).get(pk=assignment.pk)
    if state in (Assignment.State.SUBMITTED, Assignment.State.SKIPPED):
        return Refused(_("This pair was already submitted or skipped."), "already_answered")
    seat = Seat.objects.filter(study=assignment.study_id, person=assignment.person_id).first()
    if seat is None or acceptance.has_withdrawn(seat):
        return Refused(acceptance.consent_needed(), acceptance.CONSENT)
    return Refused(acceptance.lease_ended_study_closed(), acceptance.STUDY_CLOSED)
