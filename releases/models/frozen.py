"""The columns of an item that copy what may change later. `releases/freezing.py` fills them.

The first group has one column for each field of `exports.records.FROZEN`, so an item stands where the export reads
`frozen`. A column's name has `__` where the field has a dot. The second group has what only releases state.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models


class FrozenFacts(models.Model):
    """What a record says of an answer, as it was when the release was frozen."""

    study_slug = models.TextField(db_column="study")
    prompt_text = models.TextField()
    prompt_type = models.TextField()
    prompt_source_id = models.TextField()
    video_0_source_id = models.TextField(db_column="video_0__source_id")
    video_0_file_name = models.TextField(db_column="video_0__file_name")
    video_0_sha256 = models.TextField(db_column="video_0__sha256")
    video_0_text = models.TextField(db_column="video_0__video_text")
    video_0_generator = models.TextField(db_column="video_0__generated_from")
    video_0_generator_version = models.TextField(db_column="video_0__generator_version")
    video_0_seed = models.TextField(db_column="video_0__seed")
    video_0_settings: "models.JSONField[Any, Any]" = models.JSONField(db_column="video_0__settings")
    video_1_source_id = models.TextField(db_column="video_1__source_id")
    video_1_file_name = models.TextField(db_column="video_1__file_name")
    video_1_sha256 = models.TextField(db_column="video_1__sha256")
    video_1_text = models.TextField(db_column="video_1__video_text")
    video_1_generator = models.TextField(db_column="video_1__generated_from")
    video_1_generator_version = models.TextField(db_column="video_1__generator_version")
    video_1_seed = models.TextField(db_column="video_1__seed")
    video_1_settings: "models.JSONField[Any, Any]" = models.JSONField(db_column="video_1__settings")
    kind = models.TextField()
    batch = models.PositiveIntegerField(help_text="Number of the batch")
    annotator_id = models.TextField(help_text="The person's code in the family of the release")
    asked_because = models.TextField()
    is_current = models.BooleanField(db_column="standing__current")
    validity = models.TextField(db_column="standing__validity")
    reason = models.TextField(db_column="standing__reason")
    counted = models.BooleanField(db_column="standing__counted")
    uncounted_reason = models.TextField(db_column="standing__uncounted_reason")
    leased_at = models.TextField(help_text="Moment in UTC, in the form of ISO 8601")

    # Only in releases.
    prompt_language = models.TextField()
    prompt_labels = ArrayField(models.TextField(), null=True, help_text="Harm keys; null: not labelled")
    prompt_labelled_by = models.TextField()
    prompt_source = models.TextField()
    prompt_source_detail = models.TextField()
    prompt_licence = models.TextField()
    prompt_set = models.TextField()
    cluster = models.TextField()
    video_0_refined_by = models.TextField()
    video_0_licence = models.TextField()
    video_0_fps = models.FloatField(null=True, help_text="Frames per second of the playback file; null: unknown")
    video_0_frames = models.PositiveIntegerField(null=True, help_text="Frames of the playback file; null: unknown")
    video_1_refined_by = models.TextField()
    video_1_licence = models.TextField()
    video_1_fps = models.FloatField(null=True, help_text="Frames per second of the playback file; null: unknown")
    video_1_frames = models.PositiveIntegerField(null=True, help_text="Frames of the playback file; null: unknown")
    part = models.TextField(help_text="train, test, eval or excluded")
    weight = models.FloatField(help_text="Mean of the weights; 1 unless the release has weights")
    weights: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, help_text="Reliability weight by question; null: the release has no weights"
    )
    in_sample = models.BooleanField()
    selection_method = models.TextField()
    selection_probability = models.FloatField(null=True)
    selection_model = models.TextField()
    lot = models.PositiveIntegerField(null=True, help_text="Number of the last lot whose review froze the answer")
    lot_state = models.TextField(help_text="State of that lot; empty without a lot")
    reviews = ArrayField(models.BigIntegerField(), help_text="Ids of the verdicts on this revision")

    class Meta:
        abstract = True
