"""Labels: what a model or another program said about a prompt, a video or a pair. They are never mixed with answers."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.material import Prompt, Video
from catalog.models.pairs import Pair
from diptych.database.constraints import CompositeForeignKey
from studies.models.studies import Study

#: The questions that people answer about a pair. A label on one of them is a choice, so it can be compared with theirs.
CHOICE_QUESTIONS = (
    *("instruction_following", "correctness", "informativeness", "aesthetics", "helpfulness", "harmlessness"),
)
CHOICES = ("video_0", "video_1", "tie")


class Label(models.Model):
    """One value that a labeller gave, or its refusal to give one.

    A label belongs to one labeller, version and setting, so that results of different settings can be compared.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="labels", db_index=False)
    prompt = models.ForeignKey(Prompt, null=True, blank=True, on_delete=models.PROTECT, db_constraint=False)
    video = models.ForeignKey(Video, null=True, blank=True, on_delete=models.PROTECT, db_constraint=False)
    pair = models.ForeignKey(Pair, null=True, blank=True, on_delete=models.PROTECT, db_constraint=False)
    question = models.CharField(max_length=60, help_text="A question, a harm key, or the name of a score")
    labeller = models.CharField(max_length=120)
    labeller_version = models.CharField(max_length=80, blank=True, default="", db_default="")
    setting = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="How it was asked, such as: 8 frames"
    )
    value: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="Text, number, or true or false; null: refused"
    )
    refused = models.BooleanField(default=False, db_default=False, help_text="Whether the labeller gave no value")
    import_number = models.BigIntegerField(null=True, blank=True, help_text="Number of the import that added it")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(name="label_of_study", fields=["study", "id"])]
        constraints = [
            models.CheckConstraint(
                name="label_has_one_subject",
                condition=Q(prompt__isnull=False, video__isnull=True, pair__isnull=True)
                | Q(prompt__isnull=True, video__isnull=False, pair__isnull=True)
                | Q(prompt__isnull=True, video__isnull=True, pair__isnull=False),
            ),
            models.CheckConstraint(name="label_has_labeller", condition=~Q(labeller="") & ~Q(question="")),
            models.CheckConstraint(
                name="label_has_value_or_is_refused",
                condition=Q(refused=True, value__isnull=True) | Q(refused=False, value__isnull=False),
            ),
            models.CheckConstraint(
                name="label_choice_is_of_a_pair",
                condition=~Q(question__in=CHOICE_QUESTIONS)
                | Q(pair__isnull=False) & (Q(refused=True) | Q(value__in=CHOICES)),
            ),
            models.UniqueConstraint(
                name="label_once",
                fields=["prompt", "video", "pair", "question", "labeller", "labeller_version", "setting"],
                nulls_distinct=False,
            ),
            *(
                CompositeForeignKey(
                    name=f"label_{subject}_same_study",
                    fields=["study", subject],
                    to=f"catalog.{subject.title()}",
                    to_fields=["study", "id"],
                )
                for subject in ("prompt", "video", "pair")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.labeller}: {self.question}"

    @property
    def about(self) -> Prompt | Video | Pair:
        """What the label is about: its prompt, video or pair."""
        subject = self.prompt or self.video or self.pair
        assert subject is not None  # noqa: S101 - the constraint `label_has_one_subject`
        return subject

    @property
    def of_prompt(self) -> Prompt:
        """The prompt that the label is about, or the prompt of its video or pair."""
        return self.about if isinstance(self.about, Prompt) else self.about.prompt
