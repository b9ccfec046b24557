"""Changes of many pairs. They are carried out in steps while people answer the pairs."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from jobs.models import OPEN_STATES, Job
from studies.models.studies import Study


class PairsChange(Job):
    """One change of many pairs of a study, as a job. Its steps count the pairs that are done.

    Every kind except `batches` processes the pairs in the order of their ids. Pairs up to `reached` are done. Pairs
    after `until` were added later and are not changed.
    """

    class What(models.TextChoices):
        OVERLAP = "overlap"
        PRIORITY = "priority"
        BATCHES = "batches"
        HOLD = "hold"
        RELEASE = "release"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pairs_changes")
    what = models.CharField(max_length=8, choices=What.choices)
    value = models.IntegerField(
        default=0, db_default=0, help_text="The new value of the pairs; for batches, pairs per batch"
    )
    why = models.CharField(max_length=200, blank=True, default="", db_default="", help_text="Reason for the hold")
    choice: "models.JSONField[Any, Any]" = models.JSONField(default=dict, help_text="Selection of pairs")
    before: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True, help_text="Sums before the change")
    made: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="Batches created and emptied"
    )
    changed = models.PositiveIntegerField(default=0)
    reached = models.PositiveBigIntegerField(default=0, help_text="Id of the last pair that is done")
    until = models.PositiveBigIntegerField(help_text="Id of the study’s last pair when the change was started")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="pairschange_one_open", fields=["study"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(
                name="pairschange_what_known",
                condition=Q(what__in=["overlap", "priority", "batches", "hold", "release"]),
            ),
            models.CheckConstraint(name="pairschange_hold_has_reason", condition=~Q(what="hold") | ~Q(why="")),
            models.CheckConstraint(name="pairschange_reached_range", condition=Q(reached__lte=F("until"))),
            models.CheckConstraint(name="pairschange_changed_range", condition=Q(changed__lte=F("steps"))),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.pk} ({self.state})"
