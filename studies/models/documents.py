"""The guideline and the consent text of a study, with all versions."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from studies.harms import HARM_KEYS
from studies.models.studies import Study


class DocumentVersion(models.Model):
    """One version of one text of a study: who published it, and when. A trigger forbids changes.

    A version of the consent text also has the harms that people were asked about with it.
    """

    class Kind(models.TextChoices):
        GUIDELINE = "guideline", _("guideline")
        CONSENT = "consent", _("consent")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="document_versions", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    version = models.PositiveIntegerField()
    categories = ArrayField(
        models.CharField(max_length=24), null=True, blank=True, help_text="Harm keys. Null for texts other than consent"
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Null: a command, or a text that came with the product",
    )
    published_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="document_version_once", fields=["study", "kind", "version"]),
            models.CheckConstraint(
                name="document_version_categories_of_consent",
                condition=Q(kind="consent", categories__isnull=False)
                | (~Q(kind="consent") & Q(categories__isnull=True)),
            ),
            models.CheckConstraint(
                name="document_version_categories_known",
                condition=Q(categories__isnull=True) | Q(categories__contained_by=list(HARM_KEYS)),
            ),
            models.CheckConstraint(name="document_version_kind_known", condition=Q(kind__in=["guideline", "consent"])),
            models.CheckConstraint(name="document_version_from_one", condition=Q(version__gte=1)),
        ]
        triggers = append_only("document_version")

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"


class Document(models.Model):
    """One version of one text of a study in one language, in Markdown. A trigger forbids changes.

    `Study.guideline_version` and `Study.consent_version` say which version is in force.
    """

    Kind = DocumentVersion.Kind

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=10, help_text="One of the product's languages, such as zh-hans")
    text = models.TextField(help_text="Markdown")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="document_version_once_a_language", fields=["study", "kind", "version", "language"]
            ),
            CompositeForeignKey(
                name="document_of_version",
                fields=["study", "kind", "version"],
                to="studies.DocumentVersion",
                to_fields=["study", "kind", "version"],
            ),
            models.CheckConstraint(name="document_has_text", condition=~Q(text="")),
        ]
        triggers = append_only("document")

    def __str__(self) -> str:
        return f"{self.kind} v{self.version} ({self.language})"
