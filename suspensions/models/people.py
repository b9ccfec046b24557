"""People whose annotating is stopped: suspensions with the answers that they returned, and pause rules."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Assignment
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from jobs.models import OPEN_STATES, Job
from qc.models.lots import Lot
from studies.models import Study

#: The numbers of items at which people are judged, and at no other.
COUNTS = (50, 100, 200, 400, 800, 1600, 3200, 6400)
#: What a pause rule can look at. The last four are the kinds of controls.
FIGURES = ["blind", "contradictions", "too_fast", "consensus_repeat", "reencoded", "swapped_repeat", "tag_gold"]


class Suspension(Job):
    """A person is suspended from annotating in a study. As a job, it returns their chosen answers.

    The suspension is in force until `lifted_at`, whatever the state of the job. The same job counts the answers again
    when the suspension is lifted (`lifting`). `suspending.py` orders it, and `suspension_work.py` carries it
    out.
    """

    class What(models.TextChoices):
        """Which of the person's answers are returned."""

        NONE = "none", _("no answers")
        ALL = "all", _("all answers")
        SINCE = "since", _("answers since a moment")
        LOT = "lot", _("answers of one lot")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="suspensions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    why = models.TextField(help_text="Why the person was suspended")
    what = models.CharField(max_length=5, choices=What.choices)
    since = models.DateTimeField(null=True, blank=True, help_text="Answers first given at this moment or later")
    lot = models.ForeignKey(
        Lot, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    reached = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Answers up to this assignment are done in the present direction"
    )
    until = models.PositiveBigIntegerField(help_text="Id of the person’s last assignment when they were suspended")
    leases_ended = models.PositiveIntegerField(default=0, db_default=0)
    lifting = models.BooleanField(default=False, db_default=False, help_text="Whether the job counts the answers again")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lifted_because = models.TextField(blank=True, default="", db_default="")

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(name="suspension_study_id", fields=["study", "id"]),
            models.UniqueConstraint(
                name="suspension_one_open", fields=["study"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.UniqueConstraint(
                name="suspension_one_in_force", fields=["study", "person"], condition=Q(lifted_at__isnull=True)
            ),
            models.CheckConstraint(name="suspension_has_reason", condition=~Q(why="")),
            models.CheckConstraint(
                name="suspension_names_what_it_returns",
                condition=Q(what__in=["none", "all"], since__isnull=True, lot__isnull=True)
                | Q(what="since", since__isnull=False, lot__isnull=True)
                | Q(what="lot", since__isnull=True, lot__isnull=False),
            ),
            models.CheckConstraint(
                name="suspension_lifted_whole",
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lifted_because="", lifting=False)
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lifted_because="")),
            ),
            CompositeForeignKey(
                name="suspension_lot_same_study", fields=["study", "lot"], to="qc.Lot", to_fields=["study", "id"]
            ),
        ]

    def __str__(self) -> str:
        return f"suspension {self.pk} of {self.person_id} ({self.state})"


