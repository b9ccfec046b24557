"""Clusters of test prompts that comparisons of versions used."""

from django.db import models

from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from training.models.families import ModelFamily
from training.models.versions import ModelVersion


class ComparedCluster(models.Model):
    """A cluster of test prompts, and the first comparison of the family that used it.

    At least 50 clusters without a row set the number of the next comparison back to 1.
    """

    family = models.ForeignKey(
        ModelFamily, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    cluster = models.CharField(max_length=64)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="compared_cluster_once", fields=["family", "cluster"]),
            CompositeForeignKey(
                name="compared_cluster_version_same_family",
                fields=["family", "version"],
                to="training.ModelVersion",
                to_fields=["family", "id"],
            ),
        ]
        triggers = append_only("compared_cluster")

    def __str__(self) -> str:
        return self.cluster
