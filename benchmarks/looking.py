"""The look-here queue against as many random looks: how many more defects it finds, among valid answers only.

A simulated study is filled by COPY and its rules are run. 30 % of its defects are careless answers, of which 60 % look
fast; of the honest answers 5 % do. All answers are in one lot, and the order is that of `qc/due.py`. The claim is made
for one answer to a pair and for three. Without a trace of times the same is reported.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from benchmarks import claims, scratch
from diptych.embedded.servers import EmbeddedError

SIZE, QUICK_SIZE = 30_000, 3_000
PEOPLE = 28
#: Which share of a study is looked at, and how many times the defects of random looks the queue must find there.
SHARES, TIMES = (0.05, 0.10, 0.20), 2.0
#: Share of all answers that have a defect, and the share of these that are careless.
DEFECTS, CARELESS = 0.06, 0.3
#: People who answer in so many seconds have fast answers that are shorter than the videos of four seconds.
SECONDS = 15.0

#: The items of a lot in the order of the queue, before anything is reviewed, each with whether it is suspicious itself.
ORDER = """
SELECT assignment.pair_id, item.assignment_id, {found} IS NOT NULL OR item.signals <> '{{}}'
  FROM qc_frameitem item
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE item.lot_id = %(lot)s ORDER BY {order}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One study: how many times the defects of random looks are found at each of `SHARES`.

    by_answer: if each look took only the answer that the queue chose. by_sitting: as the review page does it.
    """

    overlap: int
    trace: bool
    answers: int
    defects: float
    careless: float
    by_sitting: tuple[float, ...]
    by_answer: tuple[float, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--answers", type=int, metavar="N", help=f"number of answers (default: {SIZE:,})")
    options = parser.parse_args(arguments)
    answers = options.answers or (QUICK_SIZE if options.quick else SIZE)
    try:
        with scratch.servers("diptych.settings"):
            runs = [
                measure(answers, overlap, trace=trace)
                for overlap, trace in ((1, True), (3, True), (1, False), (3, False))
            ]
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(runs)
    print(f"\n{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": [asdict(run) for run in runs]})
    return 0


def crowd(careless: float, seed: int) -> list[Any]:
    """Return people who err where two videos differ little, and who are careless in a share of their answers."""
    from simulation.people import broken
    from simulation.people import crowd as spread

    people = [replace(one, seconds=SECONDS) for one in spread(PEOPLE, seed, accuracies=(0.72, 0.86), careless=careless)]
    return broken(people, ["difficulty"], seed)


def careless_share(seed: int) -> float:
    """Return the share of careless answers with which they are `CARELESS` of the defects."""
    from simulation.truth import plant
    from simulation.work import work_through

    world = plant(4_000, seed)
    found = []
    for careless in (0.02, 0.04, 0.06, 0.08, 0.09, 0.1, 0.11, 0.12, 0.14):
        table = work_through(world, crowd(careless, seed), seed, 3)
        defective = planted(world, table)
        found.append((abs(table.sheet.careless[defective].mean() - CARELESS), careless))
    return min(found)[1]


def planted(world: Any, table: Any) -> Any:
    """Return which valid answers have a defect, by their row: the clearest mistakes, `DEFECTS` of all."""
    import numpy as np

    from simulation.reviewers import bar_for, severity

    valid = ~table.sheet.contradictory
    clear = severity(world, table.pair, table.sheet).max(axis=1) * valid
    return np.flatnonzero(clear >= bar_for(clear, round(DEFECTS * int(valid.sum()))))


def measure(answers: int, overlap: int, *, trace: bool) -> Run:
    """Fill a study, run its rules, order its only lot, and compare with random looks."""
    import numpy as np

    from simulation import filling, material, people, truth

    seed, usual = 1, people.FAST
    people.FAST = usual if trace else 1.0
    try:
        simulated = material.make_study(
            f"look-{overlap}-{'times' if trace else 'none'}", seed, people=PEOPLE, reviewers=1, researchers=1,
            overlap=overlap,
        )  # fmt: skip
        crew = crowd(careless_share(seed), seed)
        work = filling.Filling(simulated, crew, seed, answers, overlap)
        work.fill()
        world = truth.plant(work.pairs, seed)
        table = work.answers_to(world, answers, [0] * PEOPLE)
    finally:
        people.FAST = usual
    real = np.isin(np.arange(len(table)), planted(world, table))
    order = ordered(simulated)
    place = {key: row for row, key in enumerate(assignments(simulated))}
    hits = np.array([real[place[assignment]] for _pair, assignment, _suspicious in order])
    return Run(
        overlap=overlap,
        trace=trace,
        answers=len(order),
        defects=round(float(hits.mean()), 4),
        careless=round(float(table.sheet.careless[real].mean()), 3),
        by_sitting=tuple(times(hits[by_sitting(order)], share) for share in SHARES),
        by_answer=tuple(times(hits, share) for share in SHARES),
    )


def assignments(simulated: Any) -> list[int]:
    """Return the keys of all assignments in the order in which they were filled."""
    from annotation.models import Assignment

    return list(Assignment.objects.filter(study=simulated.study).order_by("pk").values_list("pk", flat=True))


def ordered(simulated: Any) -> list[tuple[int, int, bool]]:
    """Run the rules, and put all answers into one lot. Return pair, assignment and whether the answer is suspicious.

    They are in the order of the queue.
    """
    from benchmarks.reviewed_study import find
    from catalog.models import Batch
    from diptych.database.fixed import fetch_all
    from qc import due, looking, lots
    from qc.models.reviews import Kind

    find(simulated)
    study, head = simulated.study, simulated.researchers[0]
    numbers = list(Batch.objects.filter(study=study).order_by("number").values_list("number", flat=True))
    lot = lots.put_together(study, numbers, actor=head)
    lots.start(lot, actor=head)
    statement = ORDER.format(found=looking.FOUND, order=due.ORDER[Kind.LOOK])
    return fetch_all(statement, {"lot": lot.pk})


def by_sitting(order: Sequence[tuple[int, int, bool]]) -> list[int]:
    """Return the places of the answers in the order in which they are seen: a pair's suspicious ones, or all."""
    of: dict[tuple[int, bool], list[int]] = {}
    for place, (pair, _assignment, suspicious) in enumerate(order):
        of.setdefault((pair, suspicious), []).append(place)
    return [place for places in of.values() for place in places]


def times(hits: Any, share: float) -> float:
    """Return how many times the defects of random looks are among the first so large share."""
    first = hits[: max(1, round(share * len(hits)))]
    return round(float(first.mean() / hits.mean()), 2)


def judge(runs: Sequence[Run]) -> list[claims.Claim]:
    return [
        claims.at_least(f"{share:.0%} of a study, {run.overlap} a pair", found, TIMES, "times the defects")
        for run in runs
        if run.trace
        for share, found in zip(SHARES, run.by_sitting, strict=True)
    ]


def summary_table(runs: Sequence[Run]) -> str:
    heads = [
        "answers a pair",
        "times",
        "valid answers",
        "defects",
        "careless",
        *(f"at {share:.0%}" for share in SHARES),
    ]
    rows = [
        [
            run.overlap, "yes" if run.trace else "no", f"{run.answers:,}", f"{run.defects:.1%}",
            f"{run.careless:.0%}",
            *(f"{pair:.2f} ({one:.2f})" for pair, one in zip(run.by_sitting, run.by_answer, strict=True)),
        ]
        for run in runs
    ]  # fmt: skip
    return claims.table(heads, rows)


if __name__ == "__main__":
    sys.exit(main())
