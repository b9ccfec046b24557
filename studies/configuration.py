"""Change a study's settings, and return their earlier values."""

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.durations import in_words
from diptych.refusals import ChangedMeanwhile, Refused
from studies import promises, setting_needs
from studies.durations import percent
from studies.models import SettingChange, Study
from studies.promises import PromisesUnkept
from studies.setting_groups import OF_PROTOCOL, Setting

#: The action of the audit row. Its `before` and `after` have the settings that changed.
CONFIGURED = "study.configured"


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of a setting: the value before it, and who made it when. `who` is None for a command or the
    system.
    """

    before: Any
    who: str | None
    at: datetime


@transaction.atomic
def configure(
    study: Study, values: Mapping[str, Any], *, made_from: Mapping[str, Any], actor: User, copied: bool = False
) -> list[str]:
    """Change those settings in `values` that differ from `made_from`, and return their names. `study` is updated too.

    A change of a protocol setting raises `protocol_version` in the same statement.

    Args:
        made_from: the values that the person saw, by name.
        copied: the values are those of another study. A setting may then be on before the study has what it needs:
            the page on which people resume the study says what is missing.

    Raises ChangedMeanwhile if a setting has another value than the person saw, unless it already has the wanted
    value. Raises PromisesUnkept if a running study would break a promise.
    """
    present = Study.objects.select_for_update(no_key=True).get(
        pk=study.pk
    )  # does not block leases, which only read the row
    asked = {name: value for name, value in values.items() if name not in made_from or value != made_from[name]}
    changed = {name: value for name, value in asked.items() if value != getattr(present, name)}
    moved = {name: getattr(present, name) for name in changed if getattr(present, name) != made_from.get(name)}
    if moved:
        raise ChangedMeanwhile(_("Somebody else changed the same settings. Nothing was saved."), present=moved)
    if not changed:
        return []
    _refuse_to_break_promises(present, changed)
    _refuse_contradicting_shares(present, changed)
    if not copied:
        setting_needs.refuse_unmet(present, changed)
    before = {name: getattr(present, name) for name in changed}
    after = dict(changed)
    new_protocol = not OF_PROTOCOL.isdisjoint(changed)
    if new_protocol:
        before["protocol_version"], after["protocol_version"] = present.protocol_version, present.protocol_version + 1
    raised = {"protocol_version": F("protocol_version") + 1} if new_protocol else {}
    Study.objects.filter(pk=study.pk).update(**changed, **raised)
    _note_changes(study, {name: before[name] for name in changed}, actor)
    audit.record(CONFIGURED, study, actor=actor, study_slug=study.slug, before=before, after=after)
    study.refresh_from_db(fields=[*changed, "protocol_version"])
    return list(changed)


def _note_changes(study: Study, before: Mapping[str, Any], actor: User) -> None:
    """Store the earlier value of each changed setting. It replaces the value from before its previous change."""
    now = timezone.now()
    SettingChange.objects.bulk_create(
        [
            SettingChange(study=study, name=name, before=value, changed_by=actor, changed_at=now)
            for name, value in before.items()
        ],
        update_conflicts=True,
        unique_fields=["study", "name"],
        update_fields=["before", "changed_by", "changed_at"],
    )


def _refuse_to_break_promises(present: Study, changed: Mapping[str, Any]) -> None:
    about = {one.setting for one in (*promises.PROMISES, *promises.DISCLOSURES)}
    if present.state != Study.State.RUNNING or about.isdisjoint(changed):
        return
    after = copy(present)
    for name, value in changed.items():
        setattr(after, name, value)
    if {one.setting for one in promises.DISCLOSURES} & set(changed):
        promises.refuse_unnamed(after)
    unkept_before = promises.unkept(present)
    if broken := [one for one in promises.unkept(after) if one not in unkept_before]:
        raise PromisesUnkept(
            _("The study is running and promises this to annotators. Pause the study before you remove it."), broken
        )


def _refuse_contradicting_shares(present: Study, changed: Mapping[str, Any]) -> None:
    """Raise Refused if a good lot could be worse than a bad one. Two people may have changed one share each."""
    good, bad = (changed.get(name, getattr(present, name)) for name in ("aql", "ltpd"))
    if good >= bad:
        about = {"good": percent(good), "bad": percent(bad)}
        raise Refused(
            _(
                "A good lot could have %(good)s defects and a bad one %(bad)s. Nothing was saved. Choose a smaller "
                "share for the good lot than for the bad one."
            )
            % about,
            "good_lot_not_below_bad",
        )


def last_changes(study: Study, names: Collection[str]) -> dict[str, Change]:
    """Return the last change of each of these settings that was ever changed."""
    rows = SettingChange.objects.filter(study=study, name__in=names).select_related("changed_by")
    return {
        row.name: Change(row.before, row.changed_by.username if row.changed_by else None, row.changed_at)
        for row in rows
    }


def default_of(setting: Setting) -> Any:
    """Return the default of a setting."""
    field = _field(setting)
    return field.default if field.has_default() else ""


def _field(setting: Setting) -> models.Field:
    return cast(models.Field, Study._meta.get_field(setting.name))


def shown(setting: Setting, value: Any) -> str:
    """Return a value of the setting in words."""
    if setting.zero and value == 0:
        return str(setting.zero)
    if setting.seconds is not None:
        return in_words(value)
    if setting.share is not None:
        return percent(value)
    if isinstance(value, bool):
        return _("on") if value else _("off")
    choices = dict(_field(setting).flatchoices)
    return str(choices.get(value, value)) or _("empty")
