"""Check answers by the rules of their study, and write what is found.

New and revised answers are due (`Standing.rules_due`), and a periodic task checks them. It also judges answers on
controls. A run (`runs`) checks all answers of a study. Both call the functions below while they hold the lock of the
study's rules, so that a check never writes something that a later revision has already changed.

Locks are taken in this order: the rules of the study, findings, standings.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from annotation.models import Standing
from controls import judging
from findings import rule_codes, statements, switches
from findings.models import Finding, StudyRules
from findings.signals import findings_changed
from studies.models import Study

#: The most new answers that one transaction checks.
AT_ONCE = 500
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

#: Write findings, in one statement. It returns how many findings are new, how many ended, and the answers that changed.
#:
#: 1. `answers`: what is judged. `found`: what the rules find there.
#: 2. `gone`: end open findings on these answers that are not found any more. Their marks are taken back later. The
#:    array makes PostgreSQL use the index, also while it has no statistics of many new findings.
#: 3. `written`: write the others. An open finding gets the new version and the new evidence.
WRITE = """
WITH answers AS MATERIALIZED ({answers}),
{more}found AS MATERIALIZED ({found}),
judged AS MATERIALIZED (SELECT DISTINCT assignment_id, annotation_id, person_id FROM answers),
gone AS (
    UPDATE findings_finding finding SET ended_at = statement_timestamp(), mark_due = finding.marked
     WHERE finding.assignment_id = ANY(ARRAY(SELECT assignment_id FROM judged)) AND finding.ended_at IS NULL
       AND finding.rule = ANY(%(rules)s)
       AND NOT EXISTS (SELECT FROM found
                        WHERE found.assignment_id = finding.assignment_id AND found.rule = finding.rule)
    RETURNING finding.assignment_id
), written AS (
    INSERT INTO findings_finding AS finding
           (study_id, assignment_id, annotation_id, person_id, rule, version, severity, evidence, mark_due)
    SELECT %(study)s, judged.assignment_id, judged.annotation_id, judged.person_id,
           found.rule, found.version, found.severity, found.evidence, found.rule = ANY(%(invalidating)s)
      FROM found JOIN judged ON judged.assignment_id = found.assignment_id
     ORDER BY judged.assignment_id
        ON CONFLICT (assignment_id, rule) WHERE ended_at IS NULL
        DO UPDATE SET version = excluded.version, severity = excluded.severity, evidence = excluded.evidence,
                      annotation_id = excluded.annotation_id
                WHERE (finding.version, finding.evidence, finding.annotation_id)
                      IS DISTINCT FROM (excluded.version, excluded.evidence, excluded.annotation_id)
    RETURNING finding.assignment_id, xmax = 0 AS is_new
)
SELECT (SELECT count(*) FROM written WHERE is_new), (SELECT count(*) FROM gone),
       ARRAY(SELECT assignment_id FROM written UNION SELECT assignment_id FROM gone)
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """How many findings are new, and how many ended."""

    found: int = 0
    ended: int = 0

    def __add__(self, other: "Changed") -> "Changed":
        return Changed(self.found + other.found, self.ended + other.ended)


def check_answers(rules: StudyRules, assignments: Sequence[int], codes: Collection[str]) -> Changed:
    """Check these answers by those of the rules that judge single answers."""
    asked = tuple(code for code in statements.OF_ONE_ANSWER if code in codes)
    if not asked or not assignments:
        return Changed()
    return _write(rules, asked, statements.ANSWERS, statements.of_one_answer(asked), ids=list(assignments))


def check_sides(rules: StudyRules, person: int, *, before: datetime | None = None) -> Changed:
    """Check on which sides the person answered: in all answers, or in those that may belong to a run at `before`."""
    after, after_id = LONG_AGO, 0
    if before is not None:
        about = {"study": rules.study_id, "person": person, "before": before}
        after, after_id = _row(statements.RUN_BEGAN, about) or (after, after_id)
    asked = (rule_codes.ONE_SIDE,)
    place: dict[str, Any] = {"person": person, "after": after, "after_id": after_id}
    return _write(rules, asked, statements.SIDES, statements.ONE_SIDE, **place)


def check_prompts(rules: StudyRules, prompts: Collection[int]) -> Changed:
    """Check whether people's preferences between the videos of these prompts go in a circle."""
    asked = (rule_codes.PREFERENCE_CYCLE,)
    more = f"preferences AS MATERIALIZED ({statements.PREFERENCES}),\n"
    return _write(rules, asked, statements.EDGES, statements.PREFERENCE_CYCLE, more=more, prompts=sorted(prompts))


def _write(
    rules: StudyRules, codes: Sequence[str], answers: str, found: str, *, more: str = "", **values: Any
) -> Changed:
    statement = WRITE.format(answers=answers, found=found, more=more)
    about = {"study": rules.study_id, "rules": list(codes), "invalidating": rules.invalidating}
    new, ended, assignments = _row(statement, about | values)
    if assignments:
        findings_changed.send(sender=Finding, assignments=assignments)
    return Changed(new, ended)


def _row(statement: str, values: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


# --- New and revised answers ------------------------------------------------------------------------------------


def check_new() -> int:
    """Check up to `AT_ONCE` new or revised answers of each study. Return how many are done."""
    due = Standing.objects.filter(study=OuterRef("pk"), rules_due=True)
    return sum(check_new_of(study) for study in Study.objects.filter(Exists(due)).order_by("pk"))


@transaction.atomic
def check_new_of(study: Study) -> int:
    """Check new and revised answers of a study. Return how many are done: 0 while somebody else checks.

    An answer that is locked, or was revised after it was read, stays due and is checked again.
    """
    rules = switches.locked_if_free(study)
    if rules is None:
        return 0
    due = Standing.objects.filter(study=study, rules_due=True).order_by("assignment_id")
    about = ("assignment_id", "current_id", "assignment__person", "assignment__ended_at", "assignment__pair__prompt")
    answers = list(due.values_list(*about)[:AT_ONCE])
    if not answers:
        return 0
    judging.judge([row[0] for row in answers])
    check_answers(rules, [row[0] for row in answers], rules.on)
    if rule_codes.ONE_SIDE in rules.on:
        for person, before in _earliest(answers).items():
            check_sides(rules, person, before=before)
    if rule_codes.PREFERENCE_CYCLE in rules.on:
        check_prompts(rules, {row[4] for row in answers})
    read = Standing.objects.filter(pk__in=[row[0] for row in answers], current__in=[row[1] for row in answers])
    free = list(read.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    return Standing.objects.filter(pk__in=free).update(rules_due=False)


def _earliest(answers: Sequence[Any]) -> dict[int, datetime]:
    """Return for each person when they gave the first of these answers."""
    found: dict[int, datetime] = {}
    for _assignment, _current, person, ended_at, _prompt in answers:
        found[person] = min(ended_at, found.get(person, ended_at))
    return found
