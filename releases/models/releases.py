"""Releases, and the families that share the key of their annotator codes."""

from secrets import token_hex
from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from jobs.models import OPEN_STATES, Job
from studies.models import Study


def new_key() -> str:
    """Return the secret key of a new family, 64 hexadecimal digits."""
    return token_hex(32)


class ReleaseFamily(models.Model):
    """A chain of releases that follow one another. A person has the same code in all of them, and in no others."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=64, default=new_key, help_text="Secret key of the annotator codes")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "release families"
        constraints = [
            models.UniqueConstraint(name="release_family_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="release_family_key_form", condition=Q(key__regex="^[0-9a-f]{64}$")),
        ]
        triggers = append_only("release_family")

    def __str__(self) -> str:
        return f"family {self.pk}"


class Release(Job):
    """One release of a study. The job that makes it writes the items, then the files, then the manifest.

    What was asked for never changes. What the items fixed (`frozen_at`, `funnel`, `counts`, `about`) is written
    once, with the items. `manifest` is written with the end of the job.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="releases", db_index=False)
    family = models.ForeignKey(ReleaseFamily, on_delete=models.PROTECT, related_name="releases", db_constraint=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors", db_constraint=False
    )
    number = models.PositiveIntegerField()
    filter: "models.JSONField[Any, Any]" = models.JSONField(help_text="As `releases.filters.Filter.as_json` writes it")
    formats = ArrayField(models.CharField(max_length=40), help_text="Names of the formats of its files")
    options: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="Options of these formats, as `releases.options.checked` returns them"
    )
    with_invalid = models.BooleanField(default=False, help_text="Whether a file of its own has the invalid answers")
    with_comments = models.BooleanField(default=False, help_text="Whether records have the text that people wrote")
    with_times = models.BooleanField(default=False, help_text="Whether records have times instead of days")
    with_weights = models.BooleanField(default=False, help_text="Whether answers carry reliability weights")
    licence = models.CharField(max_length=80)
    terms = models.TextField(blank=True, default="", db_default="", help_text="What users of the release agree to")
    licence_reason = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why the release may have its licence, where the table of licences cannot decide",
    )

    # Written with the items.
    frozen_at = models.DateTimeField(null=True, blank=True)
    funnel: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, blank=True, help_text="Stages from submitted to released, each with the answers that it left out"
    )
    counts: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="Numbers of items: answers, revisions, invalid, and answers by part"
    )
    about: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict,
        blank=True,
        help_text="Study and title as they were, versions (of the code, and answers by protocol and by guideline), and "
        "where weights are from",
    )
    files_stored = models.BooleanField(
        default=False, db_default=False, help_text="Whether the storage may have files of it"
    )
    # Written with the end.
    manifest: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)

    class Meta(Job.Meta):
        indexes = [
            *Job.Meta.indexes,
            models.Index(name="release_files_stored", fields=["finished_at"], condition=Q(files_stored=True)),
        ]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(name="release_number_in_study", fields=["study", "number"]),
            models.UniqueConstraint(name="release_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="release_family_id", fields=["family", "id"]),
            models.UniqueConstraint(
                name="release_one_open", fields=["study"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(name="release_number_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(name="release_has_licence", condition=~Q(licence="")),
            models.CheckConstraint(
                name="release_done_has_manifest",
                condition=Q(state="done", manifest__isnull=False, frozen_at__isnull=False)
                | (~Q(state="done") & Q(manifest__isnull=True)),
            ),
            CompositeForeignKey(
                name="release_family_same_study",
                fields=["study", "family"],
                to="releases.ReleaseFamily",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="release_parent_same_family",
                fields=["family", "parent"],
                to="releases.Release",
                to_fields=["family", "id"],
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="release_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.study_id, OLD.family_id, OLD.parent_id, OLD.number, OLD.filter, OLD.formats,"
                    " OLD.options, OLD.with_invalid, OLD.with_comments, OLD.with_times, OLD.with_weights, OLD.licence,"
                    " OLD.terms, OLD.licence_reason)"
                    " IS DISTINCT FROM (NEW.study_id, NEW.family_id, NEW.parent_id, NEW.number, NEW.filter,"
                    " NEW.formats, NEW.options, NEW.with_invalid, NEW.with_comments, NEW.with_times,"
                    " NEW.with_weights, NEW.licence, NEW.terms, NEW.licence_reason)"
                    " OR OLD.frozen_at IS NOT NULL AND (OLD.frozen_at, OLD.funnel, OLD.counts, OLD.about)"
                    " IS DISTINCT FROM (NEW.frozen_at, NEW.funnel, NEW.counts, NEW.about)"
                    " OR OLD.manifest IS NOT NULL AND OLD.manifest IS DISTINCT FROM NEW.manifest)"
                ),
            ),
            pgtrigger.Protect(name="release_rows_stay", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"release {self.number}"
