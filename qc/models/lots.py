"""Lots, their batches, and the decisions about them."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models import Batch
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from studies.models import Study


class Lot(models.Model):
    """One or more batches that review accepts or returns together. `qc/lots.py` and `qc/decisions.py` change it.

    draft → in_review → accepted | returned. A decision can be reopened: accepted | returned → in_review. After a return
    the same batches are judged again in a new lot, the next attempt, whose `previous` is this one.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_REVIEW = "in_review", _("in review")
        ACCEPTED = "accepted", _("accepted")
        RETURNED = "returned", _("returned")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="lots", db_index=False)
    number = models.PositiveIntegerField()
    attempt = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="1, or one more than the attempt of the returned lot before"
    )
    previous = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="next", db_constraint=False
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT, db_default=State.DRAFT.value)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    # Written when the review starts.
    started_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    seed = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="Seed of the random order, 32 hexadecimal digits. Secret until the lot is decided",
    )
    frame_size = models.PositiveIntegerField(null=True, blank=True, help_text="Number of answers that were frozen")
    left_out = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        blank=True,
        help_text="Ids of the pairs that the review left out: held, or in need of answers that nobody may give",
    )
    # The study's settings when the review started. Later changes of the study do not change this lot.
    aql = models.DecimalField(max_digits=6, decimal_places=5, null=True, blank=True)
    ltpd = models.DecimalField(max_digits=6, decimal_places=5, null=True, blank=True)
    alpha = models.DecimalField(max_digits=6, decimal_places=5, null=True, blank=True)
    beta = models.DecimalField(max_digits=6, decimal_places=5, null=True, blank=True)
    spot_share = models.DecimalField(
        max_digits=6, decimal_places=5, null=True, blank=True, help_text="Least share of answers in the spot check"
    )
    secondary_share = models.DecimalField(
        max_digits=6, decimal_places=5, null=True, blank=True, help_text="Share of answers in the secondary review"
    )
    blind_share = models.DecimalField(
        max_digits=6, decimal_places=5, null=True, blank=True, help_text="Share of the secondary review that is blind"
    )

    # Written when the secondary review has ended and the deciding sample is drawn.
    drawn_at = models.DateTimeField(null=True, blank=True)
    size = models.PositiveIntegerField(
        null=True, blank=True, help_text="N: number of answers that still counted when the sample was drawn"
    )
    sample_size = models.PositiveIntegerField(null=True, blank=True, help_text="n: answers in the deciding sample")
    acceptance_number = models.PositiveIntegerField(
        null=True, blank=True, help_text="c: the most defects in the sample with which the plan accepts the lot"
    )

    # The decision that stands. `LotDecision` has every decision.
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="lot_number_in_study", fields=["study", "number"]),
            models.UniqueConstraint(name="lot_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="lot_number_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="lot_state_known", condition=Q(state__in=["draft", "in_review", "accepted", "returned"])
            ),
            models.CheckConstraint(
                name="lot_later_attempt_has_previous",
                condition=Q(attempt=1, previous__isnull=True) | Q(attempt__gt=1, previous__isnull=False),
            ),
            CompositeForeignKey(
                name="lot_previous_same_study", fields=["study", "previous"], to="qc.Lot", to_fields=["study", "id"]
            ),
            models.CheckConstraint(
                name="lot_started_unless_draft",
                condition=Q(state="draft", seed="")
                & Q(
                    started_at__isnull=True,
                    started_by__isnull=True,
                    frame_size__isnull=True,
                    aql__isnull=True,
                    ltpd__isnull=True,
                    alpha__isnull=True,
                    beta__isnull=True,
                    spot_share__isnull=True,
                    secondary_share__isnull=True,
                    blind_share__isnull=True,
                )
                | ~Q(state="draft")
                & Q(
                    seed__regex="^[0-9a-f]{32}$",
                    started_at__isnull=False,
                    started_by__isnull=False,
                    frame_size__gte=1,
                    aql__isnull=False,
                    ltpd__isnull=False,
                    alpha__isnull=False,
                    beta__isnull=False,
                    spot_share__isnull=False,
                    secondary_share__isnull=False,
                    blind_share__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="lot_shares_range",
                condition=Q(aql__isnull=True)
                | Q(
                    aql__gte=0,
                    ltpd__gt=F("aql"),
                    ltpd__lte=1,
                    alpha__gt=0,
                    alpha__lt=1,
                    beta__gt=0,
                    beta__lt=1,
                    spot_share__gte=0,
                    spot_share__lte=1,
                    secondary_share__gte=0,
                    secondary_share__lte=1,
                    blind_share__gte=0,
                    blind_share__lte=1,
                ),
            ),
            models.CheckConstraint(
                name="lot_sample_drawn_whole",
                condition=Q(
                    drawn_at__isnull=True,
                    size__isnull=True,
                    sample_size__isnull=True,
                    acceptance_number__isnull=True,
                )
                | Q(
                    drawn_at__isnull=False,
                    size__gte=1,
                    size__lte=F("frame_size"),
                    sample_size__gte=1,
                    sample_size__lte=F("size"),
                    acceptance_number__gte=0,
                    acceptance_number__lt=F("sample_size"),
                ),
            ),
            models.CheckConstraint(
                name="lot_decided_with_reason",
                condition=~Q(state__in=["accepted", "returned"])
                & Q(decided_at__isnull=True, decided_by__isnull=True, decision_reason="")
                | Q(state__in=["accepted", "returned"], decided_at__isnull=False, decided_by__isnull=False)
                & ~Q(decision_reason=""),
            ),
            # A lot without a sample can be returned (its answers may all be rejected), but not accepted.
            models.CheckConstraint(
                name="lot_accepted_with_sample", condition=~Q(state="accepted") | Q(drawn_at__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="lot_batches_follow",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                func=(
                    "UPDATE qc_lotbatch SET undecided = NEW.state IN ('draft', 'in_review') WHERE lot_id = NEW.id;"
                    " RETURN NULL;"
                ),
            ),
            pgtrigger.Protect(
                name="lot_sample_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "(OLD.drawn_at IS NOT NULL AND (OLD.drawn_at, OLD.size, OLD.sample_size, OLD.acceptance_number)"
                    " IS DISTINCT FROM (NEW.drawn_at, NEW.size, NEW.sample_size, NEW.acceptance_number)"
                    " OR OLD.seed <> '' AND OLD.seed IS DISTINCT FROM NEW.seed)"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"lot {self.number}"

    @property
    def is_decided(self) -> bool:
        """Whether the lot is accepted or returned."""
        return self.state in (self.State.ACCEPTED, self.State.RETURNED)


class LotBatch(models.Model):
    """A batch that belongs to a lot. A batch is in one undecided lot at most."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(
        Lot, on_delete=models.PROTECT, related_name="lot_batches", db_constraint=False, db_index=False
    )
    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="lot_batches", db_constraint=False)
    annotated_at = models.DateTimeField(
        null=True, blank=True, help_text="When the batch was annotated, as it stood when the review started"
    )
    size = models.PositiveIntegerField(
        null=True, blank=True, help_text="Its answers that still counted when the sample was drawn; null before"
    )
    undecided = models.BooleanField(
        default=True, db_default=True, help_text="Whether the lot is a draft or in review. Triggers keep it up to date"
    )

    class Meta:
        verbose_name_plural = "lot batches"
        constraints = [
            models.UniqueConstraint(name="lot_batch_once", fields=["lot", "batch"]),
            models.UniqueConstraint(
                name="lot_batch_in_one_undecided_lot", fields=["batch"], condition=Q(undecided=True)
            ),
            CompositeForeignKey(
                name="lot_batch_lot_same_study", fields=["study", "lot"], to="qc.Lot", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="lot_batch_batch_same_study",
                fields=["study", "batch"],
                to="catalog.Batch",
                to_fields=["study", "id"],
            ),
        ]
        triggers = [
            # The share lock makes a change of the lot's state come before the row or after it.
            pgtrigger.Trigger(
                name="lot_batch_undecided",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("state_now", "text")],
                func=(
                    "SELECT state INTO state_now FROM qc_lot WHERE id = NEW.lot_id FOR SHARE;"
                    " NEW.undecided = coalesce(state_now IN ('draft', 'in_review'), true); RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.batch_id} in lot {self.lot_id}"


class LotDecision(models.Model):
    """One decision about a lot, with the figures on which it was made. Append-only."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        RETURNED = "returned", _("returned")
        REOPENED = "reopened", _("decision reopened")

    class AskAgain(models.TextChoices):
        """What is answered again in a returned lot."""

        DEFECTS = "defects", _("pairs with confirmed defects")
        PEOPLE = "people", _("all pairs of named people")
        ALL = "all", _("all pairs")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="decisions", db_constraint=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reason = models.TextField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(db_default=Now())
    ask_again = models.CharField(max_length=7, choices=AskAgain.choices, blank=True, default="", db_default="")
    people = ArrayField(
        models.BigIntegerField(), default=list, db_default=[], blank=True, help_text="Whose answers are asked again"
    )
    figures: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="The plan, the counts and the rates when the decision was made"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="lot_decision_outcome_known", condition=Q(outcome__in=["accepted", "returned", "reopened"])
            ),
            models.CheckConstraint(name="lot_decision_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="lot_decision_return_asks_again",
                condition=Q(outcome="returned", ask_again__in=["defects", "people", "all"])
                | ~Q(outcome="returned") & Q(ask_again=""),
            ),
            models.CheckConstraint(
                name="lot_decision_names_people",
                condition=Q(ask_again="people", people__len__gt=0) | ~Q(ask_again="people") & Q(people__len=0),
            ),
            CompositeForeignKey(
                name="lot_decision_lot_same_study", fields=["study", "lot"], to="qc.Lot", to_fields=["study", "id"]
            ),
        ]
        triggers = append_only("lot_decision")

    def __str__(self) -> str:
        return f"lot {self.lot_id} {self.outcome}"
