"""The rules as SQL. Each is a SELECT of `assignment_id` and `evidence` (jsonb).

Rules about single answers read `answers` (`ANSWERS`). The two rules about several answers have a scope of their own:
all answers of one person (`SIDES`), or all answers on some prompts (`EDGES`).
"""

from findings import rule_codes
from findings.rules import IN_A_ROW, LITTLE_SHARE, QUICK_NONE_MS, RULES, Rule

#: The answers of some assignments, with their first and current revisions.
ANSWERS = """
SELECT mine.id AS assignment_id, mine.person_id, mine.pair_id, mine.round, mine.left, mine.ended_at,
       pair.kind, pair.prompt_id, pair.video_0_id, pair.video_1_id,
       stands.current_id AS annotation_id,
       now_.instruction_following, now_.correctness, now_.informativeness, now_.aesthetics,
       now_.helpfulness, now_.harmlessness, now_.tags_video_0, now_.tags_video_1,
       first.helpfulness AS first_helpfulness, first.harmlessness AS first_harmlessness,
       cardinality(first.tags_video_0) + cardinality(first.tags_video_1) AS first_tags,
       CASE WHEN jsonb_typeof(first.timings_ms) = 'object' THEN first.timings_ms ELSE '{}' END AS timings_ms,
       CASE WHEN jsonb_typeof(first.viewing) = 'object' THEN first.viewing ELSE '{}' END AS viewing
  FROM annotation_assignment mine
  JOIN annotation_standing stands ON stands.assignment_id = mine.id
  JOIN annotation_annotation now_ ON now_.id = stands.current_id
  JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
  JOIN catalog_pair pair ON pair.id = mine.pair_id
 WHERE mine.study_id = %(study)s AND mine.id = ANY(%(ids)s)
"""

_CONTRADICTION = """
SELECT assignment_id,
       jsonb_build_object('safer', harmlessness, 'tags', to_jsonb(tags_video_0 || tags_video_1)) AS evidence
  FROM answers
 WHERE harmlessness = CASE WHEN cardinality(tags_video_0) > 0 AND cardinality(tags_video_1) = 0 THEN 'video_0'
                           WHEN cardinality(tags_video_1) > 0 AND cardinality(tags_video_0) = 0 THEN 'video_1' END
"""

#: The earlier pair is a real one of the same two videos, in either order. `pair_once_in_either_order` finds it.
_SWAPPED_REPEAT = """
SELECT answers.assignment_id,
       jsonb_build_object('questions', to_jsonb(array_remove(ARRAY[
           CASE WHEN first_helpful IS DISTINCT FROM again_helpful THEN 'helpfulness' END,
           CASE WHEN first_harmless IS DISTINCT FROM again_harmless THEN 'harmlessness' END], NULL)),
           'earlier', earlier.public_id) AS evidence
  FROM answers,
       LATERAL (
           SELECT before_.public_id, before_.left_video,
                  CASE before_.helpfulness WHEN 'video_0' THEN before_.video_0_id
                                           WHEN 'video_1' THEN before_.video_1_id END AS first_helpful,
                  CASE before_.harmlessness WHEN 'video_0' THEN before_.video_0_id
                                            WHEN 'video_1' THEN before_.video_1_id END AS first_harmless
             FROM (SELECT twin.public_id, twin.video_0_id, twin.video_1_id, other.ended_at,
                          CASE other.left WHEN 'video_0' THEN twin.video_0_id ELSE twin.video_1_id END AS left_video,
                          first.helpfulness, first.harmlessness
                     FROM catalog_pair twin
                     JOIN annotation_assignment other
                       ON other.pair_id = twin.id AND other.person_id = answers.person_id
                          AND other.state = 'submitted' AND other.ended_at < answers.ended_at
                     JOIN annotation_annotation first ON first.assignment_id = other.id AND first.revision = 1
                    WHERE least(twin.video_0_id, twin.video_1_id) = least(answers.video_0_id, answers.video_1_id)
                      AND greatest(twin.video_0_id, twin.video_1_id)
                          = greatest(answers.video_0_id, answers.video_1_id)
                      AND twin.kind = 'real') before_
            ORDER BY before_.ended_at DESC LIMIT 1
       ) earlier,
       LATERAL (
           SELECT CASE answers.left WHEN 'video_0' THEN answers.video_0_id ELSE answers.video_1_id END AS left_video,
                  CASE answers.first_helpfulness WHEN 'video_0' THEN answers.video_0_id
                                                 WHEN 'video_1' THEN answers.video_1_id END AS again_helpful,
                  CASE answers.first_harmlessness WHEN 'video_0' THEN answers.video_0_id
                                                  WHEN 'video_1' THEN answers.video_1_id END AS again_harmless
       ) again
 WHERE (answers.kind = 'control' OR answers.round > 0) AND earlier.left_video <> again.left_video
   AND (first_helpful IS DISTINCT FROM again_helpful OR first_harmless IS DISTINCT FROM again_harmless)
"""

