"""Calibration: sessions in which quality control and research judge the same pairs blind, and talk about them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from qc.models.reviews import OwnAnswer, Verdict
from studies.models import Study


class CalibrationSession(models.Model):
    """One session. `calibration/preparing.py` changes it: draft → open → closed.

    While it is open, people judge its pairs, and nobody sees the answers of others before they have judged all pairs.
    A session that `follows` another one judges new pairs, and shows whether people agree better than before.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", pgettext_lazy("calibration session", "open")
        CLOSED = "closed", _("closed")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="calibrations", db_index=False)
    number = models.PositiveIntegerField()
    topic = models.CharField(max_length=200)
    state = models.CharField(max_length=6, choices=State.choices, default=State.DRAFT, db_default=State.DRAFT.value)
    follows = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by", db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    guideline_before = models.PositiveIntegerField(
        null=True, blank=True, help_text="Version of the guideline when the session was opened"
    )
    guideline_after = models.PositiveIntegerField(
        null=True, blank=True, help_text="Version of the guideline that came of the discussion"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="calibration_number_in_study", fields=["study", "number"]),
            models.UniqueConstraint(name="calibration_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="calibration_has_topic", condition=~Q(topic="")),
            models.CheckConstraint(name="calibration_follows_another", condition=~Q(follows=F("id"))),
            CompositeForeignKey(
                name="calibration_follows_same_study",
                fields=["study", "follows"],
                to="calibration.CalibrationSession",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(
                name="calibration_state_known",
                condition=Q(
                    state="draft", opened_at__isnull=True, closed_at__isnull=True, guideline_before__isnull=True
                )
                | Q(state="open", opened_at__isnull=False, closed_at__isnull=True, guideline_before__isnull=False)
                | Q(state="closed", opened_at__isnull=False, closed_at__isnull=False, guideline_before__isnull=False),
            ),
            models.CheckConstraint(
                name="calibration_guideline_followed",
                condition=Q(guideline_after__isnull=True)
                | Q(guideline_before__isnull=False, guideline_after__gt=F("guideline_before")),
            ),
        ]

    def __str__(self) -> str:
        return f"calibration {self.number}"


class CalibrationItem(models.Model):
    """One pair of a session, why it was chosen, and what the discussion concluded about it."""

    class Origin(models.TextChoices):
        UNCLEAR = "unclear", _("guideline unclear")
        DISPUTED = "disputed", _("disputed")
        CHOSEN = "chosen", _("chosen")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(
        CalibrationSession, on_delete=models.PROTECT, related_name="items", db_constraint=False, db_index=False
    )
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="calibration_items", db_constraint=False)
    place = models.PositiveIntegerField(help_text="Place in the session, from 1")
    origin = models.CharField(max_length=8, choices=Origin.choices)
    verdict = models.ForeignKey(
        Verdict,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The verdict that led here",
    )
    outcome = models.TextField(blank=True, default="", db_default="", help_text="What the discussion concluded")
    outcome_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    outcome_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="calibration_item_once", fields=["session", "pair"]),
            models.UniqueConstraint(name="calibration_item_place", fields=["session", "place"]),
            models.UniqueConstraint(name="calibration_item_study_id", fields=["study", "id"]),
            CompositeForeignKey(
                name="calibration_item_session_same_study",
                fields=["study", "session"],
                to="calibration.CalibrationSession",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="calibration_item_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(
                name="calibration_item_origin_known",
                condition=Q(origin="chosen", verdict__isnull=True)
                | Q(origin__in=["unclear", "disputed"], verdict__isnull=False),
            ),
            models.CheckConstraint(
                name="calibration_item_outcome_whole",
                condition=Q(outcome="", outcome_by__isnull=True, outcome_at__isnull=True)
                | ~Q(outcome="") & Q(outcome_by__isnull=False, outcome_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"item {self.place} of calibration {self.session_id}"


class CalibrationSitting(models.Model):
    """One person's turn at one item: they answer it once, or skip it. The name `sitting` is that of their exposure."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey(
        CalibrationItem, on_delete=models.PROTECT, related_name="sittings", db_constraint=False, db_index=False
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="calibration_sittings")
    sitting = models.UUIDField(default=uuid.uuid4, unique=True)
    left = models.CharField(max_length=7, help_text="Which video was shown on the left")
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was answered or skipped")
    skip_reason = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="calibration_sitting_once", fields=["item", "person"]),
            CompositeForeignKey(
                name="calibration_sitting_item_same_study",
                fields=["study", "item"],
                to="calibration.CalibrationItem",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(name="calibration_sitting_left_known", condition=Q(left__in=["video_0", "video_1"])),
            models.CheckConstraint(
                name="calibration_sitting_skipped_ended", condition=Q(skip_reason="") | Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} at item {self.item_id}"

    @property
    def showing(self) -> str:
        """Return the name of a showing that the page's report does not name. A turn has no leases."""
        return "calibration"

    @property
    def pair(self) -> Pair:
        """Return the pair of the item."""
        return self.item.pair


class CalibrationAnswer(OwnAnswer):
    """What a person answered on an item of a session. Append-only."""

    sitting = models.OneToOneField(
        CalibrationSitting, on_delete=models.PROTECT, primary_key=True, related_name="answer"
    )

    class Meta:
        constraints = [*OwnAnswer.Meta.constraints]
        triggers = append_only("calibration_answer")

    def __str__(self) -> str:
        return f"of sitting {self.sitting_id}"
