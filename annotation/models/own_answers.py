"""Answers that somebody gives outside ordinary work: in a review, a calibration or a qualification."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from annotation.models.answers import CHOICES
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS

PREFERENCES = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")
TAGS = ("tags_video_0", "tags_video_1")
#: The rows of an answer, each of which can be judged.
ROWS = (*PREFERENCES, *TAGS)


class OwnAnswer(models.Model):
    """What somebody answers on a pair outside ordinary work, with the columns of an annotator's answer."""

    submission_id = models.UUIDField(unique=True)
    submitted_at = models.DateTimeField(db_default=Now())
    instruction_following = models.CharField(max_length=7)
    correctness = models.CharField(max_length=7)
    informativeness = models.CharField(max_length=7)
    aesthetics = models.CharField(max_length=7)
    helpfulness = models.CharField(max_length=7)
    harmlessness = models.CharField(max_length=7)
    tags_video_0 = ArrayField(models.CharField(max_length=24))
    tags_video_1 = ArrayField(models.CharField(max_length=24))
    unsure = models.BooleanField(default=False, db_default=False)
    comment = models.TextField(blank=True, default="", db_default="")
    active_ms = models.PositiveIntegerField(default=0, db_default=0)
    timings_ms: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    viewing: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    guideline_version = models.PositiveIntegerField()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_choices_known",
                condition=Q(**{f"{key}__in": CHOICES for key in PREFERENCES}),
            ),
            models.CheckConstraint(
                name="%(class)s_tags_known",
                condition=Q(**{f"{key}__contained_by": list(HARM_KEYS) for key in TAGS}),
            ),
        ]
