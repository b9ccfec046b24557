"""What a release consists of: one item for each revision of each released answer."""

from django.db import models
from django.db.models import Q

from annotation.models import Annotation
from diptych.database.constraints import CompositeForeignKey
from diptych.database.triggers import append_only
from releases.models.frozen import FrozenFacts
from releases.models.releases import Release
from studies.models import Study


class ReleaseItem(FrozenFacts):
    """One revision of one answer in a release, with everything that its records say and that could change later.

    `place` is the order of the items in every file: by prompt, pair, answer and revision, from 1.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="items", db_constraint=False, db_index=False
    )
    annotation = models.ForeignKey(
        Annotation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    place = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="release_item_place", fields=["release", "place"]),
            models.UniqueConstraint(name="release_item_once", fields=["annotation", "release"]),
            models.CheckConstraint(name="release_item_place_from_one", condition=Q(place__gte=1)),
            models.CheckConstraint(
                name="release_item_part_known", condition=Q(part__in=["train", "test", "eval", "excluded"])
            ),
            models.CheckConstraint(name="release_item_is_data", condition=Q(kind="real", counted=True)),
            CompositeForeignKey(
                name="release_item_release_same_study",
                fields=["study", "release"],
                to="releases.Release",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="release_item_annotation_same_study",
                fields=["study", "annotation"],
                to="annotation.Annotation",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("release_item")

    def __str__(self) -> str:
        return f"item {self.place} of release {self.release_id}"
