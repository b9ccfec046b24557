"""Changes of a study: the last change of each setting, and every step of its state."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from diptych.database.triggers import append_only
from studies.models.studies import Study


class SettingChange(models.Model):
    """The last change of one setting of a study. The next change of the same setting replaces the row."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="setting_changes", db_index=False)
    name = models.CharField(max_length=60, help_text="The column of Study")
    before: "models.JSONField[Any, Any]" = models.JSONField(help_text="The value before the change")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Null: the system"
    )
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="setting_change_last_only", fields=["study", "name"]),
            models.CheckConstraint(name="setting_change_is_named", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.study_id}"


class StateChange(models.Model):
    """One step of a study: it was made, paused, archived and so on. Append-only."""

    class Step(models.TextChoices):
        CREATED = "created", _("created")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("resumed")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("reopened and paused")
        ARCHIVED = "archived", _("archived")
        BROUGHT_BACK = "brought_back", _("unarchived")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="state_changes")
    step = models.CharField(max_length=12, choices=Step.choices)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="Null: a command"
    )
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="state_change_created_once", fields=["study"], condition=Q(step="created")),
            models.CheckConstraint(
                name="state_change_step_known",
                condition=Q(
                    step__in=["created", "paused", "resumed", "closed", "reopened", "archived", "brought_back"]
                ),
            ),
        ]
        triggers = append_only("state_change")

    def __str__(self) -> str:
        return f"{self.study_id} {self.step}"
