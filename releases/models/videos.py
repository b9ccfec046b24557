"""The videos of a release: which files its archives contain, and in which archive each of them is."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.models import Video
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from media.models import Asset
from media.names import TRAINING_FRAMES
from releases.models.releases import Release
from studies.models import Study


class ReleaseVideo(models.Model):
    """One video of a release that has files of its videos, with the facts of these files as they were.

    `place` is the order in every archive: by prompt and video, from 1. Archives are numbered for each part, from 0.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="videos", db_constraint=False, db_index=False
    )
    video = models.ForeignKey(Video, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+", db_index=False)
    place = models.PositiveBigIntegerField()
    part = models.TextField(help_text="train, test, eval or excluded")
    facts: "models.JSONField[Any, Any]" = models.JSONField(help_text="Of the playback file, with its SHA-256")
    byte_size = models.PositiveBigIntegerField(help_text="Of the playback file")
    frame_sizes = ArrayField(models.PositiveIntegerField(), help_text="Bytes of each of the 8 frames")
    video_archive = models.PositiveIntegerField(help_text="Number of the archive with the video")
    frame_archive = models.PositiveIntegerField(help_text="Number of the archive with its frames")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="release_video_place", fields=["release", "place"]),
            models.UniqueConstraint(name="release_video_once", fields=["release", "video"]),
            models.CheckConstraint(name="release_video_place_from_one", condition=Q(place__gte=1)),
            models.CheckConstraint(
                name="release_video_part_known", condition=Q(part__in=["train", "test", "eval", "excluded"])
            ),
            models.CheckConstraint(name="release_video_frames", condition=Q(frame_sizes__len=TRAINING_FRAMES)),
            CompositeForeignKey(
                name="release_video_release_same_study",
                fields=["study", "release"],
                to="releases.Release",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="release_video_video_same_study",
                fields=["study", "video"],
                to="catalog.Video",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("release_video")

    def __str__(self) -> str:
        return f"video {self.place} of release {self.release_id}"
