"""What a release says of prompts, also of those without answers, and what programs said about its material.

Both tables hold copies, so an import can be undone and a label removed later. The release stays as it is.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from diptych.database.constraints import CompositeForeignKey, sixty_four_hex
from diptych.database.triggers import append_only
from releases.models.releases import Release
from studies.models import Study

PARTS = ("train", "test", "eval", "excluded")


class ReleaseMaterial(models.Model):
    """A row of a release that is a copy. `place` is its order in the file, from 1."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    place = models.PositiveBigIntegerField()
    prompt_id = models.CharField(max_length=64, help_text="Published id of the prompt")
    part = models.TextField(help_text="train, test, eval or excluded")

    class Meta:
        abstract = True


def _rules(name: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(name=f"{name}_place", fields=["release", "place"]),
        models.CheckConstraint(name=f"{name}_place_from_one", condition=Q(place__gte=1)),
        models.CheckConstraint(name=f"{name}_part_known", condition=Q(part__in=PARTS)),
        models.CheckConstraint(name=f"{name}_prompt_id_form", condition=sixty_four_hex("prompt_id")),
        CompositeForeignKey(
            name=f"{name}_release_same_study",
            fields=["study", "release"],
            to="releases.Release",
            to_fields=["study", "id"],
        ),
    ]


class ReleasePrompt(ReleaseMaterial):
    """A prompt that the filter of a release chooses, with or without answers."""

    source_id = models.TextField()
    text = models.TextField()
    prompt_type = models.TextField()
    language = models.TextField()
    labels = ArrayField(models.TextField(), null=True, help_text="Harm keys; null: not labelled")
    labelled_by = models.TextField()
    source = models.TextField()
    source_detail = models.TextField()
    licence = models.TextField()
    set = models.TextField()
    cluster = models.TextField()

    class Meta:
        constraints = [
            *_rules("release_prompt"),
            models.UniqueConstraint(name="release_prompt_once", fields=["release", "prompt_id"]),
        ]
        triggers = append_only("release_prompt")

    def __str__(self) -> str:
        return f"prompt {self.place} of release {self.release_id}"


class ReleaseLabel(ReleaseMaterial):
    """What a program said about a prompt, a video or a pair of a release, or that it refused."""

    video_id = models.CharField(max_length=64, help_text="Published id; empty unless the label is about a video")
    pair_id = models.CharField(max_length=64, help_text="Published id; empty unless the label is about a pair")
    question = models.TextField()
    labeller = models.TextField()
    labeller_version = models.TextField()
    setting = models.TextField()
    value: "models.JSONField[Any, Any]" = models.JSONField(null=True, help_text="null: refused")
    refused = models.BooleanField()

    class Meta:
        constraints = [
            *_rules("release_label"),
            models.CheckConstraint(name="release_label_one_subject", condition=Q(video_id="") | Q(pair_id="")),
            models.CheckConstraint(
                name="release_label_has_value_or_is_refused",
                condition=Q(refused=True, value__isnull=True) | Q(refused=False, value__isnull=False),
            ),
        ]
        triggers = append_only("release_label")

    def __str__(self) -> str:
        return f"label {self.place} of release {self.release_id}"
