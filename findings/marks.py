"""Make answers invalid because of findings, and valid again. Only rules that the study lists do this.

A finding that is due (`Finding.mark_due`) is handled in a transaction of its own. Locks: finding, assignment, pair,
standing, batch (decision 023).
"""

from django.db import transaction

from accounts.models import User
from annotation import acceptance, offering
from annotation.models import Standing
from annotation.standings import change_standing
from findings import rule_codes, switches
from findings.models import Finding

AT_ONCE = 200
#: So often is somebody else asked because a pair's answers contradict themselves. Then a person has to look at it.
MOST_ASKED_AGAIN = 3


def apply_due() -> int:
    """Let the validity of answers follow up to `AT_ONCE` findings. Return how many are done."""
    due = Finding.objects.filter(mark_due=True).order_by("study_id", "pk").values_list("pk", flat=True)
    return sum(apply(finding_id) for finding_id in due[:AT_ONCE])


@transaction.atomic
def apply(finding_id: int, *, actor: User | None = None) -> bool:
    """Let the validity of one answer follow a finding. Return False if somebody else does it.

    1. Lock the finding. Re-read whether it is in force and whether the study lets its rule make answers invalid.
    2. If so, mark an answer that is valid. An answer that is invalid for another reason keeps that reason.
    3. If not, take the mark back, unless the answer is invalid for another reason by now. Other findings on the answer
       become due, because one of them may have to mark it instead.

    Args:
        actor: the person who dismissed the finding, if it happens at once. Later, the finding itself says who did.
    """
    rows = Finding.objects.select_related("study").select_for_update(no_key=True, of=("self",), skip_locked=True)
    finding = rows.filter(pk=finding_id, mark_due=True).first()
    if finding is None:
        return False
    rules = switches.rules_of(finding.study)
    standing = Standing.objects.select_related("study").get(pk=finding.assignment_id)
    if finding.in_force and finding.rule in rules.invalidating:
        finding.marked = _mark(finding, standing, ask_again=rules.ask_again)
    elif finding.marked:
        _take_back(finding, standing, actor or finding.dismissed_by)
        finding.marked = False
    finding.mark_due = False
    finding.save(update_fields=["marked", "mark_due"])
    return True


def _mark(finding: Finding, standing: Standing, *, ask_again: bool) -> bool:
    """Make the answer invalid and return whether this finding is the reason."""
    if standing.validity == Standing.Validity.INVALID and standing.reason != finding.rule:
        return False
    if ask_again and finding.rule == rule_codes.CONTRADICTION and may_ask_again(standing):
        offering.reject(standing, reason=finding.rule, actor=None)
    else:
        change_standing(standing, actor=None, validity=Standing.Validity.INVALID, reason=finding.rule)
    return True


def may_ask_again(standing: Standing) -> bool:
    """Return whether somebody else can be asked in place of this answer.

    Not while the batch is being checked, and not again after several answers of the pair that contradict themselves.
    """
    pair = standing.assignment.pair
    if not standing.counted or not acceptance.BY_BATCH[pair.batch.state].leases:
        return False
    rejected = Standing.objects.filter(
        assignment__pair=pair, reason=rule_codes.CONTRADICTION, uncounted_reason=acceptance.REJECTED
    )
    return rejected.count() < MOST_ASKED_AGAIN


def _take_back(finding: Finding, standing: Standing, actor: User | None) -> None:
    if standing.validity == Standing.Validity.INVALID and standing.reason == finding.rule:
        offering.restore(standing, actor=actor)
    others = Finding.objects.filter(assignment=finding.assignment_id, ended_at=None, dismissed_at=None, marked=False)
    others.filter(rule__in=rule_codes.MAY_INVALIDATE).exclude(pk=finding.pk).update(mark_due=True)
