"""Add pairs to batches in the import's transaction, and make those servable whose videos are ready."""

from collections.abc import Iterator
from itertools import groupby, islice
from typing import NamedTuple

from psycopg import sql

from catalog import batches, known_harm, media_order, readiness
from catalog.models import Batch, Pair, Video
from importing.pairing import KnownVideo, NewPair, Pairing, key
from importing.progress import Progress
from importing.report import ImportReport
from importing.sampling import draw_sample
from importing.staging import Staged, execute, fetch, refresh_statistics
from safety import quarantine
from sources.intake import Intake
from studies.models import Study

PROMPTS_AT_ONCE = 2_000
PAIRS_AT_ONCE = 20_000

STAGED_PAIR = {
    "prompt": "bigint", "video_0": "bigint", "video_1": "bigint", "public_id": "text", "priority": "integer",
    "wanted": "smallint", "method": "text", "probability": "double precision", "in_sample": "boolean",
}  # fmt: skip


def staged_pairs() -> Staged:
    """Return the temporary table of the import's pairs."""
    return Staged("staged_pair", STAGED_PAIR)


def stage_pairs_of_prompts(study: Study, staged: Staged, pairing: Pairing, progress: Progress) -> None:
    """Stage new pairs of all videos that the study has for the intake's prompts."""
    number = 0
    after = -1
    while prompts := fetch(NEXT_PROMPTS, study=study.pk, after=after, most=PROMPTS_AT_ONCE):
        after = prompts[-1][0]
        new = _pairs_of(study, {pk: public_id for _row, pk, public_id in prompts}, pairing)
        while chunk := list(islice(new, PAIRS_AT_ONCE)):
            staged.copy((number + place, *pair, False) for place, pair in enumerate(chunk, 1))
            number += len(chunk)
        progress.advance(len(prompts))


NEXT_PROMPTS = sql.SQL("""
    SELECT staged.row, there.id, there.public_id
      FROM staged_prompt staged
      JOIN catalog_prompt there ON there.study_id = %(study)s AND there.public_id = staged.public_id
     WHERE staged.row > %(after)s
     ORDER BY staged.row LIMIT %(most)s
""")


def _pairs_of(study: Study, prompts: dict[int, str], pairing: Pairing) -> Iterator[NewPair]:
    existing: dict[int, set[tuple[int, int]]] = {}
    pairs = Pair.objects.filter(study=study, prompt__in=prompts, kind=Pair.Kind.REAL)
    for prompt, one, other in pairs.values_list("prompt_id", "video_0_id", "video_1_id"):
        existing.setdefault(prompt, set()).add(key(one, other))
    columns = ("pk", "public_id", "prompt_id", "asset_id")
    rows = Video.objects.filter(study=study, prompt__in=prompts).order_by("prompt_id").values_list(*columns)
    by_prompt = {prompt: [KnownVideo(*row) for row in group] for prompt, group in groupby(rows, key=lambda row: row[2])}
    for prompt, public_id in prompts.items():
        yield from pairing.of_prompt(public_id, by_prompt.get(prompt, []), existing.get(prompt, set()))


def stage_listed_pairs(study: Study, pairing: Pairing, intake: Intake) -> None:
    """Stage the new ones of the intake's own pairs, each once and in the order of the list."""
    columns = {"one": "integer", "other": "integer", "priority": "integer", "wanted": "smallint"}
    with Staged("staged_listed", columns) as listed:
        listed.copy(intake.stream("SELECT row, one, other, priority, wanted FROM pair ORDER BY row"))
        execute(sql.SQL("ANALYZE staged_listed"))
        new = execute(STAGE_LISTED, study=study.pk, wanted=pairing.wanted)
    pairing.already_there += intake.count("pair") - new


STAGE_LISTED = sql.SQL("""
    INSERT INTO staged_pair (row, prompt, video_0, video_1, public_id, priority, wanted, method, in_sample)
    SELECT row_number() OVER (ORDER BY pair.row), prompt, video_0, video_1,
           encode(sha256(convert_to(least(one COLLATE "C", other) || ' ' || greatest(one COLLATE "C", other), 'UTF8')),
                  'hex'),
           priority, coalesce(wanted, %(wanted)s), 'listed', false
      FROM (SELECT DISTINCT ON (least(one.pk, other.pk), greatest(one.pk, other.pk))
                   listed.row, one.prompt, one.pk AS video_0, other.pk AS video_1, one.public_id AS one,
                   other.public_id AS other, listed.priority, listed.wanted
              FROM staged_listed listed
              JOIN importing_video_key one ON one.row = listed.one
              JOIN importing_video_key other ON other.row = listed.other
             ORDER BY least(one.pk, other.pk), greatest(one.pk, other.pk), listed.row) pair
     WHERE NOT EXISTS (SELECT FROM catalog_pair there
                        WHERE there.kind = 'real' AND there.study_id = %(study)s
                          AND least(there.video_0_id, there.video_1_id) = least(pair.video_0, pair.video_1)
                          AND greatest(there.video_0_id, there.video_1_id) = greatest(pair.video_0, pair.video_1))
     ORDER BY pair.row
""")


