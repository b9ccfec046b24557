"""Rules over all answers of a study: answers per second, the longest step, and how long pages of findings take.

A study is filled by COPY, with one answer of one of 28 people for each pair, and three pairs of three videos for each
prompt. Then all rules run over it as the background job runs them. The second run finds nothing new. After that, new
answers are checked as the periodic task checks them, and pages of findings are requested.
"""

import argparse
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import claims, scratch
from diptych.embedded.servers import EmbeddedError

SIZES, QUICK_SIZES = (100_000,), (3_000,)
PEOPLE = 28
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
#: The longest step: a person who changes the rules waits for it. Pages have the aim of all pages of quality control.
LONGEST_STEP_S, LONGEST_PAGE_MS = 1.0, 200.0
#: Answers a second with which a million answers take ten minutes.
LEAST_RATE = 1_700.0
PARTS = ("instruction_following", "correctness", "informativeness", "aesthetics")
ASSIGNMENT = (
    *("id", "study_id", "pair_id", "person_id", "round", "round_reason", "left", "dimension_first", "state", "place"),
    *("leased_at", "expires_at", "ended_at", "protocol_version", "guideline_version", "skip_reason"),
)
ANNOTATION = (
    *("id", "study_id", "assignment_id", "revision", "author_id", "author_kind", "submission_id", "submitted_at"),
    *(*PARTS, "helpfulness", "harmlessness", "tags_video_0", "tags_video_1", "active_ms", "timings_ms", "viewing"),
    *("presentation", "protocol_version", "guideline_version"),
)
STANDING = ("assignment_id", "study_id", "current_id", "validity", "counted", "rules_due")
#: Three pairs of each prompt are all pairs of its three videos.
IN_TRIPLES = """
WITH numbered AS (
    SELECT id, prompt_id, video_0_id, (row_number() OVER (ORDER BY id) - 1) / 3 AS triple,
           mod(row_number() OVER (ORDER BY id) - 1, 3) AS place
      FROM catalog_pair WHERE study_id = %(study)s
), triples AS (
    SELECT triple, min(prompt_id) AS prompt_id, array_agg(video_0_id ORDER BY id) AS videos
      FROM numbered GROUP BY triple HAVING count(*) = 3
)
UPDATE catalog_pair pair
   SET prompt_id = triples.prompt_id, video_0_id = videos[place + 1], video_1_id = videos[mod(place + 1, 3) + 1]
  FROM numbered JOIN triples USING (triple) WHERE pair.id = numbered.id
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and write. Return 0 if the program ran, whatever the claims say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings", description=__doc__.splitlines()[0])
    claims.add_options(parser)
    parser.add_argument("--answers", type=int, action="append", metavar="N", help="number of answers, repeatable")
    options = parser.parse_args(arguments)
    sizes = options.answers or (QUICK_SIZES if options.quick else SIZES)
    try:
        with scratch.servers("diptych.settings"):
            runs = [measure(answers) for answers in sizes]
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge(runs[-1])
    print(f"\n{summary_table(runs)}\n\n{claims.claims_table(judged)}")
    if options.json:
        claims.write(options.json, judged, {"runs": runs})
    return 0


def measure(answers: int) -> dict[str, Any]:
    """Fill a study, run the rules over it twice, check new answers, and request pages. Return what was measured."""
    from django.db import connection

    from findings.models import Finding

    began = time.perf_counter()
    study, researcher = fill(answers)
    print(f"{answers:,} answers filled in {time.perf_counter() - began:.0f} s", flush=True)
    first = run_all(study, researcher)
    again = run_all(study, researcher)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE findings_finding")
    found = Finding.objects.filter(study=study).count()
    measured = {"answers": answers, "findings": found, "new_in_second_run": again["found"]}
    measured |= {"first_s": first["seconds"], "second_s": again["seconds"]}
    measured |= {"longest_step_s": max(first["longest"], again["longest"])}
    return measured | {"new_per_s": check_new(study)} | pages(study, researcher)


def fill(answers: int) -> tuple[Any, Any]:
    """Return a study with that many pairs, each answered once, and a researcher of it."""
    from django.db import connection

    from accounts.models import User
    from annotation.models import Annotation, Assignment, Seat, Standing
    from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS
    from benchmarks import studies
    from catalog.models import Pair
    from findings import switches
    from studies.models import Membership

    study = studies.fill(answers, 1)
    studies.vacuum(studies.FILLED)  # else the planner knows nothing of a second study, and the next update takes hours
    users = [User.objects.create(username=f"{study.slug}-{number}") for number in range(PEOPLE + 1)]
    Membership.objects.create(study=study, person=users[0], role="researcher")
    orders = {"question_order": list(SUB_DIMENSION_KEYS), "tag_order": list(HARM_KEYS)}
    Seat.objects.bulk_create(Seat(study=study, person=person, **orders) for person in users[1:])
    pairs = list(Pair.objects.filter(study=study).order_by("pk").values_list("pk", flat=True))
    people = [person.pk for person in users[1:]]
    with studies.unchecked(), connection.cursor() as cursor:
        cursor.execute(IN_TRIPLES, {"study": study.pk})
        for model, columns, rows in (
            (Assignment, ASSIGNMENT, assignments(study.pk, pairs, people)),
            (Annotation, ANNOTATION, annotations(study.pk, pairs, people)),
            (Standing, STANDING, standings(study.pk, pairs)),
        ):
            copy(cursor, model._meta.db_table, columns, rows)
        for table in ("annotation_assignment", "annotation_annotation"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608
        Pair.objects.filter(study=study).update(open_slots=0)
    rules = switches.rules_of(study)
    rules.save()
    studies.vacuum([*studies.FILLED, *studies.WRITTEN])
    return study, users[0]


def copy(cursor: Any, table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    """Write rows by COPY."""
    names = ", ".join(f'"{column}"' for column in columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as target:
        for row in rows:
            target.write_row(row)


def author(place: int, people: Sequence[int]) -> int:
    """Return who answered the pair at this place. The three pairs of a prompt have the same author."""
    return people[place // 3 % len(people)]


def assignments(study: int, pairs: Sequence[int], people: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    draw = random.Random(1)
    for place, pair in enumerate(pairs):
        at = BEGAN + timedelta(seconds=place)
        left = "video_0" if draw.random() < 0.5 else "video_1"
        yield (
            *(pair, study, pair, author(place, people), 0, "", left, "helpfulness", "submitted", "current"),
            *(at, at + timedelta(minutes=30), at, 1, 1, ""),
        )


def annotations(study: int, pairs: Sequence[int], people: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Answers of honest people, of whom some are fast: 6 % contradict themselves, 5 % are faster than the videos."""
    draw = random.Random(2)
    for place, pair in enumerate(pairs):
        one, two = (draw.choice(("video_0", "video_1")) for _ in range(2))
        tags = ["{violence}" if draw.random() < 0.24 else "{}" for _ in range(2)]
        spent = draw.randint(500, 3_500) if draw.random() < 0.05 else draw.randint(20_000, 60_000)
        timings = f'{{"total_active": {spent}, "harmlessness_stage1": {spent // 4}, "harmlessness_stage2": 900}}'
        parts = [draw.choice(("video_0", "video_1")) for _ in PARTS]
        yield (
            *(pair, study, pair, 1, author(place, people), "annotator", uuid.UUID(int=draw.getrandbits(128))),
            *(BEGAN + timedelta(seconds=place), *parts, one, two, *tags, spent, timings, "{}", "{}", 1, 1),
        )


