"""Ask for one more answer on a pair whose answers disagree, or of which one is disputed (decision 043).

A study says how many more answers a pair can get (`Study.more_answers`), and on which questions disagreement matters.
Answers disagree on a question if no choice has more than half of them. Only answers that count and are valid are
compared, in their current revisions.

New and changed answers are due (`Standing.opinions_due`), and a periodic task looks at their pairs. A slower sweep
looks at all pairs, because a pair can also become complete when fewer answers are wanted, and settings can change.

Lock the pair, then its batch. Locked rows are skipped, and their answers stay due.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from accounts import audit
from annotation.models import Standing
from annotation.protocol import TIE, VIDEOS
from catalog import batches
from catalog.models import Batch, Pair
from catalog.models.pairs import CHANGEABLE
from diptych.database.fixed import fetch_all
from qc.models import AskedForMore, Lot, Verdict
from studies.models import Study

Because = AskedForMore.Because
#: The most answers of a study that one call looks at.
AT_ONCE = 500
#: The most pairs that one statement of the sweep looks at.
PAIRS_AT_ONCE = 2_000


def _no_majority(question: str) -> str:
    """Return SQL: whether no choice has more than half of the valid answers."""
    votes = ", ".join(f"count(*) FILTER (WHERE valid AND {question} = '{choice}')" for choice in (*VIDEOS, TIE))
    return f"count(*) FILTER (WHERE valid) > 1 AND 2 * greatest({votes}) <= count(*) FILTER (WHERE valid)"


def _half_tagged(tags: str) -> str:
    """Return SQL: whether half of the valid answers give the video harm tags."""
    tagged = f"count(*) FILTER (WHERE valid AND {tags} <> '{{}}')"
    return f"{tagged} > 0 AND 2 * {tagged} = count(*) FILTER (WHERE valid)"


#: Pairs with a disputed answer that counts and that nobody was asked about since.
DISPUTED = """
SELECT judged.pair_id
  FROM qc_verdict verdict
  JOIN qc_frameitem item ON item.id = verdict.item_id
  JOIN annotation_assignment judged ON judged.id = item.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = judged.id AND standing.counted
 WHERE verdict.study_id = %(study)s AND verdict.waits_for = 'adjudicate' AND verdict.withdrawn_at IS NULL
   AND NOT EXISTS (
       SELECT FROM qc_askedformore asked
        WHERE asked.pair_id = judged.pair_id AND 'disputed' = ANY(asked.because) AND asked.asked_at > verdict.made_at)
"""
#: The next pairs by key that have no open slot, in batches in which something can be asked. What is in review or
#: accepted is not read.
CANDIDATES = """
SELECT pair.id
  FROM catalog_pair pair
 WHERE pair.study_id = %(study)s AND pair.id > %(after)s AND pair.kind = 'real' AND pair.held = ''
   AND pair.open_slots = 0 AND pair.more_asked < %(most)s AND pair.wanted > 1
   AND pair.batch_id = ANY(ARRAY(SELECT batch.id FROM catalog_batch batch WHERE batch.study_id = %(study)s
                                    AND batch.state IN ('open', 'annotated', 'returned')))
 ORDER BY pair.id LIMIT %(at_once)s
"""
#: For each of these pairs that has all its answers: what its answers do not settle, and which revisions these are. The
#: number of counted answers shows that nobody has a lease on the pair.
UNSETTLED = f"""
SELECT pair, helpfulness, harmlessness, safety, disputed, revisions FROM (
    SELECT pair, wanted, bool_or(disputed) AS disputed, count(*) AS counted, array_agg(revision ORDER BY revision),
           {_no_majority("helpfulness")}, {_no_majority("harmlessness")},
           {_half_tagged("tags_video_0")} OR {_half_tagged("tags_video_1")}
      FROM (
        SELECT pair.id AS pair, pair.wanted, pair.id IN ({DISPUTED}) AS disputed, current.id AS revision,
               standing.validity = 'valid' AS valid,
               current.helpfulness, current.harmlessness, current.tags_video_0, current.tags_video_1
          FROM catalog_pair pair
          JOIN catalog_batch batch ON batch.id = pair.batch_id
          JOIN annotation_assignment assignment ON assignment.pair_id = pair.id AND assignment.state = 'submitted'
          JOIN annotation_standing standing ON standing.assignment_id = assignment.id AND standing.counted
          JOIN annotation_annotation current ON current.id = standing.current_id
         WHERE pair.study_id = %(study)s AND pair.id = ANY(%(pairs)s)
           AND pair.kind = 'real' AND pair.held = '' AND pair.open_slots = 0 AND pair.more_asked < %(most)s
           AND batch.state IN ('open', 'annotated', 'returned')
           AND (pair.wanted > 1 OR pair.id IN ({DISPUTED}))
      ) answer
     GROUP BY pair, wanted
  ) AS votes (pair, wanted, disputed, counted, revisions, helpfulness, harmlessness, safety)
 WHERE counted = wanted
   AND (disputed OR helpfulness AND %(helpfulness)s OR harmlessness AND %(harmlessness)s OR safety AND %(safety)s)
 ORDER BY pair
