"""The fields of a line of `annotations.jsonl`. Each field is in one of two lists.

A release must never change, although people go on working. Therefore each field is in one of these lists:

- `FIXED`: read from rows that nobody can change (a trigger refuses it), or from keys that never change. A release can
  read these fields again at any time.
- `FROZEN`: may change later, so a release item stores a copy of each. Only `PRESENT` reads them from the tables in
  which they change. A release reads its items in place of `PRESENT` (`releases/`). Everything else is the same.

A field that is in neither list cannot be exported. A test compares the lists with the lines and the schema.
"""

from collections.abc import Mapping

from annotation.protocol import SUB_DIMENSION_KEYS, TIE

ANSWERS = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")


def json_object(**values: str) -> str:
    """Return SQL for a JSON object without spaces, from SQL expressions by name."""
    columns = ", ".join(f'{expression} AS "{name}"' for name, expression in values.items())
    return f"(SELECT row_to_json(one) FROM (SELECT {columns}) one)"  # noqa: S608 - of names in this module


def moment(expression: str) -> str:
    """Return SQL for a moment in UTC in the form of ISO 8601, always with six digits of a second.

    PostgreSQL leaves out the last zeros ("04.78088"), and Python before 3.11 cannot read five digits.
    """
    return f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""


def _video_fields(video: str) -> dict[str, str]:
    """Return the changeable fields of one of the two videos, with the SQL that reads them."""
    columns = {
        "source_id": f"{video}.source_id",
        "file_name": f"{video}.file_name",
        "sha256": f"{video}_asset.sha256",
        "video_text": f"coalesce(nullif({video}.video_text, ''), prompt.text)",
        "generated_from": f"{video}.generator",
        "generator_version": f"{video}.generator_version",
        "seed": f"{video}.seed",
        "settings": f"{video}.settings",
    }
    return {f"{video}.{name}": expression for name, expression in columns.items()}


_ties = ", ".join(f"CASE WHEN annotation.{key} = '{TIE}' THEN '{key}' END" for key in ANSWERS)
_helpfulness = {key: f"annotation.{key}" for key in SUB_DIMENSION_KEYS}

#: Fields that never change, with the SQL that reads them.
FIXED = {
    "annotation_id": "annotation.id",
    "submission_id": "annotation.submission_id",
    "pair_id": "pair.public_id",
    "prompt_id": "prompt.public_id",
    "video_0.video_id": "video_0.public_id",
    "video_1.video_id": "video_1.public_id",
    "author": "annotation.author_kind",
    "round": "assignment.round",
    "revision": "annotation.revision",
    "revised_because": "annotation.reason",
    "helpfulness": json_object(**_helpfulness, overall="annotation.helpfulness"),
    "harmlessness": json_object(
        video_0=json_object(tags="annotation.tags_video_0"),
        video_1=json_object(tags="annotation.tags_video_1"),
        overall="annotation.harmlessness",
    ),
    "ties": f"array_remove(ARRAY[{_ties}], NULL)",
    "unsure": "annotation.unsure",
    "comment": "annotation.comment",
    "timings_ms": "annotation.timings_ms",
    "viewing": "annotation.viewing",
    "presentation": "annotation.presentation",
    "protocol_version": "annotation.protocol_version",
    "guideline_version": "annotation.guideline_version",
    "submitted_at": moment("annotation.submitted_at"),
}

#: Fields that may change, with the SQL that reads their present value. A release item stores a copy of each value.
#: Each is a column of `PRESENT`. In the column's name, the dot is `__`.
FROZEN = {
    "study": "%(slug)s::text",
    "prompt_text": "prompt.text",
    "prompt_type": "prompt.prompt_type",
    "prompt_source_id": "prompt.source_id",
    **_video_fields("video_0"),
    **_video_fields("video_1"),
    "kind": "pair.kind",
    "batch": "batch.number",
    "annotator_id": "person.pseudonym",
    "asked_because": "assignment.asked_because",
    "standing.current": "standing.current_id = annotation.id",
    "standing.validity": "standing.validity",
    "standing.reason": "standing.reason",
    "standing.counted": "standing.counted",
    "standing.uncounted_reason": "standing.uncounted_reason",
    "leased_at": moment("assignment.leased_at"),
}

#: The fields of a line, in order. The published schema describes each.
ORDER = (
    *("study", "annotation_id", "submission_id", "pair_id", "prompt_id"),
    *("prompt_source_id", "prompt_text", "prompt_type"),
    *("video_0.video_id", *_video_fields("video_0")),
    *("video_1.video_id", *_video_fields("video_1")),
    *("kind", "batch", "annotator_id", "author", "round", "asked_because", "revision", "revised_because"),
    *("helpfulness", "harmlessness", "ties", "unsure", "comment", "timings_ms", "viewing", "presentation"),
    *("standing.current", "standing.validity", "standing.reason", "standing.counted", "standing.uncounted_reason"),
    *("protocol_version", "guideline_version", "leased_at", "submitted_at"),
)

#: The rows that never change. From pairs, prompts, videos and assignments, only the fields in `FIXED` are read here.
ROWS = """
  FROM annotation_annotation annotation
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
  JOIN catalog_video video_1 ON video_1.id = pair.video_1_id"""


def column(field: str) -> str:
    """Return the column of `frozen` for a field of `FROZEN`."""
    return field.replace(".", "__")


_frozen = ", ".join(f"{expression} AS {column(field)}" for field, expression in FROZEN.items())
#: The present values of the fields of `FROZEN`: one row named `frozen` beside each of `ROWS`.
PRESENT = f"""
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN media_asset video_0_asset ON video_0_asset.id = video_0.asset_id
  JOIN media_asset video_1_asset ON video_1_asset.id = video_1.asset_id
  JOIN unnest(%(people)s::bigint[], %(pseudonyms)s::text[]) AS person (id, pseudonym)
    ON person.id = assignment.person_id
 CROSS JOIN LATERAL (SELECT {_frozen}) frozen"""


def value(field: str) -> str:
    """Return the SQL that reads a field. Raise KeyError if the field is in neither list."""
    return f"frozen.{column(field)}" if field in FROZEN else FIXED[field]


def line(fields: Mapping[str, str]) -> str:
    """Return SQL for a whole line, from SQL by field. Fields with a dot in their name become members of one object."""
    members: dict[str, dict[str, str]] = {}
    for field, expression in fields.items():
        name, _dot, member = field.partition(".")
        members.setdefault(name, {})[member] = expression
    return json_object(**{name: inner.get("") or json_object(**inner) for name, inner in members.items()})


LINE = line({field: value(field) for field in ORDER})
