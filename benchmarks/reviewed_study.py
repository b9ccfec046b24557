"""A study of many answers in every stage of quality control, filled by COPY and a few statements.

It is `manage.py simulate_study --fill`, with its findings, and with lots of batches: accepted ones whose reviews are
written by INSERT … SELECT, one in secondary review, some in their spot
check, one with a tenth of the study, and a draft.
"""

import time
from dataclasses import dataclass
from typing import Any

#: The fewest people, the answers that each gives in larger studies, and answers to a pair.
PEOPLE, ANSWERS_A_PERSON, REVIEWERS, OVERLAP = 28, 2_000, 4, 3
#: Share of the batches that are in accepted lots, each in one of its own.
ACCEPTED = 0.8
#: The most lots in their spot check, beside the large one.
SPOTS = 10
#: Batches of the large lot, as a share of all.
LARGE = 0.1
#: Pairs beside the answered ones that still need answers, so that pairs can be leased.
OPEN_PAIRS = 3_000

#: Everything that the spot check of a lot needs is reviewed by one researcher. Every 40th answer has a defect.
REVIEWED = """
INSERT INTO qc_review (study_id, lot_id, item_id, pair_id, reviewer_id, kind, blind, sitting, "left", state,
                       lease_number, leased_at, expires_at, shown_at, revealed_at, ended_at, skip_reason, look_reasons)
SELECT item.study_id, item.lot_id, item.id, assignment.pair_id, %(person)s::bigint, %(kind)s::varchar,
       %(kind)s::varchar = 'spot', gen_random_uuid(), 'video_0', 'submitted', 1,
       now() - interval '10 minutes', now() + interval '10 minutes',
       now() - interval '10 minutes', now() - interval '10 minutes', now(), '', '{}'
  FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
 WHERE item.lot_id = %(lot)s AND (%(kind)s::varchar = 'secondary' AND item.place <= %(most)s::int
       OR %(kind)s::varchar = 'spot'
          AND (item.sample_place <= %(most)s::int OR item.place <= least(%(most)s::int, lot.sample_size)))
"""
JUDGED = """
INSERT INTO qc_verdict (study_id, review_id, item_id, annotation_id, "row", ruling, code, comment, own, made_at,
                        waits_for, counts, confirmed_by_id, confirmed_at)
SELECT item.study_id, review.id, item.id, coalesce(item.judged_id, item.first_id), 'helpfulness',
       CASE WHEN mod(item.id, 40) = 0 THEN 'defect' ELSE 'fine' END,
       CASE WHEN mod(item.id, 40) = 0 THEN 'overlooked' ELSE '' END, '',
       CASE WHEN mod(item.id, 40) = 0 THEN '"video_1"'::jsonb END, now(),
       CASE WHEN mod(item.id, 80) = 0 AND %(waits)s::boolean THEN 'confirm' ELSE '' END,
       CASE WHEN mod(item.id, 80) = 0 AND %(waits)s::boolean THEN NULL ELSE mod(item.id, 40) = 0 END,
       CASE WHEN mod(item.id, 40) = 0 AND NOT (mod(item.id, 80) = 0 AND %(waits)s::boolean) THEN %(other)s::bigint END,
       CASE WHEN mod(item.id, 40) = 0 AND NOT (mod(item.id, 80) = 0 AND %(waits)s::boolean) THEN now() END
  FROM qc_review review JOIN qc_frameitem item ON item.id = review.item_id
 WHERE review.lot_id = %(lot)s AND review.kind = %(kind)s::varchar AND mod(item.id, 10) = 0
"""


@dataclass(frozen=True)
class ReviewedStudy:
    """The study, its people, and its lots in each stage."""

    simulated: Any
    accepted: Any
    secondary: Any
    spot: Any
    large: Any
    draft: Any

    @property
    def study(self) -> Any:
        return self.simulated.study


