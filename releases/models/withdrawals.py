"""What was withdrawn from releases, and the releases that had it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Assignment
from catalog.models import Video
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from releases.models.releases import Release
from studies.models import Study


class Withdrawal(models.Model):
    """One answer, one video or one person's answers that no release may contain any more. Append-only."""

    class Kind(models.TextChoices):
        ANSWER = "answer", _("one answer")
        VIDEO = "video", _("one video")
        PERSON = "person", _("one person’s answers")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    assignment = models.ForeignKey(
        Assignment, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    video = models.ForeignKey(
        Video, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField()
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="withdrawal_study_id", fields=["study", "id"]),
            models.UniqueConstraint(
                name="withdrawal_once", fields=["study", "assignment", "video", "person"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="withdrawal_has_its_subject",
                condition=Q(kind="answer", assignment__isnull=False, video__isnull=True, person__isnull=True)
                | Q(kind="video", assignment__isnull=True, video__isnull=False, person__isnull=True)
                | Q(kind="person", assignment__isnull=True, video__isnull=True, person__isnull=False),
            ),
            models.CheckConstraint(name="withdrawal_has_reason", condition=~Q(reason="")),
            CompositeForeignKey(
                name="withdrawal_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="withdrawal_video_same_study",
                fields=["study", "video"],
                to="catalog.Video",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("withdrawal")

    def __str__(self) -> str:
        return f"withdrawal {self.pk}"


class Tombstone(models.Model):
    """What is left of a withdrawn release: how many of its answers were withdrawn, and by which withdrawal."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="tombstones", db_constraint=False, db_index=False
    )
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="tombstones", db_constraint=False)
    answers = models.PositiveIntegerField(help_text="Number of answers of the release that were withdrawn")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="tombstone_once", fields=["release", "withdrawal"]),
            models.CheckConstraint(name="tombstone_of_some_answers", condition=Q(answers__gte=1)),
            CompositeForeignKey(
                name="tombstone_release_same_study",
                fields=["study", "release"],
                to="releases.Release",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="tombstone_withdrawal_same_study",
                fields=["study", "withdrawal"],
                to="releases.Withdrawal",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("tombstone")

    def __str__(self) -> str:
        return f"{self.answers} answers of release {self.release_id}"
