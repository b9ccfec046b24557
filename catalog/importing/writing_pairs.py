"""Writes pairs into batches in the import's transaction, and makes those servable whose videos are ready."""

from collections.abc import Iterator
from itertools import groupby, islice

from psycopg import sql

from catalog import quarantine, transcoding
from catalog.importing.pairing import KnownVideo, NewPair, Pairing, key
from catalog.importing.progress import Progress
from catalog.importing.report import ImportReport
from catalog.importing.rows import Manifest
from catalog.importing.staging import Staged, execute, fetch, refresh_statistics
from catalog.importing.writing import VideoKeys
from catalog.models import Batch, Pair, Study, Video

PROMPTS_AT_ONCE = 2_000
PAIRS_AT_ONCE = 10_000


def pairs_of_prompts(
    study: Study, prompts: list[tuple[int, str]], pairing: Pairing, progress: Progress
) -> Iterator[NewPair]:
    """New pairs of all videos that the study has for these prompts (keys and published ids)."""
    for start in range(0, len(prompts), PROMPTS_AT_ONCE):
        chunk = dict(prompts[start : start + PROMPTS_AT_ONCE])
        there = {pk: set(pairs) for pk, pairs in _there(study, list(chunk)).items()}
        columns = ("pk", "public_id", "prompt_id", "asset_id")
        rows = Video.objects.filter(study=study, prompt__in=chunk).order_by("prompt_id").values_list(*columns)
        by_prompt = {
            prompt: [KnownVideo(*row) for row in group] for prompt, group in groupby(rows, key=lambda row: row[2])
        }
        for prompt, public_id in chunk.items():
            yield from pairing.of_prompt(public_id, by_prompt.get(prompt, []), there.get(prompt, set()))
            progress.advance()


def listed_pairs(
    study: Study, manifest: Manifest, keys: dict[str, VideoKeys], pairing: Pairing, progress: Progress
) -> Iterator[NewPair]:
    """The manifest's own pairs that are new."""
    seen: set[tuple[int, int]] = set()

    def is_there(pair: tuple[int, int]) -> bool:
        if pair in seen:
            return True
        seen.add(pair)
        return False

    rows = iter(manifest.pairs)
    checked: set[int] = set()
    while chunk := list(islice(rows, PAIRS_AT_ONCE)):
        prompts = {keys[row.video_0].prompt for row in chunk} - checked
        checked |= prompts
        for pairs in _there(study, list(prompts)).values():
            seen.update(pairs)
        videos = (
            (
                _known(row.video_0, manifest, keys),
                _known(row.video_1, manifest, keys),
                row.priority,
                row.wanted,
            )
            for row in chunk
        )
        yield from pairing.listed(videos, is_there)
        progress.advance(len(chunk))


def _known(local: str, manifest: Manifest, keys: dict[str, VideoKeys]) -> KnownVideo:
    there = keys[local]
    return KnownVideo(there.pk, manifest.videos[local].public_id, there.prompt, there.asset)


def _there(study: Study, prompts: list[int]) -> dict[int, list[tuple[int, int]]]:
    """The pairs that these prompts have, by prompt."""
    rows = Pair.objects.filter(study=study, prompt__in=prompts, kind=Pair.Kind.REAL)
    there: dict[int, list[tuple[int, int]]] = {}
    for prompt, one, other in rows.values_list("prompt_id", "video_0_id", "video_1_id"):
        there.setdefault(prompt, []).append(key(one, other))
    return there


