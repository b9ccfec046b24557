"""Controls of a study, what people answered on them, and jobs that make them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotation.models import Assignment
from catalog.models import Pair, Video
from controls import control_kinds as kinds
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from jobs.models import OPEN_STATES, Job
from studies.models import Study

LONGEST_REASON = 500


class Control(models.Model):
    """A pair of kind `control`: why its answer is known. What is expected is in `Pair.expected`.

    A control that turned out to be wrong is withdrawn: it is served no more, and its results count no more.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="controls", db_index=False)
    pair = models.OneToOneField(Pair, on_delete=models.PROTECT, related_name="control", db_constraint=False)
    kind = models.CharField(max_length=16, choices=[(code, kind.label) for code, kind in kinds.KINDS.items()])
    question = models.CharField(
        max_length=12, blank=True, help_text="The only question that is judged; empty: the tags are judged"
    )
    source_video = models.OneToOneField(
        Video,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reencoded_in",
        db_constraint=False,
        help_text="The video that stands beside its own re-encoding",
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_because = models.CharField(max_length=LONGEST_REASON, blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(name="control_of_kind", fields=["study", "kind", "id"])]
        constraints = [
            models.UniqueConstraint(name="control_study_id", fields=["study", "id", "kind"]),
            models.CheckConstraint(name="control_kind_known", condition=Q(kind__in=list(kinds.KINDS))),
            models.CheckConstraint(
                name="control_question_of_kind",
                condition=Q(kind__in=kinds.OF_ONE_QUESTION, question__in=kinds.QUESTIONS)
                | ~Q(kind__in=kinds.OF_ONE_QUESTION) & Q(question=""),
            ),
            models.CheckConstraint(
                name="control_source_video_of_kind",
                condition=Q(kind=kinds.REENCODED, source_video__isnull=False)
                | ~Q(kind=kinds.REENCODED) & Q(source_video__isnull=True),
            ),
            models.CheckConstraint(
                name="control_withdrawn_by_somebody_why",
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdrawn_because="")
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_because=""),
            ),
            CompositeForeignKey(
                name="control_pair_same_study", fields=["study", "pair"], to="catalog.Pair", to_fields=["study", "id"]
            ),
            CompositeForeignKey(
                name="control_video_same_study",
                fields=["study", "source_video"],
                to="catalog.Video",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ControlResult(models.Model):
    """Whether a person's first submission on a control was right. Append-only: it is judged once.

    Results of withdrawn controls stay, and no figure uses them.
    """

    assignment = models.OneToOneField(
        Assignment, on_delete=models.PROTECT, primary_key=True, related_name="control_result", db_constraint=False
    )
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    control = models.ForeignKey(Control, on_delete=models.PROTECT, related_name="results", db_constraint=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=16, help_text="Copied from the control")
    right = models.BooleanField()
    answered_at = models.DateTimeField(help_text="Copied from the assignment")

    class Meta:
        indexes = [
            # It has all columns for the figures of people, in the order in which they are judged.
            models.Index(
                name="control_result_of_person",
                fields=["study", "person", "kind", "answered_at", "assignment"],
                include=["right", "control"],
            ),
        ]
        constraints = [
            CompositeForeignKey(
                name="control_result_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="control_result_control_same_study",
                fields=["study", "control", "kind"],
                to="controls.Control",
                to_fields=["study", "id", "kind"],
            ),
        ]
        triggers = append_only("control_result")

    def __str__(self) -> str:
        return f"{'right' if self.right else 'wrong'} on control {self.control_id}"


class ControlsRun(Job):
    """A job that makes controls of one kind, some in each step. Steps are controls."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="controls_runs")
    kind = models.CharField(max_length=16, choices=[(code, kind.label) for code, kind in kinds.KINDS.items()])
    made = models.PositiveIntegerField(default=0, db_default=0, help_text="Number of controls made so far")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="controlsrun_one_open", fields=["study"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(name="controlsrun_kind_known", condition=Q(kind__in=list(kinds.KINDS))),
            models.CheckConstraint(name="controlsrun_not_more_than_asked", condition=Q(made__lte=F("steps_total"))),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of controls ({self.state})"
