"""People's exposure, recorded in order to limit it. No figure of speed, quality or pay uses it."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.models.assignments import Assignment
from studies.models import Study


class ExposureCounters(models.Model):
    """The figures of one person's exposure on one day: reported seconds, and seconds that are still expected."""

    day = models.DateField(help_text="In the person's time zone")
    revealed_s = models.FloatField(
        default=0, db_default=0, help_text="Reported seconds of harmful video that were revealed"
    )
    expected_s = models.FloatField(
        default=0, db_default=0, help_text="Estimated seconds of harmful video that no report has replaced yet"
    )
    lapses_s = models.FloatField(
        default=0,
        db_default=0,
        help_text="Expected seconds that are taken back at the end of the lease: the pair was not shown yet, or"
        " was reported on",
    )
    reported: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text="The highest reported counters of each showing: `{video_0, video_1, hidden}`",
    )
    hidden = models.PositiveIntegerField(default=0, db_default=0, help_text="How often the person hid the videos")
    too_distressing = models.BooleanField(default=False, db_default=False)

    class Meta:
        abstract = True


class Exposure(ExposureCounters):
    """One person's exposure by one assignment on one day: reported seconds, and seconds that are still expected.

    It exists only for pairs that may show harm or that the person hid, tagged or skipped as too distressing. The person
    and a wellbeing contact see it by name. Managers see groups of at least five people.
    """

    # The unique constraint below indexes it.
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="exposures", db_index=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="exposures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exposures")

    class Meta:
        indexes = [
            models.Index(name="exposure_by_day", fields=["study", "day"]),
            models.Index(name="exposure_lapsing", fields=["assignment"], condition=Q(lapses_s__gt=0)),
        ]
        constraints = [
            models.UniqueConstraint(name="exposure_once_a_day", fields=["assignment", "day"]),
            models.CheckConstraint(
                name="exposure_not_negative", condition=Q(revealed_s__gte=0, expected_s__gte=0, lapses_s__gte=0)
            ),
            models.CheckConstraint(name="exposure_lapses_within_expected", condition=Q(lapses_s__lte=F("expected_s"))),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} by assignment {self.assignment_id} on {self.day}"


class Dose(models.Model):
    """One person's exposure on one day, over all studies: the sum of its `Exposure` rows."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="doses")
    day = models.DateField(help_text="In the person's time zone")
    seconds = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="dose_once_a_day", fields=["person", "day"]),
            models.CheckConstraint(name="dose_not_negative", condition=Q(seconds__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s on {self.day}"


class Break(models.Model):
    """A person's paid break: working time without a pair."""

    class Why(models.TextChoices):
        WORK = "work"
        DOSE = "dose"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="breaks")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="breaks")
    why = models.CharField(max_length=4, choices=Why.choices)
    began_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="break_why_known", condition=Q(why__in=["work", "dose"])),
            models.CheckConstraint(name="break_has_length", condition=Q(ends_at__gt=F("began_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} until {self.ends_at}"