class Batches:
    """Hands out places in batches: first in the study's last one, if it is open and has room."""

    def __init__(self, study: Study, size: int) -> None:
        self.study, self.size, self.added = study, size, 0
        # Locked, so that a batch to which pairs are added does not leave `open` at the same moment.
        last = Batch.objects.filter(study=study).order_by("-number").select_for_update(no_key=True).first()
        self.number = last.number if last else 0
        self.current = last.pk if last else 0
        is_open = last is not None and last.state == Batch.State.OPEN
        self.room = max(0, size - Pair.objects.filter(batch=last).count()) if is_open else 0

    def places(self, count: int) -> list[int]:
        """Keys of the batches of the next `count` pairs, in order."""
        here = min(count, self.room)
        places = [self.current] * here
        self.room -= here
        missing = -(-(count - here) // self.size)
        numbers = range(self.number + 1, self.number + 1 + missing)
        for batch in Batch.objects.bulk_create([Batch(study=self.study, number=number) for number in numbers]):
            self.number, self.current, self.added = batch.number, batch.pk, self.added + 1
            taken = min(self.size, count - len(places))
            places += [batch.pk] * taken
            self.room = self.size - taken
        return places


STAGED_PAIR = {
    "prompt": "bigint", "video_0": "bigint", "video_1": "bigint", "public_id": "text", "priority": "integer",
    "wanted": "smallint", "method": "text", "probability": "double precision", "batch": "bigint",
}  # fmt: skip

INSERT_PAIRS = sql.SQL("""
    INSERT INTO catalog_pair (study_id, batch_id, prompt_id, video_0_id, video_1_id, public_id, kind,
                              priority, selection_method, selection_probability, selection_model,
                              may_show, wanted, open_slots, ready, held)
    SELECT %(study)s, pair.batch, pair.prompt, pair.video_0, pair.video_1, pair.public_id, 'real',
           pair.priority, pair.method, pair.probability, '',
           -- A safety-critical prompt that nobody labelled may show anything.
           coalesce(prompt.labels, CASE prompt.prompt_type WHEN 'safety_critical' THEN ARRAY['other_harmful']
                                                           ELSE '{}' END),
           pair.wanted, pair.wanted, false, ''
      FROM importing_pair pair JOIN catalog_prompt prompt ON prompt.id = pair.prompt
     ORDER BY pair.row
        ON CONFLICT DO NOTHING
    RETURNING id
""")


def write_pairs(study: Study, pairs: Iterator[NewPair], batch_size: int, report: ImportReport) -> None:
    """Adds the pairs in order, and settles them."""
    batches: Batches | None = None
    first: int | None = None
    with Staged("importing_pair", STAGED_PAIR) as staged:
        while chunk := list(islice(pairs, PAIRS_AT_ONCE)):
            batches = batches or Batches(study, batch_size)
            places = batches.places(len(chunk))
            staged.copy((number, *pair, places[number]) for number, pair in enumerate(chunk))
            added = fetch(INSERT_PAIRS, study=study.pk)
            staged.empty()
            report.pairs.added += len(added)
            report.pairs.already_there += len(chunk) - len(added)
            if added:
                first = min(pk for (pk,) in added) if first is None else first
    report.batches_added = batches.added if batches else 0
    refresh_statistics(Pair, report.pairs.added)
    if first is not None:
        settle_new(study, first)


LOCK_ASSETS = sql.SQL("""
    SELECT asset.id FROM catalog_asset asset
     WHERE asset.id IN (SELECT video.asset_id
                          FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_0_id
                         WHERE pair.study_id = %(study)s AND pair.id >= %(first)s
                         UNION
                        SELECT video.asset_id
                          FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_1_id
                         WHERE pair.study_id = %(study)s AND pair.id >= %(first)s)
     ORDER BY asset.id FOR SHARE OF asset
""")


def settle_new(study: Study, first: int) -> None:
    """Makes pairs from key `first` on servable, or holds them, by the state of their assets.

    A worker that finishes an asset now cannot see these pairs before they are committed, so it would settle
    nothing, and they would wait for ever. Nor could somebody who tries a failed asset again, and they would stay
    held; nor somebody who reports an asset, and they would be served. Hence the share lock on all their assets, until
    the commit:

    1. A worker, or a report, that has written its outcome but not committed makes this statement wait, and its
       outcome is then seen below.
    2. One that comes later waits, with its outcome, for our commit, and then sees the pairs.

    The lock comes last in the transaction and is short. It cannot close a circle: a worker that holds an
    asset waits only for committed pairs, of which this transaction locks none.
    """
    execute(LOCK_ASSETS, study=study.pk, first=first)
    quarantine.hold_new(study, first)
    transcoding.settle(Pair.objects.filter(study=study, pk__gte=first))
