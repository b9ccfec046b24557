"""Seats and assignments: a person's place in a study, and the pairs that they were given."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.protocol import (
    DIMENSIONS,
    HARM_KEYS,
    NOT_REVEALED,
    SKIP_REASONS,
    SUB_DIMENSION_KEYS,
    TECHNICAL_PROBLEM,
    VIDEOS,
)
from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from studies.models import Study


class Seat(models.Model):
    """One person's place in one study: their progress, and the orders that were drawn for them once.

    Every change of the person's leases locks the row, so that one person's requests run one after another.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="seats")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="seats")
    served = models.PositiveIntegerField(default=0, help_text="Number of pairs given so far")
    controls = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of the pairs given so far are controls"
    )
    left_balance = models.IntegerField(
        default=0, help_text="How often video 0 was on the left, minus how often video 1 was"
    )
    positions: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="The person's place in each lane of the queue (see `queue.Positions`)",
    )
    sensitive_run = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Number of possibly harmful pairs since the last harmless one"
    )

    # Limits on which pairs this person gets.
    languages = ArrayField(
        models.CharField(max_length=35),
        default=list,
        db_default=[],
        blank=True,
        help_text="Languages of prompts, as BCP 47; empty means any",
    )
    batches = ArrayField(
        models.PositiveIntegerField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="Numbers of batches; empty means any",
    )
    excluded = ArrayField(
        models.CharField(max_length=24),
        default=list,
        db_default=[],
        blank=True,
        help_text="Harm keys that the person did not agree to",
    )
    consented_version = models.PositiveIntegerField(default=0, db_default=0, help_text="0 means none, or withdrawn")
    guideline_read = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Version that the person has read; 0 means none"
    )
    qualified_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the person is suspended from annotating in the study"
    )
    paused_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when a pause rule of quality control keeps the person from new pairs"
    )

    # Working time. Active time is what the page reported, limited by the clock.
    active_ms = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Active time of all answers, in milliseconds"
    )
    since_break_ms = models.PositiveBigIntegerField(default=0, db_default=0)
    worked_until = models.DateTimeField(null=True, blank=True, help_text="Active time is counted up to this moment")
    break_until = models.DateTimeField(null=True, blank=True)

    question_order = ArrayField(models.CharField(max_length=24))
    tag_order = ArrayField(models.CharField(max_length=24))

    #: Not a column: today's exposure of the person in seconds, read together with the seat.
    dose_s: float = 0.0

    class Meta:
        constraints = [
            models.UniqueConstraint(name="seat_once", fields=["study", "person"]),
            models.CheckConstraint(name="seat_controls_among_served", condition=Q(controls__lte=F("served"))),
            models.CheckConstraint(name="seat_excluded_known", condition=Q(excluded__contained_by=list(HARM_KEYS))),
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

    leased → submitted | skipped | released | expired. A reviewer may offer an answered pair again as a later round:
    offered → leased. While the state is `leased`, the assignment has one of the pair's slots, even after `expires_at`:
    an expired lease can be renewed until the sweep returns its slot. An expired or released assignment is leased again;
    no second row is written.
    """

    class State(models.TextChoices):
        OFFERED = "offered", _("offered")
        LEASED = "leased", _("leased")
        SUBMITTED = "submitted", _("submitted")
        SKIPPED = "skipped", _("skipped")
        EXPIRED = "expired", _("expired")
        RELEASED = "released", _("released")

    class Place(models.TextChoices):
        CURRENT = "current"
        NEXT = "next"

    class RoundReason(models.TextChoices):
        """Reasons for which a person is asked for a pair again. The workspace has words for each."""

        RETURNED = "returned", _("returned by review")

    # The constraints below index study and pair. With an index on the person only, PostgreSQL could choose to read all
    # assignments of a person to find out whether they had one pair.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    pair = models.ForeignKey(
        Pair, on_delete=models.PROTECT, related_name="assignments", db_constraint=False, db_index=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    round = models.PositiveSmallIntegerField(default=0)
    round_reason = models.CharField(
        max_length=40,
        blank=True,
        choices=RoundReason.choices,
        help_text="Why the pair was asked again; empty in round 0",
    )
    comment = models.TextField(
        blank=True, default="", db_default="", help_text="The reviewer's message to the person about a returned pair"
    )
    left = models.CharField(max_length=7, help_text="Which video was shown on the left")
    dimension_first = models.CharField(max_length=12)
    state = models.CharField(max_length=9, choices=State.choices, default=State.LEASED)
    place = models.CharField(max_length=7, choices=Place.choices, default=Place.CURRENT)
    leased_at = models.DateTimeField(db_default=Now())
    lease_number = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        help_text="Number of times the pair was leased to the person, including this time",
    )
    shown_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    draft: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)
    protocol_version = models.PositiveIntegerField(help_text="The study's version when the pair was given")
    guideline_version = models.PositiveIntegerField(help_text="The study's version when the pair was given")
    shown_batch = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Of a control: the number of the batch that the person is shown, from which their pairs come",
    )
    skip_reason = models.CharField(max_length=20, blank=True)
    skip_note = models.TextField(
        blank=True, default="", db_default="", help_text="The person's note on a technical problem"
    )

    class Meta:
        indexes = [
            models.Index(name="assignment_expiring", fields=["expires_at"], condition=Q(state="leased")),
            models.Index(name="assignment_offered", fields=["study", "person"], condition=Q(state="offered")),
            models.Index(
                name="assignment_recent", fields=["study", "person", "-ended_at"], condition=Q(state="submitted")
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="assignment_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="assignment_once_a_round", fields=["pair", "person", "round"]),
            # At most two live leases for each person and study, one in each place.
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
                condition=Q(state__in=["offered", "leased", "submitted", "skipped", "expired", "released"]),
            ),
            models.CheckConstraint(name="assignment_place_known", condition=Q(place__in=["current", "next"])),
            models.CheckConstraint(
                name="assignment_ended_unless_leased",
                condition=Q(state__in=["offered", "leased"], ended_at__isnull=True)
                | (~Q(state__in=["offered", "leased"]) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="assignment_skipped_with_reason",
                condition=Q(state="skipped", skip_reason__in=[*SKIP_REASONS, NOT_REVEALED])
                | (~Q(state="skipped") & Q(skip_reason="")),
            ),
            models.CheckConstraint(
                name="assignment_note_of_technical_problem",
                condition=Q(skip_note="") | Q(skip_reason=TECHNICAL_PROBLEM),
            ),
            models.CheckConstraint(
                name="assignment_later_round_has_reason", condition=Q(round=0) | ~Q(round_reason="")
            ),
            models.CheckConstraint(
                name="assignment_round_reason_known", condition=Q(round_reason__in=["", "returned"])
            ),
            # If two reviewers return the same answer simultaneously, only one of them offers it.
            models.UniqueConstraint(
                name="assignment_one_offer_a_pair", fields=["pair", "person"], condition=Q(state="offered")
            ),
            models.CheckConstraint(
                name="assignment_only_later_rounds_offered", condition=~Q(state="offered") | Q(round__gt=0)
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
