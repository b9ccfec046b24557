"""The people who work on a study, with their roles."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A role of a person in one study. A person can have several."""

    ANNOTATOR = "annotator", _("annotator")
    REVIEWER = "reviewer", _("reviewer")
    RESEARCHER = "researcher", _("researcher")
    ADMIN = "admin", _("admin")
    WELLBEING_CONTACT = "wellbeing_contact", _("wellbeing contact")


class Membership(models.Model):
    """One role of one person in one study."""

    study = models.ForeignKey("studies.Study", on_delete=models.PROTECT, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(db_default=Now())
    made_account = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The study made the person's account. Those who run it may reset the password.",
    )
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Null: a command, or the system",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["person", "study", "role"]),
            models.UniqueConstraint(
                name="membership_one_made_the_account", fields=["person"], condition=Q(made_account=True)
            ),
            models.CheckConstraint(
                name="membership_role_known",
                condition=Q(role__in=Role.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} is {self.role} of {self.study_id}"