#: The time is the active time that the page reported, or the time for which a video played, whichever is longer.
#: A video that is only watched, without a movement of the mouse, soon adds no active time.
_FASTER_THAN_VIDEOS = """
SELECT assignment_id,
       jsonb_build_object('answered_ms', answered_ms, 'video_ms', video_ms, 'speed', speed) AS evidence
  FROM (
      SELECT timed.assignment_id, timed.answered_ms, timed.video_ms,
             CASE WHEN jsonb_typeof(timed.viewing #> '{presentation,speeds}') = 'object' THEN
                 (SELECT greatest(1, max(speed::numeric))
                    FROM jsonb_object_keys(timed.viewing #> '{presentation,speeds}') speed
                   WHERE speed ~ '^[0-9]{1,2}([.][0-9]{1,4})?$')
             ELSE 1 END AS speed
        FROM (
            SELECT answers.assignment_id, answers.viewing,
                   greatest((answers.timings_ms ->> 'total_active')::numeric, played_ms)::bigint AS answered_ms,
                   (1000 * greatest(asset_0.duration_s, asset_1.duration_s))::bigint AS video_ms
              FROM answers
              JOIN catalog_video video_0 ON video_0.id = answers.video_0_id
              JOIN catalog_video video_1 ON video_1.id = answers.video_1_id
              JOIN media_asset asset_0 ON asset_0.id = video_0.asset_id
              JOIN media_asset asset_1 ON asset_1.id = video_1.asset_id,
                   LATERAL (
                       SELECT max(1000 * least((played)::numeric, 1e9)) AS played_ms
                         FROM (VALUES (answers.viewing #> '{video_0,played_s}'),
                                      (answers.viewing #> '{video_1,played_s}')) report (played)
                        WHERE jsonb_typeof(played) = 'number'
                   ) played
             WHERE jsonb_typeof(answers.timings_ms -> 'total_active') = 'number' AND asset_0.id <> asset_1.id
        ) timed
       WHERE timed.answered_ms < timed.video_ms
  ) fast
 WHERE answered_ms * speed < video_ms
"""

_QUICK_NONE = f"""
SELECT assignment_id, jsonb_build_object('chosen_ms', chosen_ms) AS evidence
  FROM (
      SELECT assignment_id,
             CASE WHEN jsonb_typeof(timings_ms -> 'harmlessness_stage1') = 'number'
                  THEN (timings_ms ->> 'harmlessness_stage1')::numeric::bigint ELSE 0 END AS chosen_ms
        FROM answers
       WHERE first_tags = 0 AND timings_ms ?| ARRAY['harmlessness_stage1', 'harmlessness_stage2']
  ) timed
 WHERE chosen_ms < {QUICK_NONE_MS}
"""  # noqa: S608 - of a number of ours

#: Seconds of playing count at any speed and also while the page was in the background: the rule accuses nobody who let
#: the videos play.
_LITTLE_SEEN = f"""
SELECT answers.assignment_id,
       jsonb_build_object('videos', jsonb_agg(report.number ORDER BY report.number),
                          'played_s', jsonb_agg(round(played.seconds::numeric, 1) ORDER BY report.number),
                          'video_s', jsonb_agg(round(asset.duration_s::numeric, 1) ORDER BY report.number)) AS evidence
  FROM answers,
       LATERAL (VALUES (0, answers.video_0_id, answers.viewing #> '{{video_0,played_s}}'),
                       (1, answers.video_1_id, answers.viewing #> '{{video_1,played_s}}'))
           report (number, video_id, played_s)
  JOIN catalog_video video ON video.id = report.video_id
  JOIN media_asset asset ON asset.id = video.asset_id,
       LATERAL (SELECT CASE WHEN jsonb_typeof(report.played_s) = 'number'
                            THEN least((report.played_s)::numeric, 1e9) END AS seconds) played
 WHERE played.seconds < {LITTLE_SHARE} * asset.duration_s
 GROUP BY answers.assignment_id
"""  # noqa: S608 - of a number of ours

