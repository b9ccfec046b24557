"""Appointments of safety officers: the person, the study, the start and the end."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now

from studies.models.studies import Study


def _only(expression: models.expressions.Combinable) -> Func:
    """Return a range with only this number. PostgreSQL can compare ranges in an exclusion without an extension."""
    return Func(expression, expression, Value("[]"), function="int8range", output_field=BigIntegerRangeField())


class OfficerQuerySet(models.QuerySet["Officer"]):
    def in_force(self) -> "OfficerQuerySet":
        """Return the appointments that are in force now."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=Now()), from_at__lte=Now(), person__is_active=True)

    def of(self, person_id: int) -> "OfficerQuerySet":
        """Return the appointments of this person that are in force now."""
        return self.in_force().filter(person_id=person_id)

    def of_installation(self) -> "OfficerQuerySet":
        """Return the appointments for every study of this installation."""
        return self.filter(study=None)


class Officer(models.Model):
    """One appointment of a person as safety officer, for one study or for the whole installation.

    A row is never deleted and changes only once: when the appointment ends, `until` gets the time.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="appointments")
    study = models.ForeignKey(
        Study,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="officers",
        help_text="Null: every study of this installation",
    )
    appointed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Null: a server command",
    )
    from_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True, blank=True, help_text="Null: until somebody ends it")

    objects = OfficerQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="officer_appointed_once_at_a_time",
                index_type="GIST",
                expressions=[
                    (_only(F("person_id")), RangeOperators.OVERLAPS),
                    (_only(Coalesce(F("study_id"), Value(0))), RangeOperators.OVERLAPS),
                    (
                        Func("from_at", "until", function="tstzrange", output_field=DateTimeRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            models.CheckConstraint(
                name="officer_ends_after_beginning", condition=Q(until__isnull=True) | Q(until__gte=F("from_at"))
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="officer_rows_stay", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="officer_only_ends",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF ROW(NEW.id, NEW.person_id, NEW.study_id, NEW.appointed_by_id, NEW.from_at)
                       IS DISTINCT FROM ROW(OLD.id, OLD.person_id, OLD.study_id, OLD.appointed_by_id, OLD.from_at)
                       OR NEW.until IS NULL OR OLD.until < NEW.until OR OLD.until <= statement_timestamp() THEN
                        RAISE EXCEPTION 'Appointment % of a safety officer can only be ended', OLD.id
                              USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} for {self.study_id or 'the installation'}"
