"""Run rules over all answers of a study, in steps. A run is a job: see `jobs.engine`.

A run is needed after a rule got a new version or was switched on. Each step holds the lock of the study's rules for
some tenths of a second. A worker that is killed loses one step.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import audit
from accounts.models import User
from annotation.models import Assignment, Seat
from catalog.models import Prompt
from diptych.refusals import BadInput, Refused
from findings import checking, rule_codes, statements, switches
from findings.checking import Changed
from findings.models import FindingsRun, StudyRules
from findings.rules import RULES
from jobs import engine, ordered
from jobs.policy import Policy
from studies.models import Study

Phase, State = FindingsRun.Phase, FindingsRun.State
#: A run over at most this many answers is done while the person waits.
RIGHT_AWAY = 2_000
#: Rows of one step. Whoever changes the rules, or a check of new answers, waits for at most one step.
A_STEP = {Phase.ANSWERS: 2_000, Phase.PEOPLE: 1, Phase.PROMPTS: 1_000}
BUSY = gettext_noop("Rules are already being run in this study. Wait until that ends, or cancel it.")
TROUBLE = gettext_noop(
    "The database failed several times. Tell the operator of this installation. The log has details."
)
NO_END = gettext_noop(
    "The run was started several times but made no progress. Tell the operator of this installation. The log has "
    "details."
)


def run_rules(study: Study, codes: Collection[str] = (), *, actor: User) -> FindingsRun:
    """Run these rules over all answers of the study, or all rules that are on. Return the job.

    A small run is done when this returns. Raise BadInput for a rule that does not exist, and Refused if a rule is off,
    if no rule is on, or while another run is in progress.
    """
    chosen = _chosen(study, codes)
    submitted = Assignment.objects.filter(study=study, state=Assignment.State.SUBMITTED)
    last = submitted.aggregate(pk=Max("pk", default=0))["pk"]
    with transaction.atomic(), ordered.one_at_a_time(POLICY, _(BUSY)):
        job = FindingsRun.objects.create(
            study=study, asked_by=actor, rules=chosen, until=last, steps_total=submitted.count()
        )
        audit.record("findings.run_started", study, actor=actor, study_slug=study.slug, after={"rules": chosen})
    return ordered.begin(POLICY, job, run, right_away=RIGHT_AWAY)


def _chosen(study: Study, codes: Collection[str]) -> list[str]:
    if unknown := sorted(set(codes) - set(RULES)):
        raise BadInput(_("There is no such rule: %(codes)s.") % {"codes": ", ".join(unknown)}, field="rules")
    on = switches.rules_of(study).on
    if not on:
        raise Refused(_("No rule is on in this study. Switch one on first."), "no_rule")
    if off := [str(RULES[code].label) for code in RULES if code in codes and code not in on]:
        raise Refused(_("This rule is off in this study: %(rules)s.") % {"rules": ", ".join(off)}, "rule_off")
    return [code for code in RULES if code in (codes or on)]


def cancel(job: FindingsRun, *, actor: User) -> None:
    """Cancel a run: one that waits at once, one that is in progress after its present step. Its findings stay."""
    with transaction.atomic():
        if engine.cancel(POLICY, job.pk):
            audit.record("findings.run_cancelled", job, actor=actor, study_slug=job.study.slug)


def run(run_id: int) -> None:
    """Do the run, if it waits and no other worker has it."""
    engine.run(POLICY, run_id, work)


def work(job: FindingsRun) -> None:
    """Go through all answers, people and prompts. Raises Cancelled and TakenOver."""
    ordered.go_through(POLICY, job, step)


@transaction.atomic
def step(job: FindingsRun) -> bool:
    """Check the next rows of the present phase, and store the progress. Return whether anything is left."""
    there = engine.locked(POLICY, job.pk, job.fence)
    rules = switches.locked(there.study)
    codes = [code for code in there.rules if code in rules.on]
    phase = Phase(there.phase)
    keys, changed = PHASES[phase](there, rules, codes)
    progress: dict[str, Any] = {"found": there.found + changed.found, "ended": there.ended + changed.ended}
    if len(keys) == A_STEP[phase]:
        engine.get_further(there, steps=there.steps + len(keys), reached=keys[-1], **progress)
        return True
    following = _phase_after(phase)
    if following is None:
        _note_checked(rules, codes)
        engine.get_further(there, steps=there.steps_total, **progress)
        return False
    total = _number_of(following, there.study)
    engine.get_further(there, phase=following, reached=0, steps=0, steps_total=total, **progress)
    return True


def _phase_after(phase: str) -> FindingsRun.Phase | None:
    order = list(Phase)
    place = order.index(Phase(phase)) + 1
    return order[place] if place < len(order) else None


def _number_of(phase: str, study: Study) -> int:
    rows = Seat.objects if phase == Phase.PEOPLE else Prompt.objects
    return int(rows.filter(study=study).count())


def _answers(job: FindingsRun, rules: StudyRules, codes: Collection[str]) -> tuple[list[int], Changed]:
    if not set(codes) & set(statements.OF_ONE_ANSWER):
        return [], Changed()
    submitted = Assignment.objects.filter(
        study=job.study_id, state=Assignment.State.SUBMITTED, pk__gt=job.reached, pk__lte=job.until
    )
    keys = list(submitted.order_by("pk").values_list("pk", flat=True)[: A_STEP[Phase.ANSWERS]])
    return keys, checking.check_answers(rules, keys, codes)


def _people(job: FindingsRun, rules: StudyRules, codes: Collection[str]) -> tuple[list[int], Changed]:
    if rule_codes.ONE_SIDE not in codes:
        return [], Changed()
    seats = Seat.objects.filter(study=job.study_id, person__gt=job.reached).order_by("person")
    keys = list(seats.values_list("person", flat=True)[: A_STEP[Phase.PEOPLE]])
    return keys, sum((checking.check_sides(rules, person) for person in keys), Changed())


def _prompts(job: FindingsRun, rules: StudyRules, codes: Collection[str]) -> tuple[list[int], Changed]:
    if rule_codes.PREFERENCE_CYCLE not in codes:
        return [], Changed()
    prompts = Prompt.objects.filter(study=job.study_id, pk__gt=job.reached).order_by("pk")
    keys = list(prompts.values_list("pk", flat=True)[: A_STEP[Phase.PROMPTS]])
    return keys, checking.check_prompts(rules, keys)


#: A function for each phase. It checks the next rows, and returns their keys and what changed.
PHASES: dict[str, Callable[[FindingsRun, StudyRules, Collection[str]], tuple[list[int], Changed]]] = {
    Phase.ANSWERS: _answers,
    Phase.PEOPLE: _people,
    Phase.PROMPTS: _prompts,
}


def _note_checked(rules: StudyRules, codes: Collection[str]) -> None:
    """Note that the present versions of these rules have checked all answers. The row is locked."""
    rules.checked = rules.checked | {code: RULES[code].version for code in codes}
    rules.save(update_fields=["checked"])


def record_outcome(job: FindingsRun) -> None:
    """Write the outcome into the audit record, however the run ended."""
    after = {"state": job.state, "rules": job.rules, "found": job.found, "ended": job.ended}
    audit.record("findings.run_ended", job.study, actor=job.asked_by, study_slug=job.study.slug, after=after)


POLICY = Policy(
    model=FindingsRun,
    name="Run of rules",
    task="findings.tasks.run_rules",
    most_attempts=10,  # attempts in a row without progress
    pause=lambda _pauses: timedelta(minutes=1),
    tried_in_vain=TROUBLE,
    begun_in_vain=NO_END,
    ended=record_outcome,
)
