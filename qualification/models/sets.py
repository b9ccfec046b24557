"""Training sets and tests: pairs in an order, and the answers that are expected on them."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models.answers import CHOICES
from annotation.models.own_answers import PREFERENCES, ROWS, TAGS
from annotation.protocol import HARM_KEYS
from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from studies.models import Study

#: The set of the row may still change, and stays so until the transaction ends. Otherwise the row stays as it is.
ONLY_IN_A_DRAFT = (
    "SELECT state INTO state_now FROM qualification_pairset WHERE id = {set_id} FOR SHARE;"
    " IF state_now = 'published' THEN"
    "   RAISE EXCEPTION 'A published set stays as it is' USING ERRCODE = 'check_violation';"
    " END IF;"
    " IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"
)


class Kind(models.TextChoices):
    TRAINING = "training", _("training")
    TEST = "test", _("test")


class PairSet(models.Model):
    """One version of a study's training or test. `qualification/sets.py` changes it: draft → published.

    A published version stays as it is. The one with the highest number is in force.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="qualification_sets", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    number = models.PositiveIntegerField(help_text="Version, from 1")
    state = models.CharField(max_length=9, choices=State.choices, default=State.DRAFT, db_default=State.DRAFT.value)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    asked_again = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many qualified people have to qualify again; null if nobody was asked to"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="pair_set_version", fields=["study", "kind", "number"]),
            models.UniqueConstraint(name="pair_set_study_kind_id", fields=["study", "kind", "id"]),
            models.UniqueConstraint(name="pair_set_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="pair_set_one_draft", fields=["study", "kind"], condition=Q(state="draft")),
            models.CheckConstraint(name="pair_set_kind_known", condition=Q(kind__in=["training", "test"])),
            models.CheckConstraint(name="pair_set_number_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="pair_set_state_whole",
                condition=Q(
                    state="draft", published_at__isnull=True, published_by__isnull=True, asked_again__isnull=True
                )
                | Q(state="published", published_at__isnull=False, published_by__isnull=False),
            ),
            models.CheckConstraint(
                name="pair_set_only_test_asks_again", condition=Q(kind="test") | Q(asked_again__isnull=True)
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="pair_set_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'published'"),
            ),
            pgtrigger.Protect(
                name="pair_set_rows_stay",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'published'"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class SetItem(models.Model):
    """One pair of a set."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    set = models.ForeignKey(
        PairSet, on_delete=models.PROTECT, related_name="items", db_constraint=False, db_index=False
    )
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="qualification_items")
    place = models.PositiveIntegerField(help_text="Place in the set, from 1")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="set_item_once", fields=["set", "pair"]),
            models.UniqueConstraint(
                name="set_item_place", fields=["set", "place"], deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(name="set_item_set_id", fields=["set", "id"]),
            models.CheckConstraint(name="set_item_place_from_one", condition=Q(place__gte=1)),
            CompositeForeignKey(
                name="set_item_set_same_study",
                fields=["study", "set"],
                to="qualification.PairSet",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="set_item_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="set_item_rows_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("state_now", "text")],
                func=ONLY_IN_A_DRAFT.format(set_id="coalesce(NEW.set_id, OLD.set_id)"),
            ),
        ]

    def __str__(self) -> str:
        return f"pair {self.place} of set {self.set_id}"


class ExpectedAnswer(models.Model):
    """What is expected on one row of an item, and why. Rows without an expected answer are not judged."""

    item = models.ForeignKey(SetItem, on_delete=models.PROTECT, related_name="expected", db_index=False)
    row = models.CharField(max_length=24, help_text="A question, or the tags of one video")
    accepted = ArrayField(
        models.CharField(max_length=24),
        blank=True,
        help_text="Of a question: the answers that are as expected. Of tags: the tags that must be chosen",
    )
    optional = ArrayField(
        models.CharField(max_length=24),
        default=list,
        db_default=[],
        blank=True,
        help_text="Of tags: tags that may be chosen too",
    )
    explanation = models.TextField(blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="expected_answer_once", fields=["item", "row"]),
            models.CheckConstraint(name="expected_answer_row_known", condition=Q(row__in=list(ROWS))),
            models.CheckConstraint(
                name="expected_answer_values_known",
                condition=Q(
                    row__in=list(PREFERENCES),
                    accepted__contained_by=CHOICES,
                    accepted__len__in=[1, 2],
                    optional__len=0,
                )
                | Q(row__in=list(TAGS), accepted__contained_by=list(HARM_KEYS), optional__contained_by=list(HARM_KEYS)),
            ),
            models.CheckConstraint(name="expected_answer_tags_apart", condition=~Q(accepted__overlap=F("optional"))),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="expected_answer_rows_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("state_now", "text")],
                func=ONLY_IN_A_DRAFT.format(
                    set_id="(SELECT set_id FROM qualification_setitem WHERE id = coalesce(NEW.item_id, OLD.item_id))"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row} of item {self.item_id}"
