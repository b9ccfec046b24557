"""The answers of a lot that are frozen when its review starts."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Annotation, Assignment
from catalog.models import Batch
from diptych.database.constraints import CompositeForeignKey
from qc.models.lots import Lot
from studies.models import Study


class FrameItem(models.Model):
    """One answer that was frozen when its lot's review started. The frame is all of a lot's items.

    `place` is the item's place in the lot's random order. The first n items by `place` are also judged in revision 1
    (the rate *before*). The deciding sample is the items with a `sample_place`, in their revision `judged`.
    """

    class Lost(models.TextChoices):
        WITHDRAWN = "withdrawn", _("withdrawn")
        QUARANTINED = "quarantined", _("in quarantine")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="items", db_constraint=False, db_index=False)
    place = models.PositiveIntegerField(help_text="Place in the random order, from 1")
    batch = models.ForeignKey(
        Batch,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The pair's batch when the review started",
    )
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="frame_items", db_constraint=False
    )
    first = models.ForeignKey(
        Annotation,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="Revision 1",
    )
    current = models.ForeignKey(
        Annotation,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The revision that stood when the review started",
    )
    # Written when the deciding sample is drawn.
    judged = models.ForeignKey(
        Annotation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="The revision that stood when the sample was drawn; null if the answer no longer counted",
    )
    sample_place = models.PositiveIntegerField(
        null=True, blank=True, help_text="Place in the deciding sample, from 1; null if it is not in the sample"
    )
    lost = models.CharField(
        max_length=11,
        choices=Lost.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Why the answer can no longer be judged; empty if it can",
    )
    # Written when the review starts, by `qc/suspicion.py`. Only the look-here queue reads them.
    suspicion = models.SmallIntegerField(
        default=0, db_default=0, help_text="Points by which the look-here queue prefers the answer"
    )
    signals = ArrayField(
        models.CharField(max_length=16),
        default=list,
        db_default=[],
        blank=True,
        help_text="What the points are for, as codes",
    )
    # What the answer still waits for. A trigger of reviews keeps it true (`models/due.py`), so that a lease takes the
    # first row of an index, and neither passes over what is done nor counts it.
    secondary_due = models.BooleanField(
        default=True, db_default=True, help_text="Drawn for the secondary review, which nobody has submitted"
    )
    spot_due = models.BooleanField(
        default=True, db_default=True, help_text="No spot check was submitted; false once it is not in a sample"
    )
    look_rank = models.SmallIntegerField(
        null=True,
        blank=True,
        default=0,
        db_default=0,
        help_text="Place in the look-here queue, the lowest first; null once any review was submitted",
    )
    stands_for_person = models.BooleanField(
        default=False, db_default=False, help_text="The one answer of a person of whom nothing was reviewed in the lot"
    )

    class Meta:
        indexes = [
            models.Index(name="frame_item_lost", fields=["lot"], condition=~Q(lost="")),
            models.Index(name="frame_item_secondary_due", fields=["lot", "place"], condition=Q(secondary_due=True)),
            models.Index(name="frame_item_spot_due", fields=["lot", "place"], condition=Q(spot_due=True)),
            models.Index(
                name="frame_item_look_due", fields=["lot", "look_rank", "place"], condition=Q(look_rank__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="frame_item_place", fields=["lot", "place"]),
            models.UniqueConstraint(name="frame_item_once", fields=["lot", "assignment"]),
            models.UniqueConstraint(
                name="frame_item_sample_place", fields=["lot", "sample_place"], condition=Q(sample_place__isnull=False)
            ),
            models.UniqueConstraint(name="frame_item_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="frame_item_place_from_one", condition=Q(place__gte=1)),
            models.CheckConstraint(
                name="frame_item_sample_place_range",
                condition=Q(sample_place__isnull=True)
                | Q(sample_place__gte=1, sample_place__lte=F("place"), judged__isnull=False),
            ),
            models.CheckConstraint(
                name="frame_item_lost_known", condition=Q(lost__in=["", "withdrawn", "quarantined"])
            ),
            CompositeForeignKey(
                name="frame_item_lot_same_study", fields=["study", "lot"], to="qc.Lot", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="frame_item_batch_of_lot",
                fields=["lot", "batch"],
                to="qc.LotBatch",
                to_fields=["lot", "batch"],
            ),
            CompositeForeignKey(
                name="frame_item_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            *(
                CompositeForeignKey(
                    name=f"frame_item_{revision}_same_study",
                    fields=["study", revision],
                    to="annotation.Annotation",
                    to_fields=["study", "id"],
                )
                for revision in ("first", "current", "judged")
            ),
        ]
        triggers = [
            # What was frozen and drawn stays. Only `lost` changes, and the draw is written once.
            pgtrigger.Protect(
                name="frame_item_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.study_id, OLD.lot_id, OLD.place, OLD.batch_id, OLD.assignment_id, OLD.first_id,"
                    " OLD.current_id) IS DISTINCT FROM (NEW.study_id, NEW.lot_id, NEW.place, NEW.batch_id,"
                    " NEW.assignment_id, NEW.first_id, NEW.current_id)"
                    " OR OLD.judged_id IS NOT NULL AND (OLD.judged_id, OLD.sample_place)"
                    " IS DISTINCT FROM (NEW.judged_id, NEW.sample_place))"
                ),
            ),
            pgtrigger.Protect(name="frame_item_rows_stay", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"item {self.place} of lot {self.lot_id}"