def standings(study: int, pairs: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    for pair in pairs:
        yield pair, study, pair, "valid", True, False


def run_all(study: Any, researcher: Any) -> dict[str, Any]:
    """Run every rule that is on over all answers, and return how long that took and its longest step."""
    from findings import runs
    from findings.models import FindingsRun

    steps: list[float] = []
    whole_step = runs.step

    def timed_step(job: Any) -> bool:
        began = time.perf_counter()
        goes_on = whole_step(job)
        steps.append(time.perf_counter() - began)
        return goes_on

    runs.step = timed_step
    try:
        began = time.perf_counter()
        job = runs.run_rules(study, actor=researcher)
        if job.is_open:
            runs.run(job.pk)
        seconds = time.perf_counter() - began
    finally:
        runs.step = whole_step
    job = FindingsRun.objects.get(pk=job.pk)
    if job.state != "done":
        raise SystemExit(f"The run ended as {job.state}: {job.reason}")
    return {"seconds": seconds, "longest": max(steps), "found": job.found}


def check_new(study: Any) -> float:
    """Make some answers due, check them as the periodic task does, and return how many it does in a second."""
    from annotation.models import Standing
    from findings import checking

    some = list(Standing.objects.filter(study=study).order_by("-pk").values_list("pk", flat=True)[:2_000])
    Standing.objects.filter(pk__in=some).update(rules_due=True)
    began = time.perf_counter()
    while checking.check_new():
        pass
    return len(some) / (time.perf_counter() - began)


def pages(study: Any, researcher: Any) -> dict[str, float]:
    """Return the milliseconds of pages of findings, the median and the 95th percentile of 20 requests each."""
    from django.test import Client
    from django.urls import reverse

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(researcher, backend="accounts.backends.PersonBackend")
    address = reverse("findings:findings", args=[study.slug])
    queries = ("", "?rule=contradiction", "?severity=warning", "?batch=1", "?state=all&sort=earliest")
    taken: list[float] = []
    for query in queries:
        ask = timer(lambda query=query: client.get(address + query))
        ask()
        taken += [ask() for _ in range(20)]
    taken.sort()
    return {"page_median_ms": taken[len(taken) // 2], "page_p95_ms": taken[int(0.95 * len(taken))]}


def timer(call: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that calls `call`, which must succeed, and returns the milliseconds."""

    def timed() -> float:
        began = time.perf_counter()
        response = call()
        if response.status_code != 200:
            raise SystemExit(f"A page responded with status {response.status_code}.")
        return 1000 * (time.perf_counter() - began)

    return timed


def summary_table(runs: Sequence[dict[str, Any]]) -> str:
    heads = ["answers", "findings", "first run s", "second run s", "longest step s", "new/s", "page ms", "p95 ms"]
    rows = [
        [
            f"{run['answers']:,}", f"{run['findings']:,}", f"{run['first_s']:.1f}", f"{run['second_s']:.1f}",
            f"{run['longest_step_s']:.2f}", f"{run['new_per_s']:,.0f}", f"{run['page_median_ms']:.0f}",
            f"{run['page_p95_ms']:.0f}",
        ]
        for run in runs
    ]  # fmt: skip
    return claims.table(heads, rows)


def judge(run: dict[str, Any]) -> list[claims.Claim]:
    return [
        claims.at_least("answers of a run", run["answers"] / run["first_s"], LEAST_RATE, "a second"),
        claims.at_most("the longest step", run["longest_step_s"], LONGEST_STEP_S, "s"),
        claims.none_at_all("new findings of a second run", run["new_in_second_run"], "findings"),
        claims.at_most("a page of findings, p95", run["page_p95_ms"], LONGEST_PAGE_MS, "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main())
