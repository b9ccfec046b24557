"""What pages show about runs of rules."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from diptych.listing import listed
from diptych.sentences import joined
from findings.models import FindingsRun
from findings.rules import RULES
from jobs.pages import JobCard, grouped, words
from studies import job_lists

Phase = FindingsRun.Phase


def card(job: FindingsRun) -> JobCard:
    """Return the card of a run."""

    def link(name: str) -> str:
        return reverse(f"findings:{name}", args=[job.study.slug, job.pk])

    return JobCard(
        **words(job, doing=_("In progress"), cancel=link("cancel_findings_run")) | {"how_far": how_far(job)},
        title=_("Rules over all answers"),
        about=listed(RULES[code].label for code in job.rules),
        meanwhile=_("Annotators can continue in the meantime. You can leave this page."),
        outcome=outcome(job),
        page=reverse("findings:findings", args=[job.study.slug]),
        watch=link("findings_run"),
        cancel_ask=_("Cancel this run…"),
        cancel_label=_("Cancel the run"),
        cancel_about=_("The run stops after its present step. What it has found so far is kept."),
    )


def how_far(job: FindingsRun) -> str:
    """Return how much of the present phase is done."""
    said = {"n": grouped(job.steps), "total": grouped(job.steps_total)}
    if job.phase == Phase.PEOPLE:
        return _("%(n)s of %(total)s people") % said
    if job.phase == Phase.PROMPTS:
        return _("%(n)s of %(total)s prompts") % said
    return _("%(n)s of %(total)s answers") % said


def outcome(job: FindingsRun) -> str:
    """Return the outcome in a few words; empty while the job is open."""
    if job.is_open:
        return ""
    found = ngettext("%(n)s new finding.", "%(n)s new findings.", job.found) % {"n": grouped(job.found)}
    ended = ngettext("%(n)s finding ended.", "%(n)s findings ended.", job.ended) % {"n": grouped(job.ended)}
    said: list[Any] = [_(job.reason)] if job.reason else []
    return joined([*said, found, *([ended] if job.ended else [])])


RUNS = job_lists.of_rows(FindingsRun, card)
