"""Invitations to a study, and notices about roles."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from studies.models.memberships import Role
from studies.models.studies import Study


class Invitation(models.Model):
    """An invitation of a person with an account to a role in a study. It gives no rights before it is accepted."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("invitation", "open")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="invitations")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="invitations")
    role = models.CharField(max_length=20, choices=Role.choices)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Null: the operator of the server",
    )
    created_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN, db_default=State.OPEN)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="invitation_open_once", fields=["person", "study", "role"], condition=Q(state="open")
            ),
            models.CheckConstraint(name="invitation_role_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(
                name="invitation_state_known", condition=Q(state__in=["open", "accepted", "declined", "withdrawn"])
            ),
            models.CheckConstraint(
                name="invitation_ends_once",
                condition=Q(state="open", ended_at__isnull=True) | ~Q(state="open") & Q(ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} as {self.role} of {self.study_id}: {self.state}"


class RoleNotice(models.Model):
    """Tells a person about a granted role: their own, or that of another wellbeing contact.

    It is shown on the home page of the recipient until they dismiss it.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="role_notices")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="role_notices")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", help_text="Who has the role now"
    )
    role = models.CharField(max_length=20, choices=Role.choices)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    dismissed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="role_notice_role_known", condition=Q(role__in=Role.values))]
        indexes = [
            models.Index(name="role_notice_not_dismissed", fields=["recipient"], condition=Q(dismissed_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"to {self.recipient_id}: {self.person_id} is {self.role} of {self.study_id}"
