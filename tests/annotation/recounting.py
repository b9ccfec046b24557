"""Invariants of a study, counted again from its rows only, without the code that serves pairs."""

from typing import Any

from diptych.database.fixed import fetch_all

#: Each statement returns the rows that contradict its sentence. Parameter: the study.
MUST_HOLD = {
    "live leases and counted answers are at most what is wanted, and open_slots is what is left": """
        SELECT pair.id, pair.wanted, pair.open_slots, taken.leases, taken.counted
          FROM catalog_pair pair, LATERAL (
               SELECT count(*) FILTER (WHERE assignment.state = 'leased') AS leases,
                      count(*) FILTER (WHERE standing.counted) AS counted
                 FROM annotation_assignment assignment
                 LEFT JOIN annotation_standing standing ON standing.assignment_id = assignment.id
                WHERE assignment.pair_id = pair.id) taken
         WHERE pair.study_id = %(study)s
           AND (taken.leases + taken.counted > pair.wanted
                OR pair.open_slots <> pair.wanted - taken.leases - taken.counted)
    """,
    "more opinions are at most those that were asked for": """
        SELECT pair.id, pair.more_asked, pair.more_open, given.number
          FROM catalog_pair pair, LATERAL (
               SELECT count(*) AS number
                 FROM annotation_assignment assignment
                 LEFT JOIN annotation_standing standing ON standing.assignment_id = assignment.id
                WHERE assignment.pair_id = pair.id AND assignment.asked_because = 'more_opinions'
                  AND (assignment.state = 'leased' OR standing.counted
                       OR standing.uncounted_reason IN ('rejected', 'returned', 'lot_returned'))) given
         WHERE pair.study_id = %(study)s AND given.number + pair.more_open > pair.more_asked
    """,
    "nobody was given a pair twice": """
        SELECT pair_id, person_id, count(*) FROM annotation_assignment
         WHERE study_id = %(study)s AND round = 0 GROUP BY pair_id, person_id HAVING count(*) > 1
    """,
    "nobody holds more than two pairs": """
        SELECT person_id, count(*) FROM annotation_assignment
         WHERE study_id = %(study)s AND state = 'leased' GROUP BY person_id HAVING count(*) > 2
    """,
    "a standing names the kind of author of the revision that stands": """
        SELECT standing.assignment_id FROM annotation_standing standing
          JOIN annotation_annotation annotation ON annotation.id = standing.current_id
         WHERE standing.study_id = %(study)s AND annotation.author_kind <> standing.author_kind
    """,
    "no annotator's revision comes after a reviewer's": """
        SELECT assignment_id, revision, author_kind FROM annotation_annotation annotation
         WHERE annotation.study_id = %(study)s AND annotation.author_kind = 'annotator' AND EXISTS (
               SELECT FROM annotation_annotation earlier
                WHERE earlier.assignment_id = annotation.assignment_id AND earlier.revision < annotation.revision
                  AND earlier.author_kind = 'corrector')
    """,
    "an assignment is submitted if and only if it has one first revision and a standing": """
        SELECT assignment.id, assignment.state, answers.first, answers.standings
          FROM annotation_assignment assignment, LATERAL (
               SELECT (SELECT count(*) FROM annotation_annotation annotation
                        WHERE annotation.assignment_id = assignment.id AND annotation.revision = 1) AS first,
                      (SELECT count(*) FROM annotation_standing standing
                        WHERE standing.assignment_id = assignment.id) AS standings) answers
         WHERE assignment.study_id = %(study)s
           AND NOT (answers.first = answers.standings
                    AND answers.first = CASE assignment.state WHEN 'submitted' THEN 1 ELSE 0 END)
    """,
    "the last revision is the one that stands": """
        SELECT standing.assignment_id FROM annotation_standing standing
          JOIN annotation_annotation annotation ON annotation.id = standing.current_id
         WHERE standing.study_id = %(study)s AND EXISTS (
               SELECT FROM annotation_annotation later
                WHERE later.assignment_id = standing.assignment_id AND later.revision > annotation.revision)
    """,
    "a seat counts the pairs that its person was given, and the sides": """
        SELECT seat.person_id, seat.served, seat.left_balance, given.pairs, given.balance
          FROM annotation_seat seat, LATERAL (
               SELECT count(*) AS pairs,
                      coalesce(sum(CASE assignment."left" WHEN 'video_0' THEN 1 ELSE -1 END), 0) AS balance
                 FROM annotation_assignment assignment
                WHERE assignment.study_id = seat.study_id AND assignment.person_id = seat.person_id
                  AND assignment.round = 0) given
         WHERE seat.study_id = %(study)s AND (seat.served, seat.left_balance) <> (given.pairs, given.balance)
    """,
    "a seat adds up the active time of its person's answers": """
        SELECT seat.person_id, seat.active_ms, credited.active_ms
          FROM annotation_seat seat, LATERAL (
               SELECT coalesce(sum(annotation.active_ms), 0) AS active_ms FROM annotation_annotation annotation
                WHERE annotation.study_id = seat.study_id AND annotation.author_id = seat.person_id) credited
         WHERE seat.study_id = %(study)s AND seat.active_ms <> credited.active_ms
    """,
    "active time of an answer fits after the person's answer before it": """
        SELECT author_id, submitted_at, active_ms FROM (
               SELECT author_id, submitted_at, active_ms,
                      lag(submitted_at) OVER (PARTITION BY author_id ORDER BY submitted_at, id) AS before
                 FROM annotation_annotation WHERE study_id = %(study)s) answer
         WHERE active_ms > 1 + 1000 * extract(epoch FROM submitted_at - before)
    """,
    "a pair names what its prompt's labels and its videos name": """
        SELECT pair.id, pair.may_show, video.may_show, prompt.labels
          FROM catalog_pair pair
          JOIN catalog_video video ON video.id IN (pair.video_0_id, pair.video_1_id)
          JOIN catalog_prompt prompt ON prompt.id IN (pair.prompt_id, video.prompt_id)
         WHERE pair.study_id = %(study)s
           AND NOT pair.may_show @> (video.may_show || coalesce(prompt.labels, '{}'))
    """,
    "videos of the same bytes are known to show the same": """
        SELECT asset_id, array_agg(may_show::text) FROM catalog_video WHERE study_id = %(study)s
         GROUP BY asset_id HAVING count(DISTINCT may_show) > 1
    """,
    "a day's dose is what its exposures add up to": """
        SELECT person_id, day, dose.seconds, exposed.seconds
          FROM annotation_dose dose FULL JOIN (
               SELECT person_id, day, sum(seconds) AS seconds FROM (
                   SELECT person_id, day, revealed_s + expected_s AS seconds FROM annotation_exposure UNION ALL
                   SELECT person_id, day, revealed_s + expected_s FROM qc_reviewexposure) seen
                GROUP BY person_id, day) exposed USING (person_id, day)
         WHERE abs(coalesce(dose.seconds, 0) - coalesce(exposed.seconds, 0)) > 0.001
           AND person_id IN (SELECT person_id FROM annotation_seat WHERE study_id = %(study)s)
    """,
}

