"""Attempts to break each constraint of assignments, answers, exposure and consent. `w` is the `World`."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from annotation.models import Assignment, Seat, Standing
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS
from tests.constraints.world import twice


def annotation_of_revision_0(w):
    """Try this constraint on its own: another one, which is checked first, refuses the row too."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotation_annotation DROP CONSTRAINT annotation_later_revision_has_reason")
    w.annotation(revision=0)


def copy_of(assignment, **values):
    """Return another assignment of the same pair and person, released unless `values` say otherwise."""
    values = {"state": "released", "ended_at": timezone.now(), "round_reason": "returned"} | values
    fields = (
        "study",
        "pair",
        "person",
        "left",
        "dimension_first",
        "expires_at",
        "protocol_version",
        "guideline_version",
    )
    return Assignment.objects.create(**{name: getattr(assignment, name) for name in fields} | values)


ATTEMPTS = {
    # --- annotation
    "seat_once": lambda w: Seat.objects.create(
        study=w.study, person=w.person, question_order=list(SUB_DIMENSION_KEYS), tag_order=list(HARM_KEYS)
    ),
    "seat_excluded_known": lambda w: w.change(w.seat, excluded=["rude"]),
    "seat_controls_among_served": lambda w: w.change(w.seat, controls=10_000),
    "seat_orders_complete": lambda w: w.change(w.seat, question_order=["correctness"] * 4),
    "assignment_once_a_round": lambda w: w.change(copy_of(w.assignment, round=1, round_reason="returned"), round=0),
    "assignment_one_lease_a_place": lambda w: copy_of(w.assignment, state="leased", ended_at=None, round=2),
    "assignment_left_known": lambda w: w.change(w.assignment, left="tie"),
    "assignment_dimension_known": lambda w: w.change(w.assignment, dimension_first="beauty"),
    "assignment_state_known": lambda w: w.change(w.assignment, state="odd", ended_at=timezone.now()),
    "assignment_place_known": lambda w: w.change(w.assignment, place="third"),
    "assignment_ended_unless_leased": lambda w: w.change(w.assignment, state="released"),
    "assignment_skipped_with_reason": lambda w: w.change(
        w.assignment, state="skipped", ended_at=timezone.now(), skip_reason="bored"
    ),
    "assignment_note_of_technical_problem": lambda w: w.change(
        w.assignment, state="skipped", ended_at=timezone.now(), skip_reason="cannot_judge", skip_note="No sound."
    ),
    "assignment_later_round_has_reason": lambda w: w.change(w.assignment, round=1),
    "assignment_round_reason_known": lambda w: w.change(w.assignment, round=1, round_reason="a whim"),
    "assignment_asked_because_known": lambda w: w.change(w.assignment, asked_because="a whim"),
    "assignment_one_offer_a_pair": lambda w: [
        copy_of(w.assignment, state="offered", ended_at=None, round=number) for number in (1, 2)
    ],
    "assignment_only_later_rounds_offered": lambda w: w.change(w.assignment, state="offered"),
    "assignment_lease_has_length": lambda w: w.change(w.assignment, expires_at=w.assignment.leased_at),
    "assignment_pair_same_study": lambda w: w.change(w.assignment, pair=w.foreign),
    "annotation_assignment_same_study": lambda w: w.annotation(study=w.other),
    "standing_assignment_same_study": lambda w: Standing.objects.create(
        study=w.other, assignment=w.assignment, current=w.annotation()
    ),
    "annotation_revision_once": twice(lambda w: w.annotation()),
    "annotation_revision_from_one": annotation_of_revision_0,
    "annotation_later_revision_has_reason": lambda w: w.annotation(revision=2),
    "annotation_correction_by_reviewer": lambda w: w.annotation(author_kind="corrector", revision=2, reason="reopened"),
    "annotation_author_kind_known": lambda w: w.annotation(author_kind="robot"),
    "annotation_choices_known": lambda w: w.annotation(correctness="left"),
    "annotation_tags_known": lambda w: w.annotation(tags_video_0=["rude"]),
    "second_look_annotation_same_study": lambda w: w.second_look(study=w.other),
    "standing_invalid_has_reason": lambda w: Standing.objects.create(
        study=w.study, assignment=w.assignment, current=w.annotation(), validity="invalid"
    ),
    "standing_uncounted_has_reason": lambda w: Standing.objects.create(
        study=w.study, assignment=w.assignment, current=w.annotation(), counted=False
    ),
    "standing_current_of_assignment": lambda w: Standing.objects.create(
        study=w.study,
        assignment=copy_of(w.assignment, round=1, round_reason="returned"),
        current=w.annotation(),
    ),
    "exposure_not_negative": lambda w: w.exposure(revealed_s=-1),
    "exposure_once_a_day": lambda w: [w.exposure() for _ in range(2)],
    "exposure_lapses_within_expected": lambda w: w.exposure(expected_s=1, lapses_s=2),
    "dose_once_a_day": twice(lambda w: w.dose()),
    "dose_not_negative": lambda w: w.dose(seconds=-1),
    "break_why_known": lambda w: w.rest(why="nap"),
    "break_has_length": lambda w: w.rest(ends_at=timezone.now() - timedelta(minutes=1)),
    # --- answers
    "answered_sum_once": lambda w: [w.answered_sum() for _ in range(2)],
    "answered_sum_before_its_end": lambda w: w.answered_sum(last_at=timezone.now()),
}
