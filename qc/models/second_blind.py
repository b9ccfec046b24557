"""Pairs that a second reviewer answers blind, so that the agreement of reviewers is known."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from qc.models.frames import FrameItem
from qc.models.lots import Lot
from qc.models.reviews import ReviewAnswer
from studies.models import Study


class SecondBlind(models.Model):
    """A pair of a lot that was drawn for a second blind answer. `qc/second_blind.py` draws and fills it.

    Pairs with a confirmed defect are drawn with certainty, the others by chance. So `defect` says what a row weighs.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    item = models.OneToOneField(
        FrameItem,
        on_delete=models.PROTECT,
        related_name="second_blind",
        db_constraint=False,
        help_text="The answer on whose review the pair was drawn",
    )
    first = models.OneToOneField(
        ReviewAnswer, on_delete=models.PROTECT, related_name="+", help_text="The first reviewer's blind answer"
    )
    defect = models.BooleanField(
        default=False, db_default=False, help_text="Whether a defect of an answer to the pair was ever confirmed"
    )
    second = models.OneToOneField(
        ReviewAnswer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The second reviewer's blind answer; null while it waits",
    )
    drawn_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(name="second_blind_due", fields=["study", "lot"], condition=Q(second__isnull=True)),
            models.Index(name="second_blind_done", fields=["study", "id"], condition=Q(second__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(name="second_blind_once", fields=["lot", "pair"]),
            CompositeForeignKey(
                name="second_blind_item_same_study",
                fields=["study", "item"],
                to="qc.FrameItem",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="second_blind_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
            models.CheckConstraint(
                name="second_blind_is_another_answer", condition=Q(second__isnull=True) | ~Q(second=F("first"))
            ),
        ]

    def __str__(self) -> str:
        return f"second blind answer on pair {self.pair_id} of lot {self.lot_id}"
