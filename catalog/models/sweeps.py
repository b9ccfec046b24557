"""When periodic work was last done, so that people can see whether workers are there."""

from django.db import models
from django.db.models.functions import Now


class Sweep(models.Model):
    """The last time that one periodic task ended well."""

    task = models.CharField(max_length=200, primary_key=True)
    ended_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.task
