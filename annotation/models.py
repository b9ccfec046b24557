"""Who was given which pair, what they answered, and how that answer stands.

Locks are taken in this order: seat, assignment, pair, standing. Nobody waits for a pair while holding one.
"""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.protocol import DIMENSIONS, HARM_KEYS, SKIP_REASONS, SUB_DIMENSION_KEYS, TIE, VIDEOS
from catalog.models import Pair, Study
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only

CHOICES = [*VIDEOS, TIE]


class Seat(models.Model):
    """One person's place in one study: how far along they are, and the orders drawn for them once.

    Its row is locked by whatever changes that person's leases, so one person's requests follow one another.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="seats")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="seats")
    served = models.PositiveIntegerField(default=0, help_text="Pairs given so far")
    left_balance = models.IntegerField(default=0, help_text="Times video 0 was on the left, less times video 1 was")
    question_order = ArrayField(models.CharField(max_length=24))
    tag_order = ArrayField(models.CharField(max_length=24))

    class Meta:
        constraints = [
            models.UniqueConstraint(name="seat_once", fields=["study", "person"]),
            models.CheckConstraint(
                name="seat_orders_complete",
                condition=Q(
                    question_order__contains=list(SUB_DIMENSION_KEYS),
                    question_order__len=len(SUB_DIMENSION_KEYS),
                    tag_order__contains=list(HARM_KEYS),
                    tag_order__len=len(HARM_KEYS),
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.study_id}"


class Assignment(models.Model):
    """One pair given to one person.

    leased → submitted | skipped | released | expired. While `leased` it holds one of the pair's slots, also past
    `expires_at`: an expired lease is reclaimable, not dead, until the sweep returns its slot. An expired or
    released row is leased again rather than written a second time.
    """

    class State(models.TextChoices):
        LEASED = "leased", _("leased")
        SUBMITTED = "submitted", _("submitted")
        SKIPPED = "skipped", _("skipped")
        EXPIRED = "expired", _("expired")
        RELEASED = "released", _("released")

    class Place(models.TextChoices):
        CURRENT = "current"
        NEXT = "next"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments")
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="assignments", db_constraint=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    round = models.PositiveSmallIntegerField(default=0)
    round_reason = models.CharField(max_length=40, blank=True, help_text="Why it was asked again")
    left = models.CharField(max_length=7, help_text="Which video was shown on the left")
    dimension_first = models.CharField(max_length=12)
    state = models.CharField(max_length=9, choices=State.choices, default=State.LEASED)
    place = models.CharField(max_length=7, choices=Place.choices, default=Place.CURRENT)
    leased_at = models.DateTimeField(db_default=Now())
    shown_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    draft: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    protocol_version = models.PositiveIntegerField(help_text="The study's when the pair was given")
    guideline_version = models.PositiveIntegerField(help_text="The study's when the pair was given")
    skip_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [
            models.Index(name="assignment_expiring", fields=["expires_at"], condition=Q(state="leased")),
        ]
        constraints = [
            models.UniqueConstraint(name="assignment_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="assignment_once_a_round", fields=["pair", "person", "round"]),
            # At most two live leases a person and study: one in each place.
            models.UniqueConstraint(
                name="assignment_one_lease_a_place",
                fields=["study", "person", "place"],
                condition=Q(state="leased"),
            ),
            models.CheckConstraint(name="assignment_left_known", condition=Q(left__in=list(VIDEOS))),
            models.CheckConstraint(
                name="assignment_dimension_known",
                condition=Q(dimension_first__in=list(DIMENSIONS)),
            ),
            models.CheckConstraint(
                name="assignment_state_known",
                condition=Q(state__in=["leased", "submitted", "skipped", "expired", "released"]),
            ),
            models.CheckConstraint(name="assignment_place_known", condition=Q(place__in=["current", "next"])),
            models.CheckConstraint(
                name="assignment_ended_unless_leased",
                condition=Q(state="leased", ended_at__isnull=True) | (~Q(state="leased") & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="assignment_skipped_with_reason",
                condition=Q(state="skipped", skip_reason__in=list(SKIP_REASONS))
                | (~Q(state="skipped") & Q(skip_reason="")),
            ),
            models.CheckConstraint(
                name="assignment_later_round_has_reason", condition=Q(round=0) | ~Q(round_reason="")
            ),
            models.CheckConstraint(name="assignment_lease_has_length", condition=Q(expires_at__gt=F("leased_at"))),
            CompositeForeignKey(
                name="assignment_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"pair {self.pair_id} to {self.person_id} ({self.state})"


class Annotation(models.Model):
    """One revision of one person's answers on one pair. Immutable: a trigger refuses any other write."""

    class AuthorKind(models.TextChoices):
        ANNOTATOR = "annotator"
        CORRECTOR = "corrector"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="annotations")
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="annotations", db_constraint=False
    )
    revision = models.PositiveSmallIntegerField(default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="annotations")
    author_kind = models.CharField(max_length=9, choices=AuthorKind.choices, default=AuthorKind.ANNOTATOR)
    submission_id = models.UUIDField(unique=True)
    submitted_at = models.DateTimeField(db_default=Now())
    instruction_following = models.CharField(max_length=7)
    correctness = models.CharField(max_length=7)
    informativeness = models.CharField(max_length=7)
    aesthetics = models.CharField(max_length=7)
    helpfulness = models.CharField(max_length=7)
    harmlessness = models.CharField(max_length=7)
    tags_video_0 = ArrayField(models.CharField(max_length=24), help_text="Harm keys; empty: none of these")
    tags_video_1 = ArrayField(models.CharField(max_length=24), help_text="Harm keys; empty: none of these")
    timings_ms: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    viewing: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    presentation: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    protocol_version = models.PositiveIntegerField(help_text="The assignment's")
    guideline_version = models.PositiveIntegerField(help_text="The assignment's")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="annotation_revision_once", fields=["assignment", "revision"]),
            models.UniqueConstraint(name="annotation_assignment_id", fields=["assignment", "id"]),
            models.UniqueConstraint(name="annotation_study_id", fields=["study", "id"]),
            CompositeForeignKey(
                name="annotation_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(name="annotation_revision_from_one", condition=Q(revision__gte=1)),
            models.CheckConstraint(
                name="annotation_author_kind_known", condition=Q(author_kind__in=["annotator", "corrector"])
            ),
            models.CheckConstraint(
                name="annotation_choices_known",
                condition=Q(
                    instruction_following__in=CHOICES,
                    correctness__in=CHOICES,
                    informativeness__in=CHOICES,
                    aesthetics__in=CHOICES,
                    helpfulness__in=CHOICES,
                    harmlessness__in=CHOICES,
                ),
            ),
            models.CheckConstraint(
                name="annotation_tags_known",
                condition=Q(tags_video_0__contained_by=list(HARM_KEYS), tags_video_1__contained_by=list(HARM_KEYS)),
            ),
        ]
        triggers = append_only("annotation")

    def __str__(self) -> str:
        return f"revision {self.revision} of assignment {self.assignment_id}"


class Standing(models.Model):
    """How an answered assignment stands: its current revision, whether it is valid, whether it counts.

    The only mutable part of an answer; each change leaves an audit row (`annotation.standing`).
    """

    class Validity(models.TextChoices):
        VALID = "valid", _("valid")
        INVALID = "invalid", _("invalid")

    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, primary_key=True, related_name="standing", db_constraint=False
    )
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="standings")
    current = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="standing", db_constraint=False)
    validity = models.CharField(max_length=7, choices=Validity.choices, default=Validity.VALID)
    reason = models.CharField(max_length=60, blank=True)
    counted = models.BooleanField(
        default=True,
        help_text="Holds one of the pair's wanted answers; false: surplus, kept and never counted",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="standing_invalid_has_reason",
                condition=Q(validity="valid") | (Q(validity="invalid") & ~Q(reason="")),
            ),
            CompositeForeignKey(
                name="standing_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="standing_current_of_assignment",
                fields=["assignment", "current"],
                to="annotation.Annotation",
                to_fields=["assignment", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.validity}{'' if self.counted else ' (surplus)'}"
