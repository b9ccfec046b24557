"""An officer's decision that none of what one person reported is illegal."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from jobs.models import OPEN_STATES, Job
from safety.models.quarantine import Reporter


class ReporterRelease(Job):
    """The release of all waiting reports under one code, as a job. Its steps are the reports.

    Reports are released in the order of their assets' ids. Assets up to `reached` are done. Reports after `until` are
    not included, because they came later and the officer has not seen them.
    """

    reporter = models.ForeignKey(Reporter, on_delete=models.PROTECT, related_name="releases")
    decision = models.TextField(help_text="Why the officer releases them")
    released = models.PositiveIntegerField(default=0)
    reached = models.PositiveBigIntegerField(default=0, help_text="Id of the last asset that is done")
    until = models.PositiveBigIntegerField(help_text="Id of the last report when it was ordered")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="reporterrelease_one_open", fields=["reporter"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(name="reporterrelease_has_decision", condition=~Q(decision="")),
            models.CheckConstraint(name="reporterrelease_released_range", condition=Q(released__lte=F("steps"))),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.state})"
