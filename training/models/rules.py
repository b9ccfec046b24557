"""Rules that queue runs on new releases."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from diptych.database.constraints import CompositeForeignKey
from studies.models import Study
from training.models.families import ModelFamily


class TrainingRule(models.Model):
    """Train a family on each new release that is old enough and has enough new pairs."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    family = models.ForeignKey(ModelFamily, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    wait_minutes = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(60 * 24 * 30)], help_text="How long a release must be complete"
    )
    least_new_pairs = models.PositiveIntegerField(
        default=100,
        validators=[MinValueValidator(1)],
        help_text="Least number of pairs that the release before, on which the family was trained, does not have",
    )
    is_on = models.BooleanField(default=True)
    scores_new_videos = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether the promoted version scores new videos after each comparison",
    )
    scored_after = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Id of the version after whose comparison the rule last looked for new videos"
    )
    # Counting pairs of a large release takes seconds, so the number is stored with what it is about.
    counted_release = models.PositiveBigIntegerField(null=True, blank=True, help_text="Id of the counted release")
    counted_base = models.PositiveBigIntegerField(null=True, blank=True, help_text="Id of the release before it")
    new_pairs = models.PositiveBigIntegerField(null=True, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="training_rule_once", fields=["study", "family"]),
            models.CheckConstraint(name="training_rule_wants_new_pairs", condition=Q(least_new_pairs__gte=1)),
            CompositeForeignKey(
                name="training_rule_family_same_study",
                fields=["study", "family"],
                to="training.ModelFamily",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"rule for {self.family}"
