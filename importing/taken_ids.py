"""Compares the ids of an import with those that the study has.

A published id that the study has must mean the same: the same text of a prompt, the same prompt and bytes of a video.
A `source_id` means one prompt and one video of a study. Constraints of the database hold both; here bad rows get their
reasons.
"""

from typing import Any

import orjson
from django.utils.text import Truncator

from catalog.models import Prompt, Video
from importing.intake import Intake
from importing.rows import Manifest
from studies.models import Study

PROMPTS = "SELECT row, line, id, public_id, text, stated FROM prompt WHERE row {after} ORDER BY row"
VIDEOS = """
SELECT video.row, video.line, video.id, video.public_id, prompt.public_id, video.sha256, video.stated
  FROM video JOIN prompt ON prompt.id = video.prompt WHERE video.row {after} ORDER BY video.row
"""
MOST_NAMED = 3


def refuse_taken_ids(found: Manifest, intake: Intake, slug: str) -> None:
    """Refuse rows whose id means something else in the study. Call it when all videos are identified.

    A video whose `source_id` the study has for the same prompt and bytes is that video, whatever else its line says.
    A folder's names were not chosen as ids: one that is taken is left out, with a warning.
    """
    study = Study.objects.filter(slug=slug).first()
    if study is None or not Prompt.objects.filter(study=study).exists():
        return
    left_out: list[str] = []
    _check_prompts(study, found, intake, left_out)
    _check_videos(study, found, intake, left_out)
    if left_out:
        named = ", ".join(Truncator(name).chars(80) for name in left_out[:MOST_NAMED])
        more = f" and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
        found.warnings.append(
            f"The study has other material with these names: {named}{more}. The names were not kept as ids."
        )


def _check_prompts(study: Study, found: Manifest, intake: Intake, left_out: list[str]) -> None:
    for rows in intake.chunks(PROMPTS):
        there = Prompt.objects.filter(study=study)
        texts = dict(there.filter(public_id__in=[row[3] for row in rows]).values_list("public_id", "text"))
        sources = dict(there.filter(source_id__in=[row[2] for row in rows]).values_list("source_id", "public_id"))
        for row, line, local, public_id, text, stated in rows:
            if texts.get(public_id, text) != text:
                reason = f"The study has the prompt {public_id} with another text. Give this one another id"
                intake.refuse("prompt", row, "id", reason, found)
            elif sources.get(local, public_id) != public_id:
                if line is None:
                    left_out += _without_source_id("prompt", row, local, stated, intake)
                    continue
                reason = f"The study has another prompt with the id {local}. Give this one another id"
                intake.refuse("prompt", row, "id", reason, found)


def _check_videos(study: Study, found: Manifest, intake: Intake, left_out: list[str]) -> None:
    for rows in intake.chunks(VIDEOS):
        there = Video.objects.filter(study=study)
        facts = ("public_id", "prompt__public_id", "asset__sha256")
        known = {one[0]: one[1:] for one in there.filter(public_id__in=[row[3] for row in rows]).values_list(*facts)}
        by_source = there.filter(source_id__in=[row[2] for row in rows]).values_list("source_id", *facts)
        sources: dict[str, tuple[Any, ...]] = {one[0]: one[1:] for one in by_source}
        for row, line, local, public_id, prompt, sha256, stated in rows:
            own = (prompt, sha256)
            if known.get(public_id, own) != own:
                what = "other bytes" if known[public_id][1] != sha256 else "another prompt"
                reason = f"The study has the video {public_id} with {what}. Give this one another id"
                intake.refuse("video", row, "id", reason, found)
            elif local not in sources or sources[local][0] == public_id:
                continue
            elif sources[local][1:] == own:
                intake.execute("UPDATE video SET public_id = ? WHERE row = ?", sources[local][0], row)
            elif line is None:
                left_out += _without_source_id("video", row, local, stated, intake)
            else:
                what = "other bytes" if sources[local][2] != sha256 else "another prompt"
                reason = f"The study has a video with the id {local} and {what}. Give this one another id"
                intake.refuse("video", row, "id", reason, found)


def _without_source_id(kind: str, row: int, local: str, written: bytes, intake: Intake) -> list[str]:
    """Let a row have no `source_id`. Return the name that it would have had; nothing if that was done before."""
    stated = orjson.loads(written)
    if stated.pop("source_id", None) is None:
        return []
    intake.execute(f"UPDATE {kind} SET stated = ? WHERE row = ?", orjson.dumps(stated), row)  # noqa: S608 - a table
    return [local]
