"""Whether a study makes a release by itself after each accepted lot."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from studies.models import Study


class AutomaticReleases(models.Model):
    """The setting of one study, and what was done for its last accepted lot.

    A release has the choices of the study's latest complete release. So a study without one waits for the first.
    """

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="+")
    is_on = models.BooleanField(default=False)
    #: Decisions up to this one are done. A new setting begins with the decisions after it.
    decision = models.PositiveBigIntegerField(default=0, help_text="Id of the last decision about a lot that is done")
    is_refused = models.BooleanField(
        default=False, help_text="Whether a release for that decision could not be made, so that a person has to look"
    )
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "automatic releases"

    def __str__(self) -> str:
        return f"automatic releases of study {self.study_id}"
