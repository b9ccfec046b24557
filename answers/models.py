"""What each person has answered until a moment: adding up a million answers takes longer than a page may."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from studies.models import Study


class AnsweredSum(models.Model):
    """The answers of one person before `until`. Answers never change, so a sum stays true and only grows.

    All sums of a study have the same `until`. Only large studies have sums (`answers/sums.py`).
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    until = models.DateTimeField()
    pairs = models.PositiveIntegerField(help_text="First answers to a pair")
    unsure = models.PositiveIntegerField(help_text="First answers that were marked as unsure")
    active_ms = models.PositiveBigIntegerField(help_text="Active time, later changes of answers included")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="answered_sum_once", fields=["study", "person"]),
            models.CheckConstraint(name="answered_sum_before_its_end", condition=Q(last_at__lt=models.F("until"))),
        ]

    def __str__(self) -> str:
        return f"answers of {self.person_id} until {self.until}"
