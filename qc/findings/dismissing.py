"""Dismiss a finding that a person has looked at, and bring it back. Both are recorded with the person."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from qc.findings import marks
from qc.models import Finding
from qc.rule_codes import MAY_INVALIDATE

LONGEST_REASON = 500


@transaction.atomic
def dismiss(finding: Finding, *, because: str, actor: User) -> Finding:
    """Dismiss a finding. An answer that it made invalid becomes valid again. Repeating it is harmless.

    Raise Refused without a reason, or if the finding has ended.
    """
    because = " ".join(because.split())
    if not because:
        raise Refused(_("Give a reason. People who see this finding later will read it."), "no_reason")
    if len(because) > LONGEST_REASON or "\0" in because:
        raise Refused(_("The reason has more than %(most)s characters.") % {"most": LONGEST_REASON}, "too_long")
    locked = _locked(finding)
    if locked.dismissed_at is not None:
        return locked
    values = {"dismissed_at": timezone.now(), "dismissed_by": actor, "dismissed_because": because}
    return _changed(locked, values, "finding.dismissed", actor)


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
    marks.apply(finding.pk, actor=actor)
    audit.record(action, finding, actor=actor, study_slug=finding.study.slug, after=about | because)
    finding.refresh_from_db()
    return finding
