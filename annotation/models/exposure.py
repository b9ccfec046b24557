"""What people were exposed to, so that it can be bounded. Nothing that measures speed, quality or pay reads it."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.models.giving import Assignment
from catalog.models import Study


class Exposure(models.Model):
    """What one assignment may have shown its person: estimated when it was leased, settled when it ended.

    Only for pairs that may show harm, or whose viewing left something to remember: hidden, tagged, too distressing.
    Its person and a wellbeing contact see it by name; managers see groups of five and more.
    """

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, primary_key=True, related_name="exposure")
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="exposures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exposures")
    day = models.DateField(help_text="In the person's time zone")
    expected_s = models.FloatField(default=0, help_text="Estimated seconds of possibly harmful video")
    revealed_s = models.FloatField(null=True, blank=True, help_text="Seconds of harmful video that were seen")
    hidden = models.PositiveIntegerField(default=0, help_text="Times the person hid the videos")
    too_distressing = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(name="exposure_by_day", fields=["study", "day"]),
            models.Index(name="exposure_unsettled", fields=["assignment"], condition=Q(revealed_s__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(
                name="exposure_not_negative",
                condition=Q(expected_s__gte=0) & (Q(revealed_s__isnull=True) | Q(revealed_s__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} by assignment {self.assignment_id}"


class Dose(models.Model):
    """One person's exposure on one day, over all studies: settled seconds, and what is still expected."""

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
    """A paid break that a person was given: time at work without a pair."""

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
