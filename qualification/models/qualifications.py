"""Who is qualified in which study, how they qualified, and how that ended."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diptych.database.constraints import CompositeForeignKey
from qualification.models.attempts import Attempt
from studies.models import Study


class Qualification(models.Model):
    """One person is qualified in one study, from `given_at` until `ended_at`.

    A trigger writes it to `Seat.qualified_at`. Serving a pair reads only that column.
    """

    class How(models.TextChoices):
        PASSED = "passed", _("passed the test")
        WAIVED = "waived", _("waived")

    class End(models.TextChoices):
        TAKEN_BACK = "taken_back", _("taken back")
        ASKED_AGAIN = "asked_again", _("asked again by a new test")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="qualifications")
    how = models.CharField(max_length=6, choices=How.choices)
    attempt = models.OneToOneField(
        Attempt, null=True, blank=True, on_delete=models.PROTECT, related_name="qualification", db_constraint=False
    )
    given_at = models.DateTimeField()
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end = models.CharField(max_length=11, choices=End.choices, blank=True, default="", db_default="")
    ended_because = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(name="qualification_of_study", fields=["study", "person"])]
        constraints = [
            models.UniqueConstraint(
                name="qualification_one_in_force", fields=["study", "person"], condition=Q(ended_at__isnull=True)
            ),
            CompositeForeignKey(
                name="qualification_own_attempt",
                fields=["study", "person", "attempt"],
                to="qualification.Attempt",
                to_fields=["study", "person", "id"],
            ),
            models.CheckConstraint(
                name="qualification_how_whole",
                condition=Q(how="passed", attempt__isnull=False, given_by__isnull=True, reason="")
                | Q(how="waived", attempt__isnull=True, given_by__isnull=False) & ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="qualification_end_whole",
                condition=Q(ended_at__isnull=True, end="", ended_by__isnull=True, ended_because="")
                | Q(ended_at__isnull=False, end="asked_again", ended_by__isnull=False, ended_because="")
                | Q(ended_at__isnull=False, end="taken_back", ended_by__isnull=False) & ~Q(ended_because=""),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="qualification_to_seat",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("ended_at"),
                func=(
                    "UPDATE annotation_seat"
                    " SET qualified_at = CASE WHEN NEW.ended_at IS NULL THEN NEW.given_at END"
                    " WHERE study_id = NEW.study_id AND person_id = NEW.person_id; RETURN NULL;"
                ),
            ),
            pgtrigger.Protect(name="qualification_rows_stay", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in study {self.study_id} ({self.how})"
