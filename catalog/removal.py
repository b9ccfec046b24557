"""Delete prompts, videos, pairs and batches, some rows in each statement. Foreign keys decide what can be deleted.

Nothing here checks whether a pair was served: an assignment of the pair makes the statement fail, even one that is
written at the same time. Call these functions in one transaction.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Q

from catalog.batching import empty_batches
from catalog.models import Batch, HoldChange, Label, Pair, PairsChange, Prompt, Provenance, Video
from diptych.database.fixed import fetch_all
from studies.deletion import Rows, delete, delete_rows
from studies.models import Study

#: Rows that one statement deletes.
AT_ONCE = 2_000
#: Called after each statement with the number of rows that it deleted.
Advance = Callable[[int], object]


def remove_material(study_id: int, which: Q, advance: Advance) -> dict[str, int]:
    """Delete the study's material that `which` selects, by `import_number`. Return how many rows of each kind.

    Batches that become empty are deleted too, including regrouped ones. Raises IntegrityError if a row that stays, such
    as an assignment or a pair of another import, points at a deleted row.
    """
    in_batches = set(Pair.objects.filter(which, study=study_id).values_list("batch", flat=True).distinct())
    removed = {
        # First of all, because they point at the other rows. Nothing points at a label.
        "labels": delete(Label.objects.filter(which, study=study_id)),
        "pairs": _in_parts(Pair, study_id, which, advance, also=(HoldChange, "pair"), labels="pair"),
        "videos": _videos(study_id, which, advance),
        "prompts": _in_parts(Prompt, study_id, which, advance, labels="prompt"),
    }
    empty = empty_batches(study_id).filter(Q(pk__in=in_batches) | which)
    removed["batches"] = delete(Batch.objects.filter(pk__in=list(empty.values_list("pk", flat=True))))
    return removed


def _in_parts(
    model: Any, study_id: int, which: Q, advance: Advance, *, labels: str, also: tuple[Any, str] | None = None
) -> int:
    """Delete rows in the order of their ids, with their labels and hold changes. Return how many."""
    deleted, after = 0, 0
    rows = model.objects.filter(which, study=study_id).order_by("pk")
    while keys := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:AT_ONCE]):
        delete(Label.objects.filter(**{f"{labels}__in": keys}))
        if also:
            delete(also[0].objects.filter(**{f"{also[1]}__in": keys}))
        deleted += delete(model.objects.filter(pk__in=keys))
        advance(len(keys))
        after = keys[-1]
    return deleted


def _videos(study_id: int, which: Q, advance: Advance) -> int:
    """Delete videos, after clearing the links between derived videos and their origins. Return how many."""
    Video.objects.filter(which, study=study_id, derived_from__isnull=False).update(derived_from=None)
    return _in_parts(Video, study_id, which, advance, labels="video")


def count_material(study_id: int, which: Q) -> dict[str, int]:
    """Return how many rows `remove_material` would delete. Batches that are not empty yet are counted too."""
    kinds: dict[str, Any] = {"labels": Label, "pairs": Pair, "videos": Video, "prompts": Prompt, "batches": Batch}
    return {name: model.objects.filter(which, study=study_id).count() for name, model in kinds.items()}


def delete_part(study: Study) -> int:
    """Delete all other rows of a study in this app, after `remove_material`. Return how many."""
    return delete_rows(
        study, [Rows(model) for model in (Label, HoldChange, PairsChange, Pair, Batch, Video, Prompt, Provenance)]
    )


#: Imports whose videos or pairs need a prompt or a video of this one.
BUILT_ON = """
SELECT DISTINCT import_number FROM (
    SELECT pair.import_number FROM catalog_pair pair
      JOIN catalog_video video ON video.id IN (pair.video_0_id, pair.video_1_id)
     WHERE pair.study_id = %(study)s AND video.import_number = %(number)s
     UNION ALL
    SELECT video.import_number FROM catalog_video video JOIN catalog_prompt prompt ON prompt.id = video.prompt_id
     WHERE video.study_id = %(study)s AND prompt.import_number = %(number)s
     UNION ALL
    SELECT video.import_number FROM catalog_video video JOIN catalog_video origin ON origin.id = video.derived_from_id
     WHERE video.study_id = %(study)s AND origin.import_number = %(number)s
) others WHERE import_number <> %(number)s ORDER BY import_number LIMIT 5
"""


def imports_built_on(study_id: int, number: int) -> list[int]:
    """Return the numbers of other imports, at most 5, that need what this one added."""
    return [other for (other,) in fetch_all(BUILT_ON, {"study": study_id, "number": number})]


#: Whether a control shows a video or repeats a pair of this import.
CONTROLS_BUILT_ON = """
SELECT EXISTS (
    SELECT FROM catalog_pair control
     WHERE control.study_id = %(study)s AND control.kind = 'control'
       AND (EXISTS (SELECT FROM catalog_video video
                     WHERE video.id IN (control.video_0_id, control.video_1_id) AND video.import_number = %(number)s)
            OR EXISTS (SELECT FROM catalog_pair pair
                        WHERE pair.id = control.repeats_id AND pair.import_number = %(number)s)))
"""


def controls_built_on(study_id: int, number: int) -> bool:
    """Return whether a control, withdrawn or not, needs what this import added."""
    return bool(fetch_all(CONTROLS_BUILT_ON, {"study": study_id, "number": number})[0][0])