def fill(answers: int) -> ReviewedStudy:
    """Fill a study with that many answers, and print how long each part takes."""
    from simulation import filling
    from simulation.material import make_study
    from simulation.people import crowd

    began = time.perf_counter()

    def told(what: str) -> None:
        print(f"  {time.perf_counter() - began:6.0f} s  {what}", flush=True)

    people = max(PEOPLE, answers // ANSWERS_A_PERSON)
    simulated = make_study("large", 1, people=people, reviewers=REVIEWERS, researchers=REVIEWERS, overlap=OVERLAP)
    _sign_in_freely(simulated)
    # There are about 570 batches in any large study, and so nearly 500 lots.
    filling.PAIRS_A_BATCH = max(10, answers // 1_700)
    filling.Filling(simulated, crowd(people, 1), 1, answers, OVERLAP).fill()
    told(f"{answers:,} answers")
    _open_pairs(simulated, answers)
    find(simulated)
    told("rules")
    reviewed = _lots(simulated)
    told("lots and reviews")
    _count(simulated)
    told("stored figures")
    _vacuum()
    told("vacuum")
    return reviewed


def _sign_in_freely(simulated: Any) -> None:
    """Let everybody open pages without choosing a password first."""
    from accounts.models import User

    everybody = [*simulated.annotators, *simulated.reviewers, *simulated.researchers]
    User.objects.filter(pk__in=[person.pk for person in everybody]).update(must_change_password=False)


def _open_pairs(simulated: Any, answers: int) -> None:
    """Add pairs that nobody has answered, so that a pair can be leased."""
    import numpy as np

    from catalog.models import Batch
    from simulation.material import write_pairs
    from simulation.truth import plant

    last = Batch.objects.filter(study=simulated.study).order_by("-number").first()
    batch = Batch.objects.create(study=simulated.study, number=last.number + 1 if last else 1)
    world = plant(OPEN_PAIRS, 1, first=answers)
    wanted = np.full(OPEN_PAIRS, OVERLAP, dtype=np.int64)
    write_pairs(simulated.study, world, wanted, wanted, [batch.pk] * OPEN_PAIRS)


def find(simulated: Any) -> None:
    """Run all rules that are on, as the background job does."""
    from annotation.models import Standing
    from findings import runs
    from findings.models import FindingsRun

    Standing.objects.filter(study=simulated.study).update(rules_due=False)
    job = runs.run_rules(simulated.study, actor=simulated.researchers[0])
    if job.is_open:
        runs.run(job.pk)
    job = FindingsRun.objects.get(pk=job.pk)
    if job.state != "done":
        raise SystemExit(f"The run of the rules ended as {job.state}: {job.reason}")


def _count(simulated: Any) -> None:
    """Store the figures that tasks and people store in a study that works: what waits, agreement, annotators."""
    from answers import sums
    from figures import figure_jobs
    from figures.models import StudyFigures
    from figures.overview import stored

    sums.add_up()
    stored.ask(simulated.study)
    stored.count(simulated.study.pk)
    for kind in StudyFigures.Kind.values:
        job = figure_jobs.compute(simulated.study, kind, actor=simulated.researchers[0])
        figure_jobs.run(job.pk)


def _lots(simulated: Any) -> ReviewedStudy:
    from catalog.models import Batch
    from qc import lots

    study, head = simulated.study, simulated.researchers[0]
    numbers = list(
        Batch.objects.filter(study=study, state="annotated").order_by("number").values_list("number", flat=True)
    )
    many, large = max(1, int(ACCEPTED * len(numbers))), max(1, int(LARGE * len(numbers)))
    accepted = [_accepted(simulated, [number]) for number in numbers[:many]]
    rest = numbers[many:]
    secondary = _started(simulated, rest[:1], secondary_share=1.0)
    _review(simulated, secondary, "secondary", waits=True)
    singles = max(1, min(SPOTS, len(rest) // 4))
    spots = [_started(simulated, [number], secondary_share=0.0) for number in rest[1 : 1 + singles]]
    whole = _started(simulated, rest[1 + singles : 1 + singles + large], secondary_share=0.0)
    for spot in (*spots, whole):
        _review(simulated, spot, "spot", waits=True)
    draft = lots.put_together(study, rest[1 + singles + large :][:SPOTS] or rest[-1:], actor=head)
    return ReviewedStudy(simulated, accepted[-1], secondary, spots[0], whole, draft)


def _started(simulated: Any, numbers: list[int], *, secondary_share: float) -> Any:
    """Return a lot of these batches whose review has started, without secondary review if the share is 0."""
    from qc import lots

    study, head = simulated.study, simulated.researchers[0]
    study.secondary_share = secondary_share
    study.save(update_fields=["secondary_share"])
    lot = lots.put_together(study, numbers, actor=head)
    lots.start(lot, actor=head)
    return lot


def _review(simulated: Any, lot: Any, kind: str, *, waits: bool) -> None:
    """Write reviews of half of what is due, with a part of their defects waiting, or of all of it if nothing waits."""
    from diptych.database.fixed import change

    lot.refresh_from_db()
    whole = lot.frame_size if kind == "secondary" else lot.sample_size
    team = simulated.reviewers if kind == "secondary" else simulated.researchers
    values = {"lot": lot.pk, "kind": kind, "most": whole // 2 if waits else whole, "waits": waits}
    change(REVIEWED, values | {"person": team[0].pk})
    change(JUDGED, values | {"other": team[1].pk})


def _accepted(simulated: Any, numbers: list[int]) -> Any:
    from qc import decisions

    lot = _started(simulated, numbers, secondary_share=0.0)
    _review(simulated, lot, "spot", waits=False)
    wanted = decisions.Wanted("accepted", "As the plan says.", against_plan=True)
    decisions.decide(lot, wanted, actor=simulated.researchers[0])
    return lot


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
