"""Make a release by itself after each accepted lot, where the study says so."""

import logging
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from qc.models import LotDecision
from releases import filters, latest, making
from releases.models import AutomaticReleases, Release
from studies.models import Study

logger = logging.getLogger(__name__)
COPIED = ("formats", "options", "licence", "terms", "licence_reason")
ALSO_COPIED = ("with_invalid", "with_comments", "with_times", "with_weights")


def of_study(study: Study) -> AutomaticReleases:
    """Return the study's setting: a row, or one that is off and not stored."""
    found = AutomaticReleases.objects.filter(study=study).select_related("changed_by").first()
    return found or AutomaticReleases(study=study)


@transaction.atomic
def switch(study: Study, *, on: bool, actor: User | None) -> AutomaticReleases:
    """Switch automatic releases on or off, and return the setting. Repeating it changes nothing.

    Lots that were accepted before it was switched on bring no release.
    """
    row, _is_new = AutomaticReleases.objects.get_or_create(study=study)
    row = AutomaticReleases.objects.select_for_update(no_key=True).get(pk=row.pk)
    if row.is_on != on:
        row.is_on, row.changed_by, row.is_refused = on, actor, False
        last = _acceptances(study).first()
        row.decision = last.pk if on and last else row.decision
        row.save(update_fields=["is_on", "changed_by", "decision", "is_refused"])
        AutomaticReleases.objects.filter(pk=row.pk).update(changed_at=Now())
        audit.record("releases.automatic", study, actor=actor, study_slug=study.slug, after={"on": on})
    return of_study(study)


def make_due() -> int:
    """Order a release for each study with a newly accepted lot. Return how many.

    While another release of the study is being made, the next sweep tries again. Several lots bring one release.
    """
    return sum(_make(row) for row in AutomaticReleases.objects.filter(is_on=True).select_related("study", "changed_by"))


def _make(row: AutomaticReleases) -> bool:
    last, base = _acceptances(row.study).first(), latest.latest(row.study)
    if last is None or last.pk <= row.decision or base is None or base.frozen_at is None:
        return False
    if last.decided_at <= base.frozen_at:
        return False  # somebody made a release that has the lot
    try:
        with transaction.atomic():
            # Of two sweeps at once, this statement lets one order the release.
            mine = AutomaticReleases.objects.filter(pk=row.pk, is_on=True, decision=row.decision)
            if not mine.update(decision=last.pk, is_refused=False):
                return False
            making.ask(row.study, like(base), actor=row.changed_by)
    except Refused as refusal:
        if refusal.code == "busy":
            return False
        logger.warning("Study %s made no release by itself: %s", row.study.slug, refusal)
        mine = AutomaticReleases.objects.filter(pk=row.pk, decision=row.decision)
        mine.update(decision=last.pk, is_refused=True)
        return False
    return True


def like(base: Release) -> making.Wanted:
    """Return what is to be made so that a release follows another one, with the same choices."""
    chosen: dict[str, Any] = {name: getattr(base, name) for name in (*COPIED, *ALSO_COPIED)}
    return making.Wanted(filter=filters.from_json(base.filter), parent=base.number, **chosen)


def _acceptances(study: Study) -> QuerySet[LotDecision]:
    """Return the decisions that accepted lots of the study, the last one first."""
    return LotDecision.objects.filter(study=study, outcome=LotDecision.Outcome.ACCEPTED).order_by("-pk")
