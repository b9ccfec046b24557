"""Answers, and how each answer stands."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models.assignments import Assignment
from annotation.protocol import CORRECTION, HARM_KEYS, TIE, VIDEOS
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from studies.models import Study

CHOICES = [*VIDEOS, TIE]


class Annotation(models.Model):
    """One revision of one person's answers on one pair. It never changes: a trigger refuses updates and deletions."""

    class AuthorKind(models.TextChoices):
        ANNOTATOR = "annotator"
        CORRECTOR = "corrector"

    # The constraints below index both columns.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="annotations", db_index=False)
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="annotations", db_constraint=False, db_index=False
    )
    revision = models.PositiveSmallIntegerField(default=1)
    # The index below begins with the study, because figures of people are always of one study.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="annotations", db_index=False
    )
    author_kind = models.CharField(max_length=9, choices=AuthorKind.choices, default=AuthorKind.ANNOTATOR)
    submission_id = models.UUIDField(unique=True)
    submitted_at = models.DateTimeField(db_default=Now())
    instruction_following = models.CharField(max_length=7)
    correctness = models.CharField(max_length=7)
    informativeness = models.CharField(max_length=7)
    aesthetics = models.CharField(max_length=7)
    helpfulness = models.CharField(max_length=7)
    harmlessness = models.CharField(max_length=7)
    tags_video_0 = ArrayField(models.CharField(max_length=24), help_text="Harm keys; empty means “none of these”")
    tags_video_1 = ArrayField(models.CharField(max_length=24), help_text="Harm keys; empty means “none of these”")
    reason = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Reason for the revision: reopened, second_look or correction; empty for the first one",
    )
    comment = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="An annotator's comment on the pair, or a reviewer's message to the annotator",
    )
    unsure = models.BooleanField(
        default=False, db_default=False, help_text="Whether the annotator marked these answers as unsure"
    )
    active_ms = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Credited active time: the reported time, limited by the clock"
    )
    timings_ms: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    viewing: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    presentation: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    protocol_version = models.PositiveIntegerField(help_text="Copied from the assignment")
    guideline_version = models.PositiveIntegerField(help_text="Copied from the assignment")

    class Meta:
        indexes = [
            # It has all columns for figures of people, so that a million answers are added up without reading the rows.
            models.Index(
                name="annotation_by_person",
                fields=["study", "author", "submitted_at"],
                include=["active_ms", "revision", "author_kind", "unsure"],
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="annotation_revision_once", fields=["assignment", "revision"]),
            models.UniqueConstraint(name="annotation_assignment_id", fields=["assignment", "id", "author_kind"]),
            models.UniqueConstraint(name="annotation_study_id", fields=["study", "id"]),
            CompositeForeignKey(
                name="annotation_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(name="annotation_revision_from_one", condition=Q(revision__gte=1)),
            models.CheckConstraint(
                name="annotation_later_revision_has_reason",
                condition=Q(revision=1, reason="") | (Q(revision__gt=1) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="annotation_author_kind_known", condition=Q(author_kind__in=["annotator", "corrector"])
            ),
            # The first revision is its annotator's: the constraint above requires a reason for every later one only.
            models.CheckConstraint(
                name="annotation_correction_by_reviewer",
                condition=Q(author_kind="corrector", reason=CORRECTION)
                | (~Q(author_kind="corrector") & ~Q(reason=CORRECTION)),
            ),
            models.CheckConstraint(
                name="annotation_choices_known",
                condition=Q(
                    instruction_following__in=CHOICES,
                    correctness__in=CHOICES,
                    informativeness__in=CHOICES,
                    aesthetics__in=CHOICES,
                    helpfulness__in=CHOICES,
                    harmlessness__in=CHOICES,
                ),
            ),
            models.CheckConstraint(
                name="annotation_tags_known",
                condition=Q(tags_video_0__contained_by=list(HARM_KEYS), tags_video_1__contained_by=list(HARM_KEYS)),
            ),
        ]
        triggers = append_only("annotation")

    def __str__(self) -> str:
        return f"revision {self.revision} of assignment {self.assignment_id}"


class SecondLook(models.Model):
    """A person's second look at the answer that they had just given. Append-only.

    If they changed the answer, a later revision has the reason `second_look`.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+")
    first = models.OneToOneField(
        Annotation, on_delete=models.PROTECT, primary_key=True, related_name="second_look", db_constraint=False
    )
    looked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            CompositeForeignKey(
                name="second_look_annotation_same_study",
                fields=["study", "first"],
                to="annotation.Annotation",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("second_look")

    def __str__(self) -> str:
        return f"of annotation {self.first_id}"


class Standing(models.Model):
    """How an answered assignment stands: its current revision, whether it is valid, and whether it counts.

    It is the only part of an answer that changes. `standings.change_standing` changes validity and counting, and writes
    an audit row (`annotation.standing`). A new revision changes `current` and `author_kind`.
    """

    class Validity(models.TextChoices):
        VALID = "valid", _("valid")
        INVALID = "invalid", _("invalid")

    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, primary_key=True, related_name="standing", db_constraint=False
    )
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="standings")
    current = models.OneToOneField(Annotation, on_delete=models.PROTECT, related_name="standing", db_constraint=False)
    author_kind = models.CharField(
        max_length=9,
        choices=Annotation.AuthorKind.choices,
        default=Annotation.AuthorKind.ANNOTATOR,
        db_default=Annotation.AuthorKind.ANNOTATOR.value,
        help_text="`author_kind` of the current revision, whose `reason` says why it was written",
    )
    validity = models.CharField(max_length=7, choices=Validity.choices, default=Validity.VALID)
    reason = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="Why the answer is invalid; empty if it is valid",
    )
    counted = models.BooleanField(
        default=True, help_text="Whether it is one of the pair's wanted answers; if not, it is kept but does not count"
    )
    uncounted_reason = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Why the answer does not count; empty if it counts",
    )

    tags_unnoted = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether its tags are still to be added to the pairs of the tagged videos (`Pair.may_show`)",
    )
    rules_due = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Whether the rules of quality control still have to check its current revision",
    )
    opinions_due = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether quality control still has to see if its pair needs one more answer",
    )

    class Meta:
        indexes = [
            models.Index(name="standing_tags_unnoted", fields=["assignment"], condition=Q(tags_unnoted=True)),
            models.Index(name="standing_rules_due", fields=["study", "assignment"], condition=Q(rules_due=True)),
            models.Index(name="standing_opinions_due", fields=["study", "assignment"], condition=Q(opinions_due=True)),
            # The list of answers filters by these, and few answers match.
            models.Index(name="standing_invalid", fields=["study", "current"], condition=Q(validity="invalid")),
            models.Index(name="standing_uncounted", fields=["study", "current"], condition=Q(counted=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="standing_invalid_has_reason",
                condition=Q(validity="valid", reason="") | (Q(validity="invalid") & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="standing_uncounted_has_reason",
                condition=Q(counted=True, uncounted_reason="") | (Q(counted=False) & ~Q(uncounted_reason="")),
            ),
            CompositeForeignKey(
                name="standing_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="standing_current_of_assignment",
                fields=["assignment", "current", "author_kind"],
                to="annotation.Annotation",
                to_fields=["assignment", "id", "author_kind"],
            ),
        ]
        triggers = [
            # An annotator never replaces a reviewer's correction, even if code forgets the check. The foreign key above
            # makes `author_kind` agree with the current revision.
            pgtrigger.Protect(
                name="standing_correction_stays",
                operation=pgtrigger.UpdateOf("author_kind"),
                condition=pgtrigger.Q(old__author_kind="corrector") & pgtrigger.Q(new__author_kind="annotator"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.validity}{'' if self.counted else ' (not counted)'}"