_OVERALL_AGAINST_PARTS = """
SELECT assignment_id,
       jsonb_build_object('parts', instruction_following, 'overall', helpfulness) AS evidence
  FROM answers
 WHERE instruction_following IN ('video_0', 'video_1') AND correctness = instruction_following
   AND informativeness = instruction_following AND aesthetics = instruction_following
   AND helpfulness = CASE instruction_following WHEN 'video_0' THEN 'video_1' ELSE 'video_0' END
"""

_TAGS_AGAINST_LABELS = """
SELECT answers.assignment_id,
       jsonb_build_object('tags', to_jsonb(tags_video_0 || tags_video_1), 'labels', to_jsonb(prompt.labels),
                          'labelled_by', prompt.labelled_by) AS evidence
  FROM answers JOIN catalog_prompt prompt ON prompt.id = answers.prompt_id
 WHERE prompt.labels IS NOT NULL AND NOT (tags_video_0 || tags_video_1) && prompt.labels
   AND cardinality(tags_video_0) + cardinality(tags_video_1) + cardinality(prompt.labels) > 0
"""

_OF_ONE_ANSWER = {
    rule_codes.CONTRADICTION: _CONTRADICTION,
    rule_codes.SWAPPED_REPEAT: _SWAPPED_REPEAT,
    rule_codes.FASTER_THAN_VIDEOS: _FASTER_THAN_VIDEOS,
    rule_codes.QUICK_NONE: _QUICK_NONE,
    rule_codes.LITTLE_SEEN: _LITTLE_SEEN,
    rule_codes.OVERALL_AGAINST_PARTS: _OVERALL_AGAINST_PARTS,
    rule_codes.TAGS_AGAINST_LABELS: _TAGS_AGAINST_LABELS,
}
OF_ONE_ANSWER = tuple(_OF_ONE_ANSWER)

#: Joined to every rule that uses a model: test and evaluation prompts are exempt, whatever the rule itself does.
_EXEMPT = """
 WHERE NOT EXISTS (
     SELECT FROM answers JOIN catalog_prompt prompt ON prompt.id = answers.prompt_id
      WHERE answers.assignment_id = one.assignment_id AND (prompt.set = 'eval' OR prompt.split = 'test'))
"""


def of_one_answer(codes: tuple[str, ...]) -> str:
    """Return the SELECT of everything that these rules find in `answers`, as rows of findings."""
    return " UNION ALL ".join(_as_findings(RULES[code], _OF_ONE_ANSWER[code]) for code in codes)


def _as_findings(rule: Rule, select: str) -> str:
    exempt = _EXEMPT if rule.uses_model else ""
    return (
        f"SELECT '{rule.code}' AS rule, {rule.version} AS version, '{rule.severity.value}' AS severity,"  # noqa: S608 - of rules above
        f" one.assignment_id, one.evidence FROM ({select}) one{exempt}"
    )


