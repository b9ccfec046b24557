"""Prompts, and the videos made for them."""

from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog import known_harm
from diptych.database.constraints import CompositeForeignKey, sixty_four_hex
from media.models import Asset
from studies.harms import HARM_KEYS
from studies.models.studies import Study


class Prompt(models.Model):
    """The text from which videos are generated.

    `public_id` is the id in the manifest if that has 64 hex digits. Otherwise it is the sha-256 hex of
    `json.dumps(text)`, as in the published data, and an id in the manifest is stored as `source_id`.
    """

    class Type(models.TextChoices):
        SAFETY_NEUTRAL = "safety_neutral"
        SAFETY_CRITICAL = "safety_critical"

    class Set(models.TextChoices):
        CORPUS = "corpus"
        EVAL = "eval"

    class Split(models.TextChoices):
        UNDECIDED = ""
        TRAIN = "train"
        TEST = "test"
        EXCLUDED = "excluded"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="prompts", db_index=False)
    public_id = models.CharField(max_length=64)
    source_id = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="The id in the manifest, unless it is `public_id`",
    )
    text = models.TextField()
    language = models.CharField(max_length=35, default="en", help_text="BCP 47")
    prompt_type = models.CharField(max_length=16, choices=Type.choices, default=Type.SAFETY_NEUTRAL)
    labels = ArrayField(
        models.CharField(max_length=24),
        null=True,
        blank=True,
        help_text="Harm keys; null: not labelled",
    )
    labelled_by = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=20, blank=True, help_text="real_user or researcher")
    source_detail = models.CharField(max_length=300, blank=True, help_text="Channel or address")
    licence = models.CharField(max_length=80, blank=True)
    set = models.CharField(max_length=6, choices=Set.choices, default=Set.CORPUS)
    cluster = models.CharField(max_length=64, blank=True)
    split = models.CharField(max_length=8, choices=Split.choices, default=Split.UNDECIDED, blank=True)
    import_number = models.BigIntegerField(null=True, blank=True, help_text="Number of the import that added it")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="prompt_public_id_in_study", fields=["study", "public_id"]),
            models.UniqueConstraint(name="prompt_study_id", fields=["study", "id"]),
            models.UniqueConstraint(
                name="prompt_source_id_in_study", fields=["study", "source_id"], condition=~Q(source_id="")
            ),
            models.CheckConstraint(name="prompt_public_id_form", condition=sixty_four_hex("public_id")),
            models.CheckConstraint(name="prompt_has_text", condition=~Q(text="")),
            models.CheckConstraint(
                name="prompt_type_known", condition=Q(prompt_type__in=["safety_neutral", "safety_critical"])
            ),
            models.CheckConstraint(name="prompt_source_known", condition=Q(source__in=["", "real_user", "researcher"])),
            models.CheckConstraint(name="prompt_set_known", condition=Q(set__in=["corpus", "eval"])),
            models.CheckConstraint(name="prompt_split_known", condition=Q(split__in=["", "train", "test", "excluded"])),
            models.CheckConstraint(name="prompt_eval_never_trains", condition=~Q(set="eval") | ~Q(split="train")),
            models.CheckConstraint(
                name="prompt_labels_known",
                condition=Q(labels__isnull=True) | Q(labels__contained_by=list(HARM_KEYS)),
            ),
            models.CheckConstraint(
                name="prompt_labels_have_labeller",
                condition=Q(labels__isnull=True, labelled_by="") | (Q(labels__isnull=False) & ~Q(labelled_by="")),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="prompt_known_harm",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("labels", "prompt_type"),
                func=known_harm.PROMPT_CHANGED,
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Video(models.Model):
    """A T-V pair: one prompt together with one video generated for it."""

    # One composite foreign key below binds both columns, and unique constraints index them.
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="videos", db_constraint=False, db_index=False
    )
    prompt = models.ForeignKey(
        Prompt, on_delete=models.PROTECT, related_name="videos", db_constraint=False, db_index=False
    )
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="videos")
    public_id = models.CharField(max_length=64)
    source_id = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="The id in the manifest, unless it is `public_id`",
    )
    file_name = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Path of the file, as written in the import",
    )
    video_text = models.TextField(blank=True, help_text="Text given to the generator; empty: the prompt")
    refined_by = models.CharField(max_length=120, blank=True)
    generator = models.CharField(max_length=255, blank=True)
    generator_version = models.CharField(max_length=80, blank=True)
    seed = models.CharField(max_length=80, blank=True)
    settings: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    licence = models.CharField(max_length=80, blank=True)
    may_show = ArrayField(
        models.CharField(max_length=24),
        default=list,
        db_default=[],
        blank=True,
        help_text="Harm keys that answers name for its bytes. Protects viewers; never a label",
    )
    derived_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="derived", db_constraint=False
    )
    import_number = models.BigIntegerField(null=True, blank=True, help_text="Number of the import that added it")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(name="video_may_show", fields=["study", "asset"], condition=~Q(may_show=[]))]
        constraints = [
            models.CheckConstraint(name="video_may_show_known", condition=Q(may_show__contained_by=list(HARM_KEYS))),
            models.UniqueConstraint(name="video_public_id_in_study", fields=["study", "public_id"]),
            models.UniqueConstraint(name="video_study_id", fields=["study", "id"]),
            models.UniqueConstraint(
                name="video_source_id_in_study", fields=["study", "source_id"], condition=~Q(source_id="")
            ),
            models.UniqueConstraint(name="video_prompt_study_id", fields=["prompt", "study", "id"]),
            models.CheckConstraint(name="video_public_id_form", condition=sixty_four_hex("public_id")),
            models.CheckConstraint(name="video_refined_text_given", condition=Q(refined_by="") | ~Q(video_text="")),
            models.CheckConstraint(name="video_not_from_itself", condition=~Q(derived_from=F("id"))),
            CompositeForeignKey(
                name="video_prompt_same_study",
                fields=["study", "prompt"],
                to="catalog.Prompt",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="video_origin_same_study",
                fields=["study", "derived_from"],
                to="catalog.Video",
                to_fields=["study", "id"],
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="video_known_harm",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),
                func=known_harm.VIDEOS_ADDED,
            ),
            pgtrigger.Trigger(
                name="video_known_harm_more",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="was", new="changed"),
                func=known_harm.VIDEOS_CHANGED,
            ),
        ]

    def __str__(self) -> str:
        return self.public_id[:8]
