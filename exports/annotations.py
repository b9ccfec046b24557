"""The platform's own JSONL: one line an annotation revision, nothing averaged away.

PostgreSQL writes the lines itself: 100,000 of them take seconds, and no row passes through Python.
"""

import hmac

from annotation.models import Assignment
from annotation.protocol import SUB_DIMENSION_KEYS, TIE
from catalog.models import Study
from catalog.models.pairs import QUARANTINED
from diptych.downloads import CopyFile, copy_rows

ANSWERS = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")


def _object(**values: str) -> str:
    """Return SQL for a JSON object without spaces, of SQL expressions by name."""
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in values.items())
    return f"(SELECT row_to_json(one) FROM (SELECT {columns}) one)"  # noqa: S608 - of names in this module


def _video(alias: str) -> str:
    """Return SQL for which T-V pair it was, and what the generator was given."""
    return _object(
        video_id=f"{alias}.public_id",
        video_text=f"coalesce(nullif({alias}.video_text, ''), prompt.text)",
        generated_from=f"{alias}.generator",
    )


_ties = ", ".join(f"CASE WHEN annotation.{key} = '{TIE}' THEN '{key}' END" for key in ANSWERS)
_helpfulness = {key: f"annotation.{key}" for key in SUB_DIMENSION_KEYS}

#: What a line says, in the order in which it says it. The published schema describes each.
FIELDS = {
    "study": "%(slug)s::text",
    "annotation_id": "annotation.id",
    "submission_id": "annotation.submission_id",
    "pair_id": "pair.public_id",
    "prompt_id": "prompt.public_id",
    "prompt_text": "prompt.text",
    "prompt_type": "prompt.prompt_type",
    "video_0": _video("video_0"),
    "video_1": _video("video_1"),
    "kind": "pair.kind",
    "batch": "batch.number",
    "annotator_id": "person.pseudonym",
    "author": "annotation.author_kind",
    "round": "assignment.round",
    "revision": "annotation.revision",
    "revised_because": "annotation.reason",
    "helpfulness": _object(**_helpfulness, overall="annotation.helpfulness"),
    "harmlessness": _object(
        video_0=_object(tags="annotation.tags_video_0"),
        video_1=_object(tags="annotation.tags_video_1"),
        overall="annotation.harmlessness",
    ),
    "ties": f"array_remove(ARRAY[{_ties}], NULL)",
    "timings_ms": "annotation.timings_ms",
    "viewing": "annotation.viewing",
    "presentation": "annotation.presentation",
    "standing": _object(
        current="standing.current_id = annotation.id",
        validity="standing.validity",
        reason="standing.reason",
        counted="standing.counted",
    ),
    "protocol_version": "annotation.protocol_version",
    "guideline_version": "annotation.guideline_version",
    "leased_at": "assignment.leased_at",
    "submitted_at": "annotation.submitted_at",
}

#: The study's revisions in order of writing; none of a pair in quarantine.
STATEMENT = f"""
SELECT {_object(**FIELDS)}
  FROM annotation_annotation annotation
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
  JOIN catalog_video video_1 ON video_1.id = pair.video_1_id
  JOIN unnest(%(people)s::bigint[], %(pseudonyms)s::text[]) AS person (id, pseudonym)
    ON person.id = assignment.person_id
 WHERE annotation.study_id = %(study)s AND pair.held <> %(quarantined)s
 ORDER BY annotation.id
"""  # noqa: S608 - of names in this module
#: JSON has no raw control characters, so with these two nothing is quoted and each line is as it is.
AS_IT_IS = r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'"


def copy(study: Study, target: CopyFile) -> None:
    """Copy the study's annotation revisions into the file as JSON Lines.

    Each line validates against `exports/schemas/annotation.schema.json`. Raises DatabaseError and OSError.
    """
    people = Assignment.objects.filter(study=study).order_by().values_list("person_id", flat=True).distinct()
    pseudonyms = {person: pseudonym(study, person) for person in people}
    values = {
        "study": study.pk,
        "slug": study.slug,
        "quarantined": QUARANTINED,
        "people": list(pseudonyms),
        "pseudonyms": list(pseudonyms.values()),
    }
    copy_rows(STATEMENT, values, AS_IT_IS, target)


def pseudonym(study: Study, person_id: int) -> str:
    """Return the person's name in this study's files: stable, and without the study's key not to be traced."""
    return hmac.digest(study.pseudonym_key.encode(), str(person_id).encode(), "sha256").hex()[:16]
