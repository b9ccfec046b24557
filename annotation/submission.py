"""Writing an answer: exactly once for each submission id, whatever is repeated, late or interrupted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from annotation import serving
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat, Standing
from annotation.signals import answer_submitted

#: Reason on the standing of an answer that came after its slot had gone to somebody else.
SURPLUS = "surplus"


class Conflict(Exception):
    """The submission contradicts what is stored; `str()` says how, `code` is a word for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Submitted:
    """A stored annotation, whether this call wrote it, and the person's desk where the next pair was asked for."""

    annotation: Annotation
    standing: Standing
    created: bool
    desk: serving.Desk | None


def submit(
    assignment: Assignment,
    person: User,
    *,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    lease_next: bool = False,
) -> Submitted:
    """Stores the person's answers on their assignment and, with `lease_next`, leases what comes next.

    The same `submission_id` with the same answers returns what was stored the first time. An answer to a lease
    that has ended is counted if its pair still has a slot, and else kept as surplus.

    Raises Conflict if the id was used for anything else, or the assignment was answered or skipped before.
    """
    study = assignment.study
    try:
        with transaction.atomic():
            seat = serving.take_seat(person, study)
            annotation = Annotation.objects.filter(submission_id=submission_id).first()
            created = annotation is None
            if annotation is None:
                annotation, standing = _write(
                    assignment, person, seat, submission_id, answers, dict(timings_ms), dict(viewing)
                )
            else:
                standing = _repeated(annotation, assignment, answers)
            desk = serving.fill(seat, study) if lease_next else None
    except IntegrityError as error:
        # Another person used the same id at the same moment; each sees only their own seat's lock.
        if "submission_id" in str(error):
            raise Conflict("submission_id_used", "This submission id belongs to another answer.") from error
        raise
    return Submitted(annotation, standing, created, desk)


def _repeated(annotation: Annotation, assignment: Assignment, answers: Answers) -> Standing:
    """The standing of an annotation that is being sent again. Raises Conflict unless it is the same content."""
    if annotation.assignment_id != assignment.pk or Answers.of(annotation) != answers:
        raise Conflict("submission_id_used", "This submission id belongs to an answer with other content.")
    return Standing.objects.get(assignment_id=assignment.pk)


def _write(
    assignment: Assignment,
    person: User,
    seat: Seat,
    submission_id: UUID,
    answers: Answers,
    timings_ms: dict[str, int],
    viewing: dict[str, Any],
) -> tuple[Annotation, Standing]:
    """Ends the lease and writes revision 1, its standing and the audit row."""
    assignment = Assignment.objects.select_related("study").select_for_update(of=("self",)).get(pk=assignment.pk)
    counted = _settle(assignment)
    annotation = Annotation.objects.create(
        study_id=assignment.study_id,
        assignment=assignment,
        author=person,
        submission_id=submission_id,
        submitted_at=timezone.now(),
        timings_ms=timings_ms,
        viewing=viewing,
        presentation={
            "left": assignment.left,
            "dimension_first": assignment.dimension_first,
            "question_order": seat.question_order,
            "tag_order": seat.tag_order,
        },
        protocol_version=assignment.protocol_version,
        guideline_version=assignment.guideline_version,
        **answers.columns(),
    )
    standing = Standing.objects.create(
        study_id=assignment.study_id,
        assignment=assignment,
        current=annotation,
        counted=counted,
        reason="" if counted else SURPLUS,
    )
    audit.record(
        "annotation.submitted",
        annotation,
        actor=person,
        study_slug=assignment.study.slug,
        after={"assignment": assignment.pk, "counted": counted},
    )
    answer_submitted.send(sender=Annotation, annotation=annotation, standing=standing)
    return annotation, standing


def _settle(assignment: Assignment) -> bool:
    """Marks a locked assignment as submitted; whether its answer takes one of the pair's wanted slots.

    A live lease hands its slot over. One that has ended takes a slot again if the pair has one left.
    """
    match assignment.state:
        case Assignment.State.LEASED:
            counted = True
        case Assignment.State.EXPIRED | Assignment.State.RELEASED:
            counted = serving.take_slot(assignment.pair_id)
        case Assignment.State.SUBMITTED:
            raise Conflict("already_answered", "You have already answered this pair.")
        case _:
            raise Conflict("skipped", "You have skipped this pair.")
    assignment.state = Assignment.State.SUBMITTED
    assignment.ended_at = timezone.now()
    assignment.draft = None
    assignment.save(update_fields=["state", "ended_at", "draft"])
    return counted


def save_draft(assignment: Assignment, draft: Mapping[str, Any]) -> None:
    """Keeps unfinished answers with the assignment, also after its lease has ended.

    Raises Conflict if the pair was answered or skipped.
    """
    kept = Assignment.objects.filter(
        pk=assignment.pk, state__in=[Assignment.State.LEASED, *serving.RECLAIMABLE]
    ).update(draft=dict(draft))
    if not kept:
        raise Conflict("already_answered", "This pair was already submitted or skipped.")


def record_standing(standing: Standing, *, validity: str, reason: str, actor: User | None, study_slug: str) -> None:
    """Changes how an answer stands, reversibly, and leaves an audit row. Call it inside a transaction."""
    before = {"validity": standing.validity, "reason": standing.reason}
    standing.validity, standing.reason = validity, reason
    standing.save(update_fields=["validity", "reason"])
    audit.record(
        "annotation.standing",
        standing,
        actor=actor,
        study_slug=study_slug,
        before=before,
        after={"validity": validity, "reason": reason},
    )