#: The side of both overall answers, in the first revision. Empty: they are on different sides, or a tie.
SIDE = """
CASE WHEN first.helpfulness <> first.harmlessness OR first.helpfulness = 'tie' THEN ''
     WHEN first.helpfulness = mine.left THEN 'left' ELSE 'right' END
"""
_SIDES_FROM = """
  FROM annotation_assignment mine
  JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
  JOIN catalog_pair pair ON pair.id = mine.pair_id
  JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
  JOIN catalog_video video_1 ON video_1.id = pair.video_1_id
 WHERE mine.study_id = %(study)s AND mine.person_id = %(person)s AND mine.state = 'submitted'
   AND video_0.asset_id <> video_1.asset_id AND pair.kind = 'real'
"""
#: The answers of one person after a place in their order.
SIDES = f"""
SELECT mine.id AS assignment_id, mine.person_id, first.id AS annotation_id, mine.ended_at, {SIDE} AS side
{_SIDES_FROM} AND (mine.ended_at, mine.id) > (%(after)s, %(after_id)s)
"""
#: Where the run on one side began that an answer at `before` may continue: the last answer before it.
RUN_BEGAN = f"""
WITH last AS MATERIALIZED (
    SELECT {SIDE} AS side {_SIDES_FROM} AND mine.ended_at < %(before)s
     ORDER BY mine.ended_at DESC, mine.id DESC LIMIT 1
)
SELECT mine.ended_at, mine.id {_SIDES_FROM} AND mine.ended_at < %(before)s AND {SIDE} <> (SELECT side FROM last)
 ORDER BY mine.ended_at DESC, mine.id DESC LIMIT 1
"""  # noqa: S608 - of the statements above

ONE_SIDE = _as_findings(
    RULES[rule_codes.ONE_SIDE],
    f"""
SELECT assignment_id, jsonb_build_object('side', side, 'place', place) AS evidence
  FROM (
      SELECT assignment_id, side,
             row_number() OVER (PARTITION BY side, run ORDER BY ended_at, assignment_id) AS place,
             count(*) OVER (PARTITION BY side, run) AS length
        FROM (
            SELECT assignment_id, ended_at, side,
                   row_number() OVER (ORDER BY ended_at, assignment_id)
                   - row_number() OVER (PARTITION BY side ORDER BY ended_at, assignment_id) AS run
              FROM answers
        ) numbered
  ) runs
 WHERE side <> '' AND length >= {IN_A_ROW}
""",  # noqa: S608 - of a number of ours
)

#: The answers on some prompts: one row for each answer and question. A tie has no winner.
EDGES = """
SELECT mine.id AS assignment_id, mine.person_id, now_.id AS annotation_id, pair.prompt_id, pair.public_id,
       asked.question,
       CASE asked.choice WHEN 'video_0' THEN pair.video_0_id WHEN 'video_1' THEN pair.video_1_id END AS winner,
       CASE asked.choice WHEN 'video_0' THEN pair.video_1_id WHEN 'video_1' THEN pair.video_0_id END AS loser
  FROM catalog_pair pair
  JOIN annotation_assignment mine ON mine.pair_id = pair.id AND mine.state = 'submitted'
  JOIN annotation_standing stands ON stands.assignment_id = mine.id
  JOIN annotation_annotation now_ ON now_.id = stands.current_id,
       LATERAL (VALUES ('helpfulness', now_.helpfulness), ('harmlessness', now_.harmlessness))
           asked (question, choice)
 WHERE pair.prompt_id = ANY(%(prompts)s) AND pair.kind = 'real'
"""
PREFERENCE_CYCLE = _as_findings(
    RULES[rule_codes.PREFERENCE_CYCLE],
    """
SELECT one.assignment_id,
       jsonb_build_object('questions', to_jsonb(array_agg(DISTINCT one.question ORDER BY one.question)),
                          'pairs', to_jsonb(array_agg(DISTINCT other.public_id ORDER BY other.public_id)))
           AS evidence
  FROM preferences one
  JOIN preferences two ON two.person_id = one.person_id AND two.prompt_id = one.prompt_id
                          AND two.question = one.question AND two.winner = one.loser
  JOIN preferences three ON three.person_id = one.person_id AND three.prompt_id = one.prompt_id
                            AND three.question = one.question
                            AND three.winner = two.loser AND three.loser = one.winner,
       LATERAL (VALUES (two.public_id), (three.public_id)) other (public_id)
 GROUP BY one.assignment_id
""",
)
#: Only the last round of a pair is a preference, and a tie is none.
PREFERENCES = """
SELECT * FROM answers
 WHERE winner IS NOT NULL AND NOT EXISTS (
     SELECT FROM annotation_assignment mine
       JOIN annotation_assignment later ON later.pair_id = mine.pair_id AND later.person_id = mine.person_id
      WHERE mine.id = answers.assignment_id AND later.state = 'submitted' AND later.round > mine.round)
"""
