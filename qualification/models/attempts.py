"""What a person does to qualify: attempts at a training or a test, and their turns at single pairs."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models.own_answers import OwnAnswer
from annotation.protocol import NOT_REVEALED, SKIP_REASONS, VIDEOS
from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from qualification.models.sets import Kind, PairSet, SetItem
from studies.models import Study

#: Why a turn ended without an answer although the person did not skip it: its pair cannot be shown any more.
GONE = "gone"
#: Results are compared with the pass mark as fractions. This much is rounding.
ROUNDING = 1e-9


class Attempt(models.Model):
    """One person goes through one version of a training or of a test. `qualification/attempts.py` changes it."""

    class End(models.TextChoices):
        FINISHED = "finished", _("finished")
        SUPERSEDED = "superseded", _("ended by a new version")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, help_text="Of its set")
    set = models.ForeignKey(
        PairSet, on_delete=models.PROTECT, related_name="attempts", db_constraint=False, db_index=False
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="qualifying_attempts")
    number = models.PositiveIntegerField(help_text="Ordinal number of the attempt for the person at this version")
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=10, choices=End.choices, blank=True, default="", db_default="")
    pass_share = models.FloatField(null=True, blank=True, help_text="Of a test: the pass mark when it was begun")
    judged = models.PositiveIntegerField(null=True, blank=True, help_text="Answers that have an expected answer")
    right = models.PositiveIntegerField(null=True, blank=True, help_text="Those of them that are as expected")
    passed = models.BooleanField(
        null=True, blank=True, help_text="Of a finished test. Null if too few pairs were answered to judge it"
    )

    class Meta:
        indexes = [models.Index(name="attempt_of_study", fields=["study", "person"])]
        constraints = [
            models.UniqueConstraint(name="attempt_number", fields=["set", "person", "number"]),
            models.UniqueConstraint(
                name="attempt_one_open", fields=["study", "person", "kind"], condition=Q(ended_at__isnull=True)
            ),
            models.UniqueConstraint(name="attempt_study_set_id", fields=["study", "set", "id"]),
            models.UniqueConstraint(name="attempt_study_person_id", fields=["study", "person", "id"]),
            CompositeForeignKey(
                name="attempt_set_same_kind",
                fields=["study", "kind", "set"],
                to="qualification.PairSet",
                to_fields=["study", "kind", "id"],
            ),
            models.CheckConstraint(name="attempt_number_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="attempt_pass_mark_of_test",
                condition=Q(kind="training", pass_share__isnull=True)
                | Q(kind="test", pass_share__isnull=False, pass_share__gt=0, pass_share__lte=1),
            ),
            models.CheckConstraint(
                name="attempt_end_whole",
                condition=Q(ended_at__isnull=True, end="", judged__isnull=True, right__isnull=True)
                | Q(ended_at__isnull=False, end="superseded", judged__isnull=True, right__isnull=True)
                | Q(
                    ended_at__isnull=False,
                    end="finished",
                    judged__isnull=False,
                    right__isnull=False,
                    right__lte=F("judged"),
                ),
            ),
            models.CheckConstraint(
                name="attempt_passed_by_its_mark",
                condition=Q(passed__isnull=True)
                | Q(kind="test", end="finished", passed=True, right__gte=F("pass_share") * F("judged") - ROUNDING)
                | Q(kind="test", end="finished", passed=False, right__lt=F("pass_share") * F("judged") - ROUNDING),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="attempt_result_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.ended_at IS NOT NULL"),
            ),
            pgtrigger.Protect(name="attempt_rows_stay", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.person_id} at set {self.set_id}"

    @property
    def share(self) -> float | None:
        """Return the share of judged answers that are as expected, or None if nothing was judged."""
        return self.right / self.judged if self.judged and self.right is not None else None


class ExtraAttempt(models.Model):
    """Somebody allows a person one more attempt at a test, at once."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    set = models.ForeignKey(PairSet, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    after = models.OneToOneField(
        Attempt, on_delete=models.PROTECT, related_name="extra", help_text="The attempt that it follows"
    )
    reason = models.CharField(max_length=500)
    allowed_at = models.DateTimeField(db_default=Now())
    allowed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(name="extra_attempt_of_person", fields=["set", "person"])]
        constraints = [
            models.CheckConstraint(name="extra_attempt_has_reason", condition=~Q(reason="")),
            CompositeForeignKey(
                name="extra_attempt_same_set",
                fields=["study", "set", "after"],
                to="qualification.Attempt",
                to_fields=["study", "set", "id"],
            ),
        ]
        triggers = append_only("extra_attempt")

    def __str__(self) -> str:
        return f"one more for {self.person_id} at set {self.set_id}"


class Turn(models.Model):
    """One person's turn at one pair of an attempt: they answer it once, or skip it.

    In a training they then see what was expected. They go on when they have seen it.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    set = models.ForeignKey(PairSet, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    attempt = models.ForeignKey(
        Attempt, on_delete=models.PROTECT, related_name="turns", db_constraint=False, db_index=False
    )
    item = models.ForeignKey(SetItem, on_delete=models.PROTECT, related_name="turns", db_constraint=False)
    sitting = models.UUIDField(default=uuid.uuid4, unique=True, help_text="The name of the showing in exposures")
    left = models.CharField(max_length=7, help_text="Which video was shown on the left")
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was answered or skipped")
    skip_reason = models.CharField(max_length=20, blank=True, default="", db_default="")
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person went on: of an answer in a training, after its explanation"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="turn_once", fields=["attempt", "item"]),
            models.UniqueConstraint(name="turn_one_at_a_time", fields=["attempt"], condition=Q(ended_at__isnull=True)),
            CompositeForeignKey(
                name="turn_attempt_same_set",
                fields=["study", "set", "attempt"],
                to="qualification.Attempt",
                to_fields=["study", "set", "id"],
            ),
            CompositeForeignKey(
                name="turn_item_same_set",
                fields=["set", "item"],
                to="qualification.SetItem",
                to_fields=["set", "id"],
            ),
            models.CheckConstraint(name="turn_left_known", condition=Q(left__in=list(VIDEOS))),
            models.CheckConstraint(
                name="turn_skipped_with_reason",
                condition=Q(skip_reason="")
                | Q(ended_at__isnull=False, skip_reason__in=[*SKIP_REASONS, NOT_REVEALED, GONE]),
            ),
            models.CheckConstraint(
                name="turn_seen_after_its_end", condition=Q(seen_at__isnull=True) | Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"turn at item {self.item_id} of attempt {self.attempt_id}"

    @property
    def pair(self) -> Pair:
        """Return the pair of the item."""
        return self.item.pair


class TurnAnswer(OwnAnswer):
    """What a person answered in a turn. Append-only."""

    turn = models.OneToOneField(Turn, on_delete=models.PROTECT, primary_key=True, related_name="answer")

    class Meta:
        constraints = [*OwnAnswer.Meta.constraints]
        triggers = append_only("turn_answer")

    def __str__(self) -> str:
        return f"of turn {self.turn_id}"
