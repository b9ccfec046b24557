"""What pages show about runs that make controls."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from controls.control_kinds import KINDS
from controls.models import ControlsRun
from diptych.sentences import joined
from jobs.pages import JobCard, grouped, words
from studies import job_lists


def card(job: ControlsRun) -> JobCard:
    """Return the card of a run."""

    def link(name: str) -> str:
        return reverse(f"controls:{name}", args=[job.study.slug, job.pk])

    done = {"n": grouped(job.steps), "total": grouped(job.steps_total)}
    return JobCard(
        **words(job, doing=_("In progress"), cancel=link("cancel_controls_run"))
        | {"how_far": _("%(n)s of %(total)s controls") % done},
        title=_("Create controls"),
        about=str(KINDS[job.kind].label),
        meanwhile=_("Annotators can continue in the meantime. You can leave this page."),
        outcome=outcome(job),
        page=reverse("controls:controls", args=[job.study.slug]),
        watch=link("controls_run"),
        cancel_ask=_("Cancel this run…"),
        cancel_label=_("Cancel the run"),
        cancel_about=_("The run stops after its present step. The controls that it has made are kept."),
    )


def outcome(job: ControlsRun) -> str:
    """Return the outcome in a few words; empty while the job is open."""
    if job.is_open:
        return ""
    made = ngettext("%(n)s control was made.", "%(n)s controls were made.", job.made) % {"n": grouped(job.made)}
    said = [_(job.reason)] if job.reason else []
    if job.state == ControlsRun.State.DONE and job.made < job.steps_total:
        said.append(_("No more are possible now."))
    return joined([made, *said])


RUNS = job_lists.of_rows(ControlsRun, card)
