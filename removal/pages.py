"""Return what pages show about removals."""

import re
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from importing.models import Import
from jobs.pages import JobCard, grouped, words
from removal import orders
from removal.models import Removal
from removal.work import BUILT_ON, REMOVING, State, What
from studies.job_lists import JobList
from studies.models import Study


def card(job: Removal) -> JobCard:
    """Return what pages show about the removal."""
    is_study = job.what == What.STUDY
    if job.state == State.DONE:
        title = _("Study “%(title)s” was deleted") if is_study else _("Import %(number)s was undone")
    else:
        title = _("Delete study “%(title)s”") if is_study else _("Undo import %(number)s")
    return JobCard(
        **words(job, doing=_(REMOVING), cancel=reverse("removal:cancel", args=[job.pk])),
        title=title % {"title": job.study_title, "number": job.import_number},
        how_far=_("%(n)s of %(total)s rows") % {"n": grouped(job.steps), "total": grouped(job.steps_total)},
        meanwhile=_("You can leave this page."),
        outcome=outcome(job),
        page=reverse("removal:removal", args=[job.pk]),
        watch=reverse("removal:progress", args=[job.pk]),
        cancel_ask=_("Cancel the removal…"),
        cancel_label=_("Cancel the removal"),
        cancel_about=_("Nothing is removed."),
    )


def outcome(job: Removal) -> str:
    """Return the outcome in one or two sentences. It is empty while the job is open."""
    if job.state != State.DONE:
        return _reason(job.reason) if job.reason else ""
    numbers = {name: grouped(job.removed.get(name, 0)) for name in ("prompts", "videos", "pairs", "batches", "labels")}
    if numbers["labels"] != "0":
        sentence = _(
            "Removed: prompts %(prompts)s, videos %(videos)s, pairs %(pairs)s, batches %(batches)s, labels %(labels)s."
        )
        return sentence % numbers
    return _("Removed: prompts %(prompts)s, videos %(videos)s, pairs %(pairs)s, batches %(batches)s.") % numbers


def _reason(stored: str) -> str:
    """Return a stored reason in the language of the reader. One reason has numbers in it."""
    numbers = {"numbers": ", ".join(re.findall(r"\d+", stored))}
    return _(BUILT_ON) % numbers if stored == BUILT_ON % numbers else _(stored)


def _found(study: Study, **values: Any) -> Any:
    found = Removal.objects.filter(study_number=study.pk, **values)
    return found.select_related("asked_by").order_by("-created_at", "-pk")


def open_cards(study: Study) -> list[JobCard]:
    """Return the study's open removal, if there is one."""
    return [card(job) for job in _found(study, finished_at=None)]


def ended_cards(study: Study, before: datetime | None, most: int) -> list[JobCard]:
    """Return the study's ended removals, the newest first."""
    earlier = {"created_at__lt": before} if before else {}
    return [card(job) for job in _found(study, finished_at__isnull=False, **earlier)[:most]]


REMOVALS = JobList(open_cards, ended_cards)


def undo_section(job: Import) -> str:
    """Return the template of the section that offers to undo an import. It is empty if there is nothing to undo."""
    return "removal/_undo_section.html" if orders.is_undoable(job) else ""
