"""What people saw of possibly harmful video while they qualified."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models import ExposureCounters
from studies.models import Study


class QualificationExposure(ExposureCounters):
    """A person's exposure to one pair on one day. It counts towards the same daily limit as ordinary work."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sitting = models.UUIDField(help_text="The sitting in which the pair was shown")

    class Meta:
        indexes = [models.Index(name="qualifying_exposure_by_day", fields=["study", "day"])]
        constraints = [
            models.UniqueConstraint(name="qualifying_exposure_once_a_day", fields=["sitting", "day"]),
            models.CheckConstraint(
                name="qualifying_exposure_not_negative",
                condition=Q(revealed_s__gte=0, expected_s__gte=0, lapses_s__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in sitting {self.sitting} on {self.day}"
