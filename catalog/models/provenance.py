"""Licence and terms of the prompt sources and generators of a study."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from studies.models.studies import Study


class Provenance(models.Model):
    """Licence and terms of one prompt source or one generator of a study."""

    class Kind(models.TextChoices):
        SOURCE = "source", _("prompt source")
        GENERATOR = "generator", _("generator")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="provenance")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    name = models.CharField(max_length=300, help_text=_("As prompts and videos name it."))
    licence = models.CharField(max_length=80, blank=True)
    terms = models.TextField(blank=True, help_text=_("What the terms allow, and where they are published."))
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "provenance"
        constraints = [
            models.UniqueConstraint(name="provenance_once", fields=["study", "kind", "name"]),
            models.CheckConstraint(name="provenance_kind_known", condition=Q(kind__in=["source", "generator"])),
            models.CheckConstraint(name="provenance_has_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
