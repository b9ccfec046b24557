"""Which reviewer a waiting answer is assigned to, for one kind of review."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from diptych.database.constraints import CompositeForeignKey
from qc.models.frames import FrameItem
from qc.models.lots import Lot
from qc.models.reviews import KINDS, Kind
from studies.models import Study


class AssignedReview(models.Model):
    """An answer that is assigned to one reviewer for one kind of review. `qc/assigning.py` changes it.

    The reviewer gets their assigned answers first. Until `until`, nobody else gets them. After that, anybody does, so
    that an answer never waits for a person who is away.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    item = models.ForeignKey(
        FrameItem, on_delete=models.PROTECT, related_name="assigned", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assigned_reviews", db_index=False
    )
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(help_text="Until then, nobody else gets the answer")

    class Meta:
        indexes = [models.Index(name="assigned_review_of_person", fields=["reviewer", "lot", "kind"])]
        constraints = [
            models.UniqueConstraint(name="assigned_review_once", fields=["item", "kind"]),
            # One person has one role for an answer, and is assigned one at most.
            models.UniqueConstraint(name="assigned_review_one_role_a_person", fields=["item", "reviewer"]),
            CompositeForeignKey(
                name="assigned_review_item_same_study",
                fields=["study", "item"],
                to="qc.FrameItem",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="assigned_review_lot_same_study", fields=["study", "lot"], to="qc.Lot", to_fields=["study", "id"]
            ),
            models.CheckConstraint(name="assigned_review_kind_known", condition=Q(kind__in=KINDS)),
            models.CheckConstraint(name="assigned_review_has_length", condition=Q(until__gt=F("assigned_at"))),
        ]
        triggers = [
            # The lock on the item makes a lease of it come before the row or after it.
            pgtrigger.Trigger(
                name="assigned_review_no_other_role",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("reviewer_id", "item_id", "kind"),
                func=(
                    "PERFORM FROM qc_frameitem WHERE id = NEW.item_id FOR NO KEY UPDATE;"
                    " IF EXISTS (SELECT FROM qc_frameitem item JOIN annotation_assignment assignment"
                    " ON assignment.id = item.assignment_id"
                    " WHERE item.id = NEW.item_id AND assignment.person_id = NEW.reviewer_id)"
                    " OR EXISTS (SELECT FROM qc_review review WHERE review.item_id = NEW.item_id"
                    " AND review.reviewer_id = NEW.reviewer_id AND NOT (review.state IN ('expired', 'returned')"
                    " AND (review.revealed_at IS NULL OR review.kind = NEW.kind))) THEN"
                    " RAISE EXCEPTION 'This person has another role for the answer' USING ERRCODE = 'check_violation';"
                    " END IF; RETURN NEW;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of item {self.item_id} for {self.reviewer_id}"
