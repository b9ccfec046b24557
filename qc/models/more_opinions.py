"""When and why one more answer was asked for on a pair."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models import Pair
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from studies.models import Study
from studies.models.studies import MOST_MORE_ANSWERS


class AskedForMore(models.Model):
    """One more answer was asked for on a pair. Append-only. `qc/more_opinions.py` writes it."""

    class Because(models.TextChoices):
        """What the answers of the pair did not settle."""

        HELPFULNESS = "helpfulness", _("Answers disagree about which video is more helpful.")
        HARMLESSNESS = "harmlessness", _("Answers disagree about which video is safer.")
        SAFETY = "safety", _("Answers disagree about whether a video is safe.")
        DISPUTED = "disputed", _("A reviewer disputed an answer.")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    pair = models.ForeignKey(
        Pair, on_delete=models.PROTECT, related_name="asked_for_more", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField(help_text="1 for the first additional answer of the pair")
    because = ArrayField(models.CharField(max_length=12, choices=Because.choices))
    answers = ArrayField(models.BigIntegerField(), help_text="Keys of the revisions that disagreed")
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="asked_for_more_number", fields=["pair", "number"]),
            models.CheckConstraint(name="asked_for_more_range", condition=Q(number__range=(1, MOST_MORE_ANSWERS))),
            models.CheckConstraint(
                name="asked_for_more_because_known",
                condition=Q(because__len__gt=0)
                & Q(because__contained_by=["helpfulness", "harmlessness", "safety", "disputed"]),
            ),
            CompositeForeignKey(
                name="asked_for_more_pair_same_study",
                fields=["study", "pair"],
                to="catalog.Pair",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("asked_for_more")

    def __str__(self) -> str:
        return f"answer {self.number} more for pair {self.pair_id}"

    @property
    def reasons(self) -> list[str]:
        """Return the reasons as sentences."""
        return [str(self.Because(code).label) for code in self.because]