"""  # noqa: S608 - of constants


def ask_where_due() -> int:
    """Look at the pairs of new and changed answers, and ask for more where they disagree. Return how many are done."""
    return sum(look_at_due(study) for study in _asking())


def ask_everywhere() -> int:
    """Look at all pairs of studies that ask for more answers. Return how many answers were asked for."""
    return sum(
        ask(study, pair) is True
        for study in _asking()
        for pairs in _candidates(study)
        for pair in unsettled(study, pairs)
    )


def _candidates(study: Study) -> Iterator[list[int]]:
    """Yield the pairs that the sweep looks at, some at a time: those that want several answers, then disputed ones."""
    about: dict[str, Any] = {"study": study.pk, "most": study.more_answers, "at_once": PAIRS_AT_ONCE, "after": 0}
    while pairs := [pair for (pair,) in fetch_all(CANDIDATES, about)]:
        yield pairs
        about["after"] = pairs[-1]
    yield [pair for (pair,) in fetch_all(DISPUTED, about)]


def _asking() -> list[Study]:
    """Return the studies that ask for more answers. In a closed one nobody could give them."""
    return list(Study.objects.filter(more_answers__gt=0).exclude(state=Study.State.CLOSED).order_by("pk"))


def look_at_due(study: Study) -> int:
    """Look at up to `AT_ONCE` due answers of a study. Return how many are done.

    Answers in a batch in review stay due, because nothing can be asked there. So do answers that changed meanwhile, and
    those of a pair that somebody has locked.
    """
    due = Standing.objects.filter(study=study, opinions_due=True)
    due = due.exclude(assignment__pair__batch__state=Batch.State.IN_REVIEW).order_by("assignment")
    rows = list(due.values_list("assignment_id", "current_id", "assignment__pair_id")[:AT_ONCE])
    asked = {pair: ask(study, pair) for pair in unsettled(study, {row[2] for row in rows})}
    done = [row for row in rows if asked.get(row[2], True) is not None]
    return _no_longer_due([row[0] for row in done], [row[1] for row in done])


@transaction.atomic
def _no_longer_due(assignments: list[int], revisions: list[int]) -> int:
    """Mark answers as looked at, except those that are locked or have a new revision. Return how many."""
    read = Standing.objects.filter(pk__in=assignments, current__in=revisions)
    free = list(read.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    return Standing.objects.filter(pk__in=free).update(opinions_due=False)


def unsettled(study: Study, pairs: Collection[int]) -> dict[int, tuple[list[str], list[int]]]:
    """Return those of the pairs on which one more answer can be asked for now.

    For each pair, return the reasons (`AskedForMore.Because`) and the revisions that disagree.
    """
    wanted = {
        Because.HELPFULNESS: study.more_for_helpfulness,
        Because.HARMLESSNESS: study.more_for_harmlessness,
        Because.SAFETY: study.more_for_safety,
        Because.DISPUTED: True,
    }
    values: dict[str, Any] = {"study": study.pk, "most": study.more_answers}
    values |= {name.value: wanted[name] for name in (Because.HELPFULNESS, Because.HARMLESSNESS, Because.SAFETY)}
    values["pairs"] = sorted(pairs)
    found: dict[int, tuple[list[str], list[int]]] = {}
    for pair, *flags, revisions in fetch_all(UNSETTLED, values):
        found[pair] = [name.value for name, flag in zip(wanted, flags, strict=True) if flag and wanted[name]], revisions
    return found


@transaction.atomic
def ask(study: Study, pair_id: int) -> bool | None:
    """Ask for one more answer on a pair, if it is still unsettled. Return None if somebody has locked it.

    1. Lock the pair, and then its batch, so that neither an answer nor a review of the batch comes between.
    2. Look at the answers again, under these locks. Of two calls at once, the second finds an open slot.
    3. Want one more answer, and write why. The number of the row is unique for the pair.
    4. Open the batch again.
    """
    rows = Pair.objects.filter(CHANGEABLE, pk=pair_id).select_related("batch")
    pair = rows.select_for_update(of=("self", "batch"), no_key=True, skip_locked=True).first()
    if pair is None:
        return None
    found = unsettled(study, [pair_id]).get(pair_id)
    if found is None:
        return False
    because, revisions = found
    more = {name: F(name) + 1 for name in ("wanted", "open_slots", "more_open", "more_asked")}
    Pair.objects.filter(pk=pair_id, open_slots=0, more_asked__lt=study.more_answers).update(**more)
    number = pair.more_asked + 1
    AskedForMore.objects.create(study=study, pair=pair, number=number, because=because, answers=revisions)
    after = {"number": number, "because": because, "answers": revisions}
    audit.record("pair.asked_for_more", pair, actor=None, study_slug=study.slug, after=after)
    batches.ask_for_more(Pair.objects.filter(pk=pair_id))
    return True


def look_at_disputed(lot: Lot) -> int:
    """Make the disputed answers of a lot due, if its study asks for more. Return how many.

    Call it when the lot is returned: while it was in review, nothing could be asked.
    """
    if not lot.study.more_answers:
        return 0
    disputed = Verdict.objects.filter(item__lot=lot, waits_for=Verdict.Waits.ADJUDICATE, withdrawn_at=None)
    standings = Standing.objects.filter(Q(pk__in=disputed.values("item__assignment")), counted=True)
    return standings.update(opinions_due=True)
