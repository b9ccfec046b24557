"""Prompts and labels of a release: written by the statement that writes its items, and read in the order of its files.

Prompts are all that the filter chooses by language and type, also those without a released answer. Labels are those of
these prompts, and of the videos and pairs that have released answers. So whatever a withdrawal finds by its answers
also finds the labels.
"""

from collections.abc import Iterator

from diptych.downloads import CopyFile, copy_rows
from exports import records
from releases.items import AS_IT_IS, Items
from releases.models import Release, ReleaseLabel, ReleasePrompt

#: Rows that are read at a time.
CHUNK = 2000
#: The part of a prompt. One that nobody assigned to a part must not be trained on, and must not be tested on either.
PART = "CASE WHEN prompt.set = 'eval' THEN 'eval' WHEN prompt.split = '' THEN 'excluded' ELSE prompt.split END"
CHOSEN = """
(cardinality(%(languages)s::text[]) = 0 OR prompt.language = ANY (%(languages)s::text[]))
AND (cardinality(%(prompt_types)s::text[]) = 0 OR prompt.prompt_type = ANY (%(prompt_types)s::text[]))"""
_of_prompt = (
    *("source_id", "text", "prompt_type", "language", "labels", "labelled_by", "source", "source_detail", "licence"),
    *("set", "cluster"),
)
_of_label = ("question", "labeller", "labeller_version", "setting", "value", "refused")
#: The platform's own measure of a video: how alike its first frame is to each later one, in dB.
PSNR = "psnr_to_first"
#: Labels that are imported, and this measure of each video that was prepared, as a label by the platform.
_said = f"""
SELECT label.id, label.prompt_id, label.video_id, label.pair_id, {", ".join(f"label.{name}" for name in _of_label)}
  FROM catalog_label label WHERE label.study_id = %(study)s
UNION ALL
SELECT 0, NULL, video.id, NULL, '{PSNR}', 'diptych', '', '8 frames', to_jsonb(measured.mean), false
  FROM released_videos
  JOIN catalog_video video ON video.id = released_videos.id
  JOIN media_asset asset ON asset.id = video.asset_id
 CROSS JOIN LATERAL (SELECT round(avg(one.value::numeric), 2) AS mean
                       FROM jsonb_array_elements_text(asset.facts -> '{PSNR}') one) measured
 WHERE measured.mean IS NOT NULL"""  # noqa: S608 - of names in this module
#: Common table expressions after `judged`. `released_prompts` and `released_labels` have a row for each written row.
WRITE = f"""
released_pairs AS MATERIALIZED (
  SELECT DISTINCT pair.id, pair.video_0_id, pair.video_1_id
    FROM judged
    JOIN annotation_assignment assignment ON assignment.id = judged.assignment_id
    JOIN catalog_pair pair ON pair.id = assignment.pair_id
   WHERE judged.stage = 'released' AND judged.reason = ''),
released_videos AS MATERIALIZED (
  SELECT video_0_id AS id FROM released_pairs UNION SELECT video_1_id FROM released_pairs),
released_prompts AS (
  INSERT INTO releases_releaseprompt (study_id, release_id, place, prompt_id, part, {", ".join(_of_prompt)})
  SELECT %(study)s, %(release)s, row_number() OVER (ORDER BY prompt.public_id COLLATE "C"), prompt.public_id, {PART},
         {", ".join(f"prompt.{name}" for name in _of_prompt)}
    FROM catalog_prompt prompt
   WHERE prompt.study_id = %(study)s AND {CHOSEN}
  RETURNING part),
released_labels AS (
  INSERT INTO releases_releaselabel
         (study_id, release_id, place, prompt_id, part, video_id, pair_id, {", ".join(_of_label)})
  SELECT %(study)s, %(release)s,
         row_number() OVER (ORDER BY prompt.public_id COLLATE "C", video.public_id COLLATE "C" NULLS FIRST,
                                     pair.public_id COLLATE "C" NULLS FIRST, label.id),
         prompt.public_id, {PART}, coalesce(video.public_id, ''), coalesce(pair.public_id, ''),
         {", ".join(f"label.{name}" for name in _of_label)}
    FROM ({_said}) label
    LEFT JOIN catalog_video video ON video.id = label.video_id
    LEFT JOIN catalog_pair pair ON pair.id = label.pair_id
    JOIN catalog_prompt prompt ON prompt.id = coalesce(label.prompt_id, video.prompt_id, pair.prompt_id)
   WHERE {CHOSEN}
     AND (label.prompt_id IS NOT NULL OR label.video_id IN (SELECT id FROM released_videos)
          OR label.pair_id IN (SELECT id FROM released_pairs))
  RETURNING part)"""  # noqa: S608 - of names in this module
#: What the statement counts of them.
COUNT = """
SELECT 'prompts', part, '', count(*) FROM released_prompts GROUP BY part
UNION ALL
SELECT 'labels', part, '', count(*) FROM released_labels GROUP BY part"""
_label_line = records.json_object(
    prompt_id="label.prompt_id",
    video_id="nullif(label.video_id, '')",
    pair_id="nullif(label.pair_id, '')",
    part="label.part",
    **{name: f"label.{name}" for name in _of_label},
)
LABELS = f"""
SELECT {_label_line} FROM releases_releaselabel label
 WHERE label.release_id = %(release)s AND label.place > %(after)s AND label.place <= %(until)s
 ORDER BY label.place"""  # noqa: S608 - of names in this module


def prompts(release: Release, part: str = "") -> Iterator[ReleasePrompt]:
    """Yield the prompts of a release by their published ids, in chunks. Raise DatabaseError.

    `part` leaves out all other parts of the release.
    """
    chosen = ReleasePrompt.objects.filter(release=release, **({"part": part} if part else {})).order_by("place")
    after = 0
    while chunk := list(chosen.filter(place__gt=after)[:CHUNK]):
        yield from chunk
        after = chunk[-1].place


def has_labels(release: Release) -> bool:
    """Return whether programs said something about the material of the release."""
    return ReleaseLabel.objects.filter(release=release).exists()


def copy_labels(items: Items, target: CopyFile) -> None:
    """Write a line for each label, by prompt, video and pair. Raise Cancelled, TakenOver, DatabaseError and OSError."""
    for after in range(0, int(items.release.counts["labels"]), CHUNK):
        copy_rows(LABELS, {"release": items.release.pk, "after": after, "until": after + CHUNK}, AS_IT_IS, target)
        items.progress.advance(0)  # a sign of life, and the moment at which the work may be cancelled
