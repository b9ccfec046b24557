"""Dismiss a finding that a person has looked at, and bring it back. Both are recorded with the person."""

from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from findings import marks
from findings.models import Finding
from findings.rule_codes import MAY_INVALIDATE
from findings.signals import findings_changed
from studies.models import Study

LONGEST_REASON = 500
#: The most findings that one request dismisses.
MOST_AT_ONCE = 1000


@transaction.atomic
def dismiss(finding: Finding, *, because: str, actor: User) -> Finding:
    """Dismiss a finding. An answer that it made invalid becomes valid again. Repeating it is harmless.

    Raise Refused without a reason, or if the finding has ended.
    """
    because = _reason(because)
    locked = _locked(finding)
    if locked.dismissed_at is not None:
        return locked
    values = {"dismissed_at": timezone.now(), "dismissed_by": actor, "dismissed_because": because}
    return _changed(locked, values, "finding.dismissed", actor)


def _reason(because: str) -> str:
    """Return the reason without line ends. Raise Refused if there is none, or if it is too long."""
    because = " ".join(because.split())
    if not because:
        raise Refused(_("Give a reason. People who see this finding later will read it."), "no_reason")
    if len(because) > LONGEST_REASON or "\0" in because:
        raise Refused(_("The reason has more than %(most)s characters.") % {"most": LONGEST_REASON}, "too_long")
    return because


@transaction.atomic
def dismiss_many(rows: QuerySet[Finding], *, because: str, study: Study, actor: User) -> int:
    """Dismiss those of the findings that are in force, with one reason, at most `MOST_AT_ONCE`. Return how many.

    Answers that they made invalid become valid again with the next periodic check: each needs locks of its own. A
    finding that somebody else changes now is left out. Repeating it is harmless. Raise Refused without a reason.
    """
    because = _reason(because)
    found = Finding.objects.filter(pk__in=rows.order_by().values("pk"), ended_at=None, dismissed_at=None)
    locked = found.select_for_update(no_key=True, of=("self",), skip_locked=True).order_by("pk")[:MOST_AT_ONCE]
    keys = list(locked.values_list("pk", flat=True))
    if not keys:
        return 0
    Finding.objects.filter(pk__in=keys).update(
        dismissed_at=timezone.now(),
        dismissed_by=actor,
        dismissed_because=because,
        mark_due=Case(When(rule__in=MAY_INVALIDATE, then=Value(True)), default=Value(False)),
    )
    assignments = list(Finding.objects.filter(pk__in=keys).values_list("assignment", flat=True))
    findings_changed.send(sender=Finding, assignments=assignments)
    after = {"findings": keys, "because": because}
    audit.record("findings.dismissed", study, actor=actor, study_slug=study.slug, after=after)
    return len(keys)


@transaction.atomic
def bring_back(finding: Finding, *, actor: User) -> Finding:
    """Put a dismissed finding in force again. If the study lets its rule do that, the answer becomes invalid again.

    Repeating it is harmless. Raise Refused if the finding has ended.
    """
    locked = _locked(finding)
    if locked.dismissed_at is None:
        return locked
    values: dict[str, object] = {"dismissed_at": None, "dismissed_by": None, "dismissed_because": ""}
    return _changed(locked, values, "finding.brought_back", actor)


def _locked(finding: Finding) -> Finding:
    rows = Finding.objects.select_related("study").select_for_update(no_key=True, of=("self",))
    locked = rows.get(pk=finding.pk)
    if locked.ended_at is not None:
        raise Refused(
            _("This finding has ended, because the answer changed or the rule was switched off."), "finding_ended"
        )
    return locked


def _changed(finding: Finding, values: dict[str, object], action: str, actor: User) -> Finding:
    """Write the change, let the answer follow, and record it."""
    because = {"because": values["dismissed_because"] or finding.dismissed_because}
    about = {"rule": finding.rule, "assignment": finding.assignment_id}
    Finding.objects.filter(pk=finding.pk).update(**values, mark_due=finding.rule in MAY_INVALIDATE)
    findings_changed.send(sender=Finding, assignments=[finding.assignment_id])
    marks.apply(finding.pk, actor=actor)
    audit.record(action, finding, actor=actor, study_slug=finding.study.slug, after=about | because)
    finding.refresh_from_db()
    return finding
