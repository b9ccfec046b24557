"""Findings of rules about answers, which rules a study uses, and runs over earlier answers."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Annotation, Assignment
from diptych.database.constraints import CompositeForeignKey
from findings import rule_codes
from jobs.models import OPEN_STATES, Job
from studies.models import Study


def _on_by_default() -> list[str]:
    return list(rule_codes.ON_BY_DEFAULT)


def _invalidating_by_default() -> list[str]:
    return list(rule_codes.INVALIDATING_BY_DEFAULT)


class StudyRules(models.Model):
    """Which rules a study uses. A study without a row uses the defaults.

    Everything that writes findings of the study locks the row first, so that checks and changes of the rules run one
    after another.
    """

    study = models.OneToOneField(Study, on_delete=models.PROTECT, primary_key=True, related_name="rules")
    on = ArrayField(models.CharField(max_length=24), default=_on_by_default, help_text="Codes of the rules that are on")
    invalidating = ArrayField(
        models.CharField(max_length=24),
        default=_invalidating_by_default,
        blank=True,
        help_text="Codes of the rules whose findings make an answer invalid",
    )
    ask_again = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether somebody else is asked for an answer that contradicts itself",
    )
    checked: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="By rule: the version that has checked all answers of the study"
    )
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="study_rules_on_known", condition=Q(on__contained_by=list(rule_codes.CODES))),
            models.CheckConstraint(
                name="study_rules_notes_never_invalidate",
                condition=Q(invalidating__contained_by=list(rule_codes.MAY_INVALIDATE)),
            ),
            models.CheckConstraint(
                name="study_rules_only_rules_that_are_on_invalidate", condition=Q(on__contains=F("invalidating"))
            ),
        ]

    def __str__(self) -> str:
        return f"rules of {self.study_id}"


class Finding(models.Model):
    """What a rule noticed about one answer. One finding for each answer and rule is open at a time.

    A finding ends when a later check finds nothing any more, or when the rule is switched off. A person can dismiss it
    with a reason. Only findings that have neither ended nor been dismissed are in force.
    """

    class Severity(models.TextChoices):
        SERIOUS = "serious", _("serious")
        WARNING = "warning", _("warning")
        NOTE = "note", _("note")

    # The indexes below begin with the study.
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="findings", db_index=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="findings", db_constraint=False)
    annotation = models.ForeignKey(
        Annotation,
        on_delete=models.PROTECT,
        related_name="findings",
        db_constraint=False,
        db_index=False,
        help_text="The revision that was judged",
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Copied from the assignment",
    )
    rule = models.CharField(max_length=24)
    version = models.PositiveSmallIntegerField(help_text="Version of the rule")
    severity = models.CharField(max_length=7, choices=Severity.choices)
    evidence: "models.JSONField[Any, Any]" = models.JSONField(default=dict, help_text="The facts that the rule saw")
    found_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    dismissed_because = models.CharField(max_length=500, blank=True, default="", db_default="")
    marked = models.BooleanField(
        default=False, db_default=False, help_text="Whether this finding made the answer invalid"
    )
    mark_due = models.BooleanField(
        default=False, db_default=False, help_text="Whether the validity of the answer still has to follow"
    )

    class Meta:
        indexes = [
            models.Index(name="finding_of_study", fields=["study", "id"]),
            # It has all columns for the counts by rule, so that they are added up without reading the rows.
            models.Index(
                name="finding_in_force",
                fields=["study", "rule", "id"],
                include=["assignment"],
                condition=Q(ended_at__isnull=True, dismissed_at__isnull=True),
            ),
            models.Index(name="finding_of_severity", fields=["study", "severity", "id"]),
            models.Index(name="finding_of_person", fields=["study", "person", "id"]),
            models.Index(name="finding_mark_due", fields=["study", "id"], condition=Q(mark_due=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                name="finding_one_open", fields=["assignment", "rule"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(name="finding_rule_known", condition=Q(rule__in=rule_codes.CODES)),
            models.CheckConstraint(
                name="finding_severity_known", condition=Q(severity__in=["serious", "warning", "note"])
            ),
            models.CheckConstraint(
                name="finding_notes_never_invalidate",
                condition=~Q(rule__in=rule_codes.ONLY_NOTES) | Q(severity="note", marked=False, mark_due=False),
            ),
            models.CheckConstraint(
                name="finding_dismissed_by_somebody_why",
                condition=Q(dismissed_at__isnull=True, dismissed_by__isnull=True, dismissed_because="")
                | (Q(dismissed_at__isnull=False, dismissed_by__isnull=False) & ~Q(dismissed_because="")),
            ),
            CompositeForeignKey(
                name="finding_assignment_same_study",
                fields=["study", "assignment"],
                to="annotation.Assignment",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="finding_annotation_same_study",
                fields=["study", "annotation"],
                to="annotation.Annotation",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} on assignment {self.assignment_id}"

    @property
    def in_force(self) -> bool:
        """Return whether the finding has neither ended nor been dismissed."""
        return self.ended_at is None and self.dismissed_at is None


class FindingsRun(Job):
    """A run of rules over all answers of a study, as a job. It goes through answers, then people, then prompts.

    Rows up to `reached` are done in the current phase. Answers after `until` came later. They are checked anyway, as
    all new answers are.
    """

    class Phase(models.TextChoices):
        ANSWERS = "answers"
        PEOPLE = "people"
        PROMPTS = "prompts"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="findings_runs")
    rules = ArrayField(models.CharField(max_length=24), help_text="Codes of the rules to run")
    phase = models.CharField(max_length=7, choices=Phase.choices, default=Phase.ANSWERS, db_default="answers")
    reached = models.PositiveBigIntegerField(default=0, db_default=0)
    until = models.PositiveBigIntegerField(help_text="Id of the study’s last assignment when the run was started")
    found = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Number of new findings")
    ended = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Number of findings that ended")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="findingsrun_one_open", fields=["study"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(
                name="findingsrun_rules_known",
                condition=Q(rules__contained_by=list(rule_codes.CODES), rules__len__gt=0),
            ),
            models.CheckConstraint(
                name="findingsrun_phase_known", condition=Q(phase__in=["answers", "people", "prompts"])
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of rules ({self.state})"