class SuspendedAnswer(models.Model):
    """An answer that a suspension returned, and what became of it when the suspension was lifted."""

    class Outcome(models.TextChoices):
        RETURNED = "returned", _("does not count; somebody else is asked")
        RESTORED = "restored", _("counts again")
        TAKEN = "taken", _("kept, not counted: somebody else has answered the pair")
        DECIDED = "decided", _("unchanged: somebody decided about it in the meantime")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    suspension = models.ForeignKey(
        Suspension, on_delete=models.PROTECT, related_name="answers", db_constraint=False, db_index=False
    )
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    lost = models.BooleanField(default=False, help_text="Whether it was lost from the frame of a lot in review")
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.RETURNED)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="suspended_answer_once", fields=["suspension", "assignment"]),
            models.CheckConstraint(
                name="suspended_answer_outcome_known",
                condition=Q(outcome__in=["returned", "restored", "taken", "decided"]),
            ),
            CompositeForeignKey(
                name="suspended_answer_suspension_same_study",
                fields=["study", "suspension"],
                to="suspensions.Suspension",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="suspended_answer_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.assignment_id} of suspension {self.suspension_id}: {self.outcome}"


class PauseRule(models.Model):
    """A rule that pauses people by one figure. A study has one rule a figure. `suspensions/pausing.py` applies it."""

    class Figure(models.TextChoices):
        BLIND = "blind", _("answers without a defect in blind reviews")
        CONTRADICTIONS = "contradictions", _("answers that contradict themselves")
        TOO_FAST = "too_fast", _("answers faster than the videos")
        CONSENSUS_REPEAT = "consensus_repeat", _("right on controls: consensus repeat")
        REENCODED = "reencoded", _("right on controls: identical re-encode")
        SWAPPED_REPEAT = "swapped_repeat", _("right on controls: swapped repeat")
        TAG_GOLD = "tag_gold", _("right on controls: tag gold")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pause_rules", db_index=False)
    figure = models.CharField(max_length=20, choices=Figure.choices)
    threshold = models.DecimalField(
        max_digits=4, decimal_places=3, help_text="Share from 0 to 1: the least accuracy, or the largest other share"
    )
    least = models.PositiveSmallIntegerField(default=COUNTS[0], help_text="The first number of items that is judged")
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When it was last applied to everybody")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="pause_rule_once_a_figure", fields=["study", "figure"]),
            models.CheckConstraint(name="pause_rule_figure_known", condition=Q(figure__in=FIGURES)),
            models.CheckConstraint(name="pause_rule_threshold_range", condition=Q(threshold__gt=0, threshold__lt=1)),
            models.CheckConstraint(name="pause_rule_least_known", condition=Q(least__in=[50, 100, 200, 400])),
        ]

    def __str__(self) -> str:
        return f"{self.figure} {self.threshold} in {self.study_id}"


class PauseJudgement(models.Model):
    """One person was judged by one figure at one number of items. It happens once. Append-only.

    Only if a control that the judgement rested on was withdrawn (`UndoneJudgement`), they are judged there once more.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    figure = models.CharField(max_length=20, choices=PauseRule.Figure.choices)
    items = models.PositiveSmallIntegerField(
        help_text="Number of the person's first answers or results that were judged"
    )
    attempt = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Number of earlier judgements at this number of items that were undone"
    )
    hits = models.PositiveSmallIntegerField(help_text="Right ones, or those that contradict themselves or are too fast")
    low = models.FloatField(help_text="Lower bound of the exact interval of the share")
    high = models.FloatField(help_text="Upper bound of the exact interval of the share")
    threshold = models.DecimalField(max_digits=4, decimal_places=3, help_text="The threshold that was in force")
    beyond = models.BooleanField(help_text="Whether even the better bound of the interval is beyond the threshold")
    judged_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="pause_judgement_once_a_count", fields=["study", "person", "figure", "items", "attempt"]
            ),
            models.UniqueConstraint(name="pause_judgement_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="pause_judgement_study_id_figure", fields=["study", "id", "figure"]),
            models.CheckConstraint(
                name="pause_judgement_at_these_counts_only", condition=Q(items__in=list(COUNTS), hits__lte=F("items"))
            ),
            models.CheckConstraint(
                name="pause_judgement_interval_ordered", condition=Q(low__gte=0, high__gte=F("low"), high__lte=1)
            ),
        ]
        triggers = append_only("pause_judgement")

    def __str__(self) -> str:
        return f"{self.hits} of {self.items} by {self.person_id} ({self.figure})"


class Pause(models.Model):
    """A person gets no new pairs, because of a judgement, until an admin ends the pause with a reason."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pauses", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    judgement = models.OneToOneField(
        PauseJudgement, on_delete=models.PROTECT, related_name="pause", db_constraint=False
    )
    began_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_because = models.TextField(blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(name="pause_of_study", fields=["study", "-began_at"])]
        constraints = [
            models.UniqueConstraint(
                name="pause_one_in_force", fields=["study", "person"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                name="pause_ended_by_somebody_why",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, ended_because="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(ended_because="")),
            ),
            CompositeForeignKey(
                name="pause_judgement_same_study",
                fields=["study", "judgement"],
                to="suspensions.PauseJudgement",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"pause of {self.person_id} in {self.study_id}"
