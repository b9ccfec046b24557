"""Which rules a study uses, which of them make answers invalid, and what a change of that does at once."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation.models import Assignment
from diptych.listing import listed
from diptych.refusals import BadInput, ChangedMeanwhile
from findings import rule_codes
from findings.models import Finding, StudyRules
from findings.rules import RULES
from studies.models import Study


def rules_of(study: Study) -> StudyRules:
    """Return the rules of the study. Those of a study that never changed them are the defaults, and not stored."""
    return StudyRules.objects.filter(study=study).select_related("changed_by").first() or StudyRules(study=study)


def invalidates(study: Study, code: str) -> bool:
    """Return whether the rule makes answers of the study invalid."""
    return code in rules_of(study).invalidating


def locked(study: Study) -> StudyRules:
    """Return the rules of the study, stored and locked. Call it in a transaction.

    Everything that writes findings holds this lock, so each check sees the answers as they are after the check before.
    """
    _stored(study)
    return StudyRules.objects.select_for_update(no_key=True, of=("self",)).get(study=study)


def locked_if_free(study: Study) -> StudyRules | None:
    """Do the same, but return None if somebody else has the lock."""
    _stored(study)
    rows = StudyRules.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
    return rows.filter(study=study).first()


def _stored(study: Study) -> None:
    """Store the defaults if the study has no row. Its rules have checked every answer so far, since all are due."""
    if not StudyRules.objects.filter(study=study).exists():
        checked = {code: RULES[code].version for code in rule_codes.ON_BY_DEFAULT}
        StudyRules.objects.bulk_create([StudyRules(study=study, checked=checked)], ignore_conflicts=True)


@transaction.atomic
def change_rules(
    study: Study,
    *,
    on: Collection[str],
    invalidating: Collection[str],
    ask_again: bool,
    seen: dict[str, Any],
    actor: User,
) -> list[str]:
    """Change the rules of the study and return what changed: `on`, `invalidating`, `ask_again`.

    1. Lock the row. Refuse if it differs from `seen`, which is what the person saw (`as_seen`).
    2. End the findings of rules that are switched off.
    3. Let the validity of answers follow: of findings of rules that now make answers invalid, or no longer do.
    4. Store the change and an audit row.

    A rule that is switched on checks new answers from now on, and earlier ones with the next run. Raise BadInput and
    ChangedMeanwhile.
    """
    wanted = chosen(on, invalidating, ask_again)
    rules = locked(study)
    before = as_seen(rules)
    if before != seen:
        raise ChangedMeanwhile(
            _(
                "Somebody else changed the rules after you opened this page. Nothing was saved. Check them and "
                "save again."
            )
        )
    changed = [name for name, value in wanted.items() if value != before[name]]
    if not changed:
        return []
    off = set(before["on"]) - set(wanted["on"])
    open_findings = Finding.objects.filter(study=study, ended_at=None)
    open_findings.filter(rule__in=off).update(ended_at=Now(), mark_due=F("marked"))
    follows = set(before["invalidating"]) ^ set(wanted["invalidating"])
    open_findings.filter(rule__in=follows, dismissed_at=None).update(mark_due=True)
    for name, value in wanted.items():
        setattr(rules, name, value)
    rules.checked = _still_checked(study, rules.checked, wanted["on"])
    rules.changed_by, rules.changed_at = actor, Now()
    rules.save()
    audit.record(
        "findings.rules_changed",
        study,
        actor=actor,
        study_slug=study.slug,
        before={name: before[name] for name in changed},
        after={name: wanted[name] for name in changed},
    )
    return changed


def as_seen(rules: StudyRules) -> dict[str, Any]:
    """Return what people choose, with codes in the order of the rules."""
    return {
        "on": [code for code in rule_codes.CODES if code in rules.on],
        "invalidating": [code for code in rule_codes.CODES if code in rules.invalidating],
        "ask_again": rules.ask_again,
    }


def chosen(on: Collection[str], invalidating: Collection[str], ask_again: bool) -> dict[str, Any]:
    """Return what a person chose, with codes in the order of the rules. Raise BadInput if it cannot be chosen."""
    for name, codes, known in (("on", on, rule_codes.CODES), ("invalidating", invalidating, rule_codes.MAY_INVALIDATE)):
        if unknown := sorted(set(codes) - set(known)):
            raise BadInput(_("There is no such rule: %(codes)s.") % {"codes": ", ".join(unknown)}, field=name)
    if off := sorted(set(invalidating) - set(on)):
        labels = listed(RULES[code].label for code in off)
        raise BadInput(
            _("A rule must be on before it can make answers invalid. Switch it on too: %(rules)s.") % {"rules": labels},
            field="invalidating",
        )
    return as_seen(StudyRules(on=list(on), invalidating=list(invalidating), ask_again=ask_again))


def _still_checked(study: Study, checked: dict[str, int], on: Collection[str]) -> dict[str, int]:
    """Return the versions that have checked all answers, after a change. Without answers, every rule has."""
    if not Assignment.objects.filter(study=study, state=Assignment.State.SUBMITTED).exists():
        return {code: RULES[code].version for code in on}
    return {code: version for code, version in checked.items() if code in on}


def not_yet_run(rules: StudyRules) -> list[str]:
    """Return the rules that are on and whose present version has not checked all answers of the study."""
    if rules._state.adding:
        return []
    return [code for code in rule_codes.CODES if code in rules.on and rules.checked.get(code) != RULES[code].version]
