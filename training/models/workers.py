"""Workers that have asked for runs, and what their machines offer."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from training.kinds import LONGEST_OFFERED


class Worker(models.Model):
    """A worker program on some machine. It has no access to the database and calls the API with its owner's token."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    gpus = models.PositiveSmallIntegerField(default=0)
    gpu_memory_mib = models.PositiveIntegerField(default=0, help_text="Memory of its smallest GPU")
    hardware = models.CharField(max_length=400, blank=True, default="", help_text="Its processors and GPUs in words")
    code_version = models.CharField(max_length=80, blank=True, default="")
    backbones = ArrayField(
        models.CharField(max_length=LONGEST_OFFERED),
        blank=True,
        default=list,
        help_text="Backbones that it offers besides those that every worker can train",
    )
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="worker_name_once", fields=["owner", "name"]),
            models.CheckConstraint(name="worker_has_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name
