"""Studies and who works on them in which role."""

import secrets
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class HasRoles(TypedDict):
    """What `StudyQuerySet.of` adds to a study."""

    roles: list[str]


class StudyQuerySet(models.QuerySet["Study"]):
    def of(self, person_id: int) -> "models.QuerySet[WithAnnotations[Study, HasRoles]]":
        """The studies in which the person has a role, with theirs as `.roles`; all others do not exist for them."""
        held = Membership.objects.filter(study=models.OuterRef("pk"), person_id=person_id).values("role")
        return self.annotate(roles=ArraySubquery(held)).exclude(roles=[])  # type: ignore[return-value]


def new_pseudonym_key() -> str:
    """64 random hex characters."""
    return secrets.token_hex(32)


class Study(models.Model):
    """Everything configurable about one collection of answers hangs here."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        CLOSED = "closed", _("closed")

    class DimensionOrder(models.TextChoices):
        COUNTERBALANCED = "counterbalanced", _("counterbalanced in blocks of 20 pairs a person")
        HELPFULNESS_FIRST = "helpfulness_first", _("helpfulness first")
        HARMLESSNESS_FIRST = "harmlessness_first", _("harmlessness first")

    slug = models.CharField(
        max_length=60,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", _("Use lower-case letters, digits and hyphens."))],
    )
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    created_at = models.DateTimeField(db_default=Now())

    # Protocol.
    allow_ties = models.BooleanField(default=False, help_text=_("Offer “tie” beside left and right."))
    dimension_order = models.CharField(
        max_length=20, choices=DimensionOrder.choices, default=DimensionOrder.COUNTERBALANCED
    )
    protocol_version = models.PositiveIntegerField(default=1)
    guideline_version = models.PositiveIntegerField(default=1)
    seed = models.BigIntegerField(default=0, help_text=_("What every draw of this study starts from."))

    # Serving.
    overlap = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Answers wanted for a new pair."),
    )
    lease_s = models.PositiveIntegerField(default=30 * 60, help_text=_("Seconds a shown pair stays yours."))
    next_lease_s = models.PositiveIntegerField(
        default=10 * 60, help_text=_("Seconds a prefetched pair, not yet shown, stays yours.")
    )
    media_window_s = models.PositiveIntegerField(
        default=3600, help_text=_("A video's address stays valid for one to two of these, in seconds.")
    )

    pseudonym_key = models.CharField(
        max_length=64, default=new_pseudonym_key, editable=False, help_text=_("Makes annotators' names in files.")
    )

    # What an ethics board and a data card ask for.
    ethics_id = models.CharField(max_length=120, blank=True)
    pay_basis = models.CharField(max_length=200, blank=True)
    terms = models.TextField(blank=True)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(name="study_slug_form", condition=Q(slug__regex=r"^[a-z0-9][a-z0-9-]*$")),
            models.CheckConstraint(name="study_state_known", condition=Q(state__in=["running", "paused", "closed"])),
            models.CheckConstraint(
                name="study_dimension_order_known",
                condition=Q(dimension_order__in=["counterbalanced", "helpfulness_first", "harmlessness_first"]),
            ),
            models.CheckConstraint(name="study_overlap_range", condition=Q(overlap__range=(1, 100))),
            models.CheckConstraint(
                name="study_lease_range",
                condition=Q(lease_s__range=(30, 86400), next_lease_s__range=(30, 86400)),
            ),
            models.CheckConstraint(name="study_media_window_range", condition=Q(media_window_s__range=(60, 86400))),
        ]

    def __str__(self) -> str:
        return self.slug


class Role(models.TextChoices):
    """What a person may do in one study. A person may hold several."""

    ANNOTATOR = "annotator", _("annotator")
    REVIEWER = "reviewer", _("reviewer")
    RESEARCHER = "researcher", _("researcher")
    ADMIN = "admin", _("admin")
    SAFETY_OFFICER = "safety_officer", _("safety officer")
    WELLBEING_CONTACT = "wellbeing_contact", _("wellbeing contact")


class Membership(models.Model):
    """A person × study × role."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="memberships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="membership_once", fields=["person", "study", "role"]),
            models.CheckConstraint(
                name="membership_role_known",
                condition=Q(role__in=Role.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} is {self.role} of {self.study_id}"
