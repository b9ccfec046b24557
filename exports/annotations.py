"""The platform's own JSONL: one line an annotation revision, nothing averaged away.

Read in short keyset chunks, each its own query outside any transaction, so that a slow client holds nothing open.
"""

import hmac
from collections.abc import Iterator
from typing import Any

import orjson
from django.db.models import QuerySet

from annotation.models import Annotation
from annotation.protocol import SUB_DIMENSION_KEYS, TIE, VIDEOS
from catalog.models import Prompt, Study, Video
from catalog.models.pairs import usable

CHUNK = 1000


def lines(study: Study) -> Iterator[bytes]:
    """The study's annotation revisions as JSON Lines, in order of writing, in blocks of up to `CHUNK` lines.

    Each line validates against `exports/schemas/annotation.schema.json`.
    """
    after = 0
    while chunk := list(revisions(study).filter(pk__gt=after)[:CHUNK]):
        yield b"".join(orjson.dumps(record(row, study), option=orjson.OPT_APPEND_NEWLINE) for row in chunk)
        after = chunk[-1].pk


def revisions(study: Study) -> QuerySet[Annotation]:
    """The study's annotation revisions with all that a line needs, by id; none of a pair in quarantine."""
    return (
        Annotation.objects.filter(usable("assignment__pair__"), study=study)
        .select_related(
            "assignment__standing",
            "assignment__pair__prompt",
            "assignment__pair__batch",
            "assignment__pair__video_0",
            "assignment__pair__video_1",
        )
        .order_by("pk")
    )


def pseudonym(study: Study, person_id: int) -> str:
    """The person's name in this study's files: stable, and without the study's key not to be traced."""
    return hmac.digest(study.pseudonym_key.encode(), str(person_id).encode(), "sha256").hex()[:16]


def record(annotation: Annotation, study: Study) -> dict[str, Any]:
    """One line."""
    assignment = annotation.assignment
    pair, standing = assignment.pair, assignment.standing
    answers = {key: getattr(annotation, key) for key in (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")}
    return {
        "study": study.slug,
        "annotation_id": annotation.pk,
        "submission_id": annotation.submission_id,
        "pair_id": pair.public_id,
        "prompt_id": pair.prompt.public_id,
        "prompt_text": pair.prompt.text,
        "prompt_type": pair.prompt.prompt_type,
        "video_0": video(pair.video_0, pair.prompt),
        "video_1": video(pair.video_1, pair.prompt),
        "kind": pair.kind,
        "batch": pair.batch.number,
        "annotator_id": pseudonym(study, assignment.person_id),
        "author": annotation.author_kind,
        "round": assignment.round,
        "revision": annotation.revision,
        "revised_because": annotation.reason,
        "helpfulness": {key: answers[key] for key in SUB_DIMENSION_KEYS} | {"overall": answers["helpfulness"]},
        "harmlessness": {name: {"tags": getattr(annotation, f"tags_{name}")} for name in VIDEOS}
        | {"overall": answers["harmlessness"]},
        "ties": [key for key, value in answers.items() if value == TIE],
        "timings_ms": annotation.timings_ms,
        "viewing": annotation.viewing,
        "presentation": annotation.presentation,
        "standing": {
            "current": standing.current_id == annotation.pk,
            "validity": standing.validity,
            "reason": standing.reason,
            "counted": standing.counted,
        },
        "protocol_version": annotation.protocol_version,
        "guideline_version": annotation.guideline_version,
        "leased_at": assignment.leased_at,
        "submitted_at": annotation.submitted_at,
    }


def video(row: Video, prompt: Prompt) -> dict[str, str]:
    """Which T-V pair it was, and what the generator was given."""
    return {
        "video_id": row.public_id,
        "video_text": row.video_text or prompt.text,
        "generated_from": row.generator,
    }