#: Every pair that this person could lease now, in order, without regard to lanes, positions and windows.
SERVABLE = """
SELECT pair.id
  FROM catalog_pair pair
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN annotation_seat seat ON seat.study_id = pair.study_id AND seat.person_id = %(person)s
  JOIN studies_study study ON study.id = pair.study_id
 WHERE pair.study_id = %(study)s AND pair.kind = 'real'
   AND pair.ready AND pair.held = ''
   AND study.state = 'running' AND batch.state NOT IN ('in_review', 'accepted')
   AND (pair.open_slots > 0
        OR %(reclaiming)s AND EXISTS (SELECT FROM annotation_assignment expired
                                       WHERE expired.pair_id = pair.id AND expired.state = 'leased'
                                         AND expired.expires_at < now()))
   AND NOT pair.may_show && seat.excluded
   AND (seat.languages = '{}' OR prompt.language = ANY(seat.languages))
   AND (seat.batches = '{}' OR batch.number = ANY(seat.batches))
   AND NOT EXISTS (SELECT FROM annotation_assignment had
                    WHERE had.pair_id = pair.id AND had.person_id = %(person)s
                      AND had.state IN ('offered', 'leased', 'submitted', 'skipped'))
   AND (pair.may_show = '{}' OR study.daily_dose_s = 0
        OR study.daily_dose_s > coalesce((SELECT sum(seconds) FROM annotation_dose dose
                                           WHERE dose.person_id = %(person)s AND dose.day = %(day)s), 0))
 ORDER BY pair.priority DESC, pair.id
"""


#: All statements in one: the number of the sentence, and a row as JSON.
ALL_OF_THEM = " UNION ALL ".join(
    f"SELECT {number}, to_jsonb(found) FROM ({statement}) found" for number, statement in enumerate(MUST_HOLD.values())
)


def contradictions(study_id: int) -> dict[str, list[Any]]:
    """Return the sentences that do not hold in this study, with the rows that contradict them. Empty is right."""
    found: dict[str, list[Any]] = {}
    for number, row in fetch_all(ALL_OF_THEM, {"study": study_id}):
        found.setdefault(list(MUST_HOLD)[number], []).append(row)
    return found


#: Not an invariant for all tests: tests of what a state accepts write the state directly.
ANNOTATED_AND_WANTED = """
SELECT batch.id, pair.id, pair.open_slots
  FROM catalog_batch batch JOIN catalog_pair pair ON pair.batch_id = batch.id
 WHERE batch.study_id = %(study)s AND batch.state = 'annotated' AND pair.held = ''
   AND (pair.open_slots > 0 OR EXISTS (SELECT FROM annotation_assignment assignment
                                        WHERE assignment.pair_id = pair.id AND assignment.state = 'leased'))
"""


def annotated_and_wanted(study_id: int) -> list[Any]:
    """Return the pairs of annotated batches, not held, that still want answers or are being answered. Empty is right.

    This holds as long as only `catalog.batches` changes the states of batches.
    """
    return fetch_all(ANNOTATED_AND_WANTED, {"study": study_id})


def servable(study_id: int, person_id: int, day: Any, *, reclaiming: bool = False) -> list[int]:
    """Return the pairs that the person could lease now, in the right order.

    With `reclaiming`, pairs whose leases have expired but are not swept yet are included.
    """
    values = {"study": study_id, "person": person_id, "day": day, "reclaiming": reclaiming}
    rows = fetch_all(SERVABLE, values)
    return [pair_id for (pair_id,) in rows]


def stored(study_id: int) -> dict[str, int]:
    """Return the assignment of every revision of annotators by submission id. Ids are unique by constraint."""
    statement = """
        SELECT submission_id, assignment_id FROM annotation_annotation
         WHERE study_id = %(study)s AND author_kind = 'annotator'
    """
    return {
        str(submission_id): assignment_id for submission_id, assignment_id in fetch_all(statement, {"study": study_id})
    }
