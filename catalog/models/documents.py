"""What people are told and asked to agree to: guideline and consent text, each version kept as it was."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models.studies import Study
from diptych.database.triggers import append_only


class Document(models.Model):
    """One version of one text of a study in one language, in Markdown. Never changed: a trigger refuses it.

    Which version is in force is said by `Study.guideline_version` and `Study.consent_version`.
    """

    class Kind(models.TextChoices):
        GUIDELINE = "guideline", _("guideline")
        CONSENT = "consent", _("consent")

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
            models.CheckConstraint(name="document_kind_known", condition=Q(kind__in=["guideline", "consent"])),
            models.CheckConstraint(name="document_version_from_one", condition=Q(version__gte=1)),
            models.CheckConstraint(name="document_has_text", condition=~Q(text="")),
        ]
        triggers = append_only("document")

    def __str__(self) -> str:
        return f"{self.kind} v{self.version} ({self.language})"