def write_pairs(
    study: Study, number: int | None, staged: Staged, batch_size: int, progress: Progress, report: ImportReport
) -> None:
    """Draw the sample among the staged pairs, add the pairs in order, and decide which can be served."""
    staged.number()
    report.sampled = draw_sample(study)
    [(count,)] = fetch(sql.SQL("SELECT count(*) FROM staged_pair"))
    progress.begin("Adding pairs", count)
    places = make_batches(study, batch_size, count, number)
    first: int | None = None
    for done in range(0, count, PAIRS_AT_ONCE):
        last = min(done + PAIRS_AT_ONCE, count)
        [(added, lowest)] = fetch(
            INSERT_PAIRS, study=study.pk, import_number=number, done=done, last=last, **places._asdict()
        )
        report.pairs.added += added
        report.pairs.already_there += last - done - added
        first = lowest if first is None else first
        progress.advance(last - done)
    report.batches_added = places.added
    refresh_statistics(Pair, report.pairs.added)
    if first is not None:
        settle_new(study, first)
        batches.ask_for_more(Pair.objects.filter(study=study, batch__number=places.number, pk__gte=first))
    elif report.videos.added:
        known_harm.inherit(study.pk, None, NEW_VIDEOS)


class Places(NamedTuple):
    """The batches of new pairs: `room` pairs go into batch `number`, and the others into later batches of `size`."""

    number: int
    room: int
    size: int
    added: int


def make_batches(study: Study, size: int, pairs: int, import_number: int | None) -> Places:
    """Add the batches that the pairs need. The study's last batch is filled first, if it still accepts pairs."""
    # Locked, so that no review of a batch begins while pairs are added to it.
    numbered = Batch.objects.filter(study=study, number__gt=0)  # 0 is the batch of the controls
    last = numbered.order_by("-number").select_for_update(no_key=True).first()
    takes_pairs = last is not None and last.state in (Batch.State.OPEN, Batch.State.ANNOTATED)
    room = max(0, size - Pair.objects.filter(batch=last).count()) if takes_pairs else 0
    number = last.number if last else 0
    added = max(0, -(-(pairs - room) // size))
    execute(ADD_BATCHES, study=study.pk, import_number=import_number, first=number + 1, last=number + added)
    return Places(number, room, size, added)


ADD_BATCHES = sql.SQL("""
    INSERT INTO catalog_batch (study_id, import_number, number, state)
    SELECT %(study)s, %(import_number)s, number, 'open' FROM generate_series(%(first)s, %(last)s) number
""")

INSERT_PAIRS = sql.SQL(
    """
    WITH added AS (
        INSERT INTO catalog_pair (study_id, batch_id, prompt_id, video_0_id, video_1_id, public_id, kind,
                                  priority, selection_method, selection_probability, selection_model,
                                  may_show, wanted, open_slots, in_sample, ready, held, import_number)
        SELECT %(study)s, batch.id, pair.prompt, pair.video_0, pair.video_1, pair.public_id, 'real',
               pair.priority, pair.method, pair.probability, '',
               {known_harm}, pair.wanted, pair.wanted, pair.in_sample, false, '', %(import_number)s
          FROM staged_pair pair
          JOIN catalog_prompt prompt ON prompt.id = pair.prompt
          JOIN catalog_batch batch ON batch.study_id = %(study)s AND batch.number
               = CASE WHEN pair.row <= %(room)s THEN %(number)s
                      ELSE %(number)s + 1 + (pair.row - 1 - %(room)s) / %(size)s END
         WHERE pair.row > %(done)s AND pair.row <= %(last)s
         ORDER BY pair.row
            ON CONFLICT (study_id, public_id) DO NOTHING
        RETURNING id
    )
    SELECT count(*), min(id) FROM added
"""
).format(known_harm=sql.SQL(known_harm.OF_PROMPT))


#: The intake's videos that this transaction has added.
NEW_VIDEOS = """
SELECT video.id FROM importing_video_key key JOIN catalog_video video ON video.id = key.pk
 WHERE video.created_at >= now()
"""


def settle_new(study: Study, first: int) -> None:
    """Decide for the pairs from key `first` on whether they can be served or are held, by the state of their assets.

    These pairs and the new videos also inherit harm tags that were given in the meantime.

    Other transactions cannot see these pairs before the commit. A worker that finishes an asset would miss them, and
    they would wait for ever. A retry of a failed asset, a report or a tag would miss them too. Therefore all their
    assets have a share lock until the commit (`known_harm.inherit` locks them):

    1. A worker or report that has written its outcome but not committed makes this statement wait. Its outcome is seen
       below.
    2. One that comes later waits for our commit, and then sees the pairs.

    The lock comes last in the transaction and is short. It cannot deadlock: a worker that has locked an asset waits
    only for committed pairs, and this transaction locks none of them.
    """
    known_harm.inherit(study.pk, first, NEW_VIDEOS)
    quarantine.hold_new(study, first)
    readiness.settle(Pair.objects.filter(study=study, pk__gte=first))
    media_order.prioritise(study, first)
