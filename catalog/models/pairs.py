"""Pairs, which people answer, and the batches in which answers are reviewed and accepted."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest, Least, Now
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from catalog import known_harm
from catalog.models.material import Prompt, Video
from diptych.database.constraints import CompositeForeignKey, sixty_four_hex
from diptych.database.triggers import append_only
from studies.harms import HARM_KEYS
from studies.models.studies import Study


class Batch(models.Model):
    """A group of pairs that is reviewed and then accepted or returned. `catalog/batches.py` changes its state.

    Number 0 is the batch of a study's controls. It stays open, no list of batches has it, and it is in no lot.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ANNOTATED = "annotated", _("annotated")
        IN_REVIEW = "in_review", _("in review")
        ACCEPTED = "accepted", _("accepted")
        RETURNED = "returned", _("returned")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(db_default=Now())
    # When each state last began; null: it never began.
    opened_at = models.DateTimeField(db_default=Now())
    annotated_at = models.DateTimeField(null=True, blank=True)
    review_started_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    import_number = models.BigIntegerField(null=True, blank=True, help_text="Number of the import that added it")

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(name="batch_number_in_study", fields=["study", "number"]),
            models.UniqueConstraint(name="batch_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="batch_number_from_zero", condition=Q(number__gte=0)),
            models.CheckConstraint(name="batch_of_controls_stays_open", condition=Q(number__gte=1) | Q(state="open")),
            models.CheckConstraint(
                name="batch_state_known",
                condition=Q(state__in=["open", "annotated", "in_review", "accepted", "returned"]),
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.number}"


#: What `Pair.held` says while one of its videos is in quarantine, whatever else would hold it.
QUARANTINED = "quarantined"
#: What `Pair.held` says while one of its videos cannot be played.
MEDIA_FAILED = gettext_noop("A video of this pair could not be prepared.")
#: What `Pair.held` says of a control that was withdrawn.
CONTROL_WITHDRAWN = gettext_noop("This control was withdrawn.")

#: Pairs whose overlap and priority can be changed: no controls, no held pairs, none in a batch in review or accepted.
CHANGEABLE = Q(kind="real", held="", batch__state__in=["open", "annotated", "returned"])


def usable(path: str = "") -> Q:
    """Return the condition for pairs without a video in quarantine. Only these may be shown, searched or published.

    `path` leads from the queried model to the pair, such as `pairs__`.
    """
    return ~Q(**{f"{path}held": QUARANTINED})


class PairQuerySet(models.QuerySet["Pair"]):
    def usable(self) -> "PairQuerySet":
        """Return the pairs without a video in quarantine. Pairs that are held for another reason are included."""
        return self.filter(usable())


class Pair(models.Model):
    """Two videos to compare. They are of the same prompt, unless the pair is a control.

    `open_slots` = `wanted` − live leases − counted standings. Only a conditional update changes it, in the statement
    or transaction of the change that causes it. `ready`: both videos can be played. `held`: the reason why the pair is
    not served; empty if it is not held.
    """

    class Kind(models.TextChoices):
        REAL = "real"
        CONTROL = "control"

    class Lane(models.IntegerChoices):
        """Whether a pair may show harm. The queue has one lane for each, so that serving finds the pairs that a person
        may see without reading the others."""

        HARMLESS = 0
        SENSITIVE = 1

    # Composite foreign keys below bind it to its study, and unique constraints index it.
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="pairs", db_constraint=False, db_index=False
    )
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="pairs", db_constraint=False)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="pairs", db_constraint=False)
    video_0 = models.ForeignKey(Video, on_delete=models.PROTECT, related_name="pairs_as_0", db_constraint=False)
    video_1 = models.ForeignKey(Video, on_delete=models.PROTECT, related_name="pairs_as_1", db_constraint=False)
    public_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.REAL)
    expected: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="Of a control: what is expected; `left` says which video must be on the left"
    )
    repeats = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="repeated_as",
        db_constraint=False,
        db_index=False,
        help_text="The real pair that a control shows again. Who had it in any form does not get the control",
    )
    only_for = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="The only person who gets this control. They had the repeated pair before",
    )
    priority = models.IntegerField(default=0, help_text="Higher is served sooner")
    selection_method = models.CharField(max_length=40, default="import")
    selection_probability = models.FloatField(null=True, blank=True)
    selection_model = models.CharField(max_length=80, blank=True)
    in_sample = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Drawn at random at import for extra answers, on which agreement is measured",
    )
    look_alike = models.BooleanField(default=False, db_default=False, help_text="The two videos look almost identical")
    may_show = ArrayField(
        models.CharField(max_length=24),
        default=list,
        db_default=[],
        blank=True,
        help_text="Derived in `known_harm`: harm keys that prompt labels or either video name; never a label",
    )
    wanted = models.PositiveSmallIntegerField(default=1)
    open_slots = models.SmallIntegerField(default=1)
    ready = models.BooleanField(default=False)
    held = models.CharField(max_length=200, blank=True)
    held_before = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Value of `held` before the quarantine"
    )
    import_number = models.BigIntegerField(null=True, blank=True, help_text="Number of the import that added it")
    created_at = models.DateTimeField(db_default=Now())
    # One of these two columns is null, so only the foreign keys for the pair's kind apply: the videos of a real pair
    # belong to its prompt, those of a control only to its study. Each foreign key costs an import some 6 µs a pair.
    real_prompt_id = models.GeneratedField(
        expression=Case(When(kind="real", then=F("prompt_id")), default=Value(None)),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    control_study_id = models.GeneratedField(
        expression=Case(When(kind="control", then=F("study_id")), default=Value(None)),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    lane = models.GeneratedField(
        expression=Case(When(may_show__len=0, then=Value(0)), default=Value(1)),
        output_field=models.SmallIntegerField(choices=Lane.choices),
        db_persist=True,
    )

    objects = PairQuerySet.as_manager()

    class Meta:
        indexes = [
            # By kind and lane, then descending priority, then id. Priority is negated, so that a place in the queue can
            # be compared as one row value.
            models.Index(
                F("study"),
                F("lane"),
                F("kind"),
                F("priority") * -1,
                F("id"),
                name="pair_servable",
                condition=Q(open_slots__gt=0, ready=True, held=""),
            ),
            models.Index(name="pair_preparing", fields=["study"], condition=Q(ready=False, held="")),
            # Rare states for which the library searches.
            models.Index(name="pair_held", fields=["study", "id"], condition=~Q(held="")),
            models.Index(name="pair_in_sample", fields=["study", "id"], condition=Q(in_sample=True)),
            models.Index(name="pair_look_alike", fields=["study", "id"], condition=Q(look_alike=True)),
            models.Index(name="pair_repeating", fields=["repeats"], condition=Q(repeats__isnull=False)),
            models.Index(name="pair_only_for", fields=["study", "only_for"], condition=Q(only_for__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="pair_only_controls_repeat",
                condition=Q(kind="control") | Q(repeats__isnull=True, only_for__isnull=True),
            ),
            models.CheckConstraint(
                name="pair_only_for_repeats", condition=Q(only_for__isnull=True) | Q(repeats__isnull=False)
            ),
            # A pair is repeated to the same person once.
            models.UniqueConstraint(
                name="pair_repeated_once_to_a_person",
                fields=["repeats", "only_for"],
                condition=Q(only_for__isnull=False),
            ),
            models.UniqueConstraint(
                name="pair_repeated_once_to_others",
                fields=["repeats"],
                condition=Q(repeats__isnull=False, only_for__isnull=True),
            ),
            CompositeForeignKey(
                name="pair_repeats_same_study",
                fields=["study", "repeats"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
            models.UniqueConstraint(name="pair_public_id_in_study", fields=["study", "public_id"]),
            models.UniqueConstraint(name="pair_study_id", fields=["study", "id"]),
            models.UniqueConstraint(
                Least("video_0", "video_1"),
                Greatest("video_0", "video_1"),
                name="pair_once_in_either_order",
                condition=Q(kind="real"),
            ),
            models.CheckConstraint(name="pair_public_id_form", condition=sixty_four_hex("public_id")),
            models.CheckConstraint(name="pair_two_videos", condition=~Q(video_0=F("video_1"))),
            models.CheckConstraint(name="pair_may_show_known", condition=Q(may_show__contained_by=list(HARM_KEYS))),
            # The queue's order negates it.
            models.CheckConstraint(name="pair_priority_range", condition=Q(priority__range=(-(10**9), 10**9))),
            models.CheckConstraint(name="pair_kind_known", condition=Q(kind__in=["real", "control"])),
            models.CheckConstraint(
                name="pair_control_has_expected", condition=Q(kind="real") | Q(expected__isnull=False)
            ),
            models.CheckConstraint(
                name="pair_open_slots_range", condition=Q(open_slots__gte=0, open_slots__lte=F("wanted"))
            ),
            models.CheckConstraint(
                name="pair_selection_probability_range",
                condition=Q(selection_probability__isnull=True)
                | Q(selection_probability__gt=0, selection_probability__lte=1),
            ),
            models.CheckConstraint(
                name="pair_held_before_in_quarantine_only", condition=Q(held_before="") | Q(held=QUARANTINED)
            ),
            CompositeForeignKey(
                name="pair_batch_same_study",
                fields=["study", "batch"],
                to="catalog.Batch",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="pair_video_0_same_prompt",
                fields=["real_prompt_id", "study", "video_0"],
                to="catalog.Video",
                to_fields=["prompt", "study", "id"],
            ),
            CompositeForeignKey(
                name="pair_video_1_same_prompt",
                fields=["real_prompt_id", "study", "video_1"],
                to="catalog.Video",
                to_fields=["prompt", "study", "id"],
            ),
            CompositeForeignKey(
                name="pair_prompt_same_study",
                fields=["control_study_id", "prompt"],
                to="catalog.Prompt",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="pair_video_0_same_study",
                fields=["control_study_id", "video_0"],
                to="catalog.Video",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="pair_video_1_same_study",
                fields=["control_study_id", "video_1"],
                to="catalog.Video",
                to_fields=["study", "id"],
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="pair_known_harm",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),
                func=known_harm.PAIRS_ADDED,
            ),
        ]

    def __str__(self) -> str:
        return self.public_id[:8]

    @property
    def held_in_words(self) -> str:
        """Why the pair is held: the platform's own reason in the present language, any other as a person wrote it."""
        return gettext(self.held) if self.held in (MEDIA_FAILED, CONTROL_WITHDRAWN) else self.held


class HoldChange(models.Model):
    """A hold or release of a pair by a person: `Pair.held` before and after. Append-only."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    pair = models.ForeignKey(
        Pair, on_delete=models.PROTECT, related_name="hold_changes", db_constraint=False, db_index=False
    )
    before = models.CharField(max_length=200, blank=True)
    after = models.CharField(max_length=200, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(name="hold_change_of_pair", fields=["study", "pair"])]
        constraints = [
            # Only pairs that are not held can be held, and only held ones can be released.
            models.CheckConstraint(
                name="hold_change_holds_or_releases",
                condition=Q(before="") & ~Q(after="") | ~Q(before="") & Q(after=""),
            ),
            CompositeForeignKey(
                name="hold_change_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("hold_change")

    def __str__(self) -> str:
        return f"{self.pair_id} {'held' if self.after else 'released'}"
