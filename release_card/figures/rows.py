"""Give the records of a release to `Sums`, by prompt."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from django.db import connection

from annotation.protocol import TIE, VIDEOS
from release_card.figures.sums import CHOICES, PairFacts, PromptFacts, Sums, VideoFacts
from releases import aggregation
from releases.aggregation import PairRecord, TVPairRecord
from releases.items import QUESTIONS, Item, Items
from releases.models import Release

#: The most generators that are compared: those with the most answers.
MOST_GENERATORS = 12
GENERATORS = """
SELECT name, count(*) FROM (
  SELECT unnest(ARRAY[video_0__generated_from, video_1__generated_from]) AS name
    FROM releases_releaseitem
   WHERE release_id = %(release)s AND standing__current AND standing__validity = 'valid') named
 WHERE name <> '' GROUP BY name ORDER BY 2 DESC, name COLLATE "C" """


def generators(release: Release) -> tuple[list[str], int]:
    """Return the generators with the most answers, in the order of their names, and how many there are in all."""
    with connection.cursor() as cursor:
        cursor.execute(GENERATORS, {"release": release.pk})
        names = [name for name, _number in cursor.fetchall()]
    return sorted(names[:MOST_GENERATORS]), len(names)


def sums_of(release: Release, items: Items) -> tuple[Sums, int]:
    """Return the sums over a release, and the number of its generators. Raise Cancelled or TakenOver."""
    compared, number = generators(release)
    sums = Sums(compared)
    add(sums, items.current())
    return sums, number


def add(sums: Sums, items: Iterable[Item]) -> None:
    """Add items, which come by prompt and pair. Only those of one prompt are in memory."""
    for prompt, videos, pairs, mine in by_prompt(items):
        sums.add(prompt, videos, pairs, ([CHOICES[item.choices[key]] for key in QUESTIONS] for item in mine))


def by_prompt(items: Iterable[Item]) -> Iterator[tuple[PromptFacts, list[VideoFacts], list[PairFacts], list[Item]]]:
    """Yield each prompt of the items with its T-V pairs, its pairs, and its items."""
    for prompt_id, of_prompt in groupby(items, key=lambda item: item.prompt_id):
        mine = list(of_prompt)
        facts = mine[0].facts
        prompt = PromptFacts(
            text=facts["prompt_text"],
            prompt_type=facts["prompt_type"],
            source=facts["prompt_source"],
            language=facts["prompt_language"],
            part=facts["part"],
            cluster=facts["cluster"] or prompt_id,
            labels=facts["prompt_labels"],
        )
        videos = [_video(record, prompt.text) for record in aggregation.tv_pairs(mine)]
        yield prompt, videos, [*map(_pair, aggregation.pairs(mine))], mine


def _video(record: TVPairRecord, prompt_text: str) -> VideoFacts:
    video = record.video
    return VideoFacts(
        video_id=video.video_id,
        generator=video.generated_from,
        version=video.generator_version,
        refined_by=video.refined_by,
        is_refined=video.video_text != prompt_text,
        tags=record.tags,
    )


def _pair(record: PairRecord) -> PairFacts:
    zero, one = (video.video_id for video in record.first.videos)
    return PairFacts(zero, one, record.n, {key: _counts(counts) for key, counts in record.counts.items()})


def _counts(counts: Counter[str]) -> tuple[int, int, int]:
    return counts[VIDEOS[0]], counts[TIE], counts[VIDEOS[1]]
