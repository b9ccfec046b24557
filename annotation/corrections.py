"""Corrections: a reviewer's revision of another person's answer. It changes tags, never a preference (rule 5).

A correction becomes the current revision. The annotator's own page says that a reviewer corrected the answer. After
that the annotator can no longer change it: the trigger `standing_correction_stays` refuses it.
"""

from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from annotation import acceptance, revisions
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Standing
from annotation.protocol import CORRECTION, SUB_DIMENSION_KEYS
from annotation.revisions import Revised
from diptych.refusals import Refused

PREFERENCES = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")


def correct(
    assignment: Assignment, reviewer: User, *, submission_id: UUID, answers: Answers, comment: str = ""
) -> Revised:
    """Store the reviewer's answers as the next and current revision of an answered assignment.

    1. Lock the assignment and its standing, so that a change by the annotator comes before the correction or is
       refused after it.
    2. The same submission id with the same answers returns the stored correction.
    3. Refuse if the pair is not answered, the answer is the reviewer's own, a preference would change, or the batch is
       accepted. The batch's row is share-locked until the commit.
    4. Answers that equal the current ones write no revision. Otherwise write it, make it current, and record it.

    Raise Refused with the reason.

    Args:
        comment: the reviewer's message to the annotator.
    """
    answers = replace(answers, comment=comment)
    try:
        with transaction.atomic():
            locked = revisions.locked(assignment)
            stored = Annotation.objects.filter(submission_id=submission_id).first()
            if stored is not None:
                # Only the annotator can say whether they are unsure, so that stays unchanged.
                return revisions.repeated(stored, locked, replace(answers, unsure=stored.unsure))
            if locked.state != Assignment.State.SUBMITTED:
                raise Refused(_("The person has not answered this pair."), "not_answered")
            standing = revisions.locked_standing(locked)
            _refuse(locked, standing, reviewer, answers)
            answers = replace(answers, unsure=standing.current.unsure)
            if replace(Answers.from_annotation(standing.current), comment=comment) == answers:
                return Revised(standing.current, standing, created=False)
            revision = _written(locked, standing.current, reviewer, submission_id, answers)
            revisions.make_current(revision, standing, actor=reviewer)
            return Revised(revision, standing, created=True)
    except IntegrityError as error:
        # Another person used the same id at the same moment.
        if "submission_id" in str(error):
            raise Refused(_("This submission id belongs to another answer."), "submission_id_used") from error
        raise


def _refuse(assignment: Assignment, standing: Standing, reviewer: User, answers: Answers) -> None:
    """Raise Refused if these answers cannot become the correction of the current revision."""
    if reviewer.pk == assignment.person_id:
        raise Refused(_("This is your own answer. Someone else has to correct it."), "own_answer")
    _study_state, batch_state = acceptance.locked_states(assignment)
    if not acceptance.BY_BATCH[batch_state].corrections:
        raise Refused(_("This pair’s batch is accepted, so its answers can no longer be changed."), "batch_closed")
    before, after = standing.current, answers.columns()
    if any(getattr(before, name) != after[name] for name in PREFERENCES):
        raise Refused(
            _("A correction can only change tags. If a preference is wrong, reject the answer."), "preference"
        )


def _written(
    assignment: Assignment, before: Annotation, reviewer: User, submission_id: UUID, answers: Answers
) -> Annotation:
    """Write the reviewer's revision, with the presentation and the versions of the annotator's."""
    return Annotation.objects.create(
        study=assignment.study,
        assignment=assignment,
        revision=before.revision + 1,
        author=reviewer,
        author_kind=Annotation.AuthorKind.CORRECTOR,
        submission_id=submission_id,
        reason=CORRECTION,
        presentation=before.presentation,
        protocol_version=before.protocol_version,
        guideline_version=before.guideline_version,
        **answers.columns(),
    )
