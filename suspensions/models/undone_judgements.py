"""Judgements of pause rules that no longer hold, because a control that they rested on was withdrawn."""

from django.db import models
from django.db.models.functions import Now

from controls.models import Control
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from studies.models import Study
from suspensions.models.people import PauseJudgement


class UndoneJudgement(models.Model):
    """A judgement that no longer holds. The judgement itself stays as evidence, and no rule reads it. Append-only.

    Its number of items is free again, so that the person is judged there without the withdrawn control.
    """

    judgement = models.OneToOneField(
        PauseJudgement, on_delete=models.PROTECT, primary_key=True, related_name="undone", db_constraint=False
    )
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    control = models.ForeignKey(
        Control, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=16, help_text="Copied from the control")
    undone_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            CompositeForeignKey(
                name="undone_judgement_judgement_same_study",
                fields=["study", "judgement", "kind"],
                to="suspensions.PauseJudgement",
                to_fields=["study", "id", "figure"],
            ),
            CompositeForeignKey(
                name="undone_judgement_control_same_study",
                fields=["study", "control", "kind"],
                to="controls.Control",
                to_fields=["study", "id", "kind"],
            ),
        ]
        triggers = append_only("undone_judgement")

    def __str__(self) -> str:
        return f"judgement {self.judgement_id} undone with control {self.control_id}"
