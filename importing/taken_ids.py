"""Compare the ids of an import with those that the study already has.

A published id must have the same meaning in both: the same text of a prompt, or the same prompt and bytes of a video.
A `source_id` belongs to one prompt and one video of a study. Database constraints enforce both. This module finds the
bad rows and their reasons.
"""

from typing import Any

import orjson
from django.utils.text import Truncator
from django.utils.translation import gettext_noop as _

from catalog.models import Prompt, Video
from sources.intake import Intake
from sources.rows import Manifest
from sources.sentences import Sentence
from studies.models import Study

PROMPTS = "SELECT row, line, id, public_id, text, stated FROM prompt WHERE row {after} ORDER BY row"
VIDEOS = """
SELECT video.row, video.line, video.id, video.public_id, prompt.public_id, video.sha256, video.stated
  FROM video JOIN prompt ON prompt.id = video.prompt WHERE video.row {after} ORDER BY video.row
"""
MOST_NAMED = 3
OTHER_TEXT = _("The study has the prompt %(id)s with another text. Give this one another id")
OTHER_PROMPT_WITH_ID = _("The study has another prompt with the id %(id)s. Give this one another id")
OTHER_BYTES = _("The study has the video %(id)s with other bytes. Give this one another id")
OTHER_PROMPT = _("The study has the video %(id)s for another prompt. Give this one another id")


def refuse_taken_ids(found: Manifest, intake: Intake, slug: str) -> None:
    """Refuse rows whose id belongs to something else in the study. Call it when all videos are identified.

    If the study has a video's `source_id` for the same prompt and bytes, both are one video, whatever else its line
    says. Names in a folder were not chosen as ids, so a name that is taken is dropped, with a warning.
    """
    study = Study.objects.filter(slug=slug).first()
    if study is None or not Prompt.objects.filter(study=study).exists():
        return
    left_out: list[str] = []
    _check_prompts(study, found, intake, left_out)
    _check_videos(study, found, intake, left_out)
    if left_out:
        template = _("The study has other material with these names: %(names)s. The names were not stored as ids.")
        if len(left_out) > MOST_NAMED:
            template = _(
                "The study has other material with these names: %(names)s and %(more)s more. The names were not stored "
                "as ids."
            )
        names = ", ".join(Truncator(name).chars(80) for name in left_out[:MOST_NAMED])
        found.warnings.append(Sentence(template, names=names, more=len(left_out) - MOST_NAMED))


def _check_prompts(study: Study, found: Manifest, intake: Intake, left_out: list[str]) -> None:
    for rows in intake.chunks(PROMPTS):
        stored = Prompt.objects.filter(study=study)
        texts = dict(stored.filter(public_id__in=[row[3] for row in rows]).values_list("public_id", "text"))
        sources = dict(stored.filter(source_id__in=[row[2] for row in rows]).values_list("source_id", "public_id"))
        for row, line, local, public_id, text, stated in rows:
            if texts.get(public_id, text) != text:
                intake.refuse("prompt", row, "id", Sentence(OTHER_TEXT, id=public_id), found)
            elif sources.get(local, public_id) != public_id:
                if line is None:
                    left_out += _without_source_id("prompt", row, local, stated, intake)
                    continue
                intake.refuse("prompt", row, "id", Sentence(OTHER_PROMPT_WITH_ID, id=local), found)


def _check_videos(study: Study, found: Manifest, intake: Intake, left_out: list[str]) -> None:
    for rows in intake.chunks(VIDEOS):
        stored = Video.objects.filter(study=study)
        facts = ("public_id", "prompt__public_id", "asset__sha256")
        known = {one[0]: one[1:] for one in stored.filter(public_id__in=[row[3] for row in rows]).values_list(*facts)}
        by_source = stored.filter(source_id__in=[row[2] for row in rows]).values_list("source_id", *facts)
        sources: dict[str, tuple[Any, ...]] = {one[0]: one[1:] for one in by_source}
        for row, line, local, public_id, prompt, sha256, stated in rows:
            own = (prompt, sha256)
            if known.get(public_id, own) != own:
                template = OTHER_BYTES if known[public_id][1] != sha256 else OTHER_PROMPT
                intake.refuse("video", row, "id", Sentence(template, id=public_id), found)
            elif local not in sources or sources[local][0] == public_id:
                continue
            elif sources[local][1:] == own:
                intake.execute("UPDATE video SET public_id = ? WHERE row = ?", sources[local][0], row)
            elif line is None:
                left_out += _without_source_id("video", row, local, stated, intake)
            else:
                template = OTHER_BYTES if sources[local][2] != sha256 else OTHER_PROMPT
                intake.refuse("video", row, "id", Sentence(template, id=local), found)


def _without_source_id(kind: str, row: int, local: str, written: bytes, intake: Intake) -> list[str]:
    """Remove the `source_id` of a row. Return the name in a list, or an empty list if it was removed before."""
    stated = orjson.loads(written)
    if stated.pop("source_id", None) is None:
        return []
    intake.execute(f"UPDATE {kind} SET stated = ? WHERE row = ?", orjson.dumps(stated), row)  # noqa: S608 - a table
    return [local]
